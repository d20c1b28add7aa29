import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.image import luminance
from rainopt.still.colour import remove_layer

UNIT = st.floats(0, 1, width=32)


def images(dtype, channels):
    return hnp.arrays(dtype, (channels, 4, 5), elements=UNIT)


@given(images(np.float32, 3), hnp.arrays(np.float32, (4, 5), elements=UNIT))
def test_the_luminance_falls_by_what_was_taken(colour, rain):
    grey = luminance(colour)
    clean, taken = remove_layer(colour, grey, rain)
    np.testing.assert_allclose(luminance(clean), grey - taken, atol=1e-6)
    assert clean.dtype == taken.dtype == np.float32
    assert np.all(clean >= 0)
    assert np.all(clean <= colour)
    assert np.all((taken >= 0) & (taken <= rain))


@given(images(np.float64, 3), hnp.arrays(np.float64, (4, 5), elements=UNIT))
def test_as_much_is_taken_as_keeps_every_channel(colour, rain):
    grey = luminance(colour)
    clean, taken = remove_layer(colour, grey, rain)
    less = taken < rain
    # Where less was taken than was found, the darkest channel is used up.
    np.testing.assert_allclose(clean.min(axis=0)[less], 0, atol=1e-12)


@given(images(np.float32, 1), hnp.arrays(np.float32, (4, 5), elements=UNIT))
def test_grey_images_are_plain_subtraction(grey, rain):
    rain = np.minimum(rain, grey[0])
    clean, taken = remove_layer(grey, grey[0], rain)
    np.testing.assert_array_equal(taken, rain)
    np.testing.assert_array_equal(clean[0], grey[0] - rain)


def test_equal_channels_stay_equal(rng):
    grey = rng.random((4, 5))
    rain = rng.random((4, 5)) * grey
    clean, taken = remove_layer(np.stack([grey] * 3), grey, rain)
    for plane in clean:
        np.testing.assert_allclose(plane, grey - rain, atol=1e-15)
    np.testing.assert_allclose(taken, rain, atol=1e-15)


def test_no_rain_leaves_every_bit(xp, rng):
    colour = rng.random((3, 6, 7)).astype(np.float32)
    rain = np.zeros((6, 7), np.float32)
    rain[2:4] = 0.05
    clean, taken = remove_layer(xp.asarray(colour), xp.asarray(luminance(colour)), xp.asarray(rain))
    dry = np.ones(6, bool)
    dry[2:4] = False
    np.testing.assert_array_equal(to_numpy(clean)[:, dry], colour[:, dry])
    assert not to_numpy(taken)[dry].any()


def test_a_saturated_channel_loses_little_and_order_of_channels_is_kept(rng):
    colour = rng.uniform(0.2, 0.9, (3, 6, 7))
    colour[2] = 1.0
    grey, rain = luminance(colour), np.full((6, 7), 0.02)
    clean, taken = remove_layer(colour, grey, rain)
    loss = colour - clean
    # The brighter a channel, the less a white streak can have added to it.
    order = np.argsort(colour, axis=0)
    assert np.all(np.diff(np.take_along_axis(loss, order, axis=0), axis=0) <= 1e-12)
    # With luminance and rain given, channels may come in any order.
    swapped, taken_swapped = remove_layer(colour[::-1], grey, rain)
    np.testing.assert_array_equal(swapped[::-1], clean)
    np.testing.assert_array_equal(taken_swapped, taken)


@pytest.mark.parametrize("strength", [0.05, 0.2])
def test_screen_rain_over_a_known_scene_is_undone_up_to_the_softening(rng, strength):
    clean = rng.uniform(0.2, 0.7, (3, 20, 20))
    streak = np.full((20, 20), strength)
    rainy = clean + streak * (1 - clean)
    rain = luminance(rainy) - luminance(clean)
    screened = np.abs(remove_layer(rainy, luminance(rainy), rain)[0] - clean).max()
    subtracted = np.abs(rainy - rain - clean).max()
    assert screened < 0.35 * subtracted


def test_backends_agree(xp, rng):
    colour = rng.random((3, 6, 7))
    grey, rain = luminance(colour), rng.random((6, 7))
    expected = remove_layer(colour, grey, rain)
    there = remove_layer(*(xp.asarray(a) for a in (colour, grey, rain)))
    for mine, theirs in zip(there, expected, strict=True):
        np.testing.assert_allclose(to_numpy(mine), theirs, atol=1e-14)
