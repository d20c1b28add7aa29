"""Layers of any size from a field of codes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import rainnet
from data_tools import RainSpec, add_rain
from rainnet.generate.controls import RainControls
from rainnet.generate.layer import rain_layer
from rainnet.generate.measure import measure
from rainnet.models.rainfield import ABOVE, BESIDE, RainField


class Rendered(RainField):
    """A field whose rain the renderer draws, upright: of one kind for the common numbers, elsewhere for the others."""

    def rain_of_field(self, field):
        rows, columns = (field.shape[-2] - 2 * ABOVE) * self.cell, field.shape[-1] - 2 * BESIDE
        kind, rng = (
            np.random.default_rng(int(part.double().abs().sum() * 1e6))
            for part in (field[0, : self.config.common, 0, 0], field)
        )
        spec = RainSpec.from_dict(RainSpec.sample("light", kind).to_dict() | {"angle": 0.0})
        _, layer, _ = add_rain(np.zeros((rows, columns), np.float32), spec, rng)
        return torch.from_numpy(np.asarray(layer, np.float32)).expand(1, 3, -1, -1)


@pytest.fixture(scope="module")
def network():
    config = rainnet.create("rainfield").config
    return Rendered(replace(config, features=4, stages=1, blocks=1, derainer=4)).eval()


def test_the_same_seed_is_the_same_rain_and_another_one_is_not(network):
    one, two, other = (rain_layer(network, 120, 90, seed=seed) for seed in (1, 1, 2))
    assert one.shape == (120, 90)
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)
    assert not np.array_equal(one, other)
    assert 0 <= float(one.min()) < float(one.max()) <= 1


@pytest.mark.parametrize("shape", [(1, 1), (7, 300), (300, 7), (65, 64)])
def test_layers_have_any_size(network, shape):
    assert rain_layer(network, *shape, RainControls(angle=30.0)).shape == shape


@pytest.mark.parametrize("angle", [-40.0, 0.0, 25.0, 70.0])
def test_rain_falls_as_it_is_told(network, angle):
    layer = rain_layer(network, 220, 240, RainControls(angle=angle))
    assert measure(layer).angle == pytest.approx(angle, abs=3)


@pytest.mark.parametrize("density", [0.05, 0.3])
def test_rain_is_as_dense_as_it_is_told(network, density):
    layer = rain_layer(network, 220, 240, RainControls(angle=10.0, density=density))
    assert measure(layer).density == pytest.approx(density, rel=0.15)


@pytest.mark.parametrize("length", [14.0, 24.0])
def test_rain_is_as_long_and_bright_as_it_is_told(network, length):
    found = measure(rain_layer(network, 260, 220, RainControls(10.0, length, 0.1, 0.35)), 10.0)
    assert found.length == pytest.approx(length, rel=0.15)
    assert found.intensity == pytest.approx(0.35, rel=0.02)
    assert found.density == pytest.approx(0.1, rel=0.15)


def test_rain_that_cannot_be_had_is_said(network):
    with pytest.raises(ValueError, match=r"`length` 4000 cannot be had in a picture of 200 x 100 pixels"):
        rain_layer(network, 200, 100, RainControls(angle=0.0, length=4000.0))
    with pytest.raises(ValueError, match=r"`length` 6 cannot be had: streaks so short are spots"):
        rain_layer(network, 260, 220, RainControls(angle=10.0, length=6.0, density=0.1))
    dry = RainField(network.config).eval()
    with torch.no_grad():
        dry.generator.last.weight.zero_()
        dry.generator.last.bias.zero_()
    with pytest.raises(ValueError, match=r"`density` 0.2 cannot be had: the network makes too little rain"):
        rain_layer(dry, 50, 60, RainControls(density=0.2))
