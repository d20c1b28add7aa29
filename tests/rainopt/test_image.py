import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.image import LUMA, RANGE_SLACK, join_channels, luminance, quantise, split_channels, unit_range

LAYOUTS = [((5, 6), -1), ((5, 6, 1), -1), ((5, 6, 3), -1), ((5, 6, 4), 2), ((3, 5, 6), 0), ((4, 5, 6), -3)]
LAYOUTS += [((5, 2, 6), 1), ((5, 6, 2), -1), ((5, 3, 6), -2)]


@pytest.mark.parametrize(("shape", "axis"), LAYOUTS)
def test_channels_are_where_they_are_said_to_be_and_go_back_there(xp, rng, shape, axis):
    image = rng.random(shape).astype(np.float32)
    channels = split_channels(xp.asarray(image), axis)
    planes = image[None] if len(shape) == 2 else np.moveaxis(image, axis, 0)
    count = 1 if len(planes) < 3 else 3
    np.testing.assert_array_equal(to_numpy(channels.colour), planes[:count])
    if len(planes) > count:
        np.testing.assert_array_equal(to_numpy(channels.alpha), planes[count])
    else:
        assert channels.alpha is None
    np.testing.assert_array_equal(to_numpy(join_channels(channels.colour, channels)), image)


@pytest.mark.parametrize(("dtype", "full"), [("uint8", 255), ("uint16", 65535)])
def test_integers_are_shares_of_their_full_scale(xp, dtype, full):
    out = unit_range(xp.asarray(np.array([[0, 1], [full // 2, full]], dtype)))
    assert out.dtype == xp.float32
    np.testing.assert_allclose(to_numpy(out), [[0, 1 / full], [full // 2 / full, 1]], rtol=1e-7)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@given(data=st.data())
def test_quantising_undoes_the_scaling_of_integers(dtype, data):
    image = data.draw(hnp.arrays(dtype, (3, 4)))
    np.testing.assert_array_equal(quantise(unit_range(image), dtype), image)


def test_quantising_rounds_to_the_nearest():
    np.testing.assert_array_equal(quantise(np.array([0, 0.49 / 255, 0.51 / 255, 1.0]), np.uint8), [0, 0, 1, 255])
    out = quantise(np.array([0.25]), np.float32)
    assert out.dtype == np.float32
    assert out == 0.25


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_floats_are_passed_on_as_single(rng, dtype):
    image = rng.random((4, 5)).astype(dtype)
    out = unit_range(image)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, image.astype(np.float32))


def test_rounding_beyond_the_range_is_forgiven_and_cut_and_more_is_refused(xp):
    image = xp.asarray([[-0.9 * RANGE_SLACK, 1 + 0.9 * RANGE_SLACK]], dtype=xp.float64)
    np.testing.assert_array_equal(to_numpy(unit_range(image)), [[0, 1]])
    for values in ((0, 255), (-0.1, 1), (0, 1.01)):
        with pytest.raises(ValueError, match=r"`image` of floats must lie in \[0, 1\], got values from .* divide by"):
            unit_range(xp.asarray([values], dtype=xp.float32))


def test_luminance_is_the_weighted_mean(xp, rng):
    assert sum(LUMA) == pytest.approx(1)
    colour = rng.random((3, 4, 5))
    np.testing.assert_allclose(to_numpy(luminance(xp.asarray(colour))), np.tensordot(LUMA, colour, 1), atol=1e-15)
    np.testing.assert_array_equal(to_numpy(luminance(xp.asarray(colour[:1]))), colour[0])


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(), (4,), (1, 4, 4, 3)], r"must be \(H, W\) or \(H, W, C\), got shape"),
        ([(4, 5, 5), (4, 5, 100)], "must have 1 to 4 channels .* got [0-9]+ on axis -1 of shape"),
        ([(0, 4), (4, 0), (4, 4, 0), (0, 4, 3)], "must not be empty, got shape"),
    ],
)
def test_wrong_shapes(xp, shapes, message):
    for shape in shapes:
        with pytest.raises(ValueError, match=f"`image` {message}"):
            split_channels(xp.zeros(shape))


@pytest.mark.parametrize("dtype", ["bool", "int32", "int64", "int8", "complex64"])
def test_wrong_dtypes_and_channel_axes(xp, dtype):
    for axis in (3, -4, None):
        with pytest.raises(ValueError, match=r"`channel_axis` must name an axis of an image of shape \(4, 5, 3\)"):
            split_channels(xp.zeros((4, 5, 3)), axis)
    with pytest.raises(TypeError, match=f"`image` must be uint8, uint16 or floating point, got .*{dtype}"):
        split_channels(xp.zeros((4, 5), dtype=getattr(xp, dtype)))


def test_non_finite_images(xp):
    # Opposite infinities are seen, too, whose sum is none.
    for values in ([np.nan, 0.5], [np.inf, 0.5], [-np.inf, 0.5], [np.inf, -np.inf]):
        with pytest.raises(ValueError, match="`image` must be finite, but it holds NaN or infinite values"):
            split_channels(xp.asarray([values]))
