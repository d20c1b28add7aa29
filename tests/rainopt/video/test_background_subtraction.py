"""What is brighter than the background of a still camera is taken off, and only that; and where that may be done."""

import itertools

import numpy as np
import pytest

from rainopt.video.background_subtraction import FEATHER, NOISE, Backdrop
from rainopt.video.percentiles import NEAR

H, W = 120, 160


def backdrop(image, valid=None):
    return Backdrop(image, np.ones(image.shape[:2], bool) if valid is None else valid)


def textured(rng, low=0.1, high=0.6):
    return rng.uniform(low, high, (H, W, 3)).astype(np.float32)


def by_hand(seen, background):
    excess = seen - background
    if excess <= 0:
        return seen
    if excess <= NOISE:
        return background + excess
    return background + NOISE * max(0.0, min(1.0, 2 - excess / NOISE))


# What is taken off


def test_each_value_is_that_of_the_formula(rng):
    background = rng.uniform(0, 1, (7, 9, 3)).astype(np.float32)
    excess = rng.choice([-0.2, 0, 0.3 * NOISE, NOISE, 1.5 * NOISE, 1.99 * NOISE, 2 * NOISE, 0.3], background.shape)
    frame = np.clip(background + excess, 0, 1).astype(np.float32)
    got = backdrop(background).behind(frame)
    assert got.dtype == np.float32
    for place in itertools.product(*map(range, background.shape)):
        assert got[place] == pytest.approx(by_hand(float(frame[place]), float(background[place])), abs=1e-6)


def test_nothing_is_brighter_than_the_background_and_its_noise(rng):
    background = textured(rng)
    frame = rng.uniform(0, 1, background.shape).astype(np.float32)
    got = backdrop(background).behind(frame)
    assert (got <= background + NOISE + 1e-6).all()
    assert (got <= frame + 1e-6).all()
    # And what is surely rain is gone altogether.
    rain = frame > background + 2 * NOISE
    assert rain.mean() > 0.3
    np.testing.assert_array_equal(got[rain], background[rain])


def test_what_is_darker_stays_and_so_does_the_grain(rng):
    background = textured(rng)
    darker = background - rng.uniform(0, 0.1, background.shape).astype(np.float32)
    np.testing.assert_array_equal(backdrop(background).behind(darker), darker)
    grain = background + rng.uniform(0, NOISE, background.shape).astype(np.float32)
    np.testing.assert_allclose(backdrop(background).behind(grain), grain, atol=1e-6)


def test_the_background_stays_as_it_is(rng):
    background = textured(rng, 0, 1)
    np.testing.assert_array_equal(backdrop(background).behind(background), background)


def test_it_passes_smoothly_from_noise_to_rain():
    excess = np.linspace(-2 * NOISE, 4 * NOISE, 6001, dtype=np.float32)
    background = np.full((1, excess.size, 3), 0.4, np.float32)
    got = backdrop(background).behind(background + excess[None, :, None])[0, :, 0] - 0.4
    step = float(excess[1] - excess[0])
    # No jump at 0, ν and 2ν or anywhere else: nowhere steeper than the frame itself.
    assert np.abs(np.diff(got)).max() <= step + 1e-6
    rising, falling = excess[1:] <= NOISE, (excess[:-1] >= NOISE) & (excess[1:] <= 2 * NOISE)
    assert (np.diff(got)[rising] >= -1e-7).all()
    assert (np.diff(got)[falling] <= 1e-7).all()
    for at, value in ((0, 0), (NOISE, NOISE), (1.5 * NOISE, 0.5 * NOISE), (2 * NOISE, 0), (3 * NOISE, 0)):
        assert np.interp(at, excess, got) == pytest.approx(value, abs=2 * step)


def test_each_channel_for_itself(rng):
    background = textured(rng)
    frame = background.copy()
    frame[..., 2] += 0.3
    got = backdrop(background).behind(frame)
    np.testing.assert_array_equal(got[..., :2], frame[..., :2])
    np.testing.assert_array_equal(got[..., 2], background[..., 2])


