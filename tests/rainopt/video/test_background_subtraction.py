"""What is brighter than the background of a still camera is taken off, and only that; what is darker shows."""

import itertools

import numpy as np
import pytest

from rainopt.video.background_subtraction import NOISE, Backdrop
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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_each_value_of_each_channel_is_that_of_the_formula(rng, dtype):
    full = np.iinfo(dtype).max
    background = rng.uniform(0, 1, (17, 19, 3)).astype(np.float32)
    excess = np.concatenate([[-0.2, 0, NOISE, 1.99 * NOISE, 2 * NOISE, 0.3], np.linspace(-2, 4, 63) * NOISE])
    frame = np.rint(np.clip(background + rng.choice(excess, background.shape), 0, 1) * full).astype(dtype)
    got = backdrop(background).behind(frame)
    assert got.dtype == dtype
    # The background is one of whole levels, as frames are.
    background = np.rint(background * full) / full
    for place in itertools.product(*map(range, background.shape)):
        expected = by_hand(float(frame[place]) / full, float(background[place])) * full
        assert got[place] == pytest.approx(expected, abs=0.51)
    # What is not brighter stays bit for bit.
    below = frame <= np.rint(background * full)
    np.testing.assert_array_equal(got[below], frame[below])
    assert below.any()


def test_nothing_is_brighter_than_before_nor_than_the_background_by_more_than_noise(rng):
    there = backdrop(textured(rng))
    frame = rng.integers(0, 256, (H, W, 3)).astype(np.uint8)
    got = there.behind(frame)
    assert (got <= frame).all()
    assert (got <= there.image * 255 + 255 * NOISE + 0.5).all()
    # Grain below the noise is kept, on both sides.
    grainy = (np.rint(there.image * 255) + rng.integers(-9, 4, (H, W, 3))).astype(np.uint8)
    np.testing.assert_array_equal(there.behind(grainy), grainy)


def test_16_bits_are_as_8(rng):
    there = backdrop(textured(rng))
    frame = rng.integers(0, 256, (H, W, 3)).astype(np.uint8)
    deep = frame.astype(np.uint16) * 257
    np.testing.assert_allclose(there.behind(deep) / 257, there.behind(frame), rtol=0, atol=1.01)
    np.testing.assert_allclose(there.difference(deep), there.difference(frame), rtol=0, atol=1e-6)


def test_in_other_light_the_background_is_as_much_brighter(rng):
    there = backdrop(textured(rng))
    assert there.under(1.0) is there
    frame = np.rint(there.image * 1.2 * 255).astype(np.uint8)
    assert np.abs(there.under(1.2).difference(frame)).max() <= 0.51 / 255
    np.testing.assert_array_equal(there.under(1.2).behind(frame), frame)
    # Never brighter than white, and trusted where it was.
    assert there.under(9.0).image.max() == 1
    assert there.under(0.5).valid is there.valid


def test_the_difference_is_that_of_luminance_or_of_the_channel_that_is_darker(rng):
    background = textured(rng)
    frame = np.rint((background + rng.uniform(-0.9 * NEAR, 0.3, background.shape)) * 65535).astype(np.uint16)
    expected = (frame / 65535 - background) @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-6)
    frame[:40, :, 1] = np.rint((background[:40, :, 1] - 0.05) * 65535)
    expected[:40] = -0.05
    np.testing.assert_allclose(backdrop(background).difference(frame), expected, atol=1e-5)


@pytest.mark.parametrize("colour", [(0.3, -0.1528, 0), (-0.1, 0.051, 0), (0, -0.05, 0.2574), (0.5, -0.05, 0.3)])
def test_a_thing_of_another_colour_counts_as_dark(colour):
    there = backdrop(np.full((H, W, 3), 0.4, np.float32))
    frame = np.full((H, W, 3), 102, np.uint8)
    frame[40:60, 60:80] = np.rint(102 + 255 * np.array(colour))
    dark = np.zeros((H, W), bool)
    dark[40:60, 60:80] = True
    np.testing.assert_array_equal(there.difference(frame) < -NEAR, dark)
