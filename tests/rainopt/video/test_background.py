import functools
import itertools
import subprocess
import sys
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage import data
from skimage.transform import resize

import rainopt
from data_tools import RainSpec, rain_video
from rainopt.arrays import host_view, to_numpy
from rainopt.image import RANGE_SLACK
from rainopt.io import write_image
from rainopt.io.video.read import VideoError
from rainopt.metrics.fidelity import psnr
from rainopt.video import background as module
from rainopt.video.background import background_of_store, frame_bands, percentile_background
from rainopt.video.frames import FrameStore, ScratchError
from rainopt.video.percentiles import percentile_layers

ROOT = Path(__file__).parents[3]
LAYERS = ("image", "seen", "darker", "spread", "mode")
COUNT, HEIGHT, WIDTH = 25, 24, 36


def draw(rng, shape=(COUNT, HEIGHT, WIDTH, 3), dtype="uint8"):
    """Draw a scene with noise, and something bright before three pixels in ten of each frame."""
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
        if exact:
            np.testing.assert_array_equal(a, b, err_msg=name)
        else:
            np.testing.assert_allclose(a, b, rtol=3e-6, atol=2e-7, err_msg=name)


def move(estimate, change):
    """Change the layers as pictures (H, W, ...)."""
    return replace(estimate, **{name: change(getattr(estimate, name)) for name in LAYERS})


