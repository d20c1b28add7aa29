"""What is measured on rain, against rain that was drawn by hand or rendered."""

import numpy as np
import pytest

from data_tools import RainSpec, add_rain
from rainnet.generate.measure import SEEN, measure, runs


def strokes(length, width, gap, side=96):
    """Return upright strokes of a size, far from the border and from one another."""
    layer = np.zeros((side, side), np.float32)
    for top in range(4, side - length - 4, length + gap):
        for left in range(4, side - width - 4, width + gap):
            layer[top : top + length, left : left + width] = 0.25
    return layer


@pytest.mark.parametrize(("length", "width"), [(12, 2), (30, 3), (1, 1)])
def test_strokes_are_as_long_and_wide_as_they_were_drawn(length, width):
    layer = strokes(length, width, 5)
    found = measure(layer, 0.0)
    assert (found.length, found.width) == (length, width)
    assert found.density == pytest.approx(float((layer > 0).mean()))
    assert found.intensity == pytest.approx(0.25)
    turned = measure(layer.T, 90.0)
    assert (turned.length, turned.width) == (length, width)


@pytest.mark.parametrize("angle", [0.0, 30.0, -45.0, 70.0])
def test_what_lies_outside_is_no_rain(angle):
    rng = np.random.default_rng(3)
    spec = RainSpec(angle=angle, angle_spread=0.5, length=40.0, width=3.0, density=3000.0, intensity=0.8)
    _, layer, _ = add_rain(np.zeros((80, 150), np.float32), spec, rng)
    # Black around a layer changes nothing, wherever its rain is cut off.
    assert runs(np.pad(layer, 30), angle) == pytest.approx(runs(layer, angle), rel=0.03)


def test_runs_are_means_over_pixels():
    layer = np.zeros((20, 3), np.float32)
    layer[:10, 0] = layer[:2, 2] = 1
    assert runs(layer, 0.0)[0] == pytest.approx((10 * 10 + 2 * 2) / 12)


def test_no_rain_has_no_length():
    assert measure(np.full((30, 40), SEEN, np.float32)) == (0.0, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("angle", [-35.0, 4.0, 62.0])
def test_the_angle_of_rendered_rain_is_found(angle):
    rng = np.random.default_rng(3)
    spec = RainSpec.sample("light", rng)
    spec = spec.__class__.from_dict(spec.to_dict() | {"angle": angle})
    _, layer, _ = add_rain(np.zeros((200, 240), np.float32), spec, rng)
    assert measure(layer).angle == pytest.approx(angle, abs=1.5)
    # Along its own direction, rain is longer than along any other.
    assert runs(layer, angle)[0] > max(runs(layer, angle - 20)[0], runs(layer, angle + 20)[0])
