"""Refine: it begins where the solver ends."""

import numpy as np
import pytest
import torch

import rainnet
import rainopt
from rainnet.infer.derain import derain
from rainnet.infer.streaks import Streaks
from rainnet.models.start import solver_layers
from rainopt.direction.estimate import Direction
from rainopt.geometry.warp import Upright
from rainopt.image import luminance
from rainopt.refine import way
from rainopt.still.bound import most_rain
from tests.support.refine import TINY, random_refine
from tests.support.udgnet import rained


@pytest.fixture
def planes(rng):
    return torch.from_numpy(rng.random((2, 4, 24, 40), dtype=np.float32))


def test_untrained_it_gives_the_layer_that_it_begins_with(planes):
    with torch.no_grad():
        layers = rainnet.create("refine").layers(planes)
    assert torch.equal(layers.removed, planes[:, 3:].expand(-1, 3, -1, -1))


def test_it_is_small_enough_for_a_cpu():
    assert sum(each.numel() for each in rainnet.create("refine").parameters()) < 700_000


def test_nothing_beyond_its_reach_changes_an_output_and_what_is_within_does():
    net = random_refine(along=(1, 3), coarse_blocks=2).double()
    side = 4 * (2 * net.reach // 4 + 3)
    farthest = 0
    for shift in range(net.multiple):
        middle, planes = side // 2 + shift, torch.rand(1, 4, side, side, dtype=torch.float64, requires_grad=True)
        net.layers(planes).removed[0, :, middle, middle].sum().backward()
        seen = (planes.grad[0].abs().sum(0).nonzero() - middle).abs().max()
        farthest = max(farthest, int(seen))
    assert farthest <= net.reach < farthest + net.multiple


def test_every_parameter_learns(planes):
    net = random_refine().train()
    net.layers(planes).removed.square().sum().backward()
    assert [key for key, value in net.named_parameters() if value.grad is None or not bool(value.grad.any())] == []


@pytest.mark.parametrize("angle", [0.0, 17.0, -80.0])
def test_a_picture_derained_loses_the_luminance_that_the_network_called_finds(rng, angle):
    net, batch = random_refine(scale=0.3), 0.5 + 0.5 * rng.random((1, 3, 83, 71), dtype=np.float32)
    with torch.no_grad():
        whole = net(torch.from_numpy(batch), angle)
    result = derain(net, batch[0], angle=angle, channel_axis=0, bounded=False)
    wanted = luminance(torch.from_numpy(batch[0]) - whole.background[0]).clamp(min=0)
    # Nobody gives back more than white there, nor would take more than there is.
    within = np.logical_and.reduce(
        [(np.asarray(each) > 1e-4) & (np.asarray(each) < 1) for each in (*whole.background[0], *result.background)]
    )
    np.testing.assert_allclose(result.rain[within], wanted[within], atol=1e-5)
    assert result.rain.max() > 0.01


@pytest.mark.parametrize("angle", [None, 10.0])
def test_untrained_it_derains_as_the_solver_does(rng, angle):
    picture = rained(rng, angle=10.0)
    result = derain(rainnet.create("refine", **TINY), picture, angle=angle, bounded=False)
    np.testing.assert_allclose(result.background, rainopt.derain(picture, angle=angle).background, atol=1e-5)


def test_tiles_equal_the_whole_and_mirrors_are_averaged(rng):
    net, picture = random_refine(), rng.random((150, 131, 3), dtype=np.float32)
    for ensemble in (1, 4):
        whole, tiled = (derain(net, picture, angle=12.0, tile=tile, batch=3, ensemble=ensemble) for tile in (0, 48))
        np.testing.assert_allclose(tiled.background, whole.background, atol=1e-5)
    assert np.abs(whole.background - derain(net, picture, angle=12.0).background).max() > 1e-4


def test_a_start_that_is_known_takes_the_place_of_the_solvers(planes):
    net, rainy = rainnet.create("refine", **TINY), planes[:, :3]
    known = 0.1 * planes[:, 3:]
    with torch.no_grad():
        torch.testing.assert_close(net(rainy, 10.0, known).background, (rainy - known).clamp(0, 1))
        found = net(rainy, 10.0).background
        start = solver_layers(rainy, torch.full((2,), 10.0))
        torch.testing.assert_close(found, (rainy - start).clamp(0, 1))
        with pytest.raises(ValueError, match=r"`start` must be a layer of each picture, \(2, 1, 24, 40\), got shape"):
            net(rainy, 10.0, known[..., :-1])
        with pytest.raises(ValueError, match="`angle` must be given: refine works on upright streaks"):
            net(rainy)
        with pytest.raises(ValueError, match="`start` must be None: ddn does not begin with the solver's layer"):
            rainnet.create("ddn")(rainy, start=known)


def test_the_picture_is_turned_once_for_each_direction_of_its_rain(rng, monkeypatch):
    net, picture = random_refine(), (rained(rng, angle=10.0) / 255).astype(np.float32)
    directions = (Direction(10.0, 0.6), Direction(-25.0, 0.4))
    monkeypatch.setattr(Streaks, "estimate", type(Streaks(picture).estimate)(10.0, 1.0, directions))
    turned = []

    def upright(angle, height, width, within):
        turned.append(angle)
        return Upright(angle, height, width)

    monkeypatch.setattr(way, "upright_of", upright)
    derain(net, picture)
    assert turned == [10.0, -25.0]


@pytest.mark.parametrize("shape", [(30, 41), (30, 41, 1), (30, 41, 4), (5, 9, 3), (1, 1, 3)])
def test_any_picture_comes_back_as_it_came(rng, shape):
    picture = rng.random(shape, dtype=np.float32)
    result = derain(random_refine(), picture, angle=8.0)
    assert result.background.shape == shape
    assert result.rain.shape == shape[:2]
    assert 0 <= result.background.min() <= result.background.max() <= 1


def test_no_more_is_taken_than_rain_can_have_added_unless_the_solver_saw_more(rng):
    net, picture = random_refine(scale=3.0), rained(rng, angle=10.0)
    most = most_rain(Streaks(picture).removal(10.0, *picture.shape[:2]))
    start = derain(rainnet.create("refine", **TINY), picture, angle=10.0, bounded=False).rain
    free, bounded = (derain(net, picture, angle=10.0, bounded=each).rain for each in (False, True))
    assert free.max() > max(most, start.max()) >= bounded.max()
    assert (bounded <= np.maximum(most, start + 0.05)).all()


def test_corrections_of_all_directions_are_averaged_by_their_shares_and_bounded(rng):
    colour, start = rng.random((3, 20, 30), dtype=np.float32), 0.2 * rng.random((20, 30), dtype=np.float32)
    directions = (Direction(0.0, 0.6), Direction(90.0, 0.2))

    def removed_of(upright, number):
        return np.repeat(upright[3:], 3, axis=0) + np.float32((0.2, -0.4)[number])

    layer = way.corrected_layer(colour, start, directions, 3, removed_of)
    np.testing.assert_allclose(layer, np.maximum(start + 0.75 * 0.2 + 0.25 * -0.4, 0), atol=1e-5)
    bounded = way.corrected_layer(colour, start, directions, 3, removed_of, 0.1)
    np.testing.assert_allclose(bounded, np.minimum(layer, np.maximum(start, 0.1)), atol=1e-6)


def test_polish_and_sixteen_bits_work(rng):
    net, picture = random_refine(), rained(rng, angle=10.0)
    exact = derain(net, picture, angle=10.0).background
    assert np.abs(derain(net, picture, angle=10.0, precision="bfloat16").background - exact).max() < 0.03
    assert derain(net, picture, angle=10.0, polish=20).background.shape == picture.shape


@pytest.mark.parametrize("config", [{"features": 0}, {"along": ()}, {"along": (0,)}, {"before": 5000}])
def test_configs_that_no_network_has_are_refused(config):
    with pytest.raises(ValueError, match="must"):
        rainnet.create("refine", **config)
