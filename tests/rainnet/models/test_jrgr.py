"""JRGR and its U-Nets: what is found, translated and put back, and how far a pixel sees."""

import pytest
import torch

import rainnet
from rainnet.models.jrgr import PARTS, JRGRConfig
from rainnet.models.unet import UNet


def a_network(**config):
    torch.manual_seed(0)
    return rainnet.create("jrgr", **{"features": 4, "depth": 2, **config}).eval()


def pictures(height=16, width=16):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 2, 3, height, width, generator=generator)


def test_maps_are_doubled_up_to_eight_times():
    with torch.device("meta"):
        net = UNet()
    assert [part[0].out_channels for part in net.halvings] == [128, 256, 512, 512]
    assert [part.out_channels for part in net.enlargements] == [512, 256, 128, 64]
    assert [part[0].in_channels for part in net.mergers] == [1024, 512, 256, 128]


@pytest.mark.parametrize(("features", "depth"), [(16, 3), (8, 5)])
def test_maps_do_not_fade_and_an_untrained_network_finds_a_little(features, depth):
    torch.manual_seed(0)
    net, seen = UNet(3, features, depth), []
    net.last.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.no_grad():
        found = net(torch.rand(2, 3, 64, 64))
    assert 0.2 < float(seen[0].square().mean().sqrt()) < 5
    assert 1e-4 < float(found.std()) < 0.1


def test_a_pixel_sees_no_farther_than_is_said():
    net = UNet(1, 2, 2).double()
    for parameter in net.parameters():
        parameter.data.abs_()  # so that no ReLU closes
    side = 4 * (net.reach // 2 + 2)
    picture = torch.rand(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    far = 0
    for place in range(side // 2, side // 2 + 4):  # of all places between two pixels of the smallest map
        (slope,) = torch.autograd.grad(net(picture)[0, 0, place, place], picture)
        far = max(far, int((slope.abs().sum((0, 1)).nonzero() - place).abs().max()))
    assert net.reach - 4 <= far <= net.reach


@torch.no_grad()
def test_both_loops_are_made_of_the_four_networks():
    net, (synthetic, real) = a_network(), pictures()
    F_s, G_r, F_r, G_s = (getattr(net, name) for name in PARTS)
    found = net.translated(synthetic, real)
    for loop, O, removal, generation, other, back in (
        (found.synthetic, synthetic, F_s, G_r, F_r, G_s),
        (found.real, real, F_r, G_s, F_s, G_r),
    ):
        R = removal(O)
        made_rain = R + generation(R)
        made = O - R + made_rain
        found_rain = other(made)
        again_rain = found_rain + back(found_rain)
        expected = (O, R, O - R, made_rain, made, found_rain, made - found_rain, again_rain)
        for ours, theirs in zip(loop, (*expected, made - found_rain + again_rain), strict=True):
            torch.testing.assert_close(ours, theirs)
    layers = net.layers(real)
    assert torch.equal(layers.removed, found.real.rain)


@torch.no_grad()
def test_where_nothing_is_found_every_picture_is_its_own_background():
    net, (synthetic, real) = a_network(), pictures()
    for name in PARTS:
        getattr(net, name).last.weight.zero_()
    shown = net.translated(synthetic, real).pictures()
    assert len(shown) == 10
    for number, (name, picture) in enumerate(shown.items()):
        assert torch.equal(picture, real if number < 5 else synthetic), name


@torch.no_grad()
def test_pictures_of_any_size_are_translated():
    net, (synthetic, real) = a_network(), pictures(13, 10)
    found = net.translated(synthetic, real)
    assert {tuple(each.shape) for loop in found for each in loop} == {(2, 3, 13, 10)}
    assert net(real).background.shape == (2, 3, 13, 10)
    torch.testing.assert_close(net(real).background, found.real.background.clamp(0, 1))


@torch.no_grad()
def test_made_rain_is_laid_over_the_clean_picture():
    net, (rainy, clean) = a_network(), pictures(13, 10)
    loop = net.translated(rainy, rainy).synthetic
    torch.testing.assert_close(net.real_rain(rainy), loop.made_rain)
    torch.testing.assert_close(net.made_real(rainy), loop.made.clamp(0, 1))
    torch.testing.assert_close(net.made_real(rainy, clean), (clean + loop.made_rain).clamp(0, 1))
    with pytest.raises(ValueError, match=r"`clean` must have the shape of `synthetic`, \(2, 3, 13, 10\), got"):
        net.made_real(rainy, clean[..., :-1])


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"features": 0}, "`features` must be a whole number of at least 1"),
        ({"features": 513}, "`features` must be at most 512, got 513"),
        ({"depth": 7}, "`depth` must be at most 6, got 7"),
    ],
)
def test_configs_that_make_no_network_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        JRGRConfig(**config)
