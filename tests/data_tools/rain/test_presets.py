"""Presets: the statistics that they state, and samples within their ranges."""

import numpy as np
import pytest
from skimage import data

from benchmarks.layer_angle import angle_error, layer_angle
from data_tools import PRESETS, RainSpec, add_rain
from rainopt import psnr

ONE_DIRECTION = [name for name, preset in PRESETS.items() if preset.directions == (1, 1)]

# Means over 24 pictures: input PSNR in dB and brightness of O - B; docs/rain_presets.md has those of published pairs.
BOUNDS = {
    "light": ((25.3, 28.3), (0.013, 0.025)),
    "medium": ((21.0, 25.5), (0.050, 0.090)),
    "heavy": ((14.0, 17.0), (0.125, 0.185)),
    "multi": ((19.5, 23.5), (0.045, 0.085)),
}


@pytest.fixture(scope="module")
def photographs():
    return [data.astronaut(), data.chelsea(), data.coffee()]


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_have_the_statistics_they_state(preset, photographs):
    quality, brightness = [], []
    for seed in range(24):
        rng = np.random.default_rng(seed)
        rainy, _, _ = result = add_rain(photographs[seed % 3], RainSpec.sample(preset, rng), rng)
        quality.append(psnr(rainy, result.clean, "y_matlab"))
        brightness.append(np.mean(rainy - result.clean))
    for values, (low, high) in zip((quality, brightness), BOUNDS[preset], strict=True):
        assert low < np.mean(values) < high


@pytest.mark.parametrize("preset", ONE_DIRECTION)
@pytest.mark.parametrize("seed", range(3))
def test_rain_of_one_direction_runs_at_its_angle(preset, seed):
    rng = np.random.default_rng(seed)
    spec = RainSpec.sample(preset, rng)
    layer = add_rain(np.zeros((640, 640)), spec, rng).rain
    assert angle_error(layer_angle(layer), spec.angle) < 0.5


def test_rain_of_several_directions_has_them_apart_around_its_angle():
    for seed in range(20):
        turns = [direction.turn for direction in RainSpec.sample("multi", np.random.default_rng(seed)).directions]
        assert len(turns) in (2, 3)
        assert np.diff(sorted(turns)).min() > 7.9
        assert sum(turns) == pytest.approx(0, abs=1e-2)


@pytest.mark.parametrize("preset", PRESETS)
def test_samples_stay_in_the_ranges_of_their_preset(preset):
    names = ("angle", "angle_spread", "length", "width", "density", "intensity", "texture", "veil")
    specs = [RainSpec.sample(preset, np.random.default_rng(seed)) for seed in range(200)]
    for name in names:
        low, high = getattr(PRESETS[preset], name)
        values = [getattr(spec, name) for spec in specs]
        assert low <= min(values) <= max(values) <= high
        if low < high:
            middle = np.sqrt(low * high) if name == "density" else (low + high) / 2
            assert np.mean(np.array(values) < middle) == pytest.approx(0.5, abs=0.12)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="`preset` must be one of light, medium, heavy, multi, got 'drizzle'"):
        RainSpec.sample("drizzle", np.random.default_rng(0))
    with pytest.raises(TypeError, match=r"`rng` must be a numpy.random.Generator, got int"):
        RainSpec.sample("light", 0)
