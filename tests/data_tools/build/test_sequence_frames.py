"""Which frames of a scene become a sequence: those with rain, in one light, and no two with the same rain."""

import re

import numpy as np
import pytest

from data_tools.build.sequence_frames import choose_sequence, usual_light
from rainopt.video.adaptive_background import Settled
from rainopt.video.background import background_of_store
from rainopt.video.quality import Acceptance, trusted
from tests.support.clips import stored, view

H, W = 96, 128
SCENE = np.full((H, W, 3), 90, np.uint8)
WORTH = Acceptance(50.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0)


def streaks(number, scene=SCENE, level=60):
    """Eight thin streaks, elsewhere in every frame."""
    frame = scene.copy()
    rng = np.random.default_rng(number)
    for slot, left in enumerate(rng.integers(0, 14, 8)):
        top = int(rng.integers(0, H - 50))
        part = frame[top : top + 50, 16 * slot + left]
        part[:] = np.minimum(part.astype(int) + level, 255)
    return frame


def chosen(frames, count):
    with stored(frames) as store:
        estimate = background_of_store(store)
        settled = Settled(estimate, WORTH, trusted(estimate), tuple(range(100, 100 + len(frames))), True)
        found, left_out = choose_sequence(settled, store, count)
        return [frame.place for frame in found], left_out, found


def test_frames_are_spread_evenly_and_say_how_much_rain_they_show():
    places, left_out, found = chosen([streaks(k) for k in range(21)], 5)
    assert (places, left_out) == ([0, 5, 10, 15, 20], [])
    assert found[0].rain == pytest.approx(8 * 50 / (H * W))
    assert {(frame.living, frame.gain) for frame in found} == {(0.0, 1.0)}
    assert len(chosen([streaks(k) for k in range(7)], 30)[0]) == 7


def test_no_two_show_the_same_rain_be_they_the_same_frame_or_not(rng):
    frames = [streaks(k // 3) for k in range(18)]
    assert chosen(frames, 30)[:2] == (
        [0, 3, 6, 9, 12, 15],
        [f"frame {100 + k} repeats frame {100 + k - k % 3}" for k in range(18) if k % 3],
    )
    noisy = [np.clip(frame + rng.normal(0, 2, frame.shape), 0, 255).astype(np.uint8) for frame in frames]
    places, left_out, _ = chosen(noisy, 30)
    assert places == [0, 3, 6, 9, 12, 15]
    assert left_out[:2] == ["frame 101 shows the rain of frame 100", "frame 102 shows the rain of frame 100"]
    loop = [streaks(k % 6) for k in range(18)]
    places, left_out, _ = chosen(loop, 30)
    assert (places, len(left_out)) == ([*range(6)], 12)
    assert left_out[0] == "frame 106 shows the rain of frame 100"


def test_frames_without_rain_of_another_light_or_full_of_things_are_left_out():
    frames = [streaks(k) for k in range(16)]
    frames[3] = SCENE
    frames[6] = np.rint(streaks(6) * 1.05).astype(np.uint8)
    frames[9] = streaks(9)
    frames[9][:, : W * 3 // 10], frames[9][:, W * 7 // 10 :] = 0, 255
    frames[12][:] = 0
    places, left_out, _ = chosen(frames, 16)
    assert places == [k for k in range(16) if k not in (3, 6, 9, 12)]
    assert left_out[0] == "frame 103 shows no rain"
    assert re.fullmatch(r"frame 106 is [45]\.\d % brighter", left_out[1])
    assert left_out[2:] == ["frame 109 shows too much that moves", "frame 112 is 99.9 % darker"]


def test_a_frame_that_lies_astray_is_left_out():
    scene = view("coffee", (H, W))
    frames = [streaks(k, scene) for k in range(10)]
    frames[4] = np.roll(frames[4], 2, axis=1)
    places, left_out, _ = chosen(frames, 10)
    assert places == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert left_out == ["frame 104 lies 2.0 pixels astray"]


def test_the_light_of_no_two_frames_differs_by_more_than_a_sequence_may():
    scene = view("coffee", (H, W))
    frames = [np.rint(streaks(k, scene) * (1.03 if k % 3 == 0 else 1)).astype(np.uint8) for k in range(12)]
    places, left_out, _ = chosen(frames, 12)
    assert places == [k for k in range(12) if k % 3]
    assert all("brighter" in reason for reason in left_out)
    assert usual_light(np.array([1.0, 1.01, 1.019, 1.04, 1.3])) == pytest.approx(1.0095, abs=1e-4)


def test_a_frame_through_which_another_scene_shows_is_left_out():
    scene, other = (view(name, (H, W)) for name in ("coffee", "astronaut"))
    frames = [streaks(k, scene) for k in range(12)]
    frames[5] = streaks(5, np.rint(0.75 * scene + 0.25 * other).astype(np.uint8))
    places, left_out, _ = chosen(frames, 12)
    assert places == [k for k in range(12) if k != 5]
    assert len(left_out) == 1
