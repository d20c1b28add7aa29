"""One percentile over time is what a still camera sees behind the rain, however the frames come."""

import functools
import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.image import RANGE_SLACK
from rainopt.io import write_image
from rainopt.metrics.fidelity import psnr
from rainopt.video import background as module
from rainopt.video.background import background_of_store, frame_bands, percentile_background
from rainopt.video.frames import FrameStore, ScratchError
from rainopt.video.percentiles import percentile_layers
from tests.support.clips import LOSSLESS, coded, rained, view

LAYERS = ("image", "seen", "darker", "spread", "mode")
COUNT, HEIGHT, WIDTH = 25, 24, 36


def draw(rng, shape=(COUNT, HEIGHT, WIDTH, 3), dtype="uint8"):
    """Draw a scene with noise, and something bright before three pixels in ten of each frame."""
    if dtype.startswith("float"):
        return rng.random(shape).astype(dtype)
    top = np.iinfo(dtype).max
    scene = rng.integers(0, round(0.7 * top), shape[1:]) + rng.normal(0, top / 200, shape)
    bright = rng.random(shape[:3]).reshape(*shape[:3], *[1] * (len(shape) - 3)) < 0.3
    return np.clip(scene + 0.3 * top * bright, 0, top).astype(dtype)


def check(one, other, exact=True):
    """Compare two estimates, of any libraries; exactly, or to the rounding of sums."""
    assert (one.percentile, one.frames) == (other.percentile, other.frames)
    np.testing.assert_array_equal(to_numpy(one.votes), to_numpy(other.votes))
    for name in LAYERS:
        a, b = (to_numpy(getattr(estimate, name)) for estimate in (one, other))
        assert a.dtype == b.dtype == np.float32
        assert a.shape == b.shape
        rounding = {"rtol": 0, "atol": 0} if exact else {"rtol": 3e-6, "atol": 2e-7}
        np.testing.assert_allclose(a, b, **rounding, err_msg=name)


def move(estimate, change):
    """Change the layers as pictures (H, W, ...)."""
    return replace(estimate, **{name: change(getattr(estimate, name)) for name in LAYERS})


@pytest.fixture
def bands(monkeypatch):
    """Work on a few rows at a time, of small frames too."""

    def rows(count, frames):
        monkeypatch.setattr(module, "BAND_BYTES", count * frames[:, :1].nbytes)

    return rows


# What it returns


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (COUNT, 7, 9), (COUNT, 7, 9, 1), (COUNT, 7, 9, 3)])
def test_shapes_dtypes_and_ranges_in_every_library(xp, rng, shape, dtype):
    frames = draw(rng, shape, dtype)
    kept, source = frames.copy(), xp.asarray(frames)
    result = percentile_background(source)
    np.testing.assert_array_equal(to_numpy(source), kept)
    for name in LAYERS:
        layer = getattr(result, name)
        assert isinstance(layer, type(source))
        assert layer.dtype == xp.float32
        assert layer.shape == (shape[1:] if name == "image" else shape[1:3])
        assert 0 <= float(xp.min(layer)) <= float(xp.max(layer)) <= 1
    assert isinstance(result.votes, type(source))
    assert (result.votes.shape, result.votes.dtype) == ((101,), xp.int64)
    assert isinstance(result.percentile, int)
    assert result.percentile == int(xp.argmax(result.votes))
    assert 1 <= int(xp.max(result.votes)) <= shape[1] * shape[2]
    assert result.frames == shape[0]
    # No frame is both near and darker.
    assert float(xp.max(result.seen + result.darker)) <= 1 + 1e-6
    check(result, percentile_background(frames), exact=False)


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("channels", [1, 3])
def test_channels_may_be_on_any_axis(xp, rng, channels, axis):
    frames = draw(rng, (8, 6, 7, channels))
    whole = percentile_background(frames)
    expected = replace(whole, image=np.moveaxis(whole.image, -1, axis))
    moved = np.moveaxis(frames, -1, 1 + axis % 3)
    check(percentile_background(xp.asarray(moved.copy()), channel_axis=axis), expected, exact=False)
    check(percentile_background(list(moved), channel_axis=axis), expected)
    # It is not asked for where there are none.
    check(percentile_background(frames[..., 0], channel_axis=7), percentile_background(frames[..., 0]))


