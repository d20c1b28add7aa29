import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from rainopt.arrays import to_numpy
from rainopt.kernels import percentile_cpu
from rainopt.video import percentiles as module
from rainopt.video.percentiles import (
    LEVELS,
    NEAR,
    PERCENTILE_TILE,
    PERCENTILES,
    VOTE_TILE,
    WHITE,
    Ballot,
    Layers,
    elected,
    off_centre,
    percentile_layers,
    reference,
    vote,
)

COUNTS = (1, 2, 3, 20, 37, 100, 255, 256, 300)
DTYPES = ("uint8", "uint16")
KINDS = ("random", "rain", "few", "bright")
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
    flat = frames.reshape(-1, frames.shape[-1])
    out = []
    for pixel in flat.tolist():
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
    luma = levels(frames).reshape(count, -1)
    ballots = np.zeros((2, 101), np.int64)
    modes = []
    for pixel in luma.T:
        ranked = sorted(pixel.tolist())
        mode = int(np.bincount(ranked).argmax())
        first, last = ranked.index(mode), count - 1 - ranked[::-1].index(mode)
        ballots[int(mode >= 250)] += [100 * first <= p * count <= 100 * last for p in range(101)]
        modes.append(mode)
    votes = ballots[0] if ballots[0].any() else ballots[1]
    return votes, int(votes.argmax()), np.asarray(modes).reshape(frames.shape[1:3])


def hundredths(frames, p):
    """Return a hundred times the percentile, in whole numbers."""
    ranked = np.sort(frames, axis=0).astype(np.int64)
    rank, rest = divmod(p * (len(frames) - 1), 100)
    low, high = ranked[rank], ranked[min(rank + 1, len(frames) - 1)]
    return 100 * low + rest * (high - low)


def around(frames, p):
    """Return the share of frames near a percentile, of those below, and their mean distance, in whole numbers."""
    value, scale = hundredths(frames, p), scale_of(frames)
    near = 100 * 8 * scale // 255
    wide = frames.astype(np.int64)
    seen = np.mean(np.abs(100 * wide - value) <= near, axis=0)
    darker = np.mean(value - 100 * wide > near, axis=0)
    spread = np.mean(np.abs(wide - np.round(value / 100)), axis=0) / scale
    if frames.ndim == 4:
        return seen.min(-1), darker.max(-1), spread.max(-1)
    return seen, darker, spread


def fast(frames):
    ballot = vote(frames)
    votes, p = elected(ballot.votes)
    return Ballot(votes, ballot.mode), p, percentile_layers(frames, p)


def check_layers(layers, frames, p):
    np.testing.assert_allclose(layers.image, np.percentile(frames, p, axis=0) / scale_of(frames), rtol=0, atol=ROUNDING)
    assert layers.image.shape == frames.shape[1:]
    seen, darker, spread = around(frames, p)
    for got, expected in zip(layers[1:], (seen, darker, spread), strict=True):
        assert got.shape == frames.shape[1:3]
        np.testing.assert_allclose(got, expected, rtol=0, atol=ROUNDING)
    assert all(layer.dtype == np.float32 for layer in layers)


def check(frames):
    """Compare the fast path with the naive one, and with the definition."""
    kept = frames.copy()
    votes, p, modes = naive(frames)
    ballot, found, layers = fast(frames)
    np.testing.assert_array_equal(frames, kept)
    np.testing.assert_array_equal(ballot.votes, votes)
    assert ballot.votes.dtype == np.int64
    assert found == p
    width = 1 if frames.dtype == np.uint8 else 256
    # The middle of the values of one level.
    middle = (modes * width + (width - 1) / 2) / scale_of(frames)
    assert ballot.mode.dtype == np.float32
    np.testing.assert_allclose(ballot.mode, middle, rtol=0, atol=ROUNDING)
    check_layers(layers, frames, p)
    same(reference(frames), (ballot, found, layers))


def same(one, other, layers=True):
    np.testing.assert_array_equal(to_numpy(one[0].votes), other[0].votes)
    np.testing.assert_allclose(to_numpy(one[0].mode), other[0].mode, rtol=0, atol=ROUNDING)
    assert one[1] == other[1]
    for a, b in zip(one[2], other[2], strict=True):
        # The definition adds up the distances in float32.
        np.testing.assert_allclose(to_numpy(a), b, rtol=3e-6, atol=ROUNDING)


# Luminance


