"""Frames are taken until the background is good enough, and not longer; the camera may shake, or be knocked."""

import functools
import itertools
from dataclasses import replace
from fractions import Fraction

import cv2
import numpy as np
import pytest
from skimage import data

from data_tools import RainSpec
from data_tools.rain.video import rain_video
from rainopt.io.video.read import VideoError, VideoFrame
from rainopt.video.adaptive_background import COVERED, LOOK, MOST, PLANS, PROBE, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import ACCEPTED
from rainopt.video.scenes import split_scenes

H, W, EDGE = 144, 192, 16


@functools.cache
def wide(name):
    """A photograph that is larger than a frame on all sides."""
    size = W + 2 * EDGE, H + 2 * EDGE
    return cv2.resize(getattr(data, name)(), size, interpolation=cv2.INTER_AREA)


def seen_from(name, y=0, x=0):
    return wide(name)[EDGE + y : EDGE + y + H, EDGE + x : EDGE + x + W]


def rained(views, preset, seed=0):
    """Frames of a video in rain of a preset, with a little noise; without end if there is one view."""
    rng = np.random.default_rng(seed)
    spec = replace(RainSpec.sample(preset, rng), veil=0.0).scaled(0.45)
    for number, drawn in enumerate(rain_video(views, spec, rng)):
        levels = drawn.rainy * 255 + rng.normal(0, 1, (*drawn.rainy.shape[:2], 1))
        yield VideoFrame(number, Fraction(number, 25), np.clip(np.rint(levels), 0, 255).astype(np.uint8))


@functools.cache
def clip(name, preset, count, seed=0):
    return tuple(itertools.islice(rained(seen_from(name), preset, seed), count))


def wanderings(count, most=6):
    """Shifts of at most so many pixels from frame to frame, nowhere more than 12; the first is none."""
    rng = np.random.default_rng(3)
    places = [np.zeros(2, int)]
    while len(places) < count:
        places.append(np.clip(places[-1] + rng.integers(-most, most + 1, 2), -12, 12))
    return [tuple(map(int, place)) for place in places]


@functools.cache
def shaken(name, preset, count):
    views = [seen_from(name, y, x) for y, x in wanderings(count)]
    return tuple(rained(views, preset))


def flat(value, count, shape=(48, 64)):
    return [VideoFrame(k, Fraction(k, 25), np.full((*shape, 3), value, np.uint8)) for k in range(count)]


class Counted:
    """Frames of a stream, counted as they are read."""

    def __init__(self, frames):
        self.frames, self.read = frames, 0

    def __iter__(self):
        for frame in self.frames:
            self.read += 1
            yield frame


def settled(frames, **options):
    with FrameStore() as store:
        found = settle(frames, store, **options)
        assert len(store) == len(found.numbers)
    return found


def distance(found, truth, valid=None):
    """Decibels of a background over the pixels that are said to be good."""
    square = np.square(found.estimate.image - truth / 255.0)
    return -10 * np.log10(np.mean(square[found.valid if valid is None else valid]))


# How many frames are taken


def test_sparse_rain_takes_fewer_frames_than_dense_rain():
    sparse = Counted(clip("astronaut", "light", 60))
    found = settled(sparse)
    assert len(found.numbers) == sparse.read == PROBE
    assert found.acceptance.expected_psnr >= ACCEPTED

    view = seen_from("astronaut")[20:116, 40:168]
    middle = Counted(rained(view, "medium"))
    more = settled(middle)
    assert len(more.numbers) == middle.read == PLANS[1][1]
    assert np.median(more.estimate.seen) < PLANS[0][0] < np.median(found.estimate.seen)

    dense = Counted(rained(view, "heavy"))
    most = settled(dense, accept=30)
    assert len(most.numbers) == dense.read >= PLANS[2][1]


def test_frames_are_added_until_the_background_is_good_enough():
    begin, step = PLANS[0][1:]
    frames = clip("coffee", "light", 60)
    reached = settled(frames).acceptance.expected_psnr
    found = settled(frames, accept=reached + 0.5)
    assert len(found.numbers) > begin
    assert (len(found.numbers) - begin) % step == 0
    assert found.acceptance.expected_psnr >= reached + 0.5
    before = settled(frames, count=len(found.numbers) - step)
    assert before.acceptance.expected_psnr < reached + 0.5


