"""Kernels for CUDA that change pictures and stacks of frames, against those for the CPU."""

import array_api_compat
import numpy as np
import pytest

from rainopt.geometry.warp import Upright
from rainopt.image import LUMA, luminance, split_channels
from rainopt.kernels import (
    block_mean_cpu,
    block_mean_cuda,
    box_mean_cpu,
    box_mean_cuda,
    colour_votes_cpu,
    colour_votes_cuda,
    doubt_cuda,
    luminance_cuda,
    percentile_cpu,
    percentile_cuda,
    remove_layer_cuda,
    shear_cpu,
    shear_cuda,
)
from rainopt.still import adaptive
from rainopt.still.colour import CELL, SLACK, remove_layer


@pytest.mark.parametrize(("edge", "dtype"), [(True, "float32"), (False, "float64")])
@pytest.mark.parametrize("turned", [False, True])
def test_shear(cuda, rng, edge, dtype, turned):
    image = rng.random((2, 3, 6)).astype(dtype)
    image = image.swapaxes(1, 2) if turned else image
    rows = image.shape[1]
    starts, weights = rng.integers(-5, 6, rows), rng.random((rows, 6))
    # Tables may run backwards, as those of the adjoint.
    for table in (weights, weights[:, ::-1]):
        expected = shear_cpu.shift_rows(image, starts, table, 7, edge)
        found = cuda.back(shear_cuda.shift_rows(cuda(image), starts, table, 7, edge))
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(4, 5, 1), (1, 1)])
def test_shear_of_single_columns_and_of_nothing(cuda, rng, shape):
    image = rng.random(shape)
    starts, weights = rng.integers(-3, 1, shape[-2]), rng.random((shape[-2], 6))
    for part in (image, image[:0]) if image.ndim == 3 else (image,):
        expected = shear_cpu.shift_rows(part, starts, weights, 3, True)
        np.testing.assert_allclose(cuda.back(shear_cuda.shift_rows(cuda(part), starts, weights, 3, True)), expected)


@pytest.mark.gpu
@pytest.mark.parametrize("angle", [12.0, -71.0])
def test_upright_on_a_card(cuda, rng, angle):
    image, upright = rng.random((2, 201, 333), dtype=np.float32), Upright(angle, 201, 333)
    there = cuda(image)
    np.testing.assert_allclose(cuda.back(upright.forward(there)), upright.forward(image), atol=1e-5)
    layer = upright.forward(image)
    np.testing.assert_allclose(cuda.back(upright.adjoint(cuda(layer))), upright.adjoint(layer), atol=1e-5)


@pytest.mark.parametrize("axis", [-1, -2])
@pytest.mark.parametrize(
    ("shape", "length", "dtype"), [((2, 4, 5), 3, "float32"), ((3, 1), 5, "float64"), ((6, 6), 4, "float32")]
)
def test_box_mean(cuda, rng, axis, shape, length, dtype):
    field = rng.random(shape).astype(dtype)
    expected = box_mean_cpu.box_mean(field, length, axis)
    found = cuda.back(box_mean_cuda.box_mean(cuda(field), length, axis))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint16", 1), ("float32", 3), ("float64", 2)])
def test_block_mean(cuda, rng, dtype, channels):
    pixels = rng.random((7, 8, channels))
    full = 1 if dtype.startswith("f") else np.iinfo(dtype).max
    pixels = (full * pixels).astype(dtype)
    options = 3, 1 / full, 0.0, float(full)
    expected = block_mean_cpu.block_mean(pixels, channels, *options)
    np.testing.assert_allclose(cuda.back(block_mean_cuda.block_mean(cuda(pixels), channels, *options)), expected, 1e-5)
    if full == 1:
        for wrong in (np.nan, 1.5, -0.1):
            pixels[-1, -1, 0] = wrong  # in no block
            assert block_mean_cuda.block_mean(cuda(pixels), channels, *options) is None


@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 4), ("uint16", 3), ("uint8", 2)])
def test_luminance_of_whole_numbers(cuda, rng, dtype, channels):
    pixels = rng.integers(0, np.iinfo(dtype).max, (5, 7, channels), dtype=dtype, endpoint=True)
    there = cuda(pixels)
    planes = array_api_compat.array_namespace(there).moveaxis(there, -1, 0)
    found = cuda.back(luminance_cuda.luminance(planes, LUMA))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, luminance(split_channels(pixels).colour), atol=2e-7)


def test_a_layer_off_all_colours(cuda, rng):
    pixels = rng.random((9, 11, 4), dtype=np.float32)
    for colour in (np.moveaxis(pixels, -1, 0)[:3], np.ascontiguousarray(pixels[None, ..., 0])):
        rain, shares = rng.random((9, 11), dtype=np.float32), rng.uniform(0.2, 2, (len(colour), 3, 2))
        rain[2:4], shares = 0, shares.astype(np.float32)
        options = CELL, 5, SLACK, LUMA if len(colour) == 3 else (1.0,)
        there = cuda.back(remove_layer_cuda.remove_layer(cuda(colour), cuda(rain), cuda(shares), *options))
        for one, other in zip(there, remove_layer(colour, rain, shares, 5), strict=True):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(one, other, atol=1e-6)
        np.testing.assert_array_equal(there[0][:, 2:4], colour[:, 2:4])


