import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from rainopt.arrays import to_numpy
from rainopt.direction import planes as module
from rainopt.direction.planes import reduction, work_planes
from rainopt.image import RANGE_SLACK, split_channels
from rainopt.kernels import block_mean_cpu as reduce_cpu

# Neither side is a whole number of blocks.
HEIGHT, WIDTH, FACTOR = 47, 61, 4
LAYOUTS = [(None, -1), (1, -1), (2, -1), (3, -1), (4, 2), (1, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, -2), (2, -3)]
FULL = {"uint8": 255, "uint16": 65535, "float32": 1, "float64": 1, "float16": 1}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Have small images count as large, and several bands of them."""
    monkeypatch.setattr(module, "WORK_PIXELS", 200)
    monkeypatch.setattr(module, "BAND_ROWS", 3)
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


@pytest.fixture
def fast(monkeypatch):
    """Count the bands that went through the kernel."""
    calls = []

    def counted(*arguments):
        calls.append(arguments[0].shape)
        return block_means(*arguments)

    block_means = reduce_cpu.block_means
    monkeypatch.setattr(reduce_cpu, "block_means", counted)
    return calls


# The means of blocks


@pytest.mark.parametrize("dtype", FULL)
@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
def test_planes_are_the_means_of_blocks(rng, fast, channels, axis, dtype):
    image = draw(rng, channels, axis, dtype)
    kept = image.copy()
    check(work_planes(image, axis), means(image, axis))
    np.testing.assert_array_equal(image, kept)
    # The kernel has done it, three rows of blocks at a time.
    assert len(fast) == 4


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
def test_any_library_gives_the_same(xp, rng, channels, axis, dtype):
    image = draw(rng, channels, axis, dtype)
    check(work_planes(xp.asarray(image), axis), means(image, axis))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
def test_the_kernel_and_the_reference_agree(rng, monkeypatch, channels, axis, dtype):
    image = draw(rng, channels, axis, dtype)
    planes = work_planes(image, axis)
    monkeypatch.setattr(module, "host_view", lambda _: None)
    check(work_planes(image, axis), planes, 1e-6)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
def test_byte_order_and_layout_in_memory_do_not_matter(rng, torch, dtype):
    base = draw(rng, 4, -1, dtype, (2 * HEIGHT, WIDTH))
    for view in (base[::-2, :, :3], base[: 2 * HEIGHT : 2, ::-1, 0], base[:HEIGHT, :, 1::2], base[::2].T[1:2].T):
        expected = means(view)
        check(work_planes(view), expected)
        check(work_planes(view.astype(view.dtype.newbyteorder(">"))), expected)
        check(work_planes(np.asfortranarray(view)), expected)
        if view.ndim == 3:
            check(work_planes(view.transpose(2, 0, 1), 0), expected)
    check(work_planes(torch.as_tensor(base).permute(1, 0, 2)[:, ::2]), means(base.transpose(1, 0, 2)[:, ::2]))
    locked = base[::2].copy()
    locked.flags.writeable = False
    check(work_planes(locked), means(locked))


def test_tensors_that_numpy_cannot_hold_and_those_of_gradients(rng, torch, fast):
    image = torch.as_tensor(draw(rng, 3, -1))
    check(work_planes(image.requires_grad_()), means(image.detach().numpy()))
    assert len(fast) == 4
    half = image.detach().to(torch.bfloat16)
    check(work_planes(half), means(half.to(torch.float32).numpy()))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("factor", [1, 2, 3, 7, 20])
def test_block_means_of_any_factor(rng, dtype, factor):
    image = draw(rng, 3, -1, dtype)
    height, width = HEIGHT // factor, WIDTH // factor
    out = np.full((3, height, width), np.nan, np.float32)
    full = np.float32(FULL[dtype])
    assert reduce_cpu.block_means(image, factor, np.float32(1 / full), np.float32(0), full, out)
    check(out, means(image, factor=factor), 1e-6)


@pytest.mark.parametrize("place", [(0, 0, 0), (46, 60, 2), (20, 30, 1)])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.5, -0.5])
def test_block_means_tell_of_every_pixel(rng, place, value):
    image = draw(rng, 3, -1)
    image[place] = value
    out = np.empty((3, 47, 61), np.float32)
    with np.errstate(all="ignore"):
        assert not reduce_cpu.block_means(image, 1, np.float32(1), np.float32(0), np.float32(1), out)


def test_full_scale_is_exactly_one(rng):
    for dtype in ("uint8", "uint16", "float32"):
        image = np.full((HEIGHT, WIDTH, 3), FULL[dtype], dtype)
        np.testing.assert_allclose(work_planes(image), 1, rtol=0, atol=2e-7)
        assert work_planes(image).max() <= 1
        np.testing.assert_array_equal(work_planes(np.zeros_like(image)), 0)


# What is reduced, and what that does


@pytest.mark.parametrize(("channels", "axis"), LAYOUTS)
@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64"])
def test_small_images_are_passed_on(xp, rng, fast, channels, axis, dtype):
    image = xp.asarray(draw(rng, channels, axis, dtype, (12, 16)))
    planes = work_planes(image, axis)
    np.testing.assert_array_equal(planes, to_numpy(split_channels(image, axis).colour))
    assert planes.dtype == np.float32
    assert not fast


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(1, 3_000_000))
def test_the_factor_is_the_smallest_that_is_enough(height, width, pixels):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "WORK_PIXELS", pixels)
        factor = reduction(height, width)
        assert reduction(width, height) == factor
    assert factor >= 1
    if factor > 1:
        assert (height // factor) * (width // factor) <= pixels
        assert height * width > (factor - 1) ** 2 * pixels
        assert min(height, width) // factor >= 2
    else:
        # Small enough, or so narrow that there would be one row of blocks.
        least = np.ceil(np.sqrt(height * width / pixels))
        assert height * width <= pixels or min(height, width) < 2 * least


def test_the_defaults_leave_a_megapixel_alone(monkeypatch):
    monkeypatch.undo()
    assert reduction(1000, 1000) == 1
    assert reduction(1000, 1500) == 1
    assert reduction(3000, 4000) == 3
    assert reduction(4000, 6000) == 4


@pytest.mark.parametrize("slope", [(0.3, 0.4), (-0.2, 0.1), (0.0, 0.5)])
def test_angles_are_kept(slope):
    row, column = np.indices((HEIGHT, WIDTH))
    image = (0.5 + slope[0] * (row / 100 - 0.2) + slope[1] * (column / 100 - 0.3)).astype(np.float32)
    (plane,) = work_planes(image)
    down, right = np.gradient(plane.astype(float))
    np.testing.assert_allclose(down, FACTOR * slope[0] / 100, atol=1e-6)
    np.testing.assert_allclose(right, FACTOR * slope[1] / 100, atol=1e-6)


@pytest.mark.parametrize("shape", [(3, 400), (400, 2), (1, 1000)])
def test_narrow_images_are_not_reduced(rng, shape):
    image = rng.random(shape).astype(np.float32)
    np.testing.assert_array_equal(work_planes(image), image[None])


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_the_number_of_threads_changes_nothing(rng, thread_count, dtype):
    image = draw(rng, 3, -1, dtype)
    thread_count(1)
    one = work_planes(image)
    thread_count(3)
    np.testing.assert_array_equal(work_planes(image), one)


def test_reduction_commutes_with_what_moves_whole_blocks(rng):
    # A zoom by repetition is undone; mirrors go through.
    small = rng.random((12, 15, 3)).astype(np.float32)
    large = small.repeat(FACTOR, axis=0).repeat(FACTOR, axis=1)
    assert reduction(*large.shape[:2]) == FACTOR
    planes = work_planes(large)
    check(planes, small.transpose(2, 0, 1).astype(float))
    check(work_planes(large[::-1]), planes[:, ::-1])
    check(work_planes(large[:, ::-1]), planes[:, :, ::-1])
    check(work_planes(large.transpose(1, 0, 2)), planes.transpose(0, 2, 1))
    box = ndimage.uniform_filter(large[..., 0].astype(float), FACTOR, origin=-FACTOR // 2)[::FACTOR, ::FACTOR]
    check(planes[0], box)


# What is refused


def refusal(function, *arguments):
    with pytest.raises((ValueError, TypeError)) as caught:
        function(*arguments)
    return type(caught.value), str(caught.value)


# In a block, in the rows and columns that fill none, and in the alpha.
PLACES = [(0, 0, 0), (20, 33, 2), (HEIGHT - 1, 3, 1), (5, WIDTH - 1, 0), (HEIGHT - 1, WIDTH - 1, 3), (7, 8, 3)]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1.001, -0.001, 255.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_pixel_is_checked(rng, place, value, dtype):
    image = draw(rng, 4, -1, dtype)
    image[place] = value
    for layout, axis in ((image, -1), (image.transpose(2, 0, 1), 0), (image[..., place[2]], -1)):
        refused = refusal(work_planes, layout, axis)
        assert refused == refusal(split_channels, layout, axis)
        assert refused[0] is ValueError


def test_doubles_that_no_float32_holds_are_refused_as_any_other(rng):
    image = draw(rng, 3, -1, "float64")
    image[5, 5, 1] = 1e300
    assert refusal(work_planes, image, -1) == refusal(split_channels, image, -1)


@pytest.mark.parametrize("value", [-0.9 * RANGE_SLACK, 1 + 0.9 * RANGE_SLACK])
def test_rounding_beyond_the_range_is_forgiven_and_cut(xp, value):
    planes = work_planes(xp.asarray(np.full((HEIGHT, WIDTH, 3), value, np.float32)))
    np.testing.assert_array_equal(planes, round(value))


@pytest.mark.parametrize("dtype", ["bool", "int8", "int32", "int64", "complex64"])
def test_wrong_dtypes(xp, dtype):
    image = xp.zeros((HEIGHT, WIDTH, 3), dtype=getattr(xp, dtype))
    refused = refusal(work_planes, image)
    assert refused == refusal(split_channels, image)
    assert refused[0] is TypeError


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
@pytest.mark.parametrize("shape", [(), (900,), (HEIGHT, WIDTH, 5), (HEIGHT, WIDTH, 0), (0, WIDTH), (2, 30, 30, 3)])
def test_wrong_shapes(xp, shape, dtype):
    image = xp.zeros(shape, dtype=getattr(xp, dtype))
    refused = refusal(work_planes, image)
    assert refused == refusal(split_channels, image)
    assert refused[0] is ValueError


@pytest.mark.parametrize("axis", [3, -4, None])
def test_wrong_channel_axes(rng, axis):
    image = draw(rng, 3, -1)
    assert refusal(work_planes, image, axis) == refusal(split_channels, image, axis)
    # It is not asked for where there are none.
    check(work_planes(image[..., 0], axis), means(image[..., 0]))


@pytest.mark.parametrize("image", [[[0.0, 1.0]], None, "photo"])
def test_what_is_no_array(image):
    assert refusal(work_planes, image) == refusal(split_channels, image)
