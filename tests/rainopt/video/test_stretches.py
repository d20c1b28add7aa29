"""A stretch of video without its rain: the background of a still camera helps, nothing flickers, dry frames stay."""

import functools
import json
from dataclasses import replace

import cv2
import numpy as np
import pytest

from rainopt import UDGWeights
from rainopt.direction.estimate import Direction
from rainopt.geometry.lines import line_angle
from rainopt.parallel import threads
from rainopt.still.adaptive import Removal
from rainopt.still.rain import Streaks
from rainopt.still.settings import DerainSettings, LayerSettings
from rainopt.video import stretches
from rainopt.video.frames import FrameStore
from rainopt.video.settings import SceneSettings, VideoSettings, derain_frame, scene_settings
from rainopt.video.stretches import FEW, StretchSettings, derained, following, recalled, stretch_settings
from tests.support import clips
from tests.support.clips import seen_from, stored, streaks

H, W = 120, 160
SCENES = [("coffee", "medium"), ("chelsea", "light")]
PLAIN = VideoSettings(background=False)
STILL = ((0, 0),) * 40
PHOTOGRAPH = LayerSettings()
PART = 20  # frames of a stretch that are derained
DRIFTING = tuple((0, k // 5) for k in range(40))
SHAKEN = ((0, 0), *map(tuple, np.random.default_rng(3).integers(-3, 4, (39, 2))))


@functools.cache
def rained(name, preset, places=STILL):
    """Frames of a photograph in rain, seen from one place after the other."""
    return clips.rained([seen_from(name, *place) for place in places], preset, len(places))


@pytest.fixture(autouse=True)
def few_samples(monkeypatch):
    """Find settings from three frames, which takes less than half of the time."""
    monkeypatch.setattr(stretches, "SAMPLES", 3)


@functools.cache
def cared(name, preset, wishes=None):
    """How a scene is treated, and what becomes of half of its frames."""
    frames = rained(name, preset)
    care = stretch_settings(stored(frames), wishes or VideoSettings())
    return care, tuple(lent(frames[:PART], care))


def lent(frames, care):
    """Derain other frames of a scene, all of them in its usual light, as it is."""
    return derained(stored(frames), replace(care, gains=None))


def error(frames, name, places=STILL):
    """Mean square distance from what the camera saw behind the rain, in levels."""
    views = [seen_from(name, *place) for place in places[: len(frames)]]
    return np.mean([np.square(frame.astype(float) - view).mean() for frame, view in zip(frames, views, strict=True)])


def deviation(frames):
    """Standard deviation over time, of each channel of each pixel."""
    return np.std(np.stack(frames).astype(np.float32), axis=0)


def passing(frames, step, width, colour):
    """Have something of a colour, 70 pixels high, walk by; also return where it is in each frame."""
    frames = [frame.copy() for frame in frames]
    places = [(slice(30, 100), slice(step * k, step * k + width)) for k in range(len(frames))]
    for frame, place in zip(frames, places, strict=True):
        frame[place] = colour(place) if callable(colour) else colour
    return frames, places


def scene(angle=None, dense=0.5, layers=PHOTOGRAPH):
    if angle is None:
        return SceneSettings(layers=layers)
    return SceneSettings((Streaks(Direction(angle, 1.0), Removal(0.3, 1.0, dense, 0.9)),), layers)


def removals_of(scene):
    return [streaks.removal for streaks in scene.rain]


# The background of a still camera


@pytest.mark.parametrize(("name", "preset"), [SCENES[0], pytest.param(*SCENES[1], marks=pytest.mark.slow)])
def test_the_background_of_a_still_camera_helps(name, preset):
    care, with_it = cared(name, preset)
    plain, without = cared(name, preset, PLAIN)
    assert care.backdrop is not None
    assert plain.backdrop is None
    before, alone, helped = (error(shown, name) for shown in (rained(name, preset)[:PART], without, with_it))
    assert helped <= alone * 10**-0.5
    assert alone < before * 10**-0.03
    # The direction is that of the rain.
    for found in (care, plain):
        (direction,) = found.scene.directions
        assert abs(line_angle(direction.angle - streaks(preset, np.random.default_rng(0)).angle)) < 3


@pytest.mark.parametrize(
    ("name", "preset", "wishes"),
    [
        (*SCENES[0], None),
        pytest.param(*SCENES[1], None, marks=pytest.mark.slow),
        (*SCENES[0], PLAIN),
        pytest.param(*SCENES[1], PLAIN, marks=pytest.mark.slow),
    ],
)
def test_nothing_flickers_more_and_nothing_is_brighter_than_before(name, preset, wishes):
    frames = rained(name, preset)[:PART]
    most, mean = (0.03, 0.4) if wishes is None else (0.08, 0.75)
    before, shown = deviation(frames), cared(name, preset, wishes)[1]
    assert len(shown) == PART
    assert all(result.dtype == np.uint8 for result in shown)
    assert all((result <= frame).all() for frame, result in zip(frames, shown, strict=True))
    after = deviation(shown)
    assert after.mean() < mean * before.mean()
    # Around a pixel; one that is hardly ever rained on may lose some of its own light now and then.
    areas = [cv2.blur(field, (15, 15)) for field in (before, after)]
    assert (areas[1] <= areas[0]).mean() > 0.995
    assert (after > before + 0.5).mean() < most
    assert wishes is PLAIN or preset != "light" or (after <= before).all()


@pytest.mark.parametrize(
    ("name", "places"), [("astronaut", DRIFTING), pytest.param("chelsea", SHAKEN, marks=pytest.mark.slow)]
)
def test_a_camera_that_moves_has_no_backdrop(name, places):
    frames = rained(name, "medium", places)
    care = stretch_settings(stored(frames), VideoSettings())
    assert care.backdrop is None
    assert not care.dry
    some = frames[:12]
    assert error(list(lent(some, care)), name, places) < 0.8 * error(some, name, places)


@pytest.mark.slow
def test_a_camera_whose_movement_cannot_be_seen_does_no_harm():
    """Not one of these dark frames can be aligned with the first."""
    store = stored(rained("rocket", "medium", SHAKEN))
    some = rained("rocket", "medium", SHAKEN)[:12]
    results = [list(lent(some, stretch_settings(store, wishes))) for wishes in (VideoSettings(), PLAIN)]
    with_it, without = (error(result, "rocket", SHAKEN) for result in results)
    assert with_it < 1.05 * without < 0.5 * error(some, "rocket", SHAKEN)


def test_of_few_frames_there_is_no_background():
    for count in (1, 3):
        assert stretch_settings(stored(rained("coffee", "light")[:count]), VideoSettings()).backdrop is None


def test_one_frame_is_derained_alone():
    frames = rained("coffee", "medium")[:1]
    store = stored(frames)
    alone = list(derained(store, stretch_settings(store, VideoSettings())))
    np.testing.assert_array_equal(alone[0], derain_frame(frames[0], scene_settings(frames, DerainSettings())))
    assert error(alone, "coffee") < error(frames, "coffee") * 10**-0.1
    # Even where a background is known.
    assert error(list(lent(frames, cared("coffee", "medium")[0])), "coffee") < error(alone, "coffee")


def test_an_empty_stretch_has_no_frames():
    assert list(lent([], cared("coffee", "medium")[0])) == []
    assert list(lent([], cared("coffee", "medium", PLAIN)[0])) == []


def cared_part(frames):
    """Treat a scene with its background; return what becomes of frames 12 to 21."""
    care = stretch_settings(stored(frames), VideoSettings())
    assert care.backdrop is not None
    return list(lent(frames[12:22], care))


def test_something_dark_that_walks_by_is_kept():
    frames, insides = passing(rained("coffee", "light"), 4, 16, (4, 6, 12))
    for k, result in enumerate(cared_part(frames), 12):
        # Neither the background nor the frames around it shine through.
        assert np.mean(result[insides[k]] < frames[k][insides[k]] - 2.0) < 0.02
        assert (result[insides[k]] <= frames[k][insides[k]]).all()


@pytest.mark.slow
def test_something_of_another_colour_that_walks_by_is_kept():
    """It is as bright as what it hides, but redder."""

    def redder(place):
        grey = seen_from("chelsea")[place] @ np.array([[0.299], [0.587], [0.114]])
        return np.clip(np.rint(grey + np.array([60, -30.6, 0])), 0, 255)

    frames, insides = passing(rained("chelsea", "light"), 3, 24, redder)
    results = cared_part(frames)
    changes = [np.abs(result.astype(int) - frames[k])[insides[k]].max(axis=-1) for k, result in enumerate(results, 12)]
    assert np.mean([change > 15 for change in changes]) < 0.08


@pytest.mark.slow
def test_something_wide_and_bright_that_walks_by_is_kept():
    frames, _ = passing(rained("rocket", "light"), 2, 30, (200, 210, 190))
    # Whether or not it is taken for a movement of the camera.
    for k, result in enumerate(lent(frames[12:22], stretch_settings(stored(frames), VideoSettings())), 12):
        # Where it is in the frames before and after as well.
        part = result[35:95, 2 * k + 5 : 2 * k + 25].astype(int)
        assert np.abs(part - (200, 210, 190)).max() <= 2


# Wishes


def test_wishes_are_heard():
    store = stored(rained("coffee", "light"))
    for background in (True, False):
        care = stretch_settings(
            store, VideoSettings(angle=-21.0, strength=2.0, max_iter=7, tol=0.5, background=background)
        )
        assert (care.backdrop is not None) == background
        assert care.scene.directions == (Direction(-21.0, 1.0),)
        assert [removal.strength for removal in removals_of(care.scene)] == [2.0]
        assert (care.scene.layers.max_iter, care.scene.layers.tol) == (7, 0.5)
    weights = UDGWeights(sparsity=0.02)
    care = stretch_settings(store, VideoSettings(weights=weights, background=False))
    assert (care.scene.layers.weights, removals_of(care.scene)) == (weights, [None])
    # A given angle stays from stretch to stretch.
    care = stretch_settings(store, VideoSettings(angle=12.0, background=False), StretchSettings(scene(16.0)))
    assert care.scene.directions == (Direction(12.0, 1.0),)
    # No strength is no change.
    care = stretch_settings(store, VideoSettings(strength=0.0))
    assert care.dry
    assert all(result is frame for frame, result in zip(store, derained(store, care), strict=True))


@pytest.mark.parametrize("places", [pytest.param(STILL, marks=pytest.mark.slow), DRIFTING])
@pytest.mark.slow
def test_half_the_strength_takes_off_half_of_what_time_finds(places):
    store = stored(rained("astronaut", "light", places))
    whole, half = (stretch_settings(store, VideoSettings(strength=strength)) for strength in (1.0, 0.5))
    assert (half.scene, half.time) == (whole.scene, whole.time)
    assert recalled(store, json.loads(json.dumps(half.note()))).strength == 0.5
    some = [store[number] for number in range(6)]
    for frame, all_off, half_off in zip(some, lent(some, whole), lent(some, half), strict=True):
        assert np.abs(half_off - (frame.astype(float) + all_off) / 2).max() <= 0.5
        assert (half_off < frame).any()


def test_dry_frames_of_a_camera_that_moves_stay_bit_for_bit():
    store = stored(rained("astronaut", None, DRIFTING)[:16])
    assert stretch_settings(store, VideoSettings()).dry


@pytest.mark.parametrize("wishes", [pytest.param(VideoSettings(), marks=pytest.mark.slow), PLAIN])
def test_dry_frames_stay_bit_for_bit(wishes):
    still = rained("coffee", None)
    for frames in (still, passing(still, 4, 16, (220, 230, 190))[0] if wishes.background else still):
        store = stored(frames)
        care = stretch_settings(store, wishes)
        assert care.dry
        np.testing.assert_array_equal(list(derained(store, care)), frames)


@pytest.mark.slow
def test_frames_of_16_bits():
    frames = rained("coffee", "medium")
    deep = [frame.astype(np.uint16) * 257 for frame in frames]
    care, _ = cared("coffee", "medium")
    again = stretch_settings(stored(deep), VideoSettings())
    np.testing.assert_allclose(again.scene.directions, care.scene.directions, rtol=1e-3)
    assert np.abs(again.backdrop.image - care.backdrop.image).mean() < 1e-3
    for known in (care, cared("coffee", "medium", PLAIN)[0]):
        results = [list(lent(some[:5], known)) for some in (deep, frames)]
        for result, plain in zip(*results, strict=True):
            assert result.dtype == np.uint16
            # The parts are rounded before they are put together.
            assert np.abs(result / 257 - plain).max() <= 1.01


# From stretch to stretch


def test_a_short_stretch_is_treated_as_the_one_before():
    before = StretchSettings(scene(3.0))
    frames = rained("coffee", "light")
    assert len(frames) == FEW
    assert stretch_settings(stored(frames[: FEW - 1]), VideoSettings(), before) == before
    assert stretch_settings(stored(frames), PLAIN, before) != before
    assert stretch_settings(stored(frames[: FEW - 1]), PLAIN).scene.directions


def test_a_long_stretch_comes_half_way_from_the_one_before():
    now, _ = cared("coffee", "medium", PLAIN)
    angle, removal = now.scene.directions[0].angle, removals_of(now.scene)[0]
    before = StretchSettings(scene(line_angle(angle - 4), removal.dense + 0.2))
    got = stretch_settings(stored(rained("coffee", "medium")), PLAIN, before)
    assert got.scene == following(before.scene, now.scene)
    assert got.scene.directions[0].angle == pytest.approx(angle - 2)
    assert removals_of(got.scene)[0] == removal._replace(dense=pytest.approx(removal.dense + 0.1))


@pytest.mark.parametrize(
    ("old", "new", "between"), [(0, 6, 3), (10, 4, 7), (88, -88, 90), (-89, 87, 89), (-86, 88, -89), (90, 90, 90)]
)
def test_half_way_also_across_the_horizontal(old, new, between):
    got = following(scene(old, 0.2), scene(new, 0.6, LayerSettings(max_iter=9, tol=0.1)))
    assert got.directions == (Direction(pytest.approx(between), 1.0),)
    assert removals_of(got) == [Removal(0.3, 1.0, pytest.approx(0.4), 0.9)]
    assert (got.layers.max_iter, got.layers.tol) == (9, 0.1)


@pytest.mark.parametrize(("old", "new"), [(0, 9), (85, -80), (None, 5), (5, None), (None, None)])
def test_other_rain_is_not_followed(old, new):
    now = scene(new)
    assert following(scene(old), now) == now


def test_further_directions_and_weights_are_those_of_now():
    first, second = Direction(10.0, 0.7), Direction(-40.0, 0.3)
    removals = (Removal(0.3, 1.0, 0.2), Removal(0.4, 1.0, 0.9))
    now = SceneSettings((Streaks(first, removals[0]), Streaks(second, removals[1])))
    got = following(scene(6.0, 0.4), now)
    assert [direction.angle for direction in got.directions] == [8.0, -40.0]
    assert [direction.share for direction in got.directions] == [0.7, 0.3]
    assert removals_of(got)[1] == removals[1]
    assert removals_of(got)[0].dense == pytest.approx(0.3)
    weights = UDGWeights(sparsity=0.01)
    got = following(scene(6.0), SceneSettings((Streaks(first),), LayerSettings(weights=weights)))
    assert (got.directions, removals_of(got), got.layers.weights) == ((Direction(8.0, 0.7),), [None], weights)


@pytest.mark.parametrize("wishes", [pytest.param(VideoSettings(), marks=pytest.mark.slow), PLAIN])
def test_a_care_is_had_again_from_its_note(wishes):
    care, shown = cared("coffee", "medium", wishes)
    store = stored(rained("coffee", "medium"))
    again = recalled(store, json.loads(json.dumps(care.note())))
    assert (again.scene, again.time) == (care.scene, care.time)
    np.testing.assert_array_equal(list(lent([store[k] for k in range(PART)], again)), shown)


# Frame after frame


@pytest.mark.parametrize("count", [pytest.param(1, marks=pytest.mark.slow), 3])
def test_frames_stay_in_order(thread_count, count):
    care, _ = cared("coffee", "medium")
    plain, _ = cared("coffee", "medium", PLAIN)
    frames = rained("coffee", "medium")[:12]
    thread_count(count)
    alone = list(derained(stored(frames), plain))
    np.testing.assert_array_equal(alone, [derain_frame(frame, plain.scene) for frame in frames])
    # What the frames around one say of it does not depend on how far they have come.
    np.testing.assert_array_equal(list(lent(frames, care)), by_one_thread())


@functools.cache
def by_one_thread():
    threads.set_num_threads(1)
    return tuple(lent(rained("coffee", "medium")[:12], cared("coffee", "medium")[0]))


def test_frames_are_read_as_they_are_wanted(thread_count):
    thread_count(2)
    read = []

    class Watched(FrameStore):
        def __getitem__(self, number):
            read.append(number)
            return super().__getitem__(number)

    alone, care = cared("coffee", "medium", PLAIN)[0], cared("coffee", "medium")[0]
    # With the frames around each, as many more as tell what stays in so little rain, and what is worked on meanwhile.
    short = replace(care, time=replace(care.time, coverage=0.02), gains=None)
    for care, most in ((alone, 8), (short, 30)):
        read.clear()
        with Watched() as store:
            for frame in rained("coffee", "medium"):
                store.append(frame)
            results = derained(store, care)
            assert not read
            for _ in range(3):
                next(results)
            assert read == list(range(len(read)))
            assert 3 <= len(read) <= most
            results.close()
