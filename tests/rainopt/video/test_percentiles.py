"""Votes for a percentile over time, and how the frames lie around it, by brute force; with and without kernels."""

import functools
import itertools

import array_api_strict
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from rainopt.arrays import to_numpy
from rainopt.kernels import percentile_cpu
from rainopt.video.background import percentile_background
from rainopt.video.percentiles import off_centre, percentile_layers

DTYPES = ("uint8", "uint16")
KINDS = ("random", "rain", "few", "bright")
LAYERS = ("image", "seen", "darker", "spread")
ROUNDING = 2e-7  # of float32 in [0, 1], three times


def draw(rng, kind, shape, dtype="uint8"):
    """Draw frames: noise, a scene in rain, few levels with many equal modes, or rain that saturates a wall."""
    top = np.iinfo(dtype).max
    if kind == "random":
        return rng.integers(0, top, shape, dtype, endpoint=True)
    if kind == "few":
        return rng.choice(np.asarray([0, 1, 2, top // 2, top - 1, top], dtype), shape)
    scene = rng.integers(0, top, shape[1:]) if kind == "rain" else np.full(shape[1:], 0.93 * top)
    scene = scene + rng.normal(0, top / 200, shape)
    streaks = rng.random(shape[:3]) < (0.3 if kind == "rain" else 0.7)
    streaks = streaks if len(shape) == 3 else streaks[..., None]
    return np.clip(scene + 0.3 * top * streaks, 0, top).astype(dtype)


def scale_of(frames):
    return np.iinfo(frames.dtype).max


def levels(frames):
    """Round BT.601 of weights in sixteen bits, one pixel at a time, to 256 levels."""
    if frames.ndim == 3:
        return frames // (1 if frames.dtype == np.uint8 else 256)
    out = []
    for pixel in frames.reshape(-1, frames.shape[-1]).tolist():
        luma = pixel[0]
        if len(pixel) == 3:
            luma = (19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + (1 << 15)) >> 16
        out.append(luma if frames.dtype == np.uint8 else luma >> 8)
    return np.asarray(out, np.uint8).reshape(frames.shape[:3])


def naive(frames):
    """Return the votes, the percentile and the modes as the authors' program finds them, pixel by pixel.

    Percentiles 0 to 100 vote where they lie between those of the first and the last rank of the mode.
    """
    count = len(frames)
    ballots = np.zeros((2, 101), np.int64)
    modes = []
    for pixel in levels(frames).reshape(count, -1).T:
        ranked = sorted(pixel.tolist())
        mode = int(np.bincount(ranked).argmax())
        first, last = ranked.index(mode), count - 1 - ranked[::-1].index(mode)
        ballots[int(mode >= 250)] += [100 * first <= p * count <= 100 * last for p in range(101)]
        modes.append(mode)
    votes = ballots[0] if ballots[0].any() else ballots[1]
    return votes, int(votes.argmax()), np.asarray(modes).reshape(frames.shape[1:3])


def around(frames, p):
    """Return the share of frames near a percentile, of those below, and their mean distance, in whole numbers."""
    ranked, scale = np.sort(frames, axis=0).astype(np.int64), scale_of(frames)
    rank, rest = divmod(p * (len(frames) - 1), 100)
    low, high = ranked[rank], ranked[min(rank + 1, len(frames) - 1)]
    value, near = 100 * low + rest * (high - low), 100 * 8 * scale // 255
    seen = np.mean(np.abs(100 * ranked - value) <= near, axis=0)
    darker = np.mean(value - 100 * ranked > near, axis=0)
    spread = np.mean(np.abs(ranked - np.round(value / 100)), axis=0) / scale
    return (seen, darker, spread) if frames.ndim == 3 else (seen.min(-1), darker.max(-1), spread.max(-1))


def check_layers(found, frames, p):
    """Compare a percentile and its layers with those of whole numbers."""
    np.testing.assert_allclose(found.image, np.percentile(frames, p, axis=0) / scale_of(frames), rtol=0, atol=ROUNDING)
    assert found.image.shape == frames.shape[1:]
    for name, expected in zip(LAYERS[1:], around(frames, p), strict=True):
        np.testing.assert_allclose(getattr(found, name), expected, rtol=0, atol=ROUNDING, err_msg=name)
        assert getattr(found, name).shape == frames.shape[1:3]
    assert all(getattr(found, name).dtype == np.float32 for name in LAYERS)


def check_same(one, other):
    """Compare two backgrounds, of any libraries."""
    np.testing.assert_array_equal(to_numpy(one.votes), to_numpy(other.votes))
    assert one.percentile == other.percentile
    for name in (*LAYERS, "mode"):
        # As it is written, the distances are added up in float32.
        a, b = (to_numpy(getattr(found, name)) for found in (one, other))
        np.testing.assert_allclose(a, b, rtol=3e-6, atol=ROUNDING, err_msg=name)


def as_written(frames):
    """Return the background in a library for which there is no kernel."""
    return percentile_background(array_api_strict.asarray(frames))


def check(frames):
    """Compare the background with the naive one, and return it."""
    kept = frames.copy()
    votes, p, modes = naive(frames)
    found = percentile_background(frames)
    np.testing.assert_array_equal(frames, kept)
    np.testing.assert_array_equal(found.votes, votes)
    assert found.votes.dtype == np.int64
    assert found.percentile == p
    width = 1 if frames.dtype == np.uint8 else 256
    # The middle of the values of one level.
    middle = (modes * width + (width - 1) / 2) / scale_of(frames)
    np.testing.assert_allclose(found.mode, middle, rtol=0, atol=ROUNDING)
    check_layers(found, frames, p)
    return found


def voted(found):
    """Return the percentiles with a vote."""
    return np.flatnonzero(found.votes).tolist()


# Luminance


def test_luma_is_that_of_pillow(rng):
    frame = rng.integers(0, 255, (60, 70, 3), np.uint8, endpoint=True)
    # Of one frame the mode is its luminance.
    luma = np.asarray(Image.fromarray(frame).convert("L"))
    np.testing.assert_array_equal(np.round(percentile_background(frame[None]).mode * 255), luma)
    np.testing.assert_array_equal(levels(frame[None])[0], luma)
    assert np.abs(luma - frame @ np.asarray([0.299, 0.587, 0.114])).max() <= 0.51


# The authors' algorithm


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("kind", "count"),
    [*itertools.product(("rain", "few"), (1, 2, 3, 20, 37, 100, 255, 256, 300)), ("random", 37), ("bright", 256)],
)
def test_votes_and_background_are_those_of_the_authors(rng, kind, count, dtype):
    check(draw(rng, kind, (count, 5, 7, 3), dtype))
    check(draw(rng, kind, (count, 4, 6), dtype))


# Tiles are of 512 and 1024 columns.
COLUMNS = [1, 511, 512, 513, 1023, 1024, 1025, 1553, 2047, 2049, 3089]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        *itertools.product([(1, 5, 6), (20, 5, 6), (37, 5, 6, 1), (101, 3, 5, 3)], KINDS),
        *((shape, "rain") for n in COLUMNS for shape in ((3, n, 1), (3, 1, n, 3))),
    ],
)
def test_kernels_agree_with_the_definition(rng, shape, kind, dtype):
    frames = draw(rng, kind, shape, dtype)
    check_same(as_written(frames), percentile_background(frames))