def test_luma_is_that_of_pillow(rng):
    frame = rng.integers(0, 255, (60, 70, 3), np.uint8, endpoint=True)
    # Of one frame the mode is its luminance.
    luma = np.asarray(Image.fromarray(frame).convert("L"))
    np.testing.assert_array_equal(np.round(vote(frame[None]).mode * 255), luma)
    np.testing.assert_array_equal(levels(frame[None])[0], luma)
    exact = frame @ np.asarray([0.299, 0.587, 0.114])
    assert np.abs(luma - exact).max() <= 0.51


def test_luma_of_every_grey_is_the_grey():
    greys = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    for frames in (greys, greys[..., None], greys[..., None].repeat(3, -1)):
        np.testing.assert_array_equal(np.round(vote(frames).mode * 255), greys[0])
    fine = np.arange(65536, dtype=np.uint16).reshape(1, 256, 256)
    for frames in (fine, fine[..., None], fine[..., None].repeat(3, -1)):
        level = (vote(frames).mode.astype(float) * 65535 + 0.5) / 256 - 0.5
        np.testing.assert_allclose(level, fine[0] // 256, rtol=0, atol=1e-4)


# The authors' algorithm


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", KINDS)
def test_votes_and_background_are_those_of_the_authors(rng, kind, count, dtype):
    check(draw(rng, kind, (count, 5, 7, 3), dtype))
    check(draw(rng, kind, (count, 4, 6), dtype))


def test_one_channel_is_grey(rng):
    for dtype in DTYPES:
        frames = draw(rng, "rain", (20, 6, 9), dtype)
        check(frames[..., None])
        grey, (ballot, p, layers) = fast(frames), fast(frames[..., None])
        np.testing.assert_array_equal(layers.image[..., 0], grey[2].image)
        same((ballot, p, Layers(layers.image[..., 0], *layers[1:])), grey)
        # And so are three equal ones.
        ballot, p, layers = fast(frames[..., None].repeat(3, -1))
        np.testing.assert_array_equal(layers.image, grey[2].image[..., None].repeat(3, -1))
        same((ballot, p, Layers(layers.image[..., 0], *layers[1:])), grey)


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


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("p", [0, 1, 25, 50, 99, 100])
def test_chosen_percentiles_at_the_ends(rng, p, dtype):
    frames = draw(rng, "random", (23, 5, 6, 3), dtype)
    image = percentile_layers(frames, p).image * np.float32(scale_of(frames))
    ends = {0: frames.min(0), 50: np.median(frames, axis=0), 100: frames.max(0)}
    if p in ends:
        np.testing.assert_allclose(image, ends[p], rtol=1e-6)


# Where the votes are by hand


def test_votes_by_hand():
    # Rank 2 to 5 of 10 frames: 20 to 50 per cent.
    frames = np.asarray([9, 1, 5, 5, 200, 5, 90, 5, 0 + 2, 100], np.uint8).reshape(10, 1, 1)
    ballot = vote(frames)
    expected = np.zeros((2, 101), int)
    expected[0, 20:51] = 1
    np.testing.assert_array_equal(ballot.votes, expected)
    assert elected(ballot.votes)[1] == 20
    assert ballot.mode == np.float32(5 / 255)


def test_of_equal_modes_the_lowest_and_of_equal_votes_the_lowest():
    frames = np.asarray([7, 7, 3, 3, 1], np.uint8).reshape(5, 1, 1)
    votes = vote(frames).votes
    assert vote(frames).mode == np.float32(3 / 255)
    assert np.flatnonzero(votes[0]).tolist() == list(range(20, 41))
    assert elected(votes)[1] == 20
    assert elected(np.stack([votes[0] * 0, votes[0]]))[1] == 20


@pytest.mark.parametrize("end", [0, 255])
@pytest.mark.parametrize("count", COUNTS)
def test_a_mode_at_either_end(count, end):
    frames = np.full((count, 2, 3), end, np.uint8)
    frames[: count // 3] = 100
    check(frames)
    ballot, p, layers = fast(frames)
    assert np.all(ballot.mode == np.float32(end / 255))
    first = 0 if end == 0 else 100 * (count // 3)
    last = 100 * (count - 1 - count // 3) if end == 0 else 100 * (count - 1)
    held = [p for p in range(101) if first <= p * count <= last]
    assert np.flatnonzero(ballot.votes).tolist() == held
    assert p == held[0]
    # N values have N - 1 gaps: the range begins up to a rank before the mode, and ends within it.
    if end == 0:
        assert np.all(layers.image == 0)
    assert np.all(percentile_layers(frames, held[-1]).image == np.float32(end / 255))


@pytest.mark.parametrize("value", [0, 1, 255, 256, 32767, 32768, 65279, 65280, 65534, 65535])
def test_extremes_of_sixteen_bits(value):
    for shape in ((1, 2, 2), (3, 2, 2, 3), (300, 1, 2, 3)):
        check(np.full(shape, value, np.uint16))
        mixed = np.full(shape, value, np.uint16)
        mixed[::2] = 65535 - value
        check(mixed)


def test_counters_are_wide_enough(rng):
    # 255 and 256 equal frames, 65535 and more of distance, and 70 000 frames.
    for count in (255, 256, 257):
        check(np.full((count, 1, 2), 77, np.uint8))
    frames = np.zeros((70000, 1, 2), np.uint8)
    frames[:30000] = 255
    ballot, p, layers = fast(frames)
    assert (p, ballot.votes.max()) == (0, 2)
    np.testing.assert_array_equal(layers.image, 0)
    np.testing.assert_allclose(layers.seen, 4 / 7, rtol=1e-6)
    np.testing.assert_allclose(layers.spread, 3 / 7, rtol=1e-6)
    assert np.flatnonzero(ballot.votes).tolist() == list(range(58))


# White


@pytest.mark.parametrize("dtype", DTYPES)
def test_white_pixels_abstain_unless_all_are_white(dtype):
    step = 1 if dtype == "uint8" else 256
    frames = np.full((10, 1, 3), 100 * step, dtype)
    frames[6:, :, 0] = 200 * step
    # Saturated by rain in seven frames of ten.
    frames[:, 0, 1:] = np.asarray([255] * 7 + [210] * 3)[:, None] * step
    ballot, p, _ = fast(frames)
    assert np.flatnonzero(ballot.votes).tolist() == list(range(51))
    assert ballot.votes.max() == 1
    assert p == 0
    check(frames)
    check(frames[:, :, 1:])
    ballot, p, _ = fast(frames[:, :, 1:])
    assert np.flatnonzero(ballot.votes).tolist() == list(range(30, 91))
    assert ballot.votes.max() == 2
    assert p == 30


@pytest.mark.parametrize(("level", "row"), [(WHITE - 1, 0), (WHITE, 1), (0, 0), (255, 1)])
def test_white_begins_at_its_level(level, row):
    votes = vote(np.full((5, 2, 2), level, np.uint8)).votes
    assert votes[row].max() == 4
    assert not votes[1 - row].any()
    fine = np.asarray([level * 256, level * 256 + 255], np.uint16).reshape(1, 1, 2)
    assert vote(fine).votes[row].max() == 2


def test_a_range_between_whole_percentiles_holds_none():
    # Ranks 1 and 2 of 300 are 0.33 and 0.67 per cent.
    narrow = np.zeros((300, 1, 1), np.uint16)
    narrow[:, 0, 0] = [0, 256, 256, *(512 + 256 * (np.arange(297) // 2))]
    check(narrow)
    assert not vote(narrow).votes.any()
    assert fast(narrow)[1] == 0
    # Beside it, a white one is the only one with a vote.
    white = np.full((300, 1, 2), 65535, np.uint16)
    white[:100] = 0
    white[:, :, :1] = narrow
    check(white)
    assert fast(white)[1] == 34


# Libraries


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(1, 5, 6), (20, 5, 6), (37, 5, 6, 1), (37, 7, 5, 3), (101, 3, 5, 3)])
def test_the_definition_in_every_library(xp, rng, shape, kind, dtype):
    frames = draw(rng, kind, shape, dtype)
    found = reference(xp.asarray(frames))
    kinds = type(xp.asarray(frames))
    assert isinstance(found[1], int)
    assert all(isinstance(array, kinds) for array in (*found[0], *found[2]))
    assert all(layer.dtype == xp.float32 for layer in (found[0].mode, *found[2]))
    assert found[0].votes.dtype == xp.int64
    same(found, fast(frames))


# Tiles and threads


def tile_sizes(tile):
    return [1, tile - 1, tile, tile + 1, 2 * tile - 1, 2 * tile + 1, 3 * tile + 17]


@pytest.mark.parametrize("count", [1, 3, 20])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", sorted({*tile_sizes(VOTE_TILE), *tile_sizes(PERCENTILE_TILE)}))
def test_every_column_of_every_tile_is_done(rng, columns, dtype, count):
    for shape in ((count, 1, columns), (count, columns, 1)):
        frames = draw(rng, "rain", shape, dtype)
        same(reference(frames), fast(frames))
        np.testing.assert_allclose(
            percentile_layers(frames, 37).image,
            np.percentile(frames, 37, axis=0) / scale_of(frames),
            rtol=0,
            atol=ROUNDING,
        )
    frames = draw(rng, "rain", (count, 1, columns, 3), dtype)
    same(reference(frames), fast(frames))


def test_a_column_knows_nothing_of_the_others(rng):
    frames = draw(rng, "rain", (21, 1, 2 * VOTE_TILE + 5, 3))
    ballot, layers = vote(frames), percentile_layers(frames, 42)
    order = rng.permutation(frames.shape[2])
    again, moved = vote(frames[:, :, order]), percentile_layers(frames[:, :, order], 42)
    np.testing.assert_array_equal(again.votes, ballot.votes)
    np.testing.assert_array_equal(again.mode, ballot.mode[:, order])
    for a, b in zip(moved, layers, strict=True):
        np.testing.assert_array_equal(a, b[:, order])


@pytest.mark.parametrize("shape", [(20, 1, 1), (20, 40, 60, 3), (20, 97, 101), (3, 1, 9 * PERCENTILE_TILE + 1)])
@pytest.mark.parametrize("dtype", DTYPES)
def test_any_number_of_threads_gives_the_same(rng, thread_count, shape, dtype):
    frames = draw(rng, "rain", shape, dtype)
    results = []
    for count in (1, 2, 3, 16):
        thread_count(count)
        results.append(fast(frames))
    for ballot, p, layers in results[1:]:
        assert p == results[0][1]
        for a, b in zip((*ballot, *layers), (*results[0][0], *results[0][2]), strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("threads", [1, 2, 7])
@pytest.mark.parametrize("columns", [1, 511, 512, 513, 5000, 100_000])
def test_spans_divide_the_columns_in_whole_tiles(thread_count, columns, threads):
    thread_count(threads)
    spans = module._spans(columns, 512)
    assert [k for span in spans for k in range(*span)] == list(range(columns))
    assert all(first % 512 == 0 for first, _ in spans)
    assert len(spans) <= 8 * threads


# Invariances


def test_order_does_not_matter_and_offsets_go_through(rng):
    frames = draw(rng, "rain", (30, 8, 9, 3)) // 2
    ballot, p, layers = fast(frames)
    again, q, moved = fast(frames[rng.permutation(30)] + np.uint8(60))
    np.testing.assert_array_equal(again.votes, ballot.votes)
    assert p == q
    np.testing.assert_allclose(again.mode, ballot.mode + 60 / 255, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(moved.image, layers.image + 60 / 255, rtol=0, atol=ROUNDING)
    for a, b in zip(moved[1:], layers[1:], strict=True):
        np.testing.assert_array_equal(a, b)


def test_frames_twice_over_give_no_other_mode(rng):
    frames = draw(rng, "few", (19, 8, 9, 3))
    np.testing.assert_array_equal(vote(frames.repeat(2, 0)).mode, vote(frames).mode)


def test_eight_bits_in_sixteen_are_the_same(rng):
    frames = draw(rng, "rain", (25, 6, 7))
    fine = frames.astype(np.uint16) * 257
    ballot, p, layers = fast(frames)
    again, q, moved = fast(fine)
    np.testing.assert_array_equal(again.votes, ballot.votes)
    np.testing.assert_allclose(again.mode, ballot.mode, rtol=0, atol=0.51 / 255)
    assert p == q
    np.testing.assert_allclose(moved.image, layers.image, rtol=0, atol=ROUNDING)
    np.testing.assert_array_equal(moved.seen, layers.seen)
    np.testing.assert_array_equal(moved.darker, layers.darker)
    # Distances are taken from the rounded background, to half a level.
    np.testing.assert_allclose(moved.spread, layers.spread, rtol=0, atol=0.51 / 255)
    # Luminance of colours is cut to levels after it has been rounded to sixteen bits: one level at most.
    colour = draw(rng, "rain", (1, 30, 40, 3))
    coarse, cut = (np.round(vote(a).mode * 255 - 0.01) for a in (colour, colour.astype(np.uint16) * 257))
    assert np.abs(coarse - cut).max() <= 1


def test_frames_need_not_lie_together_in_memory(rng):
    frames = draw(rng, "rain", (12, 10, 14, 3))
    for view in (frames[::2], frames[:, ::-1, ::3], frames.transpose(0, 2, 1, 3)):
        same(fast(view), fast(view.copy()))


# How frames lie around the background


def test_near_is_eight_levels_and_no_more():
    assert round(NEAR * 255, 9) == 8
    for scale, dtype in ((1, np.uint8), (257, np.uint16)):
        offsets = np.asarray([0, 0, 0, 8, 9, -8, -9])
        frames = ((100 + offsets) * scale).astype(dtype).reshape(-1, 1, 1)
        _, seen, darker, spread = percentile_layers(frames, 50)
        np.testing.assert_allclose(seen, 5 / 7, rtol=1e-6)
        np.testing.assert_allclose(darker, 1 / 7, rtol=1e-6)
        np.testing.assert_allclose(spread, 34 / 7 / 255, rtol=1e-6)


def test_levels_that_the_percentile_hits_are_hit_exactly():
    # 15 hundredths of 180 are 27, which float32 misses if it multiplies by 0.15.
    for rest in range(1, 100):
        for gap in (25, 50, 75, 100, 150, 180, 200, 225):
            if rest * gap % 100:
                continue
            value = 10 + rest * gap // 100
            frames = np.asarray([10, 10 + gap], np.uint8).reshape(2, 1, 1)
            assert percentile_layers(frames, rest).image == np.float32(value) / np.float32(255)
            check_layers(percentile_layers(frames, rest), frames, rest)


def test_a_channel_that_differs_counts():
    frames = np.full((10, 1, 2, 3), 100, np.uint8)
    frames[:3, 0, 0, 1] = 50
    frames[:4, 0, 0, 2] = 180
    _, seen, darker, spread = percentile_layers(frames, 50)
    np.testing.assert_allclose(seen, [[0.6, 1]], rtol=1e-6)
    np.testing.assert_allclose(darker, [[0.3, 0]], rtol=1e-6)
    np.testing.assert_allclose(spread, [[0.4 * 80 / 255, 0]], rtol=1e-6)


# The kernels, as Python reads them


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("channels", [1, 3])
def test_kernels_say_what_they_do_without_the_compiler(monkeypatch, rng, channels, dtype):
    compiled = fast(frames := draw(rng, "rain", (7, 2, 3, channels), dtype))
    image = compiled[2].image
    offsets = off_centre(frames, image, 0.02)
    bare = [name for name, value in vars(percentile_cpu).items() if hasattr(value, "py_func")]
    assert len(bare) == 9
    calls = []

    def counted(name, function, *arguments):
        calls.append(name)
        return function(*arguments)

    for name in bare:
        function = getattr(percentile_cpu, name).py_func
        monkeypatch.setattr(percentile_cpu, name, functools.partial(counted, name, function))
    # Tiles smaller than the picture, too.
    for tile in (4, 64):
        monkeypatch.setattr(module, "VOTE_TILE", tile)
        monkeypatch.setattr(module, "PERCENTILE_TILE", tile)
        same(fast(frames), compiled)
        np.testing.assert_array_equal(off_centre(frames, image, 0.02), offsets)
    assert set(calls) == set(bare)


@pytest.mark.parametrize("dtype", DTYPES)
def test_off_centre_is_the_mean_of_what_is_near(rng, dtype):
    frames = draw(rng, "rain", (300, 5, 7, 3), dtype)
    scale = float(np.iinfo(dtype).max)
    image = (np.percentile(frames, 40, axis=0) / scale).astype(np.float32)
    image[0, 0] = 1.0  # where no frame comes near
    found = off_centre(frames, image, 0.0301)
    apart = frames / scale - image.astype(float)
    near = np.abs(apart) <= 0.0301
    expected = np.where(near, apart, 0).sum(axis=0) / np.maximum(near.sum(axis=0), 1)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    assert np.abs(expected).max() > 1e-3


def test_the_histogram_is_left_empty(rng):
    frames = draw(rng, "rain", (9, 1, 40, 3)).reshape(9, 40, 3)
    hist = np.zeros((16, LEVELS), np.uint8)
    modes, marks = np.full(40, 99, np.uint8), np.zeros((2, PERCENTILES + 1), np.int64)
    percentile_cpu.vote(frames, 5, 31, 0, WHITE, hist, modes, marks)
    assert not hist.any()
    # Columns outside the span are left alone, and every range that begins ends.
    assert np.all(modes[:5] == 99)
    assert np.all(modes[31:] == 99)
    np.testing.assert_array_equal(modes[5:31], np.round(vote(frames[:, None]).mode[0, 5:31] * 255))
    assert marks.sum() == 0
    assert np.all(np.cumsum(marks, axis=1) >= 0)
