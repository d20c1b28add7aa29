import numpy as np
import pytest

from rainopt.arrays import to_numpy
from rainopt.geometry.boxes import box_mean, shifted

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
def test_means_are_those_of_a_loop(xp, rng, shape, length, axis):
    field = rng.standard_normal(shape)
    there = xp.asarray(field)
    mean = box_mean(there, length, axis)
    assert isinstance(mean, type(there))
    assert mean.dtype == there.dtype
    np.testing.assert_allclose(to_numpy(mean), by_hand(field, length, axis), rtol=0, atol=1e-13)


@pytest.mark.parametrize("axis", [-2, -1])
def test_single_precision_stays_and_is_exact_to_its_last_digits_along_a_long_row(xp, rng, axis):
    field = (1000 + rng.random((40, 3000))).astype(np.float32)
    field = field if axis == -1 else field.T.copy()
    mean = box_mean(xp.asarray(field), 15, axis)
    assert mean.dtype == xp.float32
    np.testing.assert_allclose(to_numpy(mean), by_hand(field.astype(float), 15, axis), rtol=2e-7)


def test_the_input_and_its_layout_do_not_matter(rng):
    base = rng.random((20, 30, 2))
    kept = base.copy()
    for view in (base[..., 1], base[::-1, ::2, 0], base[..., 0].T, np.asfortranarray(base[..., 0])):
        for axis in (-2, -1):
            np.testing.assert_allclose(
                box_mean(view, 5, axis), box_mean(np.ascontiguousarray(view), 5, axis), rtol=0, atol=1e-15
            )
    np.testing.assert_array_equal(base, kept)


@pytest.mark.parametrize("axis", [-2, -1])
def test_torch_gradients_go_through(torch, rng, axis):
    leaf = torch.as_tensor(rng.random((6, 7))).requires_grad_()
    np.testing.assert_allclose(box_mean(leaf, 3, axis).detach(), box_mean(leaf.detach(), 3, axis), atol=1e-13)
    assert torch.autograd.gradcheck(lambda field: box_mean(field, 3, axis), leaf)


def test_arrays_stay_on_their_device(strict, rng):
    field = strict.asarray(rng.random((5, 6)), device=strict.Device("device1"))
    for moved in (shifted(field, 2), box_mean(field, 3, -1), box_mean(field, 3, -2)):
        assert moved.device == field.device


@pytest.mark.parametrize("length", [0, -1, 2, 10])
def test_boxes_have_a_middle(xp, length):
    with pytest.raises(ValueError, match=f"`length` must be odd and at least 1, got {length}"):
        box_mean(xp.zeros((4, 4)), length, -1)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("by", [-20, -3, 0, 1, 20])
def test_shifted_is_the_pixel_to_the_left_with_the_border_repeated(xp, rng, shape, by):
    field = rng.random(shape)
    expected = field[..., np.clip(np.arange(shape[-1]) - by, 0, shape[-1] - 1)]
    np.testing.assert_array_equal(to_numpy(shifted(xp.asarray(field), by)), expected)
