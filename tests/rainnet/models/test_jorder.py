"""JORDER-E: passes, the mask, and what the paths of a block count."""

import torch
from torch.nn import functional as F

import rainnet
from rainnet.models.jorder import CONTEXT, PATHS, _Block
from tests.support.baselines import random_baseline


@torch.no_grad()
def test_the_map_lies_between_zero_and_one_and_only_networks_with_attention_have_it(rng):
    rainy = torch.rand(2, 3, 7, 9)
    net, without = random_baseline("jorder"), random_baseline("jorder", attention=False)
    where = net(rainy).attention
    assert where.shape == (2, 1, 7, 9)
    assert 0 < float(where.min()) < float(where.max()) < 1
    torch.testing.assert_close(where, torch.sigmoid(net.found(rainy)[-1].mask.diff(dim=1)))
    assert without(rainy).attention is None
    assert (net.has_attention, without.has_attention) == (True, False)
    image = rng.random((30, 20, 3))
    assert rainnet.derain(net, image, device="cpu").attention.shape == (30, 20)
    assert rainnet.derain(without, image, device="cpu").attention is None


@torch.no_grad()
def test_a_network_of_one_pass_is_the_first_of_two():
    two, one = random_baseline("jorder"), random_baseline("jorder", seed=1, passes=1)
    one.load_state_dict({name: value for name, value in two.state_dict().items() if name.startswith("passes.0.")})
    rainy = torch.rand(1, 3, 9, 8)
    first, second = two.found(rainy)
    torch.testing.assert_close(one.found(rainy)[0], first)
    torch.testing.assert_close(rainy - two.layers(rainy).removed, second.background)


@torch.no_grad()
def test_a_second_pass_without_weights_repeats_the_mask_and_the_streaks():
    net = random_baseline("jorder")
    for part in (net.passes[1].mask, net.passes[1].streaks):
        for parameter in part.parameters():
            parameter.zero_()
    first, second = net.found(torch.rand(1, 3, 9, 8))
    assert torch.equal(second.mask, first.mask)
    assert torch.equal(second.streaks, first.streaks)


@torch.no_grad()
def test_a_block_adds_its_paths():
    torch.manual_seed(0)
    block, x = _Block(4), torch.randn(1, 4, 15, 14)
    expected = x.clone()
    for path, dilations, weight in zip(block.paths, PATHS, (1, CONTEXT, CONTEXT), strict=True):
        found = x
        for convolution, dilation in zip((path.first, path.second), dilations, strict=True):
            found = F.relu(F.conv2d(found, convolution.weight, convolution.bias, padding=dilation, dilation=dilation))
        expected += weight * found
    torch.testing.assert_close(block(x), expected)


@torch.no_grad()
def test_features_are_added_up_over_passes_and_scaled_and_shifted_by_what_is_found():
    net, rainy = random_baseline("jorder"), torch.rand(1, 3, 9, 8)
    first, second = net.found(rainy)
    one = net.passes[1]
    x = one.blocks[0](one.encoder(torch.cat((rainy, first.background), 1))) + first.features[0]
    torch.testing.assert_close(second.features[0], x)
    scale = one.mask_scale(second.mask) * one.streaks_scale(second.streaks)
    shift = one.mask_shift(second.mask) + one.streaks_shift(second.streaks)
    torch.testing.assert_close(second.background, rainy + one.decoder((1 + scale) * x + shift))
