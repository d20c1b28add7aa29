"""Small things that move evenly are found in the frames around them; streaks, drops and what is seen once are not."""

import numpy as np
import pytest

from data_tools import rain_video
from rainopt.video.small_things import REACH, share_of_things, small_things
from rainopt.video.time_bound import luminance_of
from tests.support.clips import noisy, streaks

H, W, COUNT = 120, 160, 9
BEHIND = np.full((H, W), 0.3, np.float32)
MIDDLE = COUNT // 2
RAIN = (20.0,)


def clip(course, side=(20, 2), value=0.9, top=40, left=60):
    """Luminance of frames with a bright thing that moves, its place in the middle one being (top, left)."""
    frames = []
    for number in range(COUNT):
        down, across = (round(step * (number - MIDDLE)) for step in course)
        frame = BEHIND.copy()
        frame[top + down : top + down + side[0], left + across : left + across + side[1]] = value
        frames.append(frame)
    return frames


def shares(frames, angles=RAIN):
    """The share of small things in each frame."""
    found = []
    for k, frame in enumerate(frames):
        light = {n: frames[k + n] for n in range(-REACH, REACH + 1) if 0 <= k + n < len(frames)}
        found.append(small_things(light, frame - BEHIND, angles))
    results = []
    for k, frame in enumerate(frames):
        around = {n: found[k + n] for n in range(-4, 5) if 0 <= k + n < len(frames)}
        share = share_of_things(around, frame, frame - BEHIND)
        results.append(np.zeros((H, W), np.float32) if share is None else share)
    return results


@pytest.mark.parametrize(
    ("course", "side"), [((0, 1), (20, 2)), ((0, -3), (24, 3)), ((1, 5), (4, 4)), ((-4, 0), (3, 9)), ((0, 0), (5, 5))]
)
def test_what_moves_evenly_is_found_whole_and_nothing_else(course, side):
    frames = clip(course, side)
    for frame, share in zip(frames, shares(frames), strict=True):
        np.testing.assert_array_equal(share, frame > 0.5)


def test_it_is_found_under_noise():
    rng = np.random.default_rng(1)
    frames = [frame + rng.normal(0, 0.004, frame.shape).astype(np.float32) for frame in clip((0, 2))]
    got = shares(frames)[MIDDLE]
    there = clip((0, 2))[MIDDLE] > 0.5
    assert got[there].min() > 0.95
    assert not got[~there].any()


@pytest.mark.parametrize("number", range(COUNT))
def test_what_is_there_once_is_not_found(number):
    frames = [BEHIND.copy() for _ in range(COUNT)]
    frames[number] = clip((0, 2))[MIDDLE]
    assert not any(share.any() for share in shares(frames))


def test_what_falls_along_the_rain_is_not_found():
    falls = clip((5, -2), (4, 4))
    assert shares(falls)[MIDDLE].any()
    assert not shares(falls, (np.degrees(np.arctan2(-2, 5)),))[MIDDLE].any()


def test_what_lies_along_the_rain_is_found_where_it_does_not_fall():
    frames = clip((0, 2))
    np.testing.assert_array_equal(shares(frames, (3.0,))[MIDDLE], frames[MIDDLE] > 0.5)


def test_a_streak_that_crosses_a_thing_is_not_taken_for_it():
    frames = clip((0, 2))
    there = frames[MIDDLE] > 0.5
    for k in range(8):  # beside it, in one frame
        frames[MIDDLE][44 + k, 62 + k // 2 : 64 + k // 2] = 0.8
    got = shares(frames)[MIDDLE]
    np.testing.assert_array_equal(got[there], 1)
    assert not got[~there].any()


@pytest.mark.parametrize("preset", ["light", "medium"])
def test_rain_is_hardly_ever_taken_for_things(preset):
    rng = np.random.default_rng(0)
    spec = streaks(preset, rng)
    pictures = (drawn.rainy for drawn in rain_video(np.full((H, W, 3), 0.3, np.float32), spec, rng))
    frames = [luminance_of(frame) for frame, _ in zip(noisy(pictures, rng), range(24), strict=False)]
    assert np.mean([share > 0 for share in shares(frames, (spec.angle,))]) < 1e-3


def test_frames_that_are_missing_let_nothing_be_found():
    frames = clip((0, 2))[:4]
    assert not any(share.any() for share in shares(frames))
