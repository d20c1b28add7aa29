import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rainopt.arrays import to_numpy
from rainopt.still.gain import SIDES, raised

UNIT = hnp.arrays(np.float64, (3, 17), elements=st.floats(0, 1, width=32))


@given(UNIT, UNIT, st.floats(1, 3))
def test_a_raised_layer_lies_between_the_layer_and_its_multiple_and_leaves_nothing_darker_than_both_sides(
    O, share, gain
):
    layer = O * share
    found = raised(O, layer, gain)
    assert np.all((layer <= found) & (found <= np.maximum(layer, np.minimum(gain * layer, O))))
    changed, behind = found > layer, O - layer
    for d in SIDES:
        sides = [np.take(behind, np.clip(np.arange(17) + s * d, 0, 16), axis=1) for s in (-1, 1)]
        assert np.all((O - found)[changed] >= np.minimum(*sides)[changed] - 1e-12)
    np.testing.assert_array_equal(raised(O[:, ::-1], layer[:, ::-1], gain), found[:, ::-1])


@pytest.mark.parametrize("width", [1, 3, 5])
def test_a_shrunken_streak_is_found_whole_and_no_more(xp, width):
    behind, rain = np.full((4, 40), 0.2), np.zeros((4, 40))
    rain[:, 20 : 20 + width] = 0.3
    # All shrunk, and one pixel found at its height, which a gain alone would overshoot.
    layer = rain - np.where(rain > 0, 0.1, 0)
    layer[2, 20] = 0.3
    found = to_numpy(raised(xp.asarray(behind + rain), xp.asarray(layer), 2.0))
    np.testing.assert_allclose(found, rain, atol=1e-12)
    # Where the gain does not suffice it is all that is added.
    np.testing.assert_allclose(to_numpy(raised(xp.asarray(behind + rain), xp.asarray(layer), 1.25))[0], 1.25 * layer[0])


def test_no_gain_is_the_layer_and_gains_may_differ_from_pixel_to_pixel(rng):
    O = rng.random((5, 30))
    layer = 0.5 * O
    assert raised(O, layer, 1.0) is layer
    gain = np.where(np.arange(30) < 15, 1.0, 1.5) * np.ones_like(O)
    found = raised(O, layer, gain)
    np.testing.assert_array_equal(found[:, :15], layer[:, :15])
    np.testing.assert_array_equal(found[:, 15:], raised(O, layer, 1.5)[:, 15:])
