"""Frames helped by those around them come nearer the truth, and what lives and shines in them is kept."""

import functools
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rainopt.direction.estimate import Direction
from rainopt.still.adaptive import Removal
from rainopt.still.rain import Streaks
from rainopt.still.settings import LayerSettings
from rainopt.video.background_subtraction import Backdrop
from rainopt.video.persistence import NEVER
from rainopt.video.scene_part import TimeSettings
from rainopt.video.settings import SceneSettings, derain_frame
from rainopt.video.temporal import moving_frames, still_frames, windows
from tests.support import clips
from tests.support.clips import seen_from, streaks, view

H, W, COUNT = 96, 128, 11
TIMES = {"light": TimeSettings(0.15, 0.2), "medium": TimeSettings(0.3, 0.25), "heavy": TimeSettings(0.7, 0.3)}
LEAST = (NEVER, 0.53, 0.4, 0.34, 0.28, 0.25, 0.22)  # heights of heavy rain, for runs of 2, 3, ... frames
KEPT = 0.9  # of a contrast


def rained(views, preset, count=COUNT):
    """Frames in rain as large as it is in pictures of 480 rows, in proportion."""
    return clips.rained(views, preset, count, scale=0.2)


def angle_of(preset):
    return streaks(preset, np.random.default_rng(0)).angle


def solver(preset):
    removal = Removal(0.25, 1.0, 0.5, 0.9, pilot_iter=5)
    scene = SceneSettings((Streaks(Direction(angle_of(preset), 1.0), removal),), LayerSettings(max_iter=10))
    return lambda frame, known: derain_frame(frame, scene, known)


def still(frames, preset, gains=None, behind=None, solve=None, time=None):
    """Frames of a camera that stands still in front of a known view."""
    behind = view("coffee", (H, W)) if behind is None else behind
    backdrop = Backdrop(behind.astype(np.float32) / 255, np.ones(behind.shape[:2], bool))
    lit = zip(frames, np.ones(len(frames)) if gains is None else gains, strict=True)
    return list(still_frames(lit, backdrop, time or TIMES[preset], (angle_of(preset),), solve or solver(preset)))


def moving(frames, preset, solve=None):
    return list(moving_frames(frames, TIMES[preset], (angle_of(preset),), solve or solver(preset)))


