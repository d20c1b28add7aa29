import functools

import numpy as np
import pytest
from skimage import data

from rainopt.video.scenes import COLUMNS, LAG, LEARNING, CutDetector

VIEWS = ("astronaut", "coffee", "chelsea", "rocket")


@functools.cache
def view(name, height=180, width=320):
    """Return a sample picture, three times the copy's size and larger than a frame, uint8."""
    from skimage.transform import resize

    picture = resize(getattr(data, name)(), (height + 60, width + 80), anti_aliasing=True)
    return (picture * 255).astype(np.uint8)


def still(name, count, top=30, left=40):
    return [view(name)[top : top + 180, left : left + 320]] * count


def rained(frames, rng, drops=400):
    """Draw new streaks of 20 pixels over every frame."""
    out = []
    for frame in frames:
        layer = np.zeros(frame.shape[:2], np.uint16)
        for row, column in zip(rng.integers(0, 160, drops), rng.integers(0, 320, drops), strict=True):
            layer[row : row + 20, column] += 120
        out.append(np.minimum(frame + layer[..., None], 255).astype(np.uint8))
    return out


def cuts(frames):
    detector = CutDetector()
    return [k for k, frame in enumerate(frames) if detector.update(frame)]


def test_hard_cuts_are_found_where_they_are():
    assert cuts(still("astronaut", 20) + still("coffee", 20) + still("chelsea", 20)) == [20, 40]


def test_hard_cuts_are_found_in_rain(rng):
    assert cuts(rained(still("astronaut", 16) + still("coffee", 16), rng)) == [16]


def test_dark_views_are_told_apart():
    frames = still("astronaut", 16) + still("rocket", 16)
    assert cuts([(frame * 0.1).astype(np.uint8) for frame in frames]) == [16]


def test_grey_frames_will_do():
    assert cuts([frame[..., 1] for frame in still("astronaut", 12) + still("coffee", 12)]) == [12]


@pytest.mark.parametrize("length", [5, 10, 15])
def test_a_fade_is_a_cut_or_two(length):
    (old,), (new,) = still("astronaut", 1), still("coffee", 1)
    fade = [(old * (1 - t) + new * t).astype(np.uint8) for t in np.linspace(0, 1, length + 2)[1:-1]]
    found = cuts([old] * 30 + fade + [new] * 30)
    assert 1 <= len(found) <= 2
    assert 30 <= found[0] <= 30 + max(length, LAG)


@pytest.mark.parametrize("drops", [100, 1000])
def test_rain_is_no_cut(rng, drops):
    assert cuts(rained(still("coffee", 40), rng, drops)) == []


def test_flicker_is_no_cut(rng):
    gains = np.where(rng.random(40) < 0.3, 1.2, 1.0)
    (frame,) = still("coffee", 1)
    assert cuts([np.minimum(frame * gain, 255).astype(np.uint8) for gain in gains]) == []


def test_who_walks_by_is_no_cut():
    frames = []
    for k in range(60):
        frame = still("coffee", 1)[0].copy()
        left = 6 * k - 80
        seen = slice(max(0, left), max(0, min(320, left + 80)))
        frame[20:, seen] = view("astronaut")[50:210, seen.start - left : seen.stop - left]
        frames.append(frame)
    assert cuts(frames) == []


def test_shake_is_no_cut(rng):
    places = np.clip(rng.normal(0, 5, (40, 2)).round().astype(int), -20, 20)
    assert cuts([still("chelsea", 1, 30 + y, 40 + x)[0] for y, x in places]) == []


def test_a_slow_pan_is_no_cut():
    assert cuts([still("astronaut", 1, 30, 2 * k)[0] for k in range(40)]) == []


def test_one_value_everywhere():
    assert cuts([np.zeros((90, 160, 3), np.uint8)] * 30) == []
    assert cuts([np.full((90, 160), 65535, np.uint16)] * 30) == []


def test_dtypes_agree():
    frames = still("astronaut", 10) + still("coffee", 10)
    assert cuts([frame.astype(np.uint16) * 257 for frame in frames]) == [10]
    assert cuts([frame / 255 for frame in frames]) == [10]
    assert cuts([(frame / 255).astype(np.float32) for frame in frames]) == [10]


def test_the_first_frames_are_of_one_scene():
    assert cuts(still("astronaut", 1) + still("coffee", LEARNING)) == []


def test_memory_is_bounded():
    detector = CutDetector()
    for frame in still("coffee", 60):
        detector.update(frame)
    assert len(detector._past) == LAG
    assert all(mean.shape[2] == COLUMNS for mean, _ in detector._past)


@pytest.mark.parametrize("shape", [(9, 16), (1, 1, 3), (200, 3, 3)])
def test_small_frames(shape):
    assert cuts([np.full(shape, 7, np.uint8)] * 15) == []


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
