"""Frames are taken until the background is good enough, and not longer; the camera may shake, or be knocked."""

import functools
from dataclasses import replace

import numpy as np
import pytest

from rainopt.io.video.read import VideoError
from rainopt.video.adaptive_background import COVERED, LOOK, MOST, PLANS, PROBE, settle
from rainopt.video.frames import FrameStore
from rainopt.video.quality import ACCEPTED
from rainopt.video.scenes import split_scenes
from tests.support.clips import numbered, rained, raining, seen_from, view
from tests.support.disk import nameless_files

H, W, EDGE = 144, 192, 16
SMALL = (48, 64)  # where the place of the camera does not matter


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


@functools.cache
def small_clip(count=60):
    return tuple(numbered(rained(view("coffee", SMALL), "light", count)))


@functools.cache
def clip(name, preset, places=None, count=60):
    """Frames of a camera on a tripod, or of one that looks from place to place."""
    looks = functools.partial(seen_from, name, shape=(H, W), edge=EDGE)
    views = looks() if places is None else [looks(*place) for place in places]
    return tuple(numbered(rained(views, preset, count, scale=0.45)))


def truth(name):
    return seen_from(name, shape=(H, W), edge=EDGE)


@functools.cache
def wanderings(count=45, most=6):
    """Shifts of at most so many pixels from frame to frame, nowhere more than 12; the first is none."""
    rng = np.random.default_rng(3)
    places = [np.zeros(2, int)]
    while len(places) < count:
        places.append(np.clip(places[-1] + rng.integers(-most, most + 1, 2), -12, 12))
    return tuple(tuple(map(int, place)) for place in places)


def shaken():
    return clip("astronaut", "light", wanderings())


@functools.cache
def held():
    """What becomes of a shaken camera."""
    return settled(shaken(), count=45)


def distance(found, scene, valid=None):
    """Decibels of a background over the pixels that are said to be good."""
    square = np.square(found.estimate.image - scene / 255.0)
    return -10 * np.log10(np.mean(square[found.valid if valid is None else valid]))


# How many frames are taken


def test_sparse_rain_takes_fewer_frames_than_dense_rain():
    scene, seen = view("astronaut", SMALL), []
    for preset, accept in (("light", 30), ("medium", 30), ("heavy", 20)):
        source = Counted(numbered(raining(scene, preset)))
        found = settled(source, accept=accept, stabilise=False)
        seen.append(np.median(found.estimate.seen))
        assert len(found.numbers) == source.read == PLANS[len(seen) - 1][1]
    assert seen[1] < PLANS[0][0] < seen[0]


def test_frames_are_added_until_the_background_is_good_enough():
    begin, step = PLANS[0][1:]
    reached = settled(small_clip(), stabilise=False).acceptance.expected_psnr
    found = settled(small_clip(), accept=reached + 0.5, stabilise=False)
    assert len(found.numbers) > begin
    assert (len(found.numbers) - begin) % step == 0
    assert found.acceptance.expected_psnr >= reached + 0.5
    before = settled(small_clip(), count=len(found.numbers) - step, stabilise=False)
    assert before.acceptance.expected_psnr < reached + 0.5


@pytest.mark.parametrize(
    ("options", "read"),
    [
        # A count is taken as it is.
        *(({"count": count}, min(count, 60)) for count in (1, 3, 7, 33, 60, 1 << 62)),
        # No more than the most.
        *(({"most": most, "accept": 99}, most) for most in (4, 15, 28)),
        # Frames that end are all taken.
        ({"accept": 99}, 60),
    ],
)
def test_so_many_frames_are_taken_and_no_more(options, read):
    source, told = Counted(small_clip()), []
    found = settled(source, stabilise=False, progress=told.append, **options)
    assert found.numbers == tuple(range(read))
    assert found.estimate.frames == source.read == read
    assert all(0 < share <= 1 for share in told)
    assert told[-1] == 1


def test_the_most_has_a_default_that_ends_an_endless_stream():
    source = Counted(numbered(raining(view("coffee", (24, 32)), "heavy")))
    found = settled(source, accept=999, stabilise=False)
    assert len(found.numbers) == source.read == MOST


def test_numbers_are_those_of_the_video():
    assert settled(small_clip()[10::2], count=12, stabilise=False).numbers == tuple(range(10, 34, 2))


# What the background is worth


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("astronaut", "light"),
        *(pytest.param(*case, marks=pytest.mark.slow) for case in (("chelsea", "light"), ("coffee", "medium"))),
    ],
)
def test_what_is_accepted_is_close_to_the_truth(name, preset):
    frames = clip(name, preset)
    found = settled(frames, count=None if preset == "light" else 60)
    assert found.acceptance.accepted
    assert distance(found, truth(name)) > ACCEPTED
    assert found.acceptance.expected_psnr == pytest.approx(distance(found, truth(name)), abs=6)
    # Better than any one frame, of course.
    assert distance(found, frames[0].pixels) < ACCEPTED
    # A camera on a tripod loses no border.
    assert found.static
    assert found.refused == 0
    assert found.knocked is None
    assert np.mean(found.valid) > 0.98
    assert found.valid[[0, -1]].mean() > 0.98