def panning(step=1, name="astronaut"):
    return tuple(seen_from(name, 0, step * (k - COUNT // 2), (H, W)) for k in range(COUNT))


@functools.cache
def wet(preset, pan):
    return rained(list(panning()) if pan else view("coffee", (H, W)), preset, COUNT)


def truth(pan):
    return panning() if pan else (view("coffee", (H, W)),) * COUNT


def error(frames, views, part=np.s_[:]):
    return np.mean([np.square(f.astype(float) - v)[part].mean() for f, v in zip(frames, views, strict=True)])


def gain(before, after, views, part=np.s_[:]):
    """Decibels."""
    return 10 * np.log10(error(before, views, part) / error(after, views, part))


# In windows


@pytest.mark.parametrize("count", [0, 1, 3, 8])
@pytest.mark.parametrize("reach", [0, 1, 2, 5])
def test_windows_hold_each_item_and_those_around_it(count, reach):
    found = list(windows(iter(range(count)), reach))
    assert found == [{j - k: j for j in range(max(k - reach, 0), min(k + reach + 1, count))} for k in range(count)]


def test_windows_read_no_further_than_they_reach():
    items = iter(range(100))
    first = next(windows(items, 4))
    assert first == {k: k for k in range(5)}
    assert next(items) == 5


# Rain goes


@pytest.mark.parametrize(("pan", "least"), [(False, 12), (True, 4)])
def test_rain_goes_by_many_decibels_and_nothing_is_brighter(pan, least):
    frames = wet("light", pan)
    got = (moving if pan else still)(frames, "light")
    assert len(got) == COUNT
    assert gain(frames, got, truth(pan)) > least
    for frame, result in zip(frames, got, strict=True):
        assert result.dtype == np.uint8
        assert (result <= frame).all()


@pytest.mark.parametrize(("preset", "pan", "least"), [("medium", False, 15), ("medium", True, 5), ("heavy", True, 5)])
def test_more_rain_goes_as_well(preset, pan, least):
    shape = (192, 256)
    views = [seen_from("astronaut", 0, k - 4, shape) if pan else view("coffee", shape) for k in range(8)]
    frames = clips.rained(views, preset, 8, scale=0.4)
    got = moving(frames, preset) if pan else still(frames, preset, behind=views[0])
    assert gain(frames, got, views) > least


@pytest.mark.parametrize("pan", [False, True])
def test_dry_frames_keep_all_but_noise(pan):
    frames = wet(None, pan)
    got = (moving if pan else still)(frames, "light")
    apart = np.abs(np.stack(got).astype(int) - np.stack(frames))
    assert apart.mean() < 0.5
    assert np.quantile(apart, 0.99) <= 6


@pytest.mark.parametrize("pan", [False, True])
def test_few_frames_are_worked_on_as_well(pan):
    for count in (1, 2, 3):
        frames = wet("light", pan)[:count]
        got = (moving if pan else still)(frames, "light")
        assert len(got) == count
        assert error(got, truth(pan)[:count]) < 1.02 * error(frames, truth(pan)[:count])
    assert (moving if pan else still)([], "light") == []


# What lives and shines stays


def test_what_is_uncovered_is_not_painted_in_the_colour_of_who_stood_there_for_most_of_the_time():
    coat, wall = np.full((H, W, 3), (10, 8, 14), np.uint8), view("coffee", (H, W)) // 4 + 160
    views = [np.hstack([coat[:, : W - max(0, k - 4) * 20], wall[:, W - max(0, k - 4) * 20 :]]) for k in range(COUNT)]
    frames = rained(views, "heavy")
    painted = []
    for time in (TIMES["heavy"], replace(TIMES["heavy"], least=LEAST)):
        lost = []
        for scene, result in zip(views, still(frames, "heavy", behind=coat, time=time), strict=True):
            there = (scene == wall).all(axis=-1)
            lost += list(scene[there].max(axis=-1).astype(int) - result[there].max(axis=-1) > 40)
        painted.append(np.mean(lost))
    assert painted[1] < painted[0] / 3
    assert painted[1] < 0.15


def drawn(views, thing, places):
    """Views with something at a place in each of them, or nowhere."""
    views = [view.copy() for view in views]
    for one, place in zip(views, places, strict=True):
        if place is not None:
            one[place[0] : place[0] + thing.shape[0], place[1] : place[1] + thing.shape[1]] = thing
    return views


def contrast(frame, place, side):
    """By how much a square is brighter than what is around it."""
    y, x = place
    inside = frame[y : y + side, x : x + side].astype(float).mean()
    around = frame[y - 4 : y + side + 4, x - 4 : x + side + 4].astype(float)
    return inside - (around.sum() - inside * 3 * side**2) / (around.size - 3 * side**2)


LAMP = np.full((3, 3, 3), (250, 230, 190), np.uint8)


def test_a_lamp_is_kept():
    # In front of a camera that stands still it is part of the background.
    behind = drawn([view("rocket", (H, W))], LAMP, [(40, 60)])[0]
    frames = rained(behind, "light")
    for result in still(frames, "light", behind=behind):
        assert contrast(result, (40, 60), 3) >= KEPT * contrast(behind, (40, 60), 3)
    # One that moves past it sees it move.
    places = [(40, 60 + COUNT // 2 - k) for k in range(COUNT)]
    views = drawn(panning(name="rocket"), LAMP, places)
    got = moving(rained(views, "light"), "light")
    kept = [contrast(one, p, 3) / contrast(v, p, 3) for one, v, p in zip(got, views, places, strict=True)]
    assert np.median(kept) >= KEPT
    assert min(kept) >= 0.8


def test_a_lamp_that_is_switched_on_and_off_is_kept():
    """It is lit in less than half of the frames, and so not part of the background."""
    behind = view("rocket", (2 * H, 2 * W))
    places = [(80, 120) if 3 <= k < 8 else None for k in range(COUNT)]
    views = drawn([behind] * COUNT, LAMP.repeat(2, 0).repeat(2, 1), places)
    frames = clips.rained(views, "light", COUNT, scale=0.4)
    for k, result in enumerate(still(frames, "light", behind=behind)):
        if places[k]:
            assert contrast(result, (80, 120), 6) >= KEPT * contrast(views[k], (80, 120), 6)


def test_a_thin_pole_that_is_carried_by_is_kept():
    """It is in front of each place for a frame or two, and too thin for the flow."""
    behind = view("rocket", (2 * H, 2 * W))
    places = [(60, 100 + 2 * k) for k in range(COUNT)]
    views = drawn([behind] * COUNT, np.full((30, 3, 3), (230, 225, 215), np.uint8), places)
    frames = clips.rained(views, "light", COUNT, scale=0.4)
    for result, scene, (y, x) in zip(still(frames, "light", behind=behind), views, places, strict=True):
        part = np.s_[y : y + 30, x : x + 3]
        assert (result[part].astype(float) - behind[part]).sum() >= KEPT * (
            scene[part].astype(float) - behind[part]
        ).sum()


@pytest.mark.parametrize("step", [2, 4])
def test_a_walker_is_kept_and_loses_the_rain_in_front(step):
    behind = view("coffee", (2 * H, 2 * W))
    thing = cv2.resize(view("chelsea", (60, 80)), (48, 80))
    places = [(80, 20 + step * k) for k in range(8)]
    views = drawn([behind] * 8, thing, places)
    frames = clips.rained(views, "light", 8, scale=0.4)
    got = still(frames, "light", behind=behind)
    assert gain(frames, got, views) > 8
    inside = [np.s_[y + 6 : y + 74, x + 6 : x + 42] for y, x in places]
    before, after = (
        np.mean([error([f], [v], part) for f, v, part in zip(some, views, inside, strict=True)])
        for some in (frames, got)
    )
    assert after < 0.5 * before


def test_something_dark_is_kept():
    thing = np.full((30, 12, 3), (12, 10, 9), np.uint8)
    places = [(40, 10 + 5 * k) for k in range(COUNT)]
    views = drawn(truth(False), thing, places)
    for result, one, (y, x) in zip(still(list(rained(views, "light", COUNT)), "light"), views, places, strict=True):
        part = np.s_[y + 1 : y + 29, x + 1 : x + 11]
        assert result[part].astype(float).mean() < one[part].mean() + 10


def test_a_flash_of_light_is_kept():
    behind = view("rocket", (H, W))
    flash = np.full((40, 50, 3), 230, np.uint8)
    views = drawn([behind] * COUNT, flash, [(30, 40) if k == 6 else None for k in range(COUNT)])
    got = still(rained(views, "light", COUNT), "light", behind=behind)[6]
    assert got[34:66, 44:86].mean() > 215


# Alike


@pytest.mark.parametrize("pan", [False, True])
def test_16_bits_are_as_8(pan):
    frames = wet("light", pan)
    work = moving if pan else still
    deep = work([frame.astype(np.uint16) * 257 for frame in frames], "light")
    assert all(one.dtype == np.uint16 for one in deep)
    apart = np.abs(np.stack(deep) / 257 - np.stack(work(frames, "light")))
    assert apart.mean() < 0.3
    # Cubic interpolation has levels between those of 8 bits, which may lie on the other side of a threshold.
    assert np.mean(apart > 2) < (0.01 if pan else 1e-3)


@pytest.mark.parametrize("pan", [False, True])
def test_results_do_not_depend_on_the_number_of_threads(thread_count, pan):
    results = []
    for count in (1, 3):
        thread_count(count)
        results.append((moving if pan else still)(wet("light", pan), "light"))
    np.testing.assert_array_equal(*results)


def test_frames_in_changing_light_are_measured_against_a_background_in_it():
    gains = np.linspace(0.7, 1.1, COUNT)
    dim = (view("coffee", (H, W)) * 0.8).astype(np.uint8)
    frames = [
        np.clip(np.rint(frame * light), 0, 255).astype(np.uint8)
        for frame, light in zip(rained(dim, "light", COUNT), gains, strict=True)
    ]
    views = [np.clip(dim * light, 0, 255) for light in gains]
    got = still(frames, "light", gains, dim)
    assert gain(frames, got, views) > 8
    # As bright as the light is, without a step.
    shown = np.array([frame.mean() for frame in got]) / gains
    assert shown.max() / shown.min() < 1.02


def test_rain_that_begins_and_ends_is_taken_off_alone():
    frames = [*wet(None, False)[:4], *wet("light", False)[4:7], *wet(None, False)[7:]]
    got = still(frames, "light")
    assert gain(frames[4:7], got[4:7], truth(False)[4:7]) > 8
    for k in (*range(4), *range(7, COUNT)):
        assert np.abs(got[k].astype(int) - frames[k]).mean() < 0.5


def test_what_the_solver_makes_of_a_frame_shows_only_where_it_is_asked():
    """Of frames that show nothing but background and rain, and of a camera that moves where its neighbours are seen."""

    def black(frame, known):
        assert known.excess.shape == known.trust.shape == frame.shape[:2]
        assert known.excess.min() >= 0
        return np.zeros_like(frame)

    for pan in (False, True):
        got = np.stack((moving if pan else still)(wet("light", pan), "light", solve=black))
        asked = np.all(got == 0, axis=-1) & np.any(np.stack(truth(pan)) > 8, axis=-1)
        assert asked[3:-3].mean() < 0.1
