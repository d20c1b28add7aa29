"""The solver goes on from what a network removed."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from rainnet.infer import polish as infer_polish
from rainnet.infer.derain import derain
from rainopt import estimate_angle, udg_energy
from rainopt.image import LUMA
from rainopt.still import adaptive
from tests.support.toy import Toy
from tests.support.udgnet import rained, random_udgnet


@pytest.fixture
def solved(monkeypatch):
    """What the solver was asked when polishing, and what it answered."""
    calls = []
    real = adaptive.minimise

    def watched(O, weights, **settings):
        solution = real(O, weights, **settings)
        calls.append((O, settings | {"weights": weights}, solution))
        return solution

    monkeypatch.setattr(adaptive, "minimise", watched)
    return calls


@pytest.mark.parametrize("angle", [17.0, -80.0])
def test_it_lowers_the_energy(rng, solved, angle):
    image = rained(rng, angle=angle if abs(angle) < 45 else 0.0)
    result = derain(random_udgnet(), image, angle=angle, polish=30)
    # No pilot: the network has taken its place.
    ((O, settings, solution),) = solved
    assert (settings["max_iter"], settings["tol"]) == (30, 0.0)

    def energy(background, rain):
        return float(udg_energy(O, background, rain, settings["weights"], settings["prior"]))

    start = settings["start"]
    assert energy(solution.background, solution.rain) < energy(O - start, start)
    assert result.background.shape == image.shape
    assert 0 <= result.rain.min() <= result.rain.max() <= 1


def test_it_begins_with_what_the_network_removed(rng, solved):
    image, net = rained(rng), random_udgnet()
    plain = derain(net, image, angle=0.0)
    after = derain(net, image, angle=0.0, polish=10)
    ((O, settings, _),) = solved
    grey = np.tensordot(image / np.float32(255), np.float32(LUMA), 1)
    removed = np.maximum(grey - np.tensordot(plain.background, np.float32(LUMA), 1), 0)
    # At angle 0 the solver works on the picture as it lies.
    np.testing.assert_allclose(O, grey, atol=1e-6)
    np.testing.assert_allclose(settings["start"], np.minimum(removed, np.asarray(settings["prior"].ceiling)), atol=1e-6)
    # The luminance changes as the layer does, where nothing is cut off.
    change = np.tensordot(after.background - plain.background, np.float32(LUMA), 1)
    clear = ((after.background > 0.05) & (after.background < 0.95)).all(axis=-1)
    assert clear.mean() > 0.5
    np.testing.assert_allclose(change[clear], (removed - after.rain)[clear], atol=1e-4)
    assert np.abs(change[clear]).mean() > 1e-3


def test_where_it_finds_nothing_better_the_network_s_result_stays(rng, monkeypatch):
    image, net = rained(rng), random_udgnet()
    plain = derain(net, image, angle=17.0)

    def content(O, removal, iterations, tol, first):
        return SimpleNamespace(rain=first), 0.0

    monkeypatch.setattr(infer_polish, "solve_adaptive", content)
    np.testing.assert_array_equal(derain(net, image, angle=17.0, polish=5).background, plain.background)


@pytest.mark.parametrize("layout", ["grey", "torch"])
def test_pictures_of_other_kinds(rng, layout):
    image = rained(rng)[..., 0] if layout == "grey" else torch.from_numpy(rained(rng))
    result = derain(random_udgnet(), image, angle=4.0, polish=10)
    assert result.background.shape == image.shape
    assert type(result.background) is type(image)


def test_it_finds_an_angle_where_the_network_needs_none(rng):
    image, net = rained(rng, angle=20.0), Toy()
    result = derain(net, image, polish=20)
    assert result.angle == estimate_angle(image).angle
    told = derain(net, image, polish=20, angle=result.angle)
    np.testing.assert_array_equal(result.background, told.background)