@given(
    hnp.arrays(
        st.sampled_from(DTYPES),
        st.one_of(
            st.tuples(*[st.integers(1, top) for top in (12, 4, 4)]),
            st.tuples(*[st.integers(1, top) for top in (12, 4, 4)], st.sampled_from([1, 3])),
        ),
    )
)
def test_any_shape_and_any_values(frames):
    check(frames)


@given(st.integers(0, 100), hnp.arrays(np.uint8, st.tuples(st.integers(1, 130), st.just(2), st.just(3))))
def test_any_percentile(p, frames):
    for scaled in (frames, frames.astype(np.uint16) * 257, frames.astype(np.uint16) * 251):
        check_layers(percentile_layers(scaled, p), scaled, p)


# Votes by hand


def test_votes_by_hand():
    # Rank 2 to 5 of 10 frames: 20 to 50 per cent.
    found = percentile_background(np.asarray([9, 1, 5, 5, 200, 5, 90, 5, 2, 100], np.uint8).reshape(10, 1, 1))
    assert voted(found) == list(range(20, 51))
    assert (found.votes.max(), found.percentile) == (1, 20)
    assert found.mode == np.float32(5 / 255)
    # Of equal modes the lowest, and of equal votes the lowest.
    found = percentile_background(np.asarray([7, 7, 3, 3, 1], np.uint8).reshape(5, 1, 1))
    assert voted(found) == list(range(20, 41))
    assert found.percentile == 20
    assert found.mode == np.float32(3 / 255)


@pytest.mark.parametrize("value", [0, 1, 255, 256, 32767, 32768, 65279, 65280, 65534, 65535])
def test_extremes_of_sixteen_bits(value):
    for shape in ((1, 2, 2), (3, 2, 2, 3), (300, 1, 2, 3)):
        frames = np.full(shape, value, np.uint16)
        check(frames)
        frames[::2] = 65535 - value
        check(frames)