def test_tensors_one_at_a_time_and_with_a_gradient(torch, rng):
    frames = draw(rng, dtype="float32")
    whole, tensor = percentile_background(frames), torch.from_numpy(frames)
    learnt = tensor.clone().requires_grad_()
    # The first frame says what is returned.
    for source in (iter(tensor), [tensor[0], *frames[1:]], learnt, list(learnt)):
        result = percentile_background(source)
        assert all(isinstance(getattr(result, name), torch.Tensor) for name in (*LAYERS, "votes"))
        check(result, whole, exact=False)


# One result, however the frames come


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [(), (1,), (3,)])
def test_arrays_lists_and_generators_are_the_same(rng, bands, channels, dtype):
    frames = draw(rng, (COUNT, HEIGHT, WIDTH, *channels), dtype)
    whole = percentile_background(frames)
    for source in (list(frames), tuple(frames), iter(frames), map(np.asfortranarray, frames)):
        check(percentile_background(source), whole)
    # Out of core, and rows at a time.
    for memory in (0, 5 * frames[0].nbytes):
        check(percentile_background(iter(frames), memory=memory), whole)
        bands(5, frames)
        check(percentile_background(iter(frames), memory=memory), whole)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_files_are_the_same(rng, tmp_path, bands, dtype):
    frames = draw(rng, dtype=dtype)
    whole = percentile_background(frames)
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, frame in enumerate(frames):
        write_image(folder / f"{number}.png", frame)
    clip = [coded(tmp_path / "clip.mkv", frames, **LOSSLESS)] if dtype == "uint8" else []
    bands(7, frames)
    for source in (folder, str(folder), *clip, *map(str, clip)):
        check(percentile_background(source), whole)
        check(percentile_background(source, memory=10_000, scratch=tmp_path), whole)


@pytest.mark.parametrize("memory", [0, 1 << 28])
def test_bands_of_any_height(rng, bands, memory):
    frames = draw(rng)
    whole = percentile_background(frames)
    with FrameStore(memory) as store:
        for frame in frames:
            store.append(frame)
        for rows in (0.01, 1, 2, 5, 23, 24, 1000):  # also less than a row
            bands(rows, frames)
            check(background_of_store(store), whole)
            for every in (slice(None), slice(0, None, 2), slice(3, 4)):
                image = np.concatenate([percentile_layers(band[every], 30).image for _, band in frame_bands(store)])
                np.testing.assert_array_equal(image, percentile_layers(frames[every], 30).image)


def test_floats_are_taken_to_sixteen_bits(rng):
    fine = np.round(rng.random((12, 9, 8, 3)) * 65535).astype(np.uint16)
    for dtype in (np.float32, np.float64):
        check(percentile_background(fine.astype(dtype) / 65535), percentile_background(fine))
    halves = np.round(rng.random((12, 9, 8, 3)) * 64) / 64
    expected = percentile_background(np.round(halves * 65535).astype(np.uint16))
    check(percentile_background(halves.astype(np.float16)), expected)
    # Rounding beyond the range is forgiven and cut.
    ends = np.asarray([-0.9 * RANGE_SLACK, 1 + 0.9 * RANGE_SLACK]).reshape(1, 1, 2)
    assert percentile_background(ends).image.tolist() == [[0, 1]]


def test_byte_orders_and_strides(rng):
    frames = draw(rng, dtype="uint16")
    whole = percentile_background(frames)
    check(percentile_background(frames.astype(">u2")), whole)
    check(percentile_background(list(frames.astype(">u2"))), whole)
    for strided in (frames[:, ::-1, ::2], frames[::2], frames.transpose(0, 2, 1, 3)):
        check(percentile_background(strided), percentile_background(strided.copy()))


