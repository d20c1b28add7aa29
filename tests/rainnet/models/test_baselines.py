"""What PReNet, DDN and JORDER-E have in common."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.infer.derain import derain
from rainnet.zoo import entry_of
from tests.support.baselines import TINY, VARIANTS, random_baseline

# Ren et al. 2019, Table 2, and what the literature says of the others.
PARAMETERS = [
    ("prenet", "paper", 168_963),
    ("prenet", "prn", 95_107),
    ("prenet", "prenet-r", 94_979),
    ("prenet", "prn-r", 21_123),
    ("ddn", "paper", 57_369),
    ("jorder", "paper", 4_169_024),
    ("jorder", "small", 406_784),
]


@pytest.mark.parametrize(("name", "preset", "count"), PARAMETERS)
def test_networks_are_as_large_as_in_the_literature(name, preset, count):
    assert sum(value.numel() for value in rainnet.create(name, preset=preset).parameters()) == count


@pytest.mark.parametrize(("name", "preset"), [(name, preset) for name in TINY for preset in entry_of(name).presets])
def test_an_untrained_network_gives_back_the_picture(name, preset):
    net, rainy = rainnet.create(name, preset=preset).eval(), torch.rand(2, 3, 13, 9)
    with torch.no_grad():
        found = net(rainy)
    assert torch.equal(found.background, rainy)
    assert torch.equal(found.rain, torch.zeros_like(rainy))


@pytest.mark.parametrize(("name", "config"), VARIANTS)
def test_nothing_beyond_its_reach_changes_an_output_and_what_is_within_does(name, config):
    net = random_baseline(name, **config).double()
    side = 2 * net.reach + 5
    middle, rainy = side // 2, torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    net.layers(rainy).removed[0, :, middle, middle].sum().backward()
    distance = (rainy.grad[0].abs().sum(0).nonzero() - middle).abs().max()
    assert int(distance) == net.reach


@pytest.mark.parametrize(("name", "config"), VARIANTS)
def test_every_parameter_learns(name, config):
    net = random_baseline(name, **config).train()
    rainy = torch.rand(2, 3, 20, 20)
    total = net.layers(rainy).removed.square().sum()
    if name == "prenet":
        found = net.backgrounds(rainy)
        total = total + sum(stage.square().sum() for stage in found.stages)
        total = total if found.log_variance is None else total + found.log_variance.square().sum()
    total.backward()
    still = [key for key, value in net.named_parameters() if value.grad is None or not bool(value.grad.any())]
    assert still == []


@pytest.mark.parametrize("name", TINY)
def test_tiles_equal_the_whole(name, rng):
    net, picture = random_baseline(name), rng.random((83, 71, 3), dtype=np.float32)
    whole, tiled = (derain(net, picture, tile=tile, batch=3, device="cpu") for tile in (0, 32))
    assert np.abs(whole.background - picture).mean() > 1e-3
    np.testing.assert_allclose(tiled.background, whole.background, atol=1e-5)
    np.testing.assert_allclose(tiled.rain, whole.rain, atol=1e-5)
    if net.has_attention:
        np.testing.assert_allclose(tiled.attention, whole.attention, atol=1e-5)


@pytest.mark.parametrize(("name", "config"), VARIANTS)
def test_pictures_of_a_batch_do_not_see_each_other(name, config):
    net, rainy = random_baseline(name, **config), torch.rand(3, 3, 11, 17)
    with torch.no_grad():
        batch = net.layers(rainy).removed
        alone = torch.cat([net.layers(each[None]).removed for each in rainy])
        # Nor does it matter how they lie in memory.
        last = net.to(memory_format=torch.channels_last).layers(rainy.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(alone, batch, atol=1e-5, rtol=0)
    torch.testing.assert_close(last.removed, batch, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", TINY)
def test_half_precision_is_close(name):
    net, rainy = random_baseline(name), torch.rand(1, 3, 24, 24)
    with torch.no_grad():
        exact = net.layers(rainy).removed
        with torch.autocast("cpu", torch.bfloat16):
            rounded = net.layers(rainy).removed
    # 8 bits of mantissa, over a handful of convolutions.
    assert float((rounded - exact).abs().max()) < 0.05 * float(exact.abs().max())


@pytest.mark.parametrize(
    ("name", "config", "message"),
    [
        ("prenet", {"stages": 65}, "`stages` must be at most 64, got 65"),
        ("prenet", {"blocks": 0}, "`blocks` must be"),
        ("prenet", {"features": 1.5}, "`features` must be a whole number of at least 1, got 1.5"),
        ("prenet", {"recurrent": "gru"}, "`recurrent` must be one of lstm, none, got 'gru'"),
        ("prenet", {"variance": "first"}, "`variance` must be one of none, last, every, got 'first'"),
        ("ddn", {"radius": 1025}, "`radius` must be at most 1024, got 1025"),
        ("ddn", {"epsilon": 0}, "`epsilon` must be a finite number above 0, got 0"),
        ("ddn", {"norm_epsilon": float("nan")}, "`norm_epsilon` must be a finite number above 0, got nan"),
        ("ddn", {"epsilon": True}, "`epsilon` must be a finite number above 0, got True"),
        ("jorder", {"passes": 65}, "`passes` must be at most 64, got 65"),
        ("jorder", {"channels": -1}, "`channels` must be"),
    ],
)
def test_configs_that_make_no_network_are_refused(name, config, message):
    with pytest.raises(ValueError, match=message):
        entry_of(name).model.Config(**config)