def clip(path, frames):
    """Write a lossless clip."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264rgb", rate=25, options={"qp": "0", "bf": "0"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "rgb24"
        stream.codec_context.time_base = Fraction(1, 25)
        for n, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, "rgb24")
            frame.pts, frame.time_base = n, Fraction(1, 25)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.fixture
def bands(monkeypatch):
    """Work on a few rows at a time, of small frames too."""

    def rows(count, frames):
        monkeypatch.setattr(module, "BAND_BYTES", count * frames[:, :1].nbytes)

    return rows


# What it returns


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (COUNT, 7, 9), (COUNT, 7, 9, 1), (COUNT, 7, 9, 3)])
def test_dtypes_shapes_and_ranges(rng, shape, dtype):
    frames = draw(rng, shape, dtype) if dtype.startswith("u") else rng.random(shape).astype(dtype)
    kept = frames.copy()
    result = percentile_background(frames)
    np.testing.assert_array_equal(frames, kept)
    assert result.image.shape == shape[1:]
    assert all(getattr(result, name).shape == shape[1:3] for name in LAYERS[1:])
    for name in LAYERS:
        layer = getattr(result, name)
        assert isinstance(layer, np.ndarray)
        assert layer.dtype == np.float32
        assert layer.min() >= 0
        assert layer.max() <= 1
    assert (result.votes.shape, result.votes.dtype) == ((101,), np.int64)
    assert isinstance(result.percentile, int)
    assert result.percentile == np.argmax(result.votes)
    assert 1 <= result.votes.max() <= shape[1] * shape[2]
    assert result.frames == shape[0]
    # No frame is both near and darker.
    assert np.all(result.seen.astype(float) + result.darker <= 1 + 1e-6)


def test_the_image_is_the_percentile_of_numpy(rng):
    for frames, scale in ((draw(rng), 255), (draw(rng, dtype="uint16"), 65535)):
        result = percentile_background(frames)
        expected = np.percentile(frames, result.percentile, axis=0) / scale
        np.testing.assert_allclose(result.image, expected, rtol=0, atol=2e-7)


# One result, however the frames come


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [None, 1, 3])
def test_arrays_lists_and_generators_are_the_same(rng, bands, channels, dtype):
    shape = (COUNT, HEIGHT, WIDTH) if channels is None else (COUNT, HEIGHT, WIDTH, channels)
    frames = rng.random(shape, np.float32) if dtype == "float32" else draw(rng, shape, dtype)
    whole = percentile_background(frames)
    check(percentile_background(list(frames)), whole)
    check(percentile_background(tuple(frames)), whole)
    check(percentile_background(frame for frame in frames), whole)
    check(percentile_background(map(np.asfortranarray, frames)), whole)
    # Out of core, and rows at a time.
    for memory in (0, 5 * frames[0].nbytes):
        check(percentile_background(iter(frames), memory=memory), whole)
        bands(5, frames)
        check(percentile_background(iter(frames), memory=memory), whole)


def test_files_are_the_same(rng, tmp_path, bands):
    frames = draw(rng)
    whole = percentile_background(frames)
    path = clip(tmp_path / "clip.mkv", frames)
    folder = tmp_path / "frames"
    folder.mkdir()
    for number, frame in enumerate(frames):
        write_image(folder / f"{number}.png", frame)
    bands(7, frames)
    for source in (path, str(path), folder, str(folder)):
        check(percentile_background(source), whole)
        check(percentile_background(source, memory=10_000, scratch=tmp_path), whole)


def test_folders_of_sixteen_bits(rng, tmp_path):
    frames = draw(rng, (5, 8, 10, 3), "uint16")
    for number, frame in enumerate(frames):
        write_image(tmp_path / f"{number}.png", frame)
    check(percentile_background(tmp_path), percentile_background(frames))


@pytest.mark.parametrize("memory", [0, 1 << 28])
@pytest.mark.parametrize("rows", [1, 2, 5, 23, 24, 1000])
def test_bands_of_any_height(rng, bands, rows, memory):
    frames = draw(rng)
    whole = percentile_background(frames)
    bands(rows, frames)
    with FrameStore(memory) as store:
        for frame in frames:
            store.append(frame)
        check(background_of_store(store), whole)
        for every in (slice(None), slice(0, None, 2), slice(1, None, 2), slice(3, 4)):
            image = np.concatenate([percentile_layers(band[every], 30).image for _, band in frame_bands(store)])
            np.testing.assert_allclose(image, np.percentile(frames[every], 30, axis=0) / 255, rtol=0, atol=2e-7)
            assert image.dtype == np.float32


def test_bands_that_hold_less_than_a_row(rng, monkeypatch):
    frames = draw(rng)
    whole = percentile_background(frames)
    monkeypatch.setattr(module, "BAND_BYTES", 1)
    check(percentile_background(iter(frames)), whole)


def test_a_buffer_that_is_used_again(rng):
    frames = draw(rng)
    buffer = np.empty_like(frames[0])

    def decoder():
        for frame in frames:
            buffer[...] = frame
            yield buffer

    check(percentile_background(decoder()), percentile_background(frames))


def test_floats_are_taken_to_sixteen_bits(rng):
    frames = rng.random((12, 9, 8, 3))
    fine = np.round(frames * 65535).astype(np.uint16)
    expected = percentile_background(fine)
    for dtype in (np.float32, np.float64):
        check(percentile_background(fine.astype(dtype) / 65535), expected)
        check(percentile_background(list(fine.astype(dtype) / 65535)), expected)
    halves = np.round(frames * 64) / 64
    check(
        percentile_background(halves.astype(np.float16)),
        percentile_background(np.round(halves * 65535).astype(np.uint16)),
    )
    # Rounding beyond the range is forgiven and cut.
    ends = np.asarray([-0.9 * RANGE_SLACK, 1 + 0.9 * RANGE_SLACK]).reshape(1, 1, 2)
    assert percentile_background(ends).image.tolist() == [[0, 1]]


def test_byte_orders_and_strides(rng):
    frames = draw(rng, dtype="uint16")
    whole = percentile_background(frames)
    check(percentile_background(frames.astype(">u2")), whole)
    check(percentile_background(list(frames.astype(">u2"))), whole)
    check(percentile_background(frames[:, ::-1, ::2]), percentile_background(frames[:, ::-1, ::2].copy()))


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
@pytest.mark.parametrize("channels", [1, 3])
def test_channels_may_be_on_any_axis(xp, rng, channels, axis):
    frames = draw(rng, (8, 6, 7, channels))
    whole = percentile_background(frames)
    image = np.moveaxis(whole.image, -1, axis)
    moved = np.moveaxis(frames, -1, 1 + axis % 3)
    array = xp.asarray(moved.copy())
    sources = [array] if host_view(array) is None else [array, list(array)]
    for source in sources:
        check(percentile_background(source, channel_axis=axis), replace(whole, image=image), exact=False)
    # It is not asked for where there are none.
    grey = frames[..., 0]
    check(percentile_background(grey, channel_axis=7), percentile_background(grey))


# Libraries


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("shape", [(11, 6, 7), (11, 6, 7, 3)])
def test_any_library_in_and_out(xp, rng, shape, dtype):
    frames = rng.random(shape, np.float32) if dtype == "float32" else draw(rng, shape, dtype)
    whole = percentile_background(frames)
    source = xp.asarray(frames)
    result = percentile_background(source)
    kind = type(source)
    assert all(isinstance(getattr(result, name), kind) for name in (*LAYERS, "votes"))
    assert all(getattr(result, name).dtype == xp.float32 for name in LAYERS)
    assert result.votes.dtype == xp.int64
    assert isinstance(result.percentile, int)
    check(result, whole, exact=False)


def test_tensors_one_at_a_time(torch, rng):
    frames = draw(rng)
    result = percentile_background(torch.from_numpy(frame) for frame in frames)
    assert all(isinstance(getattr(result, name), torch.Tensor) for name in (*LAYERS, "votes"))
    check(result, percentile_background(frames))
    # The first frame says what is returned.
    mixed = percentile_background([torch.from_numpy(frames[0]), *frames[1:]])
    assert isinstance(mixed.image, torch.Tensor)
    check(mixed, result)


def test_tensors_with_a_gradient_are_no_hindrance(torch, rng):
    frames = rng.random((7, 5, 6, 3), np.float32)
    tensor = torch.from_numpy(frames).requires_grad_()
    result = percentile_background(tensor)
    assert isinstance(result.image, torch.Tensor)
    check(result, percentile_background(frames), exact=False)
    check(percentile_background(list(tensor)), percentile_background(frames), exact=False)


def test_frames_of_an_iterable_are_on_the_host(strict, rng):
    frames = [strict.asarray(frame) for frame in draw(rng, (3, 4, 5))]
    with pytest.raises(
        TypeError, match=r"`frames` of an iterable must be on the host, got .*; give frames of a device"
    ):
        percentile_background(frames)


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
    if kind == "list":
        assert len(told) == 2 * -(-HEIGHT // rows)


def test_who_stops_it_from_progress_stops_it(rng, tmp_path):
    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        percentile_background(iter(draw(rng)), memory=0, scratch=tmp_path, progress=stop)
    assert list(tmp_path.iterdir()) == []


# Invariances


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), *[st.integers(1, 4)] * 2, st.sampled_from([1, 3]))))
def test_what_goes_through(frames):
    result = percentile_background(frames)
    check(percentile_background(frames[::-1]), result)
    check(percentile_background(np.roll(frames, 1, axis=0)), result)
    check(percentile_background(frames[:, ::-1]), move(result, lambda a: a[::-1]))
    check(percentile_background(frames[:, :, ::-1]), move(result, lambda a: a[:, ::-1]))
    check(percentile_background(frames.transpose(0, 2, 1, 3)), move(result, lambda a: a.swapaxes(0, 1)))
    # The least and the greatest value of a pixel bound it.
    assert np.all(result.image >= frames.min(0) / np.float32(255))
    assert np.all(result.image <= frames.max(0) / np.float32(255))


def test_an_offset_without_clipping_goes_through(rng):
    frames = draw(rng) // 2
    result = percentile_background(frames)
    for offset in (1, 50, 120):
        brighter = percentile_background(frames + np.uint8(offset))
        np.testing.assert_array_equal(brighter.votes, result.votes)
        assert brighter.percentile == result.percentile
        for name in ("image", "mode"):
            added = getattr(brighter, name) - getattr(result, name)
            np.testing.assert_allclose(added, offset / 255, rtol=0, atol=2e-7)
        for name in ("seen", "darker", "spread"):
            np.testing.assert_array_equal(getattr(brighter, name), getattr(result, name))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("count", [1, 2, 30, 300])
def test_a_constant_video_returns_itself(rng, count, dtype):
    frame = rng.integers(0, np.iinfo(dtype).max, (6, 9, 3), dtype, endpoint=True)
    result = percentile_background(np.broadcast_to(frame, (count, *frame.shape)))
    np.testing.assert_array_equal(result.image, frame.astype(np.float32) / np.float32(np.iinfo(dtype).max))
    assert np.all(result.seen == 1)
    assert not result.darker.any()
    assert not result.spread.any()
    assert result.percentile == 0


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


# Rendered rain


@functools.cache
def rained(preset, name, count=60):
    scene = np.clip(resize(getattr(data, name)(), (120, 180), anti_aliasing=True), 0, 1).astype(np.float32)
    rng = np.random.default_rng(5)
    spec = replace(RainSpec.sample(preset, rng), veil=0.0)
    noisy = (k.rainy + rng.normal(0, 0.006, scene.shape) for k in rain_video(scene, spec, rng, count=count))
    return scene, np.stack([np.round(255 * np.clip(frame, 0, 1)).astype(np.uint8) for frame in noisy])


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
@pytest.mark.parametrize(("preset", "least"), [("light", 50), ("heavy", 42)])
def test_rendered_rain_is_gone(preset, least, name):
    scene, frames = rained(preset, name)
    reached = psnr(percentile_background(frames).image, scene)
    mean = psnr((frames.mean(axis=0) / 255).astype(np.float32), scene)
    assert reached >= least
    assert reached >= mean + 15


@pytest.mark.parametrize("preset", ["light", "heavy"])
def test_more_frames_are_better(preset):
    scene, frames = rained(preset, "coffee")
    reached = [psnr(percentile_background(frames[:count]).image, scene) for count in (5, 15, 60)]
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


@pytest.mark.parametrize("wrap", [np.asarray, list])
@pytest.mark.parametrize(
    ("frames", "error", "said"),
    [
        (np.zeros((0, 4, 5), np.uint8), ValueError, "must hold at least one frame, got none"),
        (np.zeros((0, 4, 5, 3), np.uint8), ValueError, "must hold at least one frame, got none"),
        (np.zeros((2, 0, 5), np.uint8), ValueError, r"must not be empty, got shape \(\d, 0, 5\)"),
        (np.zeros((2, 4, 5, 0), np.uint8), ValueError, r"must not be empty, got shape \(\d, 4, 5, 0\)"),
        (np.zeros((2, 4, 5, 2), np.uint8), ValueError, r"must have 1 or 3 channels, got 2 in shape \(\d, 4, 5, 2\)"),
        (np.zeros((2, 4, 5, 4), np.uint8), ValueError, r"must have 1 or 3 channels, got 4 in shape \(\d, 4, 5, 4\)"),
        (np.zeros((4, 5), np.uint8), ValueError, r"must be \(N, H, W\) or \(N, H, W, C\), or frames of .*, got \("),
        (np.zeros((1, 2, 4, 5, 3), np.uint8), ValueError, r"must be \(N, H, W\) or \(N, H, W, C\)"),
        (np.zeros((2, 4, 5), np.int32), TypeError, "must be uint8, uint16 or floating point, got int32"),
        (np.zeros((2, 4, 5), bool), TypeError, "must be uint8, uint16 or floating point, got bool"),
        (np.zeros((2, 4, 5), complex), TypeError, "must be uint8, uint16 or floating point, got complex128"),
        (np.full((2, 4, 5), np.nan), ValueError, "must be finite"),
        (np.full((2, 4, 5), -np.inf), ValueError, "must be finite"),
        (np.full((2, 4, 5), 255.0), ValueError, r"must lie in \[0, 1\], got 255 to 255; divide by their full scale"),
        (np.full((2, 4, 5), -0.1), ValueError, r"must lie in \[0, 1\], got -0.1 to -0.1"),
        (np.full((2, 4, 5), 1 + 1.1 * RANGE_SLACK), ValueError, r"must lie in \[0, 1\], got 1.00011 to 1.00011"),
    ],
)
def test_what_is_refused(frames, error, said, wrap):
    with pytest.raises(error, match=f"`frames`.*{said}"):
        percentile_background(wrap(frames))


@pytest.mark.parametrize("place", [(0, 0, 0), (2, 3, 4)])
def test_every_value_is_checked(place):
    for value in (np.nan, 2.0, -0.5):
        frames = np.full((3, 4, 5), 0.5)
        frames[place] = value
        for source in (frames, list(frames)):
            with pytest.raises(ValueError, match="`frames`"):
                percentile_background(source)


@pytest.mark.parametrize("frames", [5, None, 3.5, object()])
def test_what_is_no_sequence(frames):
    name = type(frames).__name__
    with pytest.raises(TypeError, match=f"`frames` must be an array, an iterable of frames or a path, got {name}"):
        percentile_background(frames)


@pytest.mark.parametrize("frames", [[1, 2], [None], b"clip.mp4", [[[0, 1]]], {"a": 1}])
def test_what_is_no_frame(frames):
    said = "`frames` must be arrays of one library"
    with pytest.raises(TypeError, match=said):
        percentile_background(frames)
    # Not as a later one either.
    with pytest.raises(TypeError, match=said):
        percentile_background(itertools.chain([np.zeros((1, 2), np.uint8)], frames))


@pytest.mark.parametrize("empty", [[], (), iter(()), {}])
def test_no_frame_at_all(empty):
    with pytest.raises(ValueError, match="`frames` must hold at least one frame, got none"):
        percentile_background(empty)


@pytest.mark.parametrize("memory", [0, 1 << 20])
@pytest.mark.parametrize(
    "other", [np.zeros((4, 6), np.uint8), np.zeros((4, 5, 3), np.uint8), np.zeros((4, 5), np.uint16), np.zeros((4, 5))]
)
def test_ragged_frames(other, memory):
    frames = [np.zeros((4, 5), np.uint8), np.zeros((4, 5), np.uint8), other]
    with pytest.raises(ValueError, match=r"frames must be alike; the first is \(4, 5\) uint8, frame 2 is "):
        percentile_background(frames, memory=memory)


@pytest.mark.parametrize("axis", [3, -4, 7, None])
def test_wrong_channel_axes(rng, axis):
    frames = draw(rng, (2, 4, 5, 3))
    for source in (frames, list(frames)):
        with pytest.raises(ValueError, match=rf"`channel_axis` must name an axis of .* \(4, 5, 3\), got {axis}"):
            percentile_background(source, channel_axis=axis)


def test_files_that_cannot_be_read(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"nothing" * 100)
    (tmp_path / "empty").mkdir()
    for name in ("missing.mp4", "broken.mp4", "empty"):
        with pytest.raises(VideoError, match=name):
            percentile_background(tmp_path / name)
        with pytest.raises(VideoError, match=name):
            percentile_background(str(tmp_path / name))


def test_a_scratch_folder_that_is_none(rng, tmp_path):
    frames = draw(rng)
    check(percentile_background(iter(frames), scratch=tmp_path / "none"), percentile_background(frames))
    with pytest.raises(ScratchError, match=r"none' cannot hold the frames \(No such file or directory"):
        percentile_background(iter(frames), memory=0, scratch=tmp_path / "none")


def test_an_error_of_the_source_comes_through(rng, tmp_path):
    def failing():
        yield from draw(rng, (3, 4, 5))
        raise RuntimeError("the camera is gone")

    with pytest.raises(RuntimeError, match="the camera is gone"):
        percentile_background(failing(), memory=0, scratch=tmp_path)


# The package


def test_the_package_names_it():
    assert rainopt.percentile_background is percentile_background
    assert rainopt.BackgroundEstimate is module.BackgroundEstimate
    assert {"percentile_background", "BackgroundEstimate"} <= set(rainopt.__all__) & set(dir(rainopt))
    assert {field.name for field in fields(rainopt.BackgroundEstimate)} == {*LAYERS, "percentile", "votes", "frames"}


def test_it_loads_on_first_use_and_needs_no_video_library_for_arrays():
    program = (
        "import sys, rainopt\n"
        "assert 'rainopt.video.background' not in sys.modules\n"
        "function = rainopt.percentile_background\n"
        "import rainopt.video.background, numpy as np\n"
        "assert function is rainopt.video.background.percentile_background\n"
        "function(np.zeros((2, 3, 4), np.uint8)), function([np.zeros((3, 4), np.uint8)])\n"
        "print(sorted({'av', 'torch', 'rainopt.io.video.read'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
