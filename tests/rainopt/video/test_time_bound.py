"""What the frames around one say lies behind its rain, and what of it above that is rain."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.image import luminance
from rainopt.video.aligned import Aligned
from rainopt.video.percentiles import NEAR
from rainopt.video.persistence import Rank
from rainopt.video.time_bound import HIGH, HIGHEST, NOISE, bound_of, luminance_of, rain_share, streak, without
from tests.support.clips import rained, streaks, view

H, W = 96, 128


def others(frames, valid=None):
    return [Aligned(frame, np.ones(frame.shape[:2], bool) if valid is None else valid) for frame in frames]


def random_frames(count, dtype=np.uint8):
    rng = np.random.default_rng(3)
    return [rng.integers(0, np.iinfo(dtype).max + 1, (12, 14, 3)).astype(dtype) for _ in range(count)]


# What lies behind


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("reach", "rank"), [(2, 0), (2, 2), (3, 1), (4, 4)])
def test_it_is_the_value_of_a_rank_among_the_frames(dtype, reach, rank):
    frame, *around = random_frames(2 * reach + 1, dtype)
    found = bound_of(frame, others(around), Rank(reach, rank))
    np.testing.assert_array_equal(found.behind, np.sort([frame, *around], axis=0)[rank])
    assert found.behind.dtype == dtype
    lack = (found.behind.astype(float) - frame).max(axis=-1) / np.iinfo(dtype).max
    lighter = luminance_of(frame) - luminance_of(found.behind)
    np.testing.assert_allclose(found.excess, np.where(lack > NEAR, -lack, lighter), atol=1e-6)
    assert (found.seen == 2 * reach).all()
    # The lowest is never above the frame.
    assert rank > 0 or (found.behind <= frame).all()


@given(st.integers(0, 2), st.integers(0, 2**32 - 1))
def test_a_neighbour_that_cannot_be_believed_takes_off_less(rank, seed):
    rng = np.random.default_rng(seed)
    frame, *around = random_frames(5)
    masks = [rng.random(frame.shape[:2]) < 0.6 for _ in around]
    some = [Aligned(one, mask) for one, mask in zip(around, masks, strict=True)]
    found, full = (bound_of(frame, seen, Rank(2, rank)) for seen in (some, others(around)))
    # It is as if the frame itself stood there, so that what lies behind comes nearer to it, and never passes it.
    away, whole = (frame.astype(int) - one.behind for one in (found, full))
    assert (np.abs(away) <= np.abs(whole)).all()
    assert (away * whole >= 0).all()
    np.testing.assert_array_equal(found.seen, np.sum(masks, axis=0))
    nobody = found.seen == 0
    np.testing.assert_array_equal(found.behind[nobody], frame[nobody])


def test_at_the_ends_of_a_clip_the_rank_goes_down_with_the_number_of_frames():
    frame, *around = random_frames(5)
    for count, rank in ((4, 2), (2, 1), (0, 0)):
        found = bound_of(frame, others(around[:count]), Rank(2, 2))
        np.testing.assert_array_equal(found.behind, np.sort([frame, *around[:count]], axis=0)[rank])


def test_the_spread_is_how_far_what_lies_behind_is_above_the_darkest_frame():
    frame, *around = random_frames(7)
    found = bound_of(frame, others(around), Rank(3, 2), spreads=True)
    darkest = np.min([frame, *around], axis=0)
    np.testing.assert_allclose(found.spread, luminance_of(found.behind) - luminance_of(darkest), atol=1e-6)
    assert bound_of(frame, others(around), Rank(3, 2)).spread is None


def test_what_shows_the_same_value_again_is_repeated():
    frame = np.full((8, 9, 3), 100, np.uint8)
    far, near = (np.full((8, 9, 3), level, np.uint8) for level in (107, 104))
    for around, repeated in (([near, near, far, far], True), ([near, far, far, far], False), ([near] * 4, True)):
        assert (bound_of(frame, others(around), Rank(2, 1)).repeated == repeated).all()
    # Frames that cannot be believed do not count.
    nowhere = np.zeros((8, 9), bool)
    assert not bound_of(frame, others([near] * 4, nowhere), Rank(2, 1)).repeated.any()
    assert not bound_of(frame, [], Rank(2, 1)).repeated.any()


def test_behind_moving_rain_lies_the_view():
    scene = view("coffee", (H, W))
    frames = rained(scene, "light", 7)
    found = bound_of(frames[3], others([frames[k] for k in (0, 1, 2, 4, 5, 6)]), Rank(3, 2))
    before, after = (np.square(one.astype(float) - scene).mean() for one in (frames[3], found.behind))
    assert after < before / 10
    assert np.corrcoef(found.excess.ravel(), luminance_of(frames[3]).ravel() - luminance_of(scene).ravel())[0, 1] > 0.95


# How far an excess is rain


def line(angle, value=0.1, shape=(H, W), length=70, middle=None):
    """A bright line through the middle, at an angle in degrees from the vertical, to the right going down."""
    picture = np.zeros(shape, np.float32)
    y, x = middle or (shape[0] // 2, shape[1] // 2)
    turn = np.deg2rad(angle)
    way = np.array([np.sin(turn), np.cos(turn)]) * length / 2
    ends = [tuple(int(k) for k in np.rint(np.array([x, y]) + sign * way)) for sign in (-1, 1)]
    return cv2.line(picture, *ends, value, 1)


@pytest.mark.parametrize("angle", [0, 12, -30, 80])
def test_a_streak_along_the_angle_is_rain_and_one_across_it_is_not(angle):
    shape = (480, 480)
    disc = cv2.circle(np.zeros(shape, np.uint8), (240, 240), 25, 1, -1) > 0
    other = angle + (90 if angle <= 0 else -90)
    for value, most in ((0.05, 0.1), (0.1, 0.35)):
        along, across = line(angle, value, shape), line(other, value, shape)
        share = rain_share(along, [angle])
        assert share[disc & (along > 0)].min() > 0.9
        assert rain_share(across, [angle])[disc & (across > 0)].mean() < most
        assert rain_share(across, [other])[disc & (across > 0)].min() > 0.9
    # Each of several angles counts.
    np.testing.assert_allclose(rain_share(along, [angle, 45]), np.maximum(share, rain_share(along, [45])), atol=1e-6)
    assert (share[along == 0] == 0).all()


def test_noise_is_no_rain_and_neither_is_a_single_bright_pixel(rng):
    noise = rng.normal(0, 1 / 255, (H, W)).astype(np.float32)
    assert rain_share(noise, [10]).mean() < 0.01
    assert rain_share(np.clip(noise, -NOISE, NOISE), [10]).max() == 0
    pixel = np.zeros((480, 480), np.float32)
    pixel[200, 200] = 0.5
    assert rain_share(pixel, [0]).max() < 0.35
    assert not rain_share(np.zeros((H, W), np.float32), [10]).any()
    assert not rain_share(line(0), []).any()


def test_what_is_far_brighter_than_streaks_is_no_rain():
    height = 0.1
    for value, low, high in ((HIGH * height, 0.99, 1), (0.98 * HIGHEST * height, 0, 0.1), (3.5 * height, 0, 0)):
        share = rain_share(line(0, value), [0], height)[H // 2, W // 2]
        assert low <= share <= high


def test_where_as_much_is_darker_what_is_brighter_is_an_error_of_the_alignment():
    shape = (480, 480)
    streaky = line(0, 0.03, shape)
    for lack, rain in ((0, True), (-0.03, False)):
        excess = np.where(streaky > 0, streaky, np.float32(lack))
        assert (rain_share(excess, [0])[240, 240] > 0.9) == rain
        assert rain_share(excess, [0])[240, 240] == 0 or rain
    # The more that counts, the less is rain.
    noisy = np.random.default_rng(0).normal(0, 0.02, (H, W)).astype(np.float32) + line(0)
    less, more = (rain_share(noisy, [0], against=against) for against in (2.0, 1.0))
    assert (less <= more).all()
    assert less.sum() < more.sum()


def test_where_the_darkest_frames_are_unlike_a_line_is_no_rain():
    streak = line(0, 0.03, (480, 480))
    alike, unlike = (np.full(streak.shape, spread, np.float32) for spread in (0, 0.2))
    np.testing.assert_array_equal(rain_share(streak, [0], spread=alike), rain_share(streak, [0]))
    assert not rain_share(streak, [0], spread=unlike).any()


def test_most_of_rendered_rain_is_rain():
    scene = np.full((H, W, 3), 80, np.uint8)
    frame = rained(scene, "light", 1)[0]
    excess = luminance_of(frame) - np.float32(80 / 255)
    angle = streaks("light", np.random.default_rng(0)).angle
    share = rain_share(excess, [angle])
    assert share[excess > 0.08].mean() > 0.8
    assert share[excess < NOISE].max() == 0


@pytest.mark.parametrize("length", [1, 3, 11, 20.5])
@pytest.mark.parametrize("angle", [-60, 0, 33, 90])
def test_a_streakyis_a_mean_that_is_the_same_from_both_ends(angle, length):
    kernel = streak(angle, length)
    assert kernel.sum() == pytest.approx(1, abs=1e-5)
    assert (kernel >= 0).all()
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-6)
    np.testing.assert_allclose(kernel[:, ::-1], streak(-angle, length), atol=1e-6)


# What is taken off


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_no_share_leaves_the_very_values_and_all_of_it_the_lower_ones(rng, dtype):
    frame, behind = random_frames(2, dtype)
    none, whole = np.zeros(frame.shape[:2], np.float32), np.ones(frame.shape[:2], np.float32)
    np.testing.assert_array_equal(without(frame, behind, none), frame)
    np.testing.assert_array_equal(without(frame, behind, whole), np.minimum(frame, behind))
    share = rng.random(frame.shape[:2]).astype(np.float32)
    got = without(frame, behind, share)
    assert got.dtype == dtype
    expected = frame - share[..., None] * np.maximum(frame.astype(float) - behind, 0)
    np.testing.assert_allclose(got, expected, rtol=0, atol=1.01)
    # Never below what lies behind, nor above what was there.
    assert (got <= frame).all()
    assert (got >= np.minimum(frame, behind)).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_luminance_is_that_of_pictures(dtype):
    (frame,) = random_frames(1, dtype)
    expected = luminance(np.moveaxis(frame.astype(np.float32) / np.iinfo(dtype).max, -1, 0))
    np.testing.assert_allclose(luminance_of(frame), expected, atol=1e-6)
