import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from data_tools import Streaks, render_streaks
from rainopt.arrays import to_numpy
from rainopt.geometry.warp import Upright, shift_rows

ANGLES = (-89.9, -63.4, -46, -45, -30, -1, 0, 0.3, 20, 44.9, 45, 45.1, 77, 90)
ANGLE = st.floats(-89.9, 90)
SIDE = st.integers(1, 20)
CENTRE = st.one_of(st.none(), st.floats(-200, 200))


def smooth_image(rng, shape, sigma=2.5):
    image = ndimage.gaussian_filter(rng.random(shape), sigma, mode="nearest", axes=(-2, -1))
    return (image - image.min()) / (image.max() - image.min())


def column_spread(layer):
    """Standard deviation over rows of the column where a row's light is, in pixels; and the rows counted."""
    layer = np.maximum(layer, 0)
    light = layer.sum(axis=1)
    # The ends of a streak are cut square to it, not to the rows.
    rows = light > 0.97 * light.max()
    centre = (layer * np.arange(layer.shape[1])).sum(axis=1)[rows] / light[rows]
    return centre.std(), rows.sum()


@pytest.mark.parametrize("fill", ["edge", "zero"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_rows_are_interpolated_by_windowed_sincs(xp, rng, fill, dtype):
    offsets = np.array([0.0, 2.0, -3.0, 0.25, -7.6, 30.5])
    image, width = rng.random((6, 9)).astype(dtype), 12
    expected = np.zeros((6, width))
    for i, offset in enumerate(offsets):
        for j in range(width):
            taps = np.floor(j + offset) + np.arange(-2, 4)
            distance = taps - (j + offset)
            weights = np.sinc(distance) * np.sinc(distance / 3)
            values = image[i, np.clip(taps, 0, 8).astype(int)]
            if fill == "zero":
                values = np.where((taps >= 0) & (taps <= 8), values, 0)
            expected[i, j] = weights @ values / weights.sum()
    out = shift_rows(xp.asarray(image), offsets, width, fill=fill)
    assert out.dtype == getattr(xp, dtype)
    np.testing.assert_allclose(to_numpy(out), expected, atol=1e-6 if dtype == "float32" else 1e-13)
    # Shifts by whole pixels copy every bit.
    np.testing.assert_array_equal(to_numpy(out)[0, :9], image[0])
    np.testing.assert_array_equal(to_numpy(out)[1, :7], image[1, 2:])
    np.testing.assert_array_equal(to_numpy(out)[2, 3:], image[2])


@given(ANGLE, SIDE, SIDE, CENTRE)
def test_flat_images_stay_flat(angle, height, width, centre):
    upright = Upright(angle, height, width, centre)
    np.testing.assert_allclose(upright.forward(np.full((height, width), 0.6)), 0.6, rtol=1e-13)


@pytest.mark.parametrize("angle", ANGLES)
def test_a_straight_streak_becomes_vertical_by_its_own_angle_alone(angle):
    shape = (121, 150)
    streak = Streaks(*(np.array([v]) for v in (60.0, 75.0, float(angle), 90.0, 1.2, 4.0, 0.8)))
    upright, layer = Upright(angle, *shape), render_streaks(streak, shape)
    straight = upright.forward(layer, fill="zero")
    assert straight.shape == upright.shape
    spread, rows = column_spread(straight)
    assert rows > 40
    assert spread < 0.03
    for other in (angle - 2, angle + 2):
        if -90 < other <= 90:
            assert column_spread(Upright(other, *shape).forward(layer, fill="zero"))[0] > 10 * spread


@pytest.mark.parametrize(("angle", "transposed"), [(0, False), (45, False), (-45, False), (46, True), (90, True)])
def test_the_slope_stays_within_one(angle, transposed):
    upright = Upright(angle, 20, 30)
    assert upright.transposed is transposed
    assert abs(upright.slope) <= 1
    rows, columns = upright.shape
    assert (rows, columns - 2 * upright.margin) == ((30, 20) if transposed else (20, 30))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (8, 1), (7, 10), (2, 3, 6, 5)])
def test_angle_0_is_the_identity_and_90_the_transpose(xp, rng, shape):
    image = rng.random(shape)
    upright = Upright(0, *shape[-2:])
    assert upright.shape == shape[-2:]
    for out in (upright.forward, upright.back, upright.adjoint):
        np.testing.assert_array_equal(to_numpy(out(xp.asarray(image))), image)
    upright = Upright(90, *shape[-2:])
    there = upright.forward(xp.asarray(image))
    inner = to_numpy(there)[..., upright.margin : upright.shape[1] - upright.margin]
    np.testing.assert_allclose(inner, np.swapaxes(image, -1, -2), atol=1e-12)
    np.testing.assert_allclose(to_numpy(upright.back(there)), image, atol=1e-12)