def test_frames_on_the_disk_give_the_same(tmp_path):
    frames, before = small_clip()[:22], nameless_files()
    with FrameStore() as memory, FrameStore(memory=5 * frames[0].pixels.nbytes, scratch=tmp_path) as spilled:
        one, other = (settle(frames, store, count=21, stabilise=False) for store in (memory, spilled))
        assert nameless_files() == before + 1
    assert one.numbers == other.numbers
    assert one.acceptance == other.acceptance
    np.testing.assert_array_equal(one.estimate.image, other.estimate.image)
    np.testing.assert_array_equal(one.valid, other.valid)
    assert not list(tmp_path.iterdir())


# A camera that moves


def test_a_shaken_camera_is_stabilised():
    blurred = settled(shaken(), count=45, stabilise=False)
    assert not held().static
    assert blurred.static  # nobody looked
    assert blurred.refused == held().refused == 0
    assert blurred.valid.shape == held().valid.shape == (H, W)
    inner = np.zeros((H, W), bool)
    inner[EDGE:-EDGE, EDGE:-EDGE] = True
    better = distance(held(), truth("astronaut"), held().valid & inner)
    assert better > 32
    assert better > distance(blurred, truth("astronaut"), inner) + 10


def test_what_the_frames_do_not_cover_is_not_valid():
    places = np.asarray(wanderings())
    # A pixel at the border is missing from all frames of cameras that look away from it.
    for side, away in (
        (np.s_[0, EDGE:-EDGE], places[:, 0] > 0),
        (np.s_[-1, EDGE:-EDGE], places[:, 0] < 0),
        (np.s_[EDGE:-EDGE, 0], places[:, 1] > 0),
        (np.s_[EDGE:-EDGE, -1], places[:, 1] < 0),
    ):
        assert away.mean() > 1 - COVERED
        assert not held().valid[side].any()
    assert held().valid[EDGE:-EDGE, EDGE:-EDGE].mean() > 0.95


def test_frames_that_show_something_else_are_refused():
    frames, stray = list(shaken()[:28]), clip("coffee", "light", count=3)
    for k, other in zip((21, 22, 25), stray, strict=True):
        frames[k] = replace(frames[k], pixels=other.pixels)
    found = settled(frames, count=25)
    assert found.refused == 3
    assert found.numbers == tuple(k for k in range(28) if k not in (21, 22, 25))


@pytest.mark.parametrize("moment", [pytest.param(22, marks=pytest.mark.slow), 2 * LOOK - 1])
def test_a_camera_that_is_knocked_ends_the_scene(moment):
    places = tuple((0, 0) if k < moment else (5, -6) for k in range(moment + LOOK + 1))
    source = Counted(clip("coffee", "light", places, len(places)))
    found = settled(source, count=100)
    assert found.static
    assert moment <= found.knocked < moment + LOOK
    assert found.numbers == tuple(range(found.knocked))
    assert source.read == found.knocked + 1


def test_a_knock_is_not_looked_for_without_stabilising():
    views = [seen_from("coffee", *((0, 0) if k < 22 else (5, -6)), shape=SMALL) for k in range(60)]
    found = settled(numbered(rained(views, "light", 60)), count=60, stabilise=False)
    assert found.knocked is None
    assert len(found.numbers) == 60


# What is no picture


def test_no_frame_is_an_error():
    with FrameStore() as store, pytest.raises(VideoError, match="no frame to take a background from"):
        settle(iter(()), store)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_flat_frames_are_taken_as_they_are(value):
    found = settled(numbered([np.full((*SMALL, 3), value, np.uint8)] * 60))
    assert found.static
    assert found.acceptance.angle is None
    np.testing.assert_allclose(found.estimate.image, value / 255, atol=1e-6)
    assert found.valid.all()


@pytest.mark.slow
def test_a_video_that_begins_in_black_goes_on_with_its_picture():
    black = [np.zeros((H, W, 3), np.uint8)] * PROBE
    frames = list(numbered([*black, *(frame.pixels for frame in clip("coffee", "light")[:40])]))
    assert len(settled(frames, count=30).numbers) == 30  # does not fail
    dark, picture = (list(scene) for scene in split_scenes(frames))
    assert [frame.index for frame in dark] == list(range(PROBE))
    found = settled(picture)
    assert found.numbers[0] == PROBE
    assert distance(found, truth("coffee")) > ACCEPTED


def test_one_frame_is_its_own_background_and_not_accepted():
    found = settled(small_clip()[:1])
    assert found.acceptance.expected_psnr == 0
    np.testing.assert_allclose(found.estimate.image, small_clip()[0].pixels / 255, atol=1e-6)