def test_frames_that_end_are_all_taken():
    source = Counted(clip("coffee", "light", 37))
    found = settled(source, accept=99)
    assert found.numbers == tuple(range(37))
    assert source.read == 37
    assert found.acceptance.expected_psnr < 99


@pytest.mark.parametrize(("count", "read"), [(1, 1), (3, 3), (7, 7), (33, 33), (60, 60), (1 << 62, 60)])
def test_a_count_is_taken_as_it_is(count, read):
    source = Counted(clip("coffee", "light", 60))
    found = settled(source, count=count)
    assert found.numbers == tuple(range(read))
    assert found.estimate.frames == source.read == read


@pytest.mark.parametrize("most", [4, 15, 28])
def test_no_more_than_the_most_are_taken(most):
    source = Counted(clip("coffee", "light", 60))
    assert len(settled(source, most=most, accept=99).numbers) == source.read == most


def test_the_most_has_a_default_that_ends_an_endless_stream():
    source = Counted(rained(seen_from("coffee")[:48, :64], "heavy"))
    found = settled(source, accept=999, stabilise=False)
    assert len(found.numbers) == source.read == MOST


@pytest.mark.parametrize("options", [{}, {"count": 30}, {"accept": 99, "most": 35}])
def test_progress_rises_to_one(options):
    seen = []
    settled(clip("coffee", "light", 40), progress=seen.append, **options)
    assert all(0 < share <= 1 for share in seen)
    assert seen[-1] == 1


def test_numbers_are_those_of_the_video():
    frames = clip("coffee", "light", 60)[10::2]
    assert settled(frames, count=12).numbers == tuple(range(10, 34, 2))


# What the background is worth


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea"])
@pytest.mark.parametrize("preset", ["light", "medium"])
def test_what_is_accepted_is_close_to_the_truth(name, preset):
    found = settled(clip(name, preset, 60), count=None if preset == "light" else 60)
    assert found.acceptance.accepted
    assert found.static
    assert np.mean(found.valid) > 0.98
    assert distance(found, seen_from(name)) > ACCEPTED
    assert found.acceptance.expected_psnr == pytest.approx(distance(found, seen_from(name)), abs=6)
    # Better than any one frame, of course.
    assert distance(found, clip(name, preset, 60)[0].pixels) < ACCEPTED


def test_frames_on_the_disk_give_the_same(tmp_path):
    frames = clip("coffee", "light", 40)
    shaky = shaken("astronaut", "light", 45)
    for stream in (frames, shaky):
        with FrameStore() as held, FrameStore(memory=5 * H * W * 3, scratch=tmp_path) as spilled:
            one, other = settle(stream, held, count=30), settle(stream, spilled, count=30)
            assert spilled.on_disk
            assert not held.on_disk
        assert one.numbers == other.numbers
        assert one.acceptance == other.acceptance
        np.testing.assert_array_equal(one.estimate.image, other.estimate.image)
        np.testing.assert_array_equal(one.valid, other.valid)
    assert not list(tmp_path.iterdir())


# A camera that moves


def test_a_shaken_camera_is_stabilised():
    frames, truth = shaken("astronaut", "light", 45), seen_from("astronaut")
    held, blurred = settled(frames, count=45), settled(frames, count=45, stabilise=False)
    assert not held.static
    assert blurred.static  # nobody looked
    assert blurred.refused == held.refused == 0
    assert blurred.valid.shape == held.valid.shape == (H, W)
    inner = np.zeros((H, W), bool)
    inner[EDGE:-EDGE, EDGE:-EDGE] = True
    better = distance(held, truth, held.valid & inner)
    assert better > 32
    assert better > distance(blurred, truth, inner) + 10


def test_what_the_frames_do_not_cover_is_not_valid():
    found = settled(shaken("astronaut", "light", 45), count=45)
    places = np.asarray(wanderings(45))
    # A pixel at the border is missing from all frames of cameras that look away from it.
    for side, away in (
        (np.s_[0, EDGE:-EDGE], places[:, 0] > 0),
        (np.s_[-1, EDGE:-EDGE], places[:, 0] < 0),
        (np.s_[EDGE:-EDGE, 0], places[:, 1] > 0),
        (np.s_[EDGE:-EDGE, -1], places[:, 1] < 0),
    ):
        assert away.mean() > 1 - COVERED
        assert not found.valid[side].any()
    assert found.valid[EDGE:-EDGE, EDGE:-EDGE].mean() > 0.95