@pytest.mark.parametrize("angle", [45, -45])
@pytest.mark.parametrize("shape", [(1, 5), (5, 1), (7, 7), (9, 4), (21, 30)])
def test_whole_pixel_shears_are_inverted(rng, angle, shape):
    # With an odd number of rows a slope of 1 moves every row by whole pixels.
    image = rng.random(shape)
    upright = Upright(angle, *shape)
    for fill in ("edge", "zero"):
        straight = upright.forward(image, fill=fill)
        np.testing.assert_allclose(upright.back(straight), image, atol=1e-12)
    for i in range(shape[0]):
        shift = upright.margin - int(np.sign(angle)) * (i - (shape[0] - 1) // 2)
        np.testing.assert_allclose(straight[i, shift : shift + shape[1]], image[i], atol=1e-12)
    np.testing.assert_allclose(straight.sum(), image.sum())


@given(ANGLE, SIDE, SIDE, CENTRE, st.integers(0, 2**32 - 1))
def test_adjoint_identity(angle, height, width, centre, seed):
    rng = np.random.default_rng(seed)
    upright = Upright(angle, height, width, centre)
    a, p = rng.standard_normal((2, height, width)), rng.standard_normal((2, *upright.shape))
    forward, backward = np.vdot(upright.forward(a, fill="zero"), p), np.vdot(a, upright.adjoint(p))
    np.testing.assert_allclose(forward, backward, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("angle", ANGLES)
@pytest.mark.parametrize("shape", [(40, 50), (41, 37)])
def test_back_undoes_forward_on_smooth_images(rng, angle, shape):
    image = smooth_image(rng, shape)
    for centre in (None, -300.0, -7.5, 19.5, 500.25):
        upright = Upright(angle, *shape, centre)
        again = upright.back(upright.forward(image))
        assert again.shape == image.shape
        # Near the ends of the rows the filled edge is not smooth any more.
        inner = (slice(6, -6), slice(6, -6))
        np.testing.assert_allclose(again[inner], image[inner], atol=0.01)
        assert np.abs(again - image).max() < 0.15


@pytest.mark.parametrize("angle", [-72, -33, 20, 45, 58])
@pytest.mark.parametrize("part", [slice(0, 9), slice(11, 24), slice(20, 31)])
def test_a_tile_with_the_centre_of_the_whole_is_part_of_the_whole(rng, angle, part):
    image = rng.random((31, 31))
    whole = Upright(angle, 31, 31)
    # Along the rows of the sheared image, whichever these are.
    tile = image[:, part] if whole.transposed else image[part]
    upright = Upright(angle, *tile.shape, (31 - 1) / 2 - part.start)
    of_whole, of_tile = whole.forward(image)[part], upright.forward(tile)
    shift = whole.margin - upright.margin
    low, high = max(0, -shift), min(of_tile.shape[1], of_whole.shape[1] - shift)
    assert high - low >= 31
    np.testing.assert_allclose(of_tile[:, low:high], of_whole[:, low + shift : high + shift], atol=1e-9)


@pytest.mark.parametrize("angle", [-90 + 1e-3, -45, -20, 0, 13, 70, 90])
@pytest.mark.parametrize("fill", ["edge", "zero"])
def test_kernel_and_reference_agree(strict, torch, rng, angle, fill):
    for dtype, tolerance in (("float32", 1e-6), ("float64", 1e-13)):
        image = rng.random((2, 9, 14)).astype(dtype)
        upright = Upright(angle, 9, 14)
        straight = upright.forward(image, fill=fill)
        assert straight.dtype == image.dtype
        for to in (strict.asarray, torch.as_tensor, lambda a: torch.tensor(a, requires_grad=True)):
            there = upright.forward(to(image), fill=fill)
            assert there.dtype == to(image).dtype
            np.testing.assert_allclose(to_numpy(there), straight, atol=tolerance)
            for name in ("back", "adjoint"):
                mine, theirs = getattr(upright, name)(to(straight)), getattr(upright, name)(straight)
                np.testing.assert_allclose(to_numpy(mine), theirs, atol=tolerance)


def test_torch_differentiates_it_by_the_adjoint(torch, rng):
    upright = Upright(24, 8, 9)
    a = torch.as_tensor(rng.random((8, 9))).requires_grad_()
    p = rng.random(upright.shape)
    torch.sum(upright.forward(a, fill="zero") * torch.as_tensor(p)).backward()
    np.testing.assert_allclose(a.grad, upright.adjoint(p), atol=1e-13)


@pytest.mark.parametrize("angle", [20, 70])
def test_layout_in_memory_does_not_matter_and_the_input_is_kept(rng, angle):
    base = rng.random((300, 24, 2))
    kept = base.copy()
    for view in (base[..., 0], base[::-1, ::2, 1], base[..., 1].T):
        upright = Upright(angle, *view.shape)
        expected = upright.forward(np.ascontiguousarray(view))
        np.testing.assert_array_equal(upright.forward(view), expected)
        wide = np.repeat(expected, 2, axis=-1)[..., ::2]
        np.testing.assert_array_equal(upright.back(wide), upright.back(expected))
    np.testing.assert_array_equal(base, kept)


def test_wrong_angles_shapes_and_fills(xp):
    for angle in (-90, 90.001, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=r"`angle` must be in \(-90, 90\] degrees, got"):
            Upright(angle, 10, 10)
    upright = Upright(10, 8, 9)
    with pytest.raises(ValueError, match=r"`image` must be \(\.\.\., 8, 9\), got shape \(9, 8\)"):
        upright.forward(xp.zeros((9, 8)))
    for back in (upright.back, upright.adjoint):
        message = rf"`upright` must be \(\.\.\., 8, {upright.shape[1]}\), got shape \(8, 9\)"
        with pytest.raises(ValueError, match=message):
            back(xp.zeros((8, 9)))
    with pytest.raises(ValueError, match="`fill` must be 'edge' or 'zero', got 'wrap'"):
        upright.forward(xp.zeros((8, 9)), fill="wrap")