@pytest.mark.parametrize(("dtype", "channels"), [("uint8", 3), ("uint16", 1), ("float32", 3)])
def test_votes_for_the_colour_of_rain(cuda, rng, dtype, channels):
    full = 1 if dtype == "float32" else np.iinfo(dtype).max
    planes = np.moveaxis((full * rng.random((11, 13, channels))).astype(dtype), -1, 0)
    rain, options = rng.random((11, 13), dtype=np.float32) - 0.3, (np.array([[0, 5], [-3, 4]]), 1 / full, 0.01, CELL)
    found = cuda.back(colour_votes_cuda.colour_votes(cuda(planes), cuda(rain), *options))
    expected = colour_votes_cpu.colour_votes(planes, rain, *options)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("power", [1.0, 0.6])
def test_doubt(cuda, rng, power):
    O, layer = rng.random((2, 4, 7), dtype=np.float32), rng.random((2, 4, 7), dtype=np.float32) / 50
    fields = (*adaptive._along_and_texture(O), box_mean_cpu.box_mean(layer, adaptive.ALONG, -2))
    numbers = adaptive.TEXTURE_SHARE, adaptive.NOISE, adaptive.DOUBT, adaptive.FAINT, power
    found = cuda.back(doubt_cuda.doubt(*map(cuda, fields), adaptive.NEIGHBOURS, numbers))
    np.testing.assert_allclose(found, adaptive.doubt(O, layer, power), rtol=1e-5)


# Words of four bytes, of one, and of two values; one frame, and a stack with gaps between its frames.
STACKS = [((7, 2, 2, 3), "uint8"), ((6, 1, 3), "uint8"), ((5, 2, 3, 3), "uint16"), ((1, 1, 1, 3), "uint16")]


def stack(rng, shape, dtype):
    """Frames of noise about levels that are met by all, some and one."""
    level = rng.integers(0, 256, shape[1:])
    frames = np.clip(level + rng.integers(-9, 10, shape) * (rng.random(shape) < 0.8), 0, 255)
    return (frames * (257 if dtype == "uint16" else 1)).astype(dtype)


@pytest.mark.parametrize(("shape", "dtype"), STACKS)
def test_percentile(cuda, rng, shape, dtype):
    frames, near = stack(rng, shape, dtype), 0.03
    for p in (37, 100):
        rank, rest = divmod(p * (shape[0] - 1), 100)
        expected = percentile_cpu.percentile(frames, rank, rest, near)
        for one, other in zip(
            cuda.back(percentile_cuda.percentile(cuda(frames), rank, rest, near)), expected, strict=True
        ):
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(("shape", "dtype"), STACKS)
def test_off_centre(cuda, rng, shape, dtype):
    frames = stack(rng, shape, dtype)
    image = rng.choice(frames, axis=0).astype(np.float32) / np.iinfo(dtype).max
    image.flat[0] = 1 - image.flat[0]
    expected = percentile_cpu.off_centre(frames, image, 0.02)
    np.testing.assert_allclose(
        cuda.back(percentile_cuda.off_centre(cuda(frames), cuda(image), 0.02)), expected, atol=1e-6
    )


@pytest.mark.parametrize(("shape", "dtype"), STACKS)
def test_vote(cuda, rng, shape, dtype):
    frames = stack(rng, shape, dtype)
    for part in (frames, frames[::2]):
        for one, other in zip(
            cuda.back(percentile_cuda.vote(cuda(part), 128)), percentile_cpu.vote(part, 128), strict=True
        ):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)


@pytest.mark.gpu
def test_a_stack_of_frames_on_a_card(cuda, rng):
    frames = stack(rng, (60, 121, 230, 3), "uint8")
    there = cuda(frames)
    for one, other in zip(cuda.back(percentile_cuda.vote(there, 250)), percentile_cpu.vote(frames, 250), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(
        cuda.back(percentile_cuda.percentile(there, 20, 65, 0.03)),
        percentile_cpu.percentile(frames, 20, 65, 0.03),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_counts_beyond_sixteen_bits_have_histograms_of_their_own(cuda, monkeypatch, rng):
    frames = stack(rng, (5, 2, 3), "uint8")
    monkeypatch.setattr(percentile_cuda, "MOST_COUNTED", 4)
    for one, other in zip(
        cuda.back(percentile_cuda.vote(cuda(frames), 128)), percentile_cpu.vote(frames, 128), strict=True
    ):
        np.testing.assert_array_equal(one, other)