# Progress


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("kind", ["array", "list", "strict"])
def test_progress_rises_to_one(rng, strict, bands, kind, rows):
    frames = draw(rng)
    bands(rows, frames)
    told = []
    source = {"array": frames, "list": list(frames), "strict": strict.asarray(frames)}[kind]
    percentile_background(source, progress=told.append)
    assert told == sorted(set(told))
    assert told[0] > 0
    assert told[-1] == 1
    assert kind != "list" or len(told) == 2 * -(-HEIGHT // rows)


# Invariances


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), *[st.integers(1, 4)] * 2, st.sampled_from([1, 3]))))
def test_what_goes_through(frames):
    result = percentile_background(frames)
    check(percentile_background(frames[::-1]), result)
    check(percentile_background(np.roll(frames, 1, axis=0)), result)
    check(percentile_background(frames[:, ::-1]), move(result, lambda a: a[::-1]))
    check(percentile_background(frames[:, :, ::-1]), move(result, lambda a: a[:, ::-1]))
    check(percentile_background(frames.transpose(0, 2, 1, 3)), move(result, lambda a: a.swapaxes(0, 1)))
    # One frame again and again is its own background.
    still = percentile_background(frames[:1].repeat(3, axis=0))
    np.testing.assert_array_equal(still.image, frames[0] / np.float32(255))
    assert np.all(still.seen == 1)
    assert not still.spread.any()


# Rain


def test_rain_that_hides_a_minority_of_frames_is_gone(rng):
    scene = rng.integers(0, 120, (12, 15, 3), np.uint8)
    frames = np.broadcast_to(scene, (41, 12, 15, 3)).copy()
    # Up to twenty frames of any pixel, each another brightness.
    for row, column in np.ndindex(12, 15):
        hidden = rng.choice(41, rng.integers(0, 21), replace=False)
        frames[hidden, row, column] += rng.permutation(np.arange(100, 135, dtype=np.uint8))[: len(hidden), None]
    result = percentile_background(frames)
    np.testing.assert_array_equal(result.image, scene / np.float32(255))
    np.testing.assert_allclose(result.seen, np.mean(np.all(frames == scene, axis=-1), axis=0), atol=1e-6)
    assert not result.darker.any()


@functools.cache
def filmed(name, preset):
    scene = view(name, (120, 180))
    return scene.astype(np.float32) / 255, np.stack(rained(scene, preset, 60, seed=5, scale=1))


@pytest.mark.parametrize(("name", "preset", "least"), [("astronaut", "light", 50), ("rocket", "heavy", 42)])
def test_rendered_rain_is_gone(preset, least, name):
    scene, frames = filmed(name, preset)
    reached = [psnr(percentile_background(frames[:count]).image, scene) for count in (5, 15, 60)]
    assert reached[-1] >= least
    assert reached[-1] >= psnr((frames.mean(axis=0) / 255).astype(np.float32), scene) + 15
    # More frames are better.
    assert reached[0] + 1 < reached[1] < reached[2] - 1


def test_what_stands_most_of_the_time_is_the_background(rng):
    scene = rng.integers(0, 100, (10, 12), np.uint8)
    frames = np.broadcast_to(scene, (30, 10, 12)).copy()
    frames[:14, 2:5, 3:7] = 200
    result = percentile_background(frames)
    np.testing.assert_array_equal(result.image, scene / np.float32(255))
    np.testing.assert_array_equal(result.mode, scene / np.float32(255))
    np.testing.assert_allclose(result.seen[2:5, 3:7], 16 / 30, rtol=1e-6)
    # One that is there more often is what is seen most, though what all pixels agree on may still be behind it.
    frames[:17, 2:5, 3:7] = 200
    result = percentile_background(frames)
    np.testing.assert_array_equal(result.mode[2:5, 3:7], np.float32(200 / 255))


# What is refused