# Where the background is what lies behind


def nothing():
    return np.zeros((H, W), np.float32)


def square(value, side=20):
    picture = nothing()
    picture[40 : 40 + side, 60 : 60 + side] = value
    return picture


def streaks(shift=0):
    picture = nothing()
    picture[20:60, (10 + shift) % W :: 16] = 0.4
    return picture


@pytest.fixture
def known():
    return backdrop(np.full((H, W, 3), 0.4, np.float32)).known


def test_the_difference_is_that_of_luminance_or_of_the_channel_that_is_darker(rng):
    background = textured(rng)
    frame = background + rng.uniform(-0.9 * NEAR, 0.3, background.shape).astype(np.float32)
    expected = (frame - background) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-6)
    frame[:40, :, 1] = background[:40, :, 1] - 0.05
    expected[:40] = -0.05
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-6)


def test_rain_is_known(known):
    np.testing.assert_allclose(known(nothing()), 1, atol=1e-6)
    np.testing.assert_allclose(known(streaks()), 1, atol=1e-6)
    np.testing.assert_allclose(known(streaks(), streaks(3), streaks(7)), 1, atol=1e-6)


def test_a_dark_thing_is_not(known):
    for neighbours in ((), (nothing(),), (nothing(), nothing())):
        got = known(square(-0.1), *neighbours)
        assert not got[40:60, 60:80].any()
        # And a little more.
        assert not got[39:61, 59:81].any()


@pytest.mark.parametrize("colour", [(0.3, -0.1528, 0), (-0.1, 0.051, 0), (0, -0.05, 0.2574), (0.5, -0.05, 0.3)])
def test_a_thing_of_another_colour_is_not(colour):
    there = backdrop(np.full((H, W, 3), 0.4, np.float32))
    frame = there.image.copy()
    frame[40:60, 60:80] += np.array(colour, np.float32)
    got = there.known(there.difference(frame))
    assert not got[40:60, 60:80].any()
    assert got[80:].all()


def test_a_wide_bright_thing_is_not_where_it_stays(known):
    assert not known(square(0.2))[42:58, 62:78].any()
    assert not known(square(0.2), square(0.2), square(0.2))[42:58, 62:78].any()
    # Gone in a frame beside it, it is dense rain.
    np.testing.assert_allclose(known(square(0.2), nothing(), square(0.2)), 1, atol=1e-6)
    np.testing.assert_allclose(known(square(0.2), nothing()), 1, atol=1e-6)


def test_what_hardly_differs_is_known(known):
    np.testing.assert_allclose(known(square(NEAR / 2)), 1, atol=1e-6)
    np.testing.assert_allclose(known(square(-NEAR / 2)), 1, atol=1e-6)


def test_where_the_background_cannot_be_trusted_it_is_not_known():
    valid = np.ones((H, W), bool)
    valid[:, :50] = False
    got = backdrop(np.full((H, W, 3), 0.4, np.float32), valid).known(nothing())
    assert not got[:, :50].any()
    # It sets in by degrees, the same in every row.
    profile = got[60]
    np.testing.assert_allclose(got, np.broadcast_to(profile, got.shape), atol=1e-6)
    assert (np.diff(profile[50:]) >= -1e-6).all()
    assert 0.4 < profile[50] < 0.9
    np.testing.assert_allclose(profile[50 + FEATHER // 2 :], 1, atol=1e-6)


def test_it_is_a_share(rng):
    valid = rng.random((H, W)) < 0.9
    got = backdrop(textured(rng), valid).known(rng.normal(0, 0.05, (H, W)).astype(np.float32))
    assert got.dtype == np.float32
    assert got.shape == (H, W)
    assert 0 <= got.min() < got.max() <= 1 + 1e-6
    assert not got[~valid].any()
