"""DDN: what it sees of a picture, and its normalisation."""

import torch

from tests.support.baselines import random_baseline


@torch.no_grad()
def test_statistics_are_learnt_in_training_alone():
    net, rainy = random_baseline("ddn"), torch.rand(2, 3, 12, 10)
    before = {name: value.clone() for name, value in net.named_buffers()}
    net.layers(rainy)
    assert all(torch.equal(before[name], value) for name, value in net.named_buffers())
    net.train().layers(rainy)
    assert not any(torch.equal(before[name], value) for name, value in net.named_buffers())
    torch.testing.assert_close(
        net.head.norm.running_mean,
        0.99 * before["head.norm.running_mean"] + 0.01 * net.head.conv(_detail(net, rainy)).mean(dim=(0, 2, 3)),
    )


@torch.no_grad()
def test_light_that_changes_slowly_is_not_seen():
    # What the guided filter keeps whole cannot change what is removed.
    net, rainy = random_baseline("ddn", epsilon=1e3).double(), torch.rand(1, 3, 30, 30, dtype=torch.float64) / 2
    removed, inner = net.layers(rainy).removed, (..., slice(9, -9), slice(9, -9))
    torch.testing.assert_close(net.layers(rainy + 0.3).removed, removed)
    ramp = torch.linspace(0, 0.1, 30, dtype=torch.float64)
    torch.testing.assert_close(net.layers(rainy + ramp).removed[inner], removed[inner], atol=1e-4, rtol=0)


@torch.no_grad()
def test_normalisations_are_part_of_the_convolutions():
    # A network without them whose convolutions are scaled and shifted accordingly is the same.
    normalised, plain = (random_baseline("ddn", normalised=normalised) for normalised in (True, False))
    for convolution in ("head", "blocks.0.0", "blocks.0.1", "last"):
        ours, theirs = normalised.get_submodule(convolution), plain.get_submodule(convolution)
        fused = torch.nn.utils.fuse_conv_bn_eval(ours.conv, ours.norm)
        theirs.conv.load_state_dict(fused.state_dict())
    rainy = torch.rand(1, 3, 12, 10)
    torch.testing.assert_close(normalised.layers(rainy).removed, plain.layers(rainy).removed, atol=1e-5, rtol=1e-5)


def _detail(net, rainy):
    from rainnet.models.guided import guided_filter

    return rainy - guided_filter(rainy, net.config.radius, net.config.epsilon)
