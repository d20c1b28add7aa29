"""The unit of a picture: a dark one is derained as the bright one is, whatever bits it leaves empty."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage import data

from rainopt import derain, estimate_angle, psnr
from rainopt.image import DARKEST, ROUNDED_UP, exposure, unit_of
from tests.support.photographs import rainy


def darker(image, bits, dtype=np.float32):
    """A picture that leaves some bits empty, in float or in the levels of an integer dtype."""
    dark = image * np.float32(0.5**bits)
    return dark if dtype == np.float32 else np.rint(dark * np.iinfo(dtype).max).astype(dtype)


@given(st.floats(1e-6, 1))
def test_the_unit_is_the_least_power_of_two_that_nothing_exceeds(peak):
    unit = unit_of(peak)
    assert np.log2(unit) == round(np.log2(unit))
    assert 0.5**DARKEST <= unit <= 1
    assert peak <= unit * ROUNDED_UP
    assert unit == 0.5**DARKEST or peak > 0.5 * unit * ROUNDED_UP


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_rounding_to_levels_does_not_double_the_unit(xp, dtype):
    for bits in range(5):
        image = darker(np.linspace(0, 1, 48, dtype=np.float32).reshape(4, 4, 3), bits, dtype)
        assert exposure(xp.asarray(image)) == exposure(image / np.float32(np.iinfo(dtype).max)) == 0.5**bits
        assert exposure(xp.asarray(np.ascontiguousarray(image.swapaxes(0, 2))), channel_axis=0) == 0.5**bits
    assert exposure(image.astype(image.dtype.newbyteorder())) == 0.5**bits


def test_what_says_nothing_of_the_unit_does_not_count():
    black, dark = np.zeros((4, 4, 3), np.uint8), np.full((4, 4, 3), 20, np.uint8)
    opaque = np.concatenate([dark, np.full((4, 4, 1), 255, np.uint8)], axis=-1)
    assert exposure(black) == 1
    assert exposure(opaque) == exposure(opaque[..., [0, 3]]) == exposure(dark) == exposure(black, dark) == 1 / 8
    assert exposure(dark, dark + 128) == 1


@pytest.mark.parametrize("linear", [False, True], ids=["gamma", "linear"])
@pytest.mark.parametrize("bits", [1, 4])
def test_a_picture_in_another_unit_gives_the_same_in_that_unit(bits, linear):
    image = rainy()[1] ** 2.2 if linear else rainy()[1]
    dark = darker(image, bits)
    assert estimate_angle(dark) == estimate_angle(image)
    for options in ({}, {"angle": 12.0, "veil": True}):
        here, there = derain(image, **options), derain(dark, **options)
        # Not to rounding: multiplying by a power of two rounds nothing.
        np.testing.assert_array_equal(there.background, darker(here.background, bits))
        np.testing.assert_array_equal(there.rain, darker(here.rain, bits))
        assert (there.angle, there.directions) == (here.angle, here.directions)
        assert there.solution.energy == here.solution.energy


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_a_dark_picture_of_16_bits_loses_its_rain_as_well(bits):
    clean, image = rainy()
    here, there = derain(image), derain(darker(image, bits, np.uint16))
    assert psnr(there.background * 2.0**bits, clean) == pytest.approx(psnr(here.background, clean), abs=0.05)


def test_where_no_rain_is_seen_a_dark_picture_keeps_every_level():
    for bits in (1, 2, 3, 4):
        image = data.chelsea()[60:220, 100:320] >> bits
        np.testing.assert_array_equal(derain(image, strength=0).background, image / np.float32(255))
        np.testing.assert_array_equal(derain(image).background, image / np.float32(255))
