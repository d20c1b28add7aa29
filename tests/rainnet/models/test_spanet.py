"""SPANet as a network of the house."""

import logging

import numpy as np
import pytest
import torch
from torch.nn import functional as F

import rainnet
from benchmarks.networks.released_spanet import released_block, released_parameters
from rainnet.models.irnn import Recurrence, recurrence_reference
from rainnet.models.spanet import DilatedBlock, SPANetConfig, _swept
from rainopt.arrays import kernel
from tests.support.udgnet import random_udgnet

TINY = {"features": 4, "stages": 2, "blocks": 1}


def random_spanet(seed=0, **config):
    torch.manual_seed(seed)
    return rainnet.create("spanet", **(TINY | config)).eval()


def test_the_papers_network_has_as_many_parameters_as_the_released_one():
    released = sum(value.numel() for value in released_parameters().values())
    assert sum(value.numel() for value in rainnet.create("spanet").parameters()) == released
    own = rainnet.create("spanet", shared_sam=False)
    assert len(own.sams) == 4
    assert len(rainnet.create("spanet", attention=False).sams) == 0


def test_a_block_is_the_released_one():
    state, block, x = released_parameters(), DilatedBlock(32), torch.rand(1, 32, 9, 7)
    for name, weight in zip(("first", "second", "third"), ("conv1", "conv2", "conv3"), strict=True):
        getattr(block, name).weight.data = state[f"res_block1.group1.{weight}.weight"]
    with torch.no_grad():
        where = torch.rand(1, 1, 9, 7)
        expected = released_block(state, 1, x)
        torch.testing.assert_close(block(x), F.relu(x + expected))
        torch.testing.assert_close(block(x, where), F.relu(x + where * expected))


def test_direction_attention_counts_in_the_papers_network_and_not_in_the_released():
    images = torch.rand(1, 3, 12, 10)
    for kind, differs in (("paper", True), ("released", False)):
        net = random_spanet(direction_attention=kind)
        with torch.no_grad():
            before = net.layers(images).attention
            # Weights of a half everywhere, and nothing comes from above and below.
            net.sams[0].directions.last.weight.zero_()
            net.sams[0].directions.last.bias.copy_(torch.tensor([-50.0, 0, -50, 0]))
            after = net.layers(images).attention
        assert torch.equal(before, after) != differs


def test_what_is_weighed_by_one_is_what_is_not_weighed():
    images, state = torch.rand(1, 3, 12, 10), random_spanet().state_dict()
    state["sams.0.directions.last.bias"] += 100
    maps = []
    for kind in ("paper", "released"):
        net = random_spanet(direction_attention=kind)
        net.load_state_dict(state)
        with torch.no_grad():
            maps.append(net(images).attention)
    torch.testing.assert_close(*maps)


def test_the_map_lies_between_zero_and_one_and_only_networks_with_attention_have_it():
    images = torch.rand(2, 3, 7, 9)
    with torch.no_grad():
        found = random_spanet()(images)
        none = random_spanet(attention=False)
        assert none(images).attention is None
    assert found.attention.shape == (2, 1, 7, 9)
    assert 0 <= float(found.attention.min()) < float(found.attention.max()) <= 1
    assert (random_spanet().has_attention, none.has_attention) == (True, False)


def test_all_of_the_picture_counts():
    net, image = random_spanet().double(), torch.rand(1, 3, 40, 30, dtype=torch.float64)
    with torch.no_grad():
        for part in (net.sams[0].first, net.sams[0].second):
            part.alpha.fill_(1)
        change = image.clone()
        change[..., -1, -1] = 1 - change[..., -1, -1]
        maps = [net.layers(each).attention[0, 0, 0, 0] for each in (image, change)]
    assert float(maps[0]) != float(maps[1])
    assert net.reach is None


def test_every_parameter_of_every_kind_learns():
    for config in ({}, {"shared_sam": False}, {"attention": False}, {"residual": True}):
        net = random_spanet(**config).train()
        torch.nn.init.normal_(net.last.weight, std=0.1)
        layers = net.layers(torch.rand(1, 3, 16, 16))
        layers.removed.square().sum().backward()
        assert [name for name, value in net.named_parameters() if value.grad is None] == []


def test_a_residual_network_begins_with_the_picture_as_it_is():
    images = torch.rand(1, 3, 8, 8)
    assert torch.equal(random_spanet(residual=True)(images).background, images)


def test_derain_gives_the_map_of_the_whole_picture(rng, caplog):
    net, image = random_spanet(), rng.random((70, 45, 3), dtype=np.float32)
    result = rainnet.derain(net, image, unit=1.0, device="cpu")
    with torch.no_grad():
        whole = net(torch.from_numpy(image).permute(2, 0, 1)[None])
    np.testing.assert_allclose(result.attention, whole.attention[0, 0], atol=1e-5)
    np.testing.assert_allclose(result.background, whole.background[0].permute(1, 2, 0), atol=1e-5)
    assert result.angle is None
    mirrored = rainnet.derain(net, image[:, ::-1], unit=1.0, ensemble=2, device="cpu").attention[:, ::-1]
    both = rainnet.derain(net, image, unit=1.0, ensemble=2, device="cpu").attention
    np.testing.assert_allclose(mirrored, both, atol=1e-5)
    with caplog.at_level(logging.WARNING):
        tiled = rainnet.derain(net, image, unit=1.0, tile=32, device="cpu").attention
    assert tiled.shape == (70, 45)
    assert "sees pictures whole" in caplog.text


def test_networks_without_a_map_give_none(rng):
    image = rng.random((30, 20, 3), dtype=np.float32)
    assert rainnet.derain(random_spanet(attention=False), image).attention is None
    assert rainnet.derain(random_udgnet(), image, angle=0.0).attention is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"features": 5}, "`features` must be even, got 5"),
        ({"stages": 65}, "`stages` must be at most 64, got 65"),
        ({"blocks": 0}, "`blocks` must be"),
        ({"direction_attention": "none"}, "`direction_attention` must be one of paper, released, got 'none'"),
    ],
)
def test_configs_that_make_no_network_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        SPANetConfig(**config)


@pytest.mark.parametrize("shape", [(1, 3, 5, 7), (2, 4, 1, 9), (1, 8, 9, 1), (1, 1, 40, 70)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_sweeps_with_channels_last_are_those_of_the_reference(shape, dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator, dtype=dtype).contiguous(memory_format=torch.channels_last)
    sweeps = Recurrence(shape[1]).to(dtype)
    with torch.no_grad():
        sweeps.alpha.copy_(torch.rand(4, shape[1], generator=generator) * 1.4 - 0.4)
        sweeps.beta.copy_(torch.randn(4, shape[1], generator=generator) / 4)
        for picture in (x, x.where(torch.rand(shape, generator=generator) > 0.02, torch.nan)):
            found = _swept(sweeps, picture.contiguous(memory_format=torch.channels_last))
            expected = recurrence_reference(picture, sweeps.alpha, sweeps.beta)
            torch.testing.assert_close(found, expected, equal_nan=True)
            assert found.is_contiguous(memory_format=torch.channels_last)
    assert kernel("irnn_last", x, sweeps.alpha.detach()) is not None
