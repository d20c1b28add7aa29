import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.image import luminance
from rainopt.still.colour import remove_layer

UNIT = st.floats(0, 1, width=32)
RAIN = hnp.arrays(np.float64, (4, 5), elements=UNIT)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@given(hnp.arrays(np.float64, (3, 4, 5), elements=UNIT), RAIN)
def test_the_luminance_falls_by_what_was_taken_and_that_is_what_keeps_every_channel(dtype, colour, rain):
    colour, rain = colour.astype(dtype), rain.astype(dtype)
    grey = luminance(colour)
    clean, taken = remove_layer(colour, grey, rain)
    np.testing.assert_allclose(luminance(clean), grey - taken, atol=1e-6)
    assert clean.dtype == taken.dtype == dtype
    assert np.all((clean >= 0) & (clean <= colour))
    assert np.all((taken >= 0) & (taken <= rain))
    # Where less was taken than was found, the darkest channel is used up.
    np.testing.assert_allclose(clean.min(axis=0)[taken < rain], 0, atol=1e-12 if dtype == np.float64 else 1e-6)


@given(hnp.arrays(np.float64, (1, 4, 5), elements=UNIT), RAIN)
def test_grey_images_are_plain_subtraction(grey, rain):
    rain = np.minimum(rain, grey[0])
    clean, taken = remove_layer(grey, grey[0], rain)
    np.testing.assert_array_equal(taken, rain)
    np.testing.assert_array_equal(clean[0], grey[0] - rain)
    # And so are three equal channels.
    clean, taken = remove_layer(np.repeat(grey, 3, axis=0), grey[0], rain)
    np.testing.assert_allclose(clean, np.repeat(grey - rain, 3, axis=0), atol=1e-15)
    np.testing.assert_allclose(taken, rain, atol=1e-15)


def test_a_saturated_channel_loses_little_and_order_of_channels_is_kept(rng):
    colour = rng.uniform(0.2, 0.9, (3, 6, 7))
    colour[2] = 1.0
    grey, rain = luminance(colour), np.full((6, 7), 0.02)
    clean, taken = remove_layer(colour, grey, rain)
    # The brighter a channel, the less a white streak can have added to it.
    order = np.argsort(colour, axis=0)
    assert np.all(np.diff(np.take_along_axis(colour - clean, order, axis=0), axis=0) <= 1e-12)
    # With luminance and rain given, channels may come in any order.
    swapped, taken_swapped = remove_layer(colour[::-1], grey, rain)
    np.testing.assert_array_equal(swapped[::-1], clean)
    np.testing.assert_array_equal(taken_swapped, taken)


@pytest.mark.parametrize("strength", [0.05, 0.2])
def test_screen_rain_over_a_known_scene_is_undone_up_to_the_softening(rng, strength):
    clean = rng.uniform(0.2, 0.7, (3, 20, 20))
    rainy = clean + strength * (1 - clean)
    rain = luminance(rainy) - luminance(clean)
    screened = np.abs(remove_layer(rainy, luminance(rainy), rain)[0] - clean).max()
    subtracted = np.abs(rainy - rain - clean).max()
    assert screened < 0.35 * subtracted


def test_backends_agree_and_no_rain_leaves_every_bit(xp, rng):
    colour, rain = rng.random((3, 6, 7)), rng.random((6, 7))
    rain[3:] = 0
    arrays = (colour, luminance(colour), rain)
    there = remove_layer(*(xp.asarray(a) for a in arrays))
    for mine, theirs in zip(there, remove_layer(*arrays), strict=True):
        np.testing.assert_allclose(to_numpy(mine), theirs, atol=1e-14)
    np.testing.assert_array_equal(to_numpy(there[0])[:, 3:], colour[:, 3:])
    assert not to_numpy(there[1])[3:].any()
