"""A stretch of video without its rain: the background of a still camera helps, nothing flickers, dry frames stay."""

import functools
import itertools
import threading
from dataclasses import replace

import cv2
import numpy as np
import pytest
from skimage import data

from data_tools import RainSpec
from data_tools.rain.video import rain_video
from rainopt import UDGWeights
from rainopt.direction.estimate import Direction
from rainopt.geometry.lines import line_angle
from rainopt.image import quantise
from rainopt.parallel.threads import in_order, run_all
from rainopt.still.adaptive import Removal
from rainopt.video.frames import FrameStore
from rainopt.video.settings import Treatment, derain_frame, treatment_of
from rainopt.video.stretches import FEW, Care, Wishes, care_again, care_for, derained, following

H, W, EDGE = 120, 160, 10
SCENES = [("coffee", "medium"), ("astronaut", "medium"), ("chelsea", "light")]
PLAIN = Wishes(background=False)


@functools.cache
def wide(name):
    return cv2.resize(getattr(data, name)(), (W + 2 * EDGE, H + 2 * EDGE), interpolation=cv2.INTER_AREA)


def seen_from(name, y=0, x=0):
    return wide(name)[EDGE + y : EDGE + y + H, EDGE + x : EDGE + x + W]


@functools.cache
def rained(name, preset, count=40, places=None):
    """Frames of a photograph in rain, seen from one place or from others."""
    rng = np.random.default_rng(0)
    views = itertools.repeat(seen_from(name), count) if places is None else [seen_from(name, *at) for at in places]
    if preset is None:
        rainy = (view / 255 for view in views)
    else:
        spec = replace(RainSpec.sample(preset, rng), veil=0.0).scaled(0.4)
        rainy = (drawn.rainy for drawn in rain_video(views, spec, rng))
    noisy = (255 * picture + rng.normal(0, 1, (H, W, 1)) for picture in rainy)
    return tuple(np.clip(np.rint(levels), 0, 255).astype(np.uint8) for levels in noisy)


def stored(frames):
    store = FrameStore()
    for frame in frames:
        store.append(frame)
    return store


@functools.cache
def cared(name, preset, wishes=None):
    """How a scene is treated, and what becomes of its frames."""
    store = stored(rained(name, preset))
    care = care_for(store, wishes or Wishes())
    return care, tuple(derained(store, care))


def psnr(frames, name):
    return -10 * np.log10(np.mean([np.square((frame.astype(float) - seen_from(name)) / 255) for frame in frames]))


def deviation(frames):
    """Standard deviation over time, of each channel of each pixel."""
    return np.std(np.stack(frames).astype(np.float32), axis=0)


def treatment(angle=None, dense=0.5, **options):
    if angle is None:
        return Treatment(**options)
    return Treatment((Direction(angle, 1.0),), (Removal(0.3, 1.0, dense, 0.9),), **options)


# The background of a still camera


@pytest.mark.parametrize(("name", "preset"), SCENES)
def test_the_background_of_a_still_camera_helps(name, preset):
    frames = rained(name, preset)
    care, with_it = cared(name, preset)
    plain, without = cared(name, preset, PLAIN)
    assert care.backdrop is not None
    assert plain.backdrop is None
    before, alone, helped = (psnr(shown, name) for shown in (frames, without, with_it))
    assert helped >= alone + 5
    assert alone > before + 0.3


@pytest.mark.parametrize(("name", "preset"), SCENES)
def test_nothing_flickers_more_than_before(name, preset):
    before = deviation(rained(name, preset))
    for wishes, most, mean in ((None, 0.03, 0.4), (PLAIN, 0.08, 0.75)):
        after = deviation(cared(name, preset, wishes)[1])
        assert after.mean() < mean * before.mean()
        # Around a pixel; one that is hardly ever rained on may lose some of its own light now and then.
        areas = [cv2.blur(field, (15, 15)) for field in (before, after)]
        assert (areas[1] <= areas[0]).mean() > 0.995
        assert (after > before + 0.5).mean() < most
    if preset == "light":
        assert (deviation(cared(name, preset)[1]) <= before).all()


