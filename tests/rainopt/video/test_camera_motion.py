"""Rain does not make a camera look as if it moved, and does not hide that it does."""

import functools

import cv2
import numpy as np
import pytest

from rainopt.video.camera_motion import stabiliser_of, stands_still
from rainopt.video.copies import SMALL, small_copy
from tests.support.clips import rained, seen_from

H, W, COUNT = 120, 160, 13  # of which every second is aligned
STILL = ((0, 0),) * COUNT


def drifting(pixels, down=False):
    way = [round(pixels * k / (COUNT - 1)) for k in range(COUNT)]
    return tuple((w, 0) if down else (0, w) for w in way)


def shaken():
    rng = np.random.default_rng(3)
    return ((0, 0), *map(tuple, rng.integers(-3, 4, (COUNT - 1, 2))))


@functools.cache
def filmed(name, preset, places=STILL):
    """Frames of a camera that looks at a photograph from one place after the other; rain moves on 2 frames a step."""
    views = [seen_from(name, *place) for place in places for _ in range(2)]
    return rained(views, preset, 2 * COUNT, seed=1)[::2]


def is_still(frames, side=SMALL):
    return stands_still([small_copy(frame, side) for frame in frames], frames[0].shape)


@pytest.mark.parametrize(("name", "preset"), [("coffee", None), ("astronaut", "medium"), ("coffee", "heavy")])
def test_a_still_camera_is_still_in_any_rain(name, preset):
    assert is_still(filmed(name, preset))


@pytest.mark.parametrize(
    ("name", "preset", "places"),
    [
        ("astronaut", None, shaken()),
        ("coffee", "light", shaken()),
        ("astronaut", "heavy", shaken()),
        ("chelsea", None, drifting(5, down=True)),
        ("chelsea", "medium", drifting(5, down=True)),
        ("chelsea", "heavy", drifting(5)),
        ("coffee", "light", ((0, 0),) * 6 + ((0, 4),) * 7),  # one jump in the middle
    ],
)
def test_a_camera_that_shakes_drifts_or_jumps_is_not(name, preset, places):
    assert not is_still(filmed(name, preset, places))


def test_frames_of_16_bits():
    for places in (STILL, drifting(5)):
        frames = [frame.astype(np.uint16) * 257 for frame in filmed("coffee", "light", places)]
        assert is_still(frames) == (places is STILL)


def test_light_that_changes_is_no_movement():
    frames = filmed("coffee", None)
    dimmed = [np.rint(frame * (1 - 0.3 * k / COUNT)).astype(np.uint8) for k, frame in enumerate(frames)]
    assert is_still(dimmed)


def test_something_that_walks_by_is_no_movement():
    frames = [frame.copy() for frame in filmed("coffee", "light")]
    for k, frame in enumerate(frames):
        frame[30:100, 7 * k : 7 * k + 25] = (20, 40, 90)
    assert is_still(frames)


def test_something_bright_that_walks_by_in_the_dark_is_no_movement():
    frames = [frame.copy() for frame in filmed("rocket", "light")]
    for k, frame in enumerate(frames):
        frame[30:100, 4 * k : 4 * k + 30] = (200, 210, 190)
    assert is_still(frames)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_frames_that_show_nothing_count_as_still(value):
    flat = [np.full((H, W, 3), value, np.uint8)] * COUNT
    assert is_still(flat)
    assert stabiliser_of(flat[0]) is None


@pytest.mark.parametrize("count", [2, 3])
def test_few_frames_are_still_unless_two_are_far_apart_and_black_ones_do_not_count(count):
    frames = filmed("coffee", "light")
    assert is_still(frames[:1])
    assert is_still(frames[:count])
    assert is_still([np.zeros((H, W, 3), np.uint8)] * 3 + list(frames)[3:])
    assert not is_still(filmed("coffee", "light", ((0, 0), (5, 8), (-6, 3), *STILL[3:]))[:count])


def test_large_frames_are_judged_by_their_own_pixels():
    frames = filmed("coffee", "light")
    assert is_still(frames, W // 2)
    # A movement that counts in the frames would not in the copies.
    for pixels, still in ((0.05, True), (0.3, False), (5, False)):
        way = np.array([[1, 0, pixels], [0, 1, 0]], float)
        moved = [cv2.warpAffine(frame, way, (W, H), borderMode=cv2.BORDER_REFLECT) for frame in frames[6:]]
        assert is_still([*frames[:6], *moved], W // 2) is still