def test_a_camera_on_a_tripod_loses_no_border():
    found = settled(clip("chelsea", "light", 60))
    assert found.static
    assert found.refused == 0
    assert found.knocked is None
    assert found.valid[[0, -1]].mean() > 0.98


def test_frames_that_show_something_else_are_refused():
    frames = list(shaken("astronaut", "light", 45)[:40])
    stray = rained(seen_from("coffee"), "light")
    for k in (25, 26, 31):
        frames[k] = replace(frames[k], pixels=next(stray).pixels)
    found = settled(frames, count=37)
    assert found.refused == 3
    assert found.numbers == tuple(k for k in range(40) if k not in (25, 26, 31))


@pytest.mark.parametrize("moment", [22, 2 * LOOK - 5, 3 * LOOK - 1])
def test_a_camera_that_is_knocked_ends_the_scene(moment):
    views = [seen_from("coffee", *((0, 0) if k < moment else (5, -6))) for k in range(100)]
    source = Counted(rained(views, "light"))
    found = settled(source, count=100)
    assert found.static
    assert moment <= found.knocked < moment + LOOK
    assert found.numbers == tuple(range(found.knocked))
    assert source.read == found.knocked + 1


def test_a_knock_is_not_looked_for_without_stabilising():
    views = [seen_from("coffee", *((0, 0) if k < 30 else (5, -6))) for k in range(60)]
    found = settled(rained(views, "light"), count=60, stabilise=False)
    assert found.knocked is None
    assert len(found.numbers) == 60


# What is no picture


def test_no_frame_is_an_error():
    with FrameStore() as store, pytest.raises(VideoError, match="no frame to take a background from"):
        settle(iter(()), store)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_frames_are_taken_as_they_are(value):
    found = settled(flat(value, 60))
    assert found.static
    assert found.acceptance.angle is None
    np.testing.assert_allclose(found.estimate.image, value / 255, atol=1e-6)
    assert found.valid.all()


def test_a_video_that_begins_in_black_goes_on_with_its_picture():
    frames = cut_together(flat(0, PROBE, (H, W)), clip("coffee", "light", 40))
    assert len(settled(frames, count=60).numbers) == 60  # does not fail
    dark, picture = (list(scene) for scene in split_scenes(frames))
    assert [frame.index for frame in dark] == list(range(PROBE))
    assert distance(settled(picture), seen_from("coffee")) > ACCEPTED


def test_one_frame_is_its_own_background_and_not_accepted():
    found = settled(clip("coffee", "light", 1))
    assert found.acceptance.expected_psnr == 0
    np.testing.assert_allclose(found.estimate.image, clip("coffee", "light", 1)[0].pixels / 255, atol=1e-6)


# Scenes


def cut_together(*parts):
    pixels = [frame.pixels for part in parts for frame in part]
    return [VideoFrame(k, Fraction(k, 25), frame) for k, frame in enumerate(pixels)]


def test_two_places_cut_together_are_two_scenes():
    frames = cut_together(clip("astronaut", "light", 30), clip("coffee", "light", 25))
    scenes = [[frame.index for frame in scene] for scene in split_scenes(frames)]
    assert scenes == [list(range(30)), list(range(30, 55))]


def test_what_is_not_taken_of_a_scene_is_skipped():
    source = Counted(cut_together(clip("astronaut", "light", 30), clip("coffee", "light", 25)))
    scenes = split_scenes(source)
    assert source.read == 0
    first = next(scenes)
    assert [next(first).index for _ in range(3)] == [0, 1, 2]
    assert source.read <= 3
    assert next(next(scenes)).index == 30
    assert source.read == 31
    assert next(scenes, None) is None


def test_each_scene_has_its_background():
    frames = cut_together(clip("astronaut", "light", 30), clip("coffee", "light", 25))
    found = [settled(scene, count=30) for scene in split_scenes(frames)]
    assert [(one.numbers[0], one.numbers[-1]) for one in found] == [(0, 29), (30, 54)]
    for one, name in zip(found, ("astronaut", "coffee"), strict=True):
        assert distance(one, seen_from(name)) > ACCEPTED


def test_no_frames_are_no_scenes():
    assert list(split_scenes([])) == []
