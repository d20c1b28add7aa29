"""Rain is brought to what is asked of it."""

import numpy as np
import pytest
from scipy import ndimage

from data_tools import RainSpec, add_rain
from rainnet.generate.controls import RainControls, brightened, thinned
from rainnet.generate.measure import SEEN, measure


@pytest.fixture(scope="module")
def layer():
    rng = np.random.default_rng(1)
    _, layer, _ = add_rain(np.zeros((180, 240), np.float32), RainSpec.sample("light", rng), rng)
    return np.asarray(layer, np.float32)


@pytest.mark.parametrize("share", [0.8, 0.4, 0.1])
def test_thinned_rain_has_the_density_and_whole_streaks(layer, share):
    before = measure(layer, 0.0)
    thin = thinned(layer, share * before.density, np.random.default_rng(0))
    assert measure(thin, 0.0).density == pytest.approx(share * before.density, rel=0.15)
    # What is left is as it was, and each streak is left or gone as a whole.
    assert np.all((thin == 0) | (thin == layer))
    pieces, count = ndimage.label(layer > SEEN, structure=np.ones((3, 3)))
    left = ndimage.mean(thin > SEEN, pieces, np.arange(1, count + 1))
    assert set(np.unique(left)) <= {0.0, 1.0}


def test_rain_that_hangs_together_loses_what_is_dim():
    y, x = np.mgrid[:60, :80]
    layer = (0.3 + 0.2 * np.sin(x / 3.0) + 0.02 * np.cos(y)).astype(np.float32)
    thin = thinned(layer, 0.3, np.random.default_rng(0))
    assert (thin > SEEN).mean() == pytest.approx(0.3, abs=0.01)
    assert np.all(layer[thin > SEEN] >= layer[thin <= SEEN].max() - 1e-6)
    assert thin[thin > SEEN].mean() == pytest.approx(layer.mean(), rel=1e-3)


def test_less_rain_than_is_asked_for_stays(layer):
    assert thinned(layer, 0.9, np.random.default_rng(0)) is layer


@pytest.mark.parametrize("intensity", [0.05, 0.2, 0.6, 0.95])
def test_brightness_is_what_is_asked_for_and_the_same_pixels_are_rainy(layer, intensity):
    result = brightened(layer, intensity)
    np.testing.assert_array_equal(result > SEEN, layer > SEEN)
    np.testing.assert_array_equal(result[layer <= SEEN], layer[layer <= SEEN])
    assert result[result > SEEN].mean() == pytest.approx(intensity, rel=1e-3)
    assert float(result.max()) <= 1
    # Order is kept.
    order = np.argsort(layer[layer > SEEN])
    assert np.all(np.diff(result[layer > SEEN][order]) >= 0)


@pytest.mark.parametrize(
    ("controls", "message"),
    [
        ({"angle": -90}, r"`angle` must be in \(-90, 90\] degrees, got -90"),
        ({"angle": float("nan")}, "`angle` must be in"),
        ({"length": 0.5}, r"`length` must be in \(1, 4096\] pixels, got 0.5"),
        ({"density": 0}, "`density` must be in"),
        ({"density": 1.2}, "`density` must be in"),
        ({"intensity": 0.01}, r"`intensity` must be in \(0.039, 1\], rain that is seen, got 0.01"),
    ],
)
def test_what_no_rain_is_like_is_refused(controls, message):
    with pytest.raises(ValueError, match=message):
        RainControls(**controls)
