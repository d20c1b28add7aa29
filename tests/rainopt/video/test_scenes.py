"""Cuts are found in spite of rain, flicker, movement and a camera that moves; a stream is divided at them."""

import numpy as np
import pytest

from rainopt.video.scenes import LAG, LEARNING, CutDetector, split_scenes
from tests.support.clips import numbered, view
from tests.support.drawings import dropped

SIZE = (240, 400)  # of a view, 30 and 40 pixels larger than a frame on each side


def seen(name, top=30, left=40):
    return view(name, SIZE)[top : top + 180, left : left + 320]


def still(name, count):
    return [seen(name)] * count


def cuts(frames):
    detector = CutDetector()
    return [k for k, frame in enumerate(frames) if detector.update(frame)]


def test_hard_cuts_are_found_where_they_are_in_rain_and_in_the_dark(rng):
    assert cuts(still("astronaut", 20) + still("coffee", 20) + still("chelsea", 20)) == [20, 40]
    assert cuts(dropped(frame, rng) for frame in still("astronaut", 16) + still("coffee", 16)) == [16]
    frames = still("astronaut", 16) + still("rocket", 16)
    assert cuts([(frame * 0.1).astype(np.uint8) for frame in frames]) == [16]


@pytest.mark.parametrize("length", [5, 10, 15])
def test_a_fade_is_a_cut_or_two(length):
    old, new = seen("astronaut"), seen("coffee")
    fade = [(old * (1 - t) + new * t).astype(np.uint8) for t in np.linspace(0, 1, length + 2)[1:-1]]
    found = cuts([old] * 30 + fade + [new] * 30)
    assert 1 <= len(found) <= 2
    assert 30 <= found[0] <= 30 + max(length, LAG)


def test_dtypes_agree():
    frames = still("astronaut", 10) + still("coffee", 10)
    for change in (
        lambda frame: frame[..., 1],
        lambda frame: frame.astype(np.uint16) * 257,
        lambda frame: frame / 255,
        lambda frame: (frame / 255).astype(np.float32),
    ):
        assert cuts([change(frame) for frame in frames]) == [10]


@pytest.mark.parametrize("drops", [100, 1000])
def test_rain_is_no_cut(rng, drops):
    assert cuts(dropped(frame, rng, drops) for frame in still("coffee", 40)) == []


def test_flicker_is_no_cut(rng):
    gains = np.where(rng.random(40) < 0.3, 1.2, 1.0)
    assert cuts([np.minimum(seen("coffee") * gain, 255).astype(np.uint8) for gain in gains]) == []


def test_who_walks_by_is_no_cut():
    frames = []
    for k in range(60):
        frame, left = seen("coffee").copy(), 6 * k - 80
        covered = slice(max(0, left), max(0, min(320, left + 80)))
        frame[20:, covered] = view("astronaut", SIZE)[50:210, covered.start - left : covered.stop - left]
        frames.append(frame)
    assert cuts(frames) == []


def test_shake_and_a_slow_pan_are_no_cuts(rng):
    assert cuts([seen("astronaut", 30, 2 * k) for k in range(40)]) == []
    places = np.clip(rng.normal(0, 5, (40, 2)).round().astype(int), -20, 20)
    assert cuts([seen("chelsea", 30 + y, 40 + x) for y, x in places]) == []


@pytest.mark.parametrize("shape", [(90, 160), (90, 160, 3), (9, 16), (1, 1, 3), (200, 3, 3)])
def test_one_value_everywhere_is_no_cut(shape):
    assert cuts([np.zeros(shape, np.uint8)] * 15) == []
    assert cuts([np.full(shape, 65535, np.uint16)] * 15) == []


def test_the_first_frames_are_of_one_scene():
    assert cuts(still("astronaut", 1) + still("coffee", LEARNING)) == []


def test_other_frames_are_refused():
    detector = CutDetector()
    detector.update(np.zeros((90, 160, 3), np.uint8))
    with pytest.raises(ValueError, match="`frame` must have the shape of the frames before"):
        detector.update(np.zeros((90, 161, 3), np.uint8))
    for shape in ((90,), (90, 160, 4), (0, 160, 3)):
        with pytest.raises(ValueError, match=r"`frame` must be \(H, W, 3\)"):
            CutDetector().update(np.zeros(shape, np.uint8))
    with pytest.raises(TypeError, match="`frame` must be uint8"):
        CutDetector().update(np.zeros((90, 160), np.int64))
    holed = np.zeros((90, 160), np.float32)
    holed[4, 5] = np.nan
    with pytest.raises(ValueError, match="`frame` must be finite"):
        CutDetector().update(holed)


def test_two_places_cut_together_are_two_scenes():
    frames = numbered(still("astronaut", 30) + still("coffee", 25))
    scenes = [[frame.index for frame in scene] for scene in split_scenes(frames)]
    assert scenes == [list(range(30)), list(range(30, 55))]
    assert list(split_scenes([])) == []


def test_what_is_not_taken_of_a_scene_is_skipped():
    read = []
    scenes = split_scenes(
        frame for frame in numbered(still("astronaut", 30) + still("coffee", 25)) if not read.append(frame.index)
    )
    assert read == []
    first = next(scenes)
    assert [next(first).index for _ in range(3)] == [0, 1, 2]
    assert len(read) <= 3
    assert next(next(scenes)).index == 30
    assert len(read) == 31
    assert next(scenes, None) is None