def one_wrong(value):
    frames = np.full((3, 4, 5), 0.5)
    frames[2, 3, 4] = value
    return frames


@pytest.mark.parametrize("wrap", [np.asarray, list])
@pytest.mark.parametrize(
    ("frames", "error", "said"),
    [
        (np.zeros((0, 4, 5, 3), np.uint8), ValueError, "must hold at least one frame, got none"),
        (np.zeros((2, 0, 5), np.uint8), ValueError, r"must not be empty, got shape \(\d, 0, 5\)"),
        (np.zeros((2, 4, 5, 0), np.uint8), ValueError, r"must not be empty, got shape \(\d, 4, 5, 0\)"),
        (np.zeros((2, 4, 5, 2), np.uint8), ValueError, r"must have 1 or 3 channels, got 2 in shape \(\d, 4, 5, 2\)"),
        (np.zeros((4, 5), np.uint8), ValueError, r"must be \(N, H, W\) or \(N, H, W, C\), or frames of .*, got \("),
        (np.zeros((1, 2, 4, 5, 3), np.uint8), ValueError, r"must be \(N, H, W\) or \(N, H, W, C\)"),
        (np.zeros((2, 4, 5), np.int32), TypeError, "must be uint8, uint16 or floating point, got int32"),
        (one_wrong(np.nan), ValueError, "must be finite"),
        (one_wrong(255), ValueError, r"must lie in \[0, 1\], got 0.5 to 255; divide by their full scale"),
        (one_wrong(-0.1), ValueError, r"must lie in \[0, 1\], got -0.1 to 0.5"),
        (one_wrong(1 + 1.1 * RANGE_SLACK), ValueError, r"must lie in \[0, 1\], got 0.5 to 1.00011"),
    ],
)
def test_what_is_refused(frames, error, said, wrap):
    with pytest.raises(error, match=f"`frames`.*{said}"):
        percentile_background(wrap(frames))


@pytest.mark.parametrize("frames", [[1, 2], [None], b"clip.mp4", [[[0, 1]]], {"a": 1}])
def test_what_is_no_sequence_and_no_frame(frames):
    with pytest.raises(TypeError, match="`frames` must be an array, an iterable of frames or a path, got int"):
        percentile_background(5)
    # Not as a later one either.
    for source in (frames, itertools.chain([np.zeros((1, 2), np.uint8)], frames)):
        with pytest.raises(TypeError, match="`frames` must be arrays of one library"):
            percentile_background(source)


@pytest.mark.parametrize("axis", [3, -4, 7, None])
def test_wrong_channel_axes(rng, axis):
    frames = draw(rng, (2, 4, 5, 3))
    for source in (frames, list(frames)):
        with pytest.raises(ValueError, match=rf"`channel_axis` must name an axis of .* \(4, 5, 3\), got {axis}"):
            percentile_background(source, channel_axis=axis)


def test_frames_of_an_iterable_are_on_the_host_and_alike(strict, rng):
    said = r"`frames` of an iterable must be on the host, got .*; give frames of a device"
    with pytest.raises(TypeError, match=said):
        percentile_background([strict.asarray(frame) for frame in draw(rng, (3, 4, 5))])
    with pytest.raises(ValueError, match=r"frames must be alike; the first is \(4, 5\) uint8, frame 1 is "):
        percentile_background([np.zeros((4, 5), np.uint8), np.zeros((4, 5))])


def test_what_stops_it_leaves_nothing(rng, tmp_path):
    def failing():
        yield from draw(rng, (3, 4, 5))
        raise RuntimeError("the camera is gone")

    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(RuntimeError, match="the camera is gone"):
        percentile_background(failing(), memory=0, scratch=tmp_path)
    with pytest.raises(KeyboardInterrupt):
        percentile_background(iter(draw(rng)), memory=0, scratch=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ScratchError, match=r"none' cannot hold the frames \(No such file or directory"):
        percentile_background(iter(draw(rng)), memory=0, scratch=tmp_path / "none")
