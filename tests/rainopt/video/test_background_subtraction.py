"""What is brighter than the background of a still camera is taken off, and only that; and where that may be done."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from rainopt.video.background_subtraction import FEATHER, NOISE, Backdrop
from rainopt.video.foreground import moving
from rainopt.video.percentiles import NEAR

H, W = 120, 160


def backdrop(image, valid=None):
    return Backdrop(image, np.ones(image.shape[:2], bool) if valid is None else valid)


def textured(rng, low=0.1, high=0.6):
    return rng.uniform(low, high, (H, W, 3)).astype(np.float32)


def by_hand(seen, background):
    """Leave what is darker or at most the noise brighter; take off what is twice that; pass from one to the other."""
    excess = seen - background
    if excess <= 0:
        return seen
    if excess <= NOISE:
        return background + excess
    return background + NOISE * max(0.0, min(1.0, 2 - excess / NOISE))


def test_each_value_of_each_channel_is_that_of_the_formula(rng):
    background = rng.uniform(0, 1, (17, 19, 3)).astype(np.float32)
    excess = np.concatenate([[-0.2, 0, NOISE, 1.99 * NOISE, 2 * NOISE, 0.3], np.linspace(-2, 4, 63) * NOISE])
    frame = np.clip(background + rng.choice(excess, background.shape), 0, 1).astype(np.float32)
    got = backdrop(background).behind(frame)
    assert got.dtype == np.float32
    for place in itertools.product(*map(range, background.shape)):
        assert got[place] == pytest.approx(by_hand(float(frame[place]), float(background[place])), abs=1e-6)
    # What is not brighter stays bit for bit.
    np.testing.assert_array_equal(got[frame <= background], frame[frame <= background])


def square(value, side=20):
    picture = np.zeros((H, W), np.float32)
    picture[40 : 40 + side, 60 : 60 + side] = value
    return picture


def streaks(shift=0):
    picture = np.zeros((H, W), np.float32)
    picture[20:60, (10 + shift) % W :: 16] = 0.4
    return picture


def test_the_difference_is_that_of_luminance_or_of_the_channel_that_is_darker(rng):
    background = textured(rng)
    frame = background + rng.uniform(-0.9 * NEAR, 0.3, background.shape).astype(np.float32)
    expected = (frame - background) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-6)
    frame[:40, :, 1] = background[:40, :, 1] - 0.05
    expected[:40] = -0.05
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("differences", "anything"),
    [
        ([streaks(), streaks(3), streaks(7)], False),
        ([square(NEAR / 2)], False),
        ([square(-0.1)], True),
        ([square(-0.1), square(0), square(0)], True),
        ([square(0.2)], True),
        ([square(0.2), square(0.2), square(0.2)], True),
        ([square(0.2), square(0), square(0.2)], False),  # dense rain
    ],
)
def test_it_is_known_where_nothing_moves(differences, anything):
    moves = moving(*differences)
    assert moves.any() == anything
    got = backdrop(np.full((H, W, 3), 0.4, np.float32)).known(*differences)
    assert not got[moves].any()
    near = ndimage.binary_dilation(moves, np.ones((2 * FEATHER + 1, 2 * FEATHER + 1)))
    np.testing.assert_allclose(got[~near], 1, atol=1e-6)


@pytest.mark.parametrize("colour", [(0.3, -0.1528, 0), (-0.1, 0.051, 0), (0, -0.05, 0.2574), (0.5, -0.05, 0.3)])
def test_a_thing_of_another_colour_is_not(colour):
    there = backdrop(np.full((H, W, 3), 0.4, np.float32))
    frame = there.image.copy()
    frame[40:60, 60:80] += np.array(colour, np.float32)
    got = there.known(there.difference(frame))
    assert not got[40:60, 60:80].any()
    assert got[80:].all()


def test_where_the_background_cannot_be_trusted_it_is_not_known():
    valid = np.ones((H, W), bool)
    valid[:, :50] = False
    got = backdrop(np.full((H, W, 3), 0.4, np.float32), valid).known(square(0))
    assert (got.dtype, got.shape) == (np.float32, (H, W))
    assert 0 <= got.min() < got.max() <= 1 + 1e-6
    assert not got[:, :50].any()
    # It sets in by degrees, the same in every row.
    profile = got[60]
    np.testing.assert_allclose(got, np.broadcast_to(profile, got.shape), atol=1e-6)
    assert (np.diff(profile[50:]) >= -1e-6).all()
    assert 0.4 < profile[50] < 0.9
    np.testing.assert_allclose(profile[50 + FEATHER // 2 :], 1, atol=1e-6)
