import numpy as np
import pytest

from rainopt.arrays import to_numpy
from rainopt.geometry.boxes import _box_mean_reference, box_mean, shifted

SHAPES = [(1, 1), (1, 7), (7, 1), (6, 9), (2, 3, 5, 8)]


def by_hand(field, length, axis):
    """Pixel by pixel, the border repeated by holding the index inside."""
    turned = np.moveaxis(field, axis, -1)
    size, reach = turned.shape[-1], length // 2
    out = np.empty_like(turned)
    for i in range(size):
        out[..., i] = sum(turned[..., min(max(k, 0), size - 1)] for k in range(i - reach, i + reach + 1)) / length
    return np.moveaxis(out, -1, axis)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("length", [1, 3, 21])
@pytest.mark.parametrize("axis", [-2, -1])
def test_means_are_those_of_a_loop_on_every_path(xp, rng, shape, length, axis):
    field = rng.standard_normal(shape)
    expected = by_hand(field, length, axis)
    there = xp.asarray(field)
    for mean in (box_mean(there, length, axis), _box_mean_reference(there, length, axis)):
        assert isinstance(mean, type(there))
        assert mean.dtype == there.dtype
        np.testing.assert_allclose(to_numpy(mean), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("axis", [-2, -1])
def test_single_precision_stays_and_is_exact_to_its_last_digits_along_a_long_row(xp, rng, axis):
    field = (1000 + rng.random((40, 3000))).astype(np.float32)
    field = field if axis == -1 else field.T.copy()
    there = xp.asarray(field)
    exact = box_mean(field.astype(np.float64), 15, axis)
    for mean in (box_mean(there, 15, axis), _box_mean_reference(there, 15, axis)):
        assert mean.dtype == xp.float32
        np.testing.assert_allclose(to_numpy(mean), exact, rtol=2e-7)


@pytest.mark.parametrize("value", [0.0, 0.3, 1.0, -2.5])
def test_constants_are_kept(xp, value):
    field = xp.full((11, 13), value, dtype=xp.float64)
    for axis in (-2, -1):
        for mean in (box_mean(field, 7, axis), _box_mean_reference(field, 7, axis)):
            np.testing.assert_allclose(to_numpy(mean), value, rtol=1e-14)


def test_the_mean_of_a_point_is_a_box_around_it():
    field = np.zeros((9, 11))
    field[4, 5] = 1
    expected = np.zeros((9, 11))
    expected[4, 3:8] = 1 / 5
    np.testing.assert_allclose(box_mean(field, 5, -1), expected, atol=1e-15)
    np.testing.assert_allclose(box_mean(field.T, 5, -2), expected.T, atol=1e-15)


def test_the_input_and_its_layout_do_not_matter(rng):
    base = rng.random((20, 30, 2))
    kept = base.copy()
    for view in (base[..., 1], base[::-1, ::2, 0], base[..., 0].T, np.asfortranarray(base[..., 0])):
        for axis in (-2, -1):
            np.testing.assert_allclose(
                box_mean(view, 5, axis), box_mean(np.ascontiguousarray(view), 5, axis), rtol=0, atol=1e-15
            )
    np.testing.assert_array_equal(base, kept)


def test_torch_gradients_go_through(torch, rng):
    leaf = torch.as_tensor(rng.random((6, 7))).requires_grad_()
    weight = torch.as_tensor(rng.random((6, 7)))
    (box_mean(leaf, 3, -1) * weight).sum().backward()
    # The gradient of a linear map: how the weighted sum grows with each pixel.
    expected = [
        [float((box_mean(point, 3, -1) * weight).sum()) for point in row]
        for row in torch.eye(42, dtype=torch.float64).reshape(6, 7, 6, 7)
    ]
    np.testing.assert_allclose(leaf.grad, expected, atol=1e-14)


def test_arrays_stay_on_their_device(strict, rng):
    field = strict.asarray(rng.random((5, 6)), device=strict.Device("device1"))
    for moved in (shifted(field, 2), _box_mean_reference(field, 3, -1), _box_mean_reference(field, 3, -2)):
        assert moved.device == field.device


@pytest.mark.parametrize("length", [0, -1, 2, 10])
def test_boxes_have_a_middle(xp, length):
    with pytest.raises(ValueError, match=f"`length` must be odd and at least 1, got {length}"):
        box_mean(xp.zeros((4, 4)), length, -1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("by", [-20, -3, 0, 1, 20])
def test_shifted_is_the_pixel_to_the_left_with_the_border_repeated(xp, rng, shape, by):
    field = rng.random(shape)
    moved = shifted(xp.asarray(field), by)
    # Beyond its own width a shift changes nothing more.
    pad = [(0, 0)] * (len(shape) - 1) + [(max(by, 0), max(-by, 0))]
    padded = np.pad(field, pad, mode="edge")
    expected = padded[..., : shape[-1]] if by >= 0 else padded[..., -by:]
    np.testing.assert_array_equal(to_numpy(moved), expected)


def test_shifts_to_both_sides_mirror_each_other(rng):
    field = rng.random((5, 9))
    np.testing.assert_array_equal(shifted(field[:, ::-1], 2)[:, ::-1], shifted(field, -2))
