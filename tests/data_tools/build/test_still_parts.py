"""Where camera and light stay as they are in a scene."""

import math
import re

import numpy as np
import pytest

from data_tools.build.still_parts import GROUP, light_between, parts_of_scene, places_lit_anew
from tests.support.clips import rained, seen_from, stored

SHAPE = (96, 128)
RAIN = {"preset": "medium", "scale": 0.3}


def test_a_camera_that_was_knocked_and_light_that_changes_begin_another_part():
    views = [seen_from("astronaut", 0, 4 * (k >= GROUP), SHAPE) for k in range(3 * GROUP)]
    frames = list(rained(views, count=len(views), **RAIN))
    for k in range(2 * GROUP, 3 * GROUP):
        frames[k] = np.rint(frames[k] * 0.95).astype(np.uint8)
    with stored(frames) as store:
        parts = parts_of_scene(store)
    assert [(part.places, part.moves) for part in parts] == [(range(k, k + GROUP), None) for k in (0, GROUP, 2 * GROUP)]
    assert [part.begins for part in parts] == [
        "",
        "the camera has moved by 4.0 pixels",
        "the light has changed by -5.0 %",
    ]


@pytest.mark.slow
def test_a_lamp_that_goes_out_in_a_part_of_the_picture_begins_another_part():
    views = [seen_from("astronaut", 0, 0, SHAPE) for _ in range(2 * GROUP)]
    frames = list(rained(views, count=len(views), **RAIN))
    for frame in frames[GROUP:]:
        frame[:, :48] = np.rint(frame[:, :48] * 0.8).astype(np.uint8)
    with stored(frames) as store:
        parts = parts_of_scene(store)
    assert [part.places for part in parts] == [range(GROUP), range(GROUP, 2 * GROUP)]
    assert re.fullmatch(r"the light has changed in \d+ % of the picture", parts[1].begins)


def test_places_count_whose_light_changes_otherwise_than_that_of_the_whole(rng):
    first = rng.uniform(0.2, 0.6, (64, 64, 3)).astype(np.float32)
    now, everywhere = first * np.float32(1.2), np.ones((64, 64), bool)
    assert places_lit_anew(first, now, everywhere, 1.2) == 0
    now[:16, :32] *= 1.1
    assert places_lit_anew(first, now, everywhere, 1.2) == 2 / 16
    everywhere[:16, 16:32] = False
    assert places_lit_anew(first, now, everywhere, 1.2) == 1 / 15
    assert places_lit_anew(0 * first, now, everywhere, 1.2) == 0


def test_frames_that_have_nothing_to_do_with_each_other_move_further_than_can_be_measured(rng):
    frames = [np.repeat(np.repeat(rng.integers(0, 256, (12, 16, 3), np.uint8), 8, 0), 8, 1) for _ in range(6)]
    with stored(frames) as store:
        (part,) = parts_of_scene(store)
    assert part.moves == math.inf


def test_light_is_compared_where_a_picture_is_neither_dark_nor_white(rng):
    first = rng.uniform(0.2, 0.6, (24, 32, 3)).astype(np.float32)
    first[:8] = 1.0
    assert light_between(first, np.minimum(first * np.float32(1.1), 1)) == pytest.approx(1.1, abs=1e-3)
    assert light_between(np.zeros_like(first), first) == 1.0
