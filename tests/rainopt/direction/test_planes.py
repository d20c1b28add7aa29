import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.arrays import to_numpy
from rainopt.direction import planes as module
from rainopt.direction.planes import reduction, work_planes
from rainopt.image import RANGE_SLACK, split_channels

# Neither side is a whole number of blocks.
HEIGHT, WIDTH, FACTOR = 47, 61, 4
LAYOUTS = [(None, -1), (1, -1), (2, -1), (3, -1), (4, 2), (1, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, -2), (2, -3)]
FULL = {"uint8": 255, "uint16": 65535, "float32": 1, "float64": 1, "float16": 1}
DTYPES = ("uint8", "uint16", "float32", "float64")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Have small images count as large, and several bands of them."""
    monkeypatch.setattr(module, "WORK_PIXELS", 200)
    monkeypatch.setattr("rainopt.kernels.block_mean_cpu.BAND_ROWS", 3)
    assert reduction(HEIGHT, WIDTH) == FACTOR


def draw(rng, channels, axis, dtype="float32", shape=(HEIGHT, WIDTH)):
    """Draw an image of a layout."""
    pixels = rng.random((*shape, channels or 1)) * FULL[dtype]
    pixels = pixels.astype(dtype)
    return pixels[..., 0] if channels is None else np.ascontiguousarray(np.moveaxis(pixels, -1, axis))


def means(image, axis=-1, factor=FACTOR):
    """Compute what the planes should be, in double precision."""
    pixels = image[..., None] if image.ndim == 2 else np.moveaxis(image, axis, -1)
    scale = FULL[image.dtype.name]
    pixels = pixels.astype(float)[..., : 1 if pixels.shape[-1] < 3 else 3] / scale
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    pixels = pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, -1)
    return pixels.mean(axis=(1, 3)).transpose(2, 0, 1)


def check(planes, expected, atol=3e-7):
    assert isinstance(planes, np.ndarray)
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous
    assert planes.shape == expected.shape
    np.testing.assert_allclose(planes, expected, rtol=0, atol=atol)


@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
def test_planes_are_the_means_of_blocks_in_any_library(xp, rng, channels, axis):
    for dtype in DTYPES:
        image = draw(rng, channels, axis, dtype)
        kept = image.copy()
        check(work_planes(xp.asarray(image), axis), means(image, axis))
        np.testing.assert_array_equal(image, kept)


@pytest.mark.parametrize("dtype", FULL)
@pytest.mark.parametrize("factor", [2, 3, 7, 20])
def test_blocks_have_any_side(rng, monkeypatch, dtype, factor):
    monkeypatch.setattr(module, "WORK_PIXELS", HEIGHT * WIDTH / factor**2)
    image = draw(rng, 3, -1, dtype)
    check(work_planes(image), means(image, factor=factor), 1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_byte_order_and_layout_in_memory_do_not_matter(rng, torch, dtype):
    base = draw(rng, 4, -1, dtype, (2 * HEIGHT, WIDTH))
    base.flags.writeable = False
    for view in (base[::-2, :, :3], base[: 2 * HEIGHT : 2, ::-1, 0], base[:HEIGHT, :, 1::2], base[::2].T[1:2].T):
        expected = means(view)
        check(work_planes(view), expected)
        check(work_planes(view.astype(view.dtype.newbyteorder(">"))), expected)
        check(work_planes(np.asfortranarray(view)), expected)
        if view.ndim == 3:
            check(work_planes(view.transpose(2, 0, 1), 0), expected)
    tensor = torch.as_tensor(base.copy())
    check(work_planes(tensor.permute(1, 0, 2)[:, ::2]), means(base.transpose(1, 0, 2)[:, ::2]))


def test_tensors_that_numpy_cannot_hold_and_those_of_gradients(rng, torch):
    image = torch.as_tensor(draw(rng, 3, -1))
    check(work_planes(image.requires_grad_()), means(image.detach().numpy()))
    half = image.detach().to(torch.bfloat16)
    check(work_planes(half), means(half.to(torch.float32).numpy()))


def test_full_scale_is_exactly_one():
    for dtype in ("uint8", "uint16", "float32"):
        planes = work_planes(np.full((HEIGHT, WIDTH, 3), FULL[dtype], dtype))
        np.testing.assert_allclose(planes, 1, rtol=0, atol=2e-7)
        assert planes.max() <= 1


def test_the_number_of_threads_changes_nothing(rng, thread_count):
    image = draw(rng, 3, -1)
    thread_count(1)
    one = work_planes(image)
    thread_count(3)
    np.testing.assert_array_equal(work_planes(image), one)


@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
def test_small_and_narrow_images_are_passed_on(xp, rng, channels, axis):
    for dtype in DTYPES:
        for shape in ((12, 16), (1, 1000), (400, 2)):
            image = xp.asarray(draw(rng, channels, axis, dtype, shape))
            check(work_planes(image, axis), to_numpy(split_channels(image, axis).colour), 0)


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 3_000_000))
def test_the_factor_is_the_smallest_that_is_enough(height, width, pixels):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORK_PIXELS", pixels)
        factor = reduction(height, width)
        assert reduction(width, height) == factor
    if factor > 1:
        assert (height // factor) * (width // factor) <= pixels
        assert height * width > (factor - 1) ** 2 * pixels
        assert min(height, width) // factor >= 2
    else:
        # Small enough, or so narrow that there would be one row of blocks.
        assert factor == 1
        least = np.ceil(np.sqrt(height * width / pixels))
        assert height * width <= pixels or min(height, width) < 2 * least


def refused_as_at_the_edge(image, axis=-1):
    """Require the complaint of `split_channels`; returns its type."""
    kinds = []
    for function in (work_planes, split_channels):
        with pytest.raises((ValueError, TypeError)) as caught:
            function(image, axis)
        kinds.append((type(caught.value), str(caught.value)))
    assert kinds[0] == kinds[1]
    return kinds[0][0]


# In a block, in the rows and columns that fill none, and in the alpha.
PLACES = [(0, 0, 0), (20, 33, 2), (HEIGHT - 1, 3, 1), (5, WIDTH - 1, 0), (HEIGHT - 1, WIDTH - 1, 3), (7, 8, 3)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.001, -0.001, 255.0, 1e300])
def test_every_pixel_is_checked(rng, place, value):
    for dtype in ("float64",) if value == 1e300 else ("float32", "float64"):
        image = draw(rng, 4, -1, dtype)
        image[place] = value
        for layout, axis in ((image, -1), (image.transpose(2, 0, 1), 0), (image[..., place[2]], -1)):
            assert refused_as_at_the_edge(layout, axis) is ValueError


@pytest.mark.parametrize("value", [-0.9 * RANGE_SLACK, 1 + 0.9 * RANGE_SLACK])
def test_rounding_beyond_the_range_is_forgiven_and_cut(xp, value):
    planes = work_planes(xp.asarray(np.full((HEIGHT, WIDTH, 3), value, np.float32)))
    np.testing.assert_array_equal(planes, round(value))


def test_wrong_dtypes_shapes_and_axes(xp):
    for dtype in ("bool", "int8", "int32", "int64", "complex64"):
        assert refused_as_at_the_edge(xp.zeros((HEIGHT, WIDTH, 3), dtype=getattr(xp, dtype))) is TypeError
    for shape in ((), (900,), (HEIGHT, WIDTH, 5), (HEIGHT, WIDTH, 0), (0, WIDTH), (2, 30, 30, 3)):
        for dtype in ("uint8", "float32"):
            assert refused_as_at_the_edge(xp.zeros(shape, dtype=getattr(xp, dtype))) is ValueError
    for axis in (3, -4, None):
        refused_as_at_the_edge(xp.zeros((HEIGHT, WIDTH, 3)), axis)
        # It is not asked for where there are none.
        assert work_planes(xp.zeros((HEIGHT, WIDTH)), axis).shape == (1, HEIGHT // FACTOR, WIDTH // FACTOR)
    for image in ([[0.0, 1.0]], None, "photo"):
        refused_as_at_the_edge(image)