def test_counters_are_wide_enough():
    # 255 and 256 equal frames, 65535 and more of distance, and 70 000 frames.
    for count in (255, 256, 257):
        for end in (0, 77, 255):
            frames = np.full((count, 1, 2), end, np.uint8)
            check(frames)
            frames[: count // 3] = 100
            check(frames)
    frames = np.zeros((70000, 1, 2), np.uint8)
    frames[:30000] = 255
    found = percentile_background(frames)
    assert voted(found) == list(range(58))
    assert (found.percentile, found.votes.max()) == (0, 2)
    np.testing.assert_array_equal(found.image, 0)
    np.testing.assert_allclose(found.seen, 4 / 7, rtol=1e-6)
    np.testing.assert_allclose(found.spread, 3 / 7, rtol=1e-6)


@pytest.mark.parametrize("dtype", DTYPES)
def test_white_pixels_abstain_unless_all_are_white(dtype):
    step = 1 if dtype == "uint8" else 256
    frames = np.full((10, 1, 3), 100 * step, dtype)
    frames[6:, :, 0] = 200 * step
    # Saturated by rain in seven frames of ten.
    frames[:, 0, 1:] = np.asarray([255] * 7 + [210] * 3)[:, None] * step
    found = check(frames)
    assert voted(found) == list(range(51))
    assert (found.percentile, found.votes.max()) == (0, 1)
    found = check(frames[:, :, 1:])
    assert voted(found) == list(range(30, 91))
    assert (found.percentile, found.votes.max()) == (30, 2)


def test_a_range_between_whole_percentiles_holds_none():
    # Ranks 1 and 2 of 300 are 0.33 and 0.67 per cent.
    narrow = np.zeros((300, 1, 1), np.uint16)
    narrow[:, 0, 0] = [0, 256, 256, *(512 + 256 * (np.arange(297) // 2))]
    found = check(narrow)
    assert voted(found) == []
    assert found.percentile == 0
    # Beside it, a white one is the only one with a vote.
    white = np.full((300, 1, 2), 65535, np.uint16)
    white[:100] = 0
    white[:, :, :1] = narrow
    assert check(white).percentile == 34


@pytest.mark.parametrize("shape", [(20, 1, 1), (20, 40, 60, 3), (20, 97, 101), (3, 1, 9 * 1024 + 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_and_any_order_of_columns_give_the_same(rng, thread_count, shape, dtype):
    frames = draw(rng, "rain", shape, dtype)
    thread_count(1)
    first, order = percentile_background(frames), rng.permutation(shape[2])
    for count in (2, 3, 16):
        thread_count(count)
        again, moved = percentile_background(frames), percentile_background(frames[:, :, order])
        np.testing.assert_array_equal(again.votes, first.votes)
        np.testing.assert_array_equal(moved.votes, first.votes)
        for name in (*LAYERS, "mode"):
            np.testing.assert_array_equal(getattr(again, name), getattr(first, name))
            np.testing.assert_array_equal(getattr(moved, name), getattr(first, name)[:, order])


# How frames lie around the background


def test_levels_that_the_percentile_hits_are_hit_exactly():
    # 15 hundredths of 180 are 27, which float32 misses if it multiplies by 0.15.
    for rest in range(1, 100):
        for gap in (25, 50, 75, 100, 150, 180, 200, 225):
            if rest * gap % 100 == 0:
                found = percentile_layers(np.asarray([10, 10 + gap], np.uint8).reshape(2, 1, 1), rest)
                assert found.image == np.float32(10 + rest * gap // 100) / np.float32(255)


@pytest.mark.parametrize("dtype", DTYPES)
def test_off_centre_is_the_mean_of_what_is_near(rng, dtype):
    frames = draw(rng, "rain", (300, 5, 7, 3), dtype)
    scale = float(scale_of(frames))
    image = (np.percentile(frames, 40, axis=0) / scale).astype(np.float32)
    image[0, 0] = 1.0  # where no frame comes near
    apart = frames / scale - image.astype(float)
    near = np.abs(apart) <= 0.0301
    expected = np.where(near, apart, 0).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    np.testing.assert_allclose(off_centre(frames, image, 0.0301), expected, atol=2e-6)
    assert np.abs(expected).max() > 1e-3


# The kernels, as Python reads them


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_kernels_say_what_they_do_without_the_compiler(monkeypatch, rng, channels, dtype):
    frames = draw(rng, "rain", (7, 2, 3, channels), dtype)
    compiled = percentile_background(frames)
    offsets = off_centre(frames, compiled.image, 0.02)
    bare = [name for name, value in vars(percentile_cpu).items() if hasattr(value, "py_func")]
    calls = set()

    def noted(name, function, *arguments):
        calls.add(name)
        return function(*arguments)

    for name in bare:
        function = getattr(percentile_cpu, name).py_func
        monkeypatch.setattr(percentile_cpu, name, functools.partial(noted, name, function))
    check_same(percentile_background(frames), compiled)
    np.testing.assert_array_equal(off_centre(frames, compiled.image, 0.02), offsets)
    assert calls == set(bare)