@pytest.mark.parametrize(("name", "preset"), SCENES)
def test_nothing_is_brighter_than_before(name, preset):
    for _, shown in (cared(name, preset), cared(name, preset, PLAIN)):
        assert len(shown) == 40
        for frame, result in zip(rained(name, preset), shown, strict=True):
            assert result.dtype == np.uint8
            assert (result <= frame).all()


def test_the_direction_is_that_of_the_rain():
    for name, preset in SCENES:
        rng = np.random.default_rng(0)
        angle = RainSpec.sample(preset, rng).angle
        for care in (cared(name, preset)[0], cared(name, preset, PLAIN)[0]):
            (direction,) = care.treatment.directions
            assert abs(line_angle(direction.angle - angle)) < 3


def shaken(count=40):
    rng = np.random.default_rng(3)
    return ((0, 0), *map(tuple, rng.integers(-3, 4, (count - 1, 2))))


def error(frames, name, places):
    views = [seen_from(name, *at) for at in places]
    return np.mean([np.square(frame.astype(float) - view).mean() for frame, view in zip(frames, views, strict=True)])


@pytest.mark.parametrize(("name", "drifts"), [("astronaut", False), ("astronaut", True), ("chelsea", False)])
def test_a_camera_that_moves_has_no_backdrop(name, drifts):
    places = tuple((0, k // 5) for k in range(40)) if drifts else shaken()
    store = stored(rained(name, "medium", 40, places))
    care = care_for(store, Wishes())
    assert care.backdrop is None
    assert not care.dry
    assert error(derained(store, care), name, places) < 0.8 * error(store, name, places)


def test_a_camera_whose_movement_cannot_be_seen_does_no_harm():
    """Not one of these dark frames can be aligned with the first."""
    store = stored(rained("rocket", "medium", 40, shaken()))
    results = [derained(store, care_for(store, wishes)) for wishes in (Wishes(), PLAIN)]
    with_it, without = (error(result, "rocket", shaken()) for result in results)
    assert with_it < 1.05 * without < 0.5 * error(store, "rocket", shaken())


def test_of_few_frames_there_is_no_background():
    for count in (1, 3):
        assert care_for(stored(rained("coffee", "light")[:count]), Wishes()).backdrop is None


def test_one_frame_is_derained_alone():
    (frame,) = frames = rained("coffee", "medium")[:1]
    store = stored(frames)
    care = care_for(store, Wishes())
    (result,) = derained(store, care)
    np.testing.assert_array_equal(result, derain_frame(frame, treatment_of([frame])))
    assert psnr([result], "coffee") > psnr([frame], "coffee") + 1
    # Even where a background is known.
    (helped,) = derained(store, cared("coffee", "medium")[0])
    assert psnr([helped], "coffee") > psnr([result], "coffee")


def test_an_empty_stretch_has_no_frames():
    assert list(derained(FrameStore(), cared("coffee", "medium")[0])) == []
    assert list(derained(FrameStore(), cared("coffee", "medium", PLAIN)[0])) == []


def test_something_dark_that_walks_by_is_kept():
    frames = [frame.copy() for frame in rained("coffee", "light")]
    for k, frame in enumerate(frames):
        frame[30:100, 4 * k : 4 * k + 16] = (4, 6, 12)
    store = stored(frames)
    care = care_for(store, Wishes())
    assert care.backdrop is not None
    for k, result in enumerate(derained(store, care)):
        # As if there were no background.
        alone = derain_frame(frames[k], care.treatment)
        inside = slice(30, 100), slice(4 * k, 4 * k + 16)
        np.testing.assert_array_equal(result[inside], alone[inside])


def test_something_of_another_colour_that_walks_by_is_kept():
    """It is as bright as what it hides, but redder."""
    frames = [frame.copy() for frame in rained("chelsea", "light")]
    insides = [(slice(30, 100), slice(3 * k, 3 * k + 24)) for k in range(len(frames))]
    for frame, inside in zip(frames, insides, strict=True):
        grey = seen_from("chelsea")[inside] @ np.array([[0.299], [0.587], [0.114]])
        frame[inside] = np.clip(np.rint(grey + np.array([60, -30.6, 0])), 0, 255)
    store = stored(frames)
    care = care_for(store, Wishes())
    assert care.backdrop is not None
    changes = [
        np.abs(result[inside].astype(int) - frame[inside]).max(axis=-1)
        for result, frame, inside in zip(derained(store, care), frames, insides, strict=True)
    ]
    assert np.mean([change > 15 for change in changes]) < 0.08


def test_something_wide_and_bright_that_walks_by_is_kept():
    frames = [frame.copy() for frame in rained("rocket", "light")]
    for k, frame in enumerate(frames):
        frame[30:100, 2 * k : 2 * k + 30] = (200, 210, 190)
    store = stored(frames)
    care = care_for(store, Wishes())
    assert care.backdrop is not None
    for k, result in enumerate(derained(store, care)):
        # Where it is in the frames before and after as well.
        part = result[35:95, 2 * k + 5 : 2 * k + 25].astype(int)
        assert np.abs(part - (200, 210, 190)).max() <= 2


# Wishes


def test_wishes_are_heard():
    store = stored(rained("coffee", "light"))
    for background in (True, False):
        care = care_for(store, Wishes(angle=-21.0, strength=2.0, max_iter=7, tol=0.5, background=background))
        assert (care.backdrop is not None) == background
        assert care.treatment.directions == (Direction(-21.0, 1.0),)
        assert [removal.strength for removal in care.treatment.removals] == [2.0]
        assert (care.treatment.max_iter, care.treatment.tol) == (7, 0.5)
    weights = UDGWeights(sparsity=0.02)
    care = care_for(store, Wishes(weights=weights, background=False))
    assert (care.treatment.weights, care.treatment.removals) == (weights, (None,))


def test_a_given_angle_stays_from_stretch_to_stretch():
    wishes = Wishes(angle=12.0, background=False)
    store = stored(rained("coffee", "light"))
    before = Care(treatment(16.0))
    assert care_for(store, wishes, before).treatment.directions == (Direction(12.0, 1.0),)


def test_no_strength_is_no_change():
    store = stored(rained("coffee", "light"))
    care = care_for(store, Wishes(strength=0.0))
    assert care.dry
    assert all(result is frame for frame, result in zip(store, derained(store, care), strict=True))


@pytest.mark.parametrize("wishes", [Wishes(), PLAIN])
@pytest.mark.parametrize("name", ["coffee", "astronaut"])
def test_dry_frames_stay_bit_for_bit(name, wishes):
    frames = rained(name, None)
    store = stored(frames)
    care = care_for(store, wishes)
    assert care.dry
    np.testing.assert_array_equal(list(derained(store, care)), frames)


def test_a_dry_scene_with_a_moving_thing_stays_bit_for_bit():
    frames = [frame.copy() for frame in rained("coffee", None)]
    for k, frame in enumerate(frames):
        frame[30:100, 4 * k : 4 * k + 16] = (220, 230, 190)
    care = care_for(stored(frames), Wishes())
    assert care.dry


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_frames_stay(value):
    store = stored([np.full((H, W, 3), value, np.uint8)] * 10)
    care = care_for(store, Wishes())
    np.testing.assert_array_equal(list(derained(store, care)), list(store))


def test_frames_of_16_bits():
    frames = rained("coffee", "medium")
    deep = stored([frame.astype(np.uint16) * 257 for frame in frames])
    care, _ = cared("coffee", "medium")
    again = care_for(deep, Wishes())
    np.testing.assert_allclose(again.treatment.directions, care.treatment.directions, rtol=1e-3)
    assert np.abs(again.backdrop.image - care.backdrop.image).mean() < 1e-3
    for care, _ in (cared("coffee", "medium"), cared("coffee", "medium", PLAIN)):
        results = list(derained(deep, care))
        assert {result.dtype for result in results} == {np.dtype(np.uint16)}
        for result, plain in zip(results, derained(stored(frames), care), strict=True):
            # The parts are rounded before they are put together.
            assert np.abs(result / 257 - plain).max() <= 1.01


# From stretch to stretch


def test_a_short_stretch_is_treated_as_the_one_before():
    before = Care(treatment(3.0))
    frames = rained("coffee", "light")
    assert len(frames) == FEW
    assert care_for(stored(frames[: FEW - 1]), Wishes(), before) is before
    assert care_for(stored(frames), PLAIN, before) is not before
    assert care_for(stored(frames[: FEW - 1]), PLAIN).treatment.directions


@pytest.mark.parametrize("wishes", [Wishes(), PLAIN])
def test_a_long_stretch_comes_half_way_from_the_one_before(wishes):
    now, _ = cared("coffee", "medium", wishes)
    angle, removal = now.treatment.directions[0].angle, now.treatment.removals[0]
    before = Care(treatment(line_angle(angle - 4), removal.dense + 0.2))
    got = care_for(stored(rained("coffee", "medium")), wishes, before)
    assert got.treatment == following(before.treatment, now.treatment)
    assert got.treatment.directions[0].angle == pytest.approx(angle - 2)
    assert got.treatment.removals[0] == removal._replace(dense=pytest.approx(removal.dense + 0.1))
    assert (got.backdrop is None) == (now.backdrop is None)


@pytest.mark.parametrize(
    ("old", "new", "between"), [(0, 6, 3), (10, 4, 7), (88, -88, 90), (-89, 87, 89), (-86, 88, -89), (90, 90, 90)]
)
def test_half_way_also_across_the_horizontal(old, new, between):
    got = following(treatment(old, 0.2), treatment(new, 0.6, max_iter=9, tol=0.1))
    assert got.directions == (Direction(pytest.approx(between), 1.0),)
    assert got.removals == (Removal(0.3, 1.0, pytest.approx(0.4), 0.9),)
    assert (got.max_iter, got.tol) == (9, 0.1)


@pytest.mark.parametrize(("old", "new"), [(0, 9), (85, -80), (None, 5), (5, None), (None, None)])
def test_other_rain_is_not_followed(old, new):
    now = treatment(new)
    assert following(treatment(old), now) == now


def test_further_directions_and_weights_are_those_of_now():
    first, second = Direction(10.0, 0.7), Direction(-40.0, 0.3)
    removals = (Removal(0.3, 1.0, 0.2), Removal(0.4, 1.0, 0.9))
    now = Treatment((first, second), removals)
    got = following(treatment(6.0, 0.4), now)
    assert [direction.angle for direction in got.directions] == [8.0, -40.0]
    assert [direction.share for direction in got.directions] == [0.7, 0.3]
    assert got.removals[1] == removals[1]
    assert got.removals[0].dense == pytest.approx(0.3)
    weights = UDGWeights(sparsity=0.01)
    got = following(treatment(6.0), Treatment((first,), (None,), weights))
    assert (got.directions, got.removals, got.weights) == ((Direction(8.0, 0.7),), (None,), weights)


@pytest.mark.parametrize("wishes", [Wishes(), PLAIN])
def test_a_care_is_had_again_from_its_treatment(wishes):
    care, shown = cared("coffee", "medium", wishes)
    store = stored(rained("coffee", "medium"))
    again = care_again(store, care.treatment, care.backdrop is not None)
    assert again.treatment == care.treatment
    np.testing.assert_array_equal(list(derained(store, again)), shown)


# Frame after frame


@pytest.mark.parametrize("threads", [1, 3])
def test_frames_stay_in_order(thread_count, threads):
    care, _ = cared("coffee", "medium")
    plain, _ = cared("coffee", "medium", PLAIN)
    frames = rained("coffee", "medium")[:12]
    thread_count(threads)
    alone = list(derained(stored(frames), plain))
    np.testing.assert_array_equal(alone, [derain_frame(frame, plain.treatment) for frame in frames])
    # And with the background: by hand, from each frame and those beside it.
    units = [frame.astype(np.float32) / 255 for frame in frames]
    differences = [care.backdrop.difference(unit) for unit in units]
    for k, result in enumerate(derained(stored(frames), care)):
        around = range(max(k - care.backdrop.reach, 0), min(k + care.backdrop.reach + 1, len(frames)))
        beside = [differences[j] for j in around if j != k]
        known = care.backdrop.known(differences[k], *beside)[..., None]
        other = derain_frame(frames[k], care.treatment).astype(np.float32) / 255
        expected = quantise(other + (care.backdrop.behind(units[k]) - other) * known, np.uint8)
        # Where nearly all is known the rest is not looked at.
        different = np.abs(result.astype(int) - expected).max(axis=-1) > 0
        assert different.mean() < 2e-3


def test_frames_are_read_as_they_are_wanted(thread_count):
    thread_count(2)
    read = []

    class Watched(FrameStore):
        def __getitem__(self, number):
            read.append(number)
            return super().__getitem__(number)

    for care in (cared("coffee", "medium")[0], cared("coffee", "medium", PLAIN)[0]):
        read.clear()
        with Watched() as store:
            for frame in rained("coffee", "medium"):
                store.append(frame)
            results = derained(store, care)
            assert not read
            for _ in range(3):
                next(results)
            assert read == list(range(len(read)))
            assert 3 <= len(read) <= 8
            results.close()


# Work in threads, in order


@pytest.mark.parametrize("count", [1, 2, 4])
def test_results_come_in_order(thread_count, count):
    thread_count(count)
    first = threading.Event()

    def work(item):
        # The second is done before the first where both are worked on.
        if item == 0 and count > 1:
            assert first.wait(10)
        elif item == 1:
            first.set()
        return 2 * item

    assert list(in_order(work, range(50))) == [2 * k for k in range(50)]
    assert list(in_order(work, [])) == []
    assert list(in_order(work, iter([7]))) == [14]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_only_a_few_are_taken_ahead_in_the_thread_of_the_caller(thread_count, count):
    thread_count(count)
    taken, callers = [], set()

    def items():
        for k in range(100):
            taken.append(k)
            callers.add(threading.get_ident())
            yield k

    results = in_order(lambda item: item, items())
    assert not taken
    for wanted in range(10):
        assert next(results) == wanted
        assert wanted < len(taken) <= wanted + count + 3
    results.close()
    assert len(taken) <= 9 + count + 3
    assert callers == {threading.get_ident()}


@pytest.mark.parametrize("count", [1, 3])
def test_errors_come_through_at_their_place(thread_count, count):
    thread_count(count)
    results = in_order(lambda item: 1 / item, [4, 2, 0, 1, 1, 1])
    assert [next(results), next(results)] == [0.25, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []

    def broken():
        yield 1
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        list(in_order(lambda item: item, broken()))
    assert list(in_order(abs, [-1, -2])) == [1, 2]


@pytest.mark.parametrize("count", [1, 2])
def test_closed_early_it_begins_nothing_more(thread_count, count):
    thread_count(count)
    begun, go = [], threading.Event()

    def work(item):
        begun.append(item)
        if item >= 1:
            assert go.wait(10)
        return item

    results = in_order(work, range(100))
    assert next(results) == 0
    results.close()
    go.set()
    # What had begun is finished first.
    assert run_all(abs, [(-k,) for k in range(20)]) == list(range(20))
    assert max(begun) <= count
    assert list(results) == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tasks_may_have_tasks_of_their_own(thread_count, count):
    """Each of more tasks than threads would wait for a thread."""
    thread_count(count)

    def inner(k):
        return sum(run_all(lambda j: 10 * k + j, [(j,) for j in range(3)]))

    assert list(in_order(inner, range(8))) == [30 * k + 3 for k in range(8)]

    def nested(k):
        return list(in_order(lambda j: 10 * k + j, range(3)))

    assert list(in_order(nested, range(8))) == [[10 * k + j for j in range(3)] for k in range(8)]
    assert run_all(nested, [(k,) for k in range(8)]) == [[10 * k + j for j in range(3)] for k in range(8)]
