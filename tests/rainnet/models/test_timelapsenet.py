"""TimeLapseNet: the tables of the paper, what clips, how maps are fused, and how far a pixel sees."""

import pytest
import torch
from torch.nn import functional as F

import rainnet
from rainnet.models.timelapsenet import TimeLapseNet, TimeLapseNetConfig


def a_network(**config):
    torch.manual_seed(0)
    return rainnet.create("timelapsenet", **{"features": 4, **config}).eval()


def widths(convolutions):
    return [(each.in_channels, each.out_channels, each.kernel_size[0]) for each in convolutions]


def test_the_papers_tables():
    with torch.device("meta"):
        net = TimeLapseNet(TimeLapseNetConfig(channels=1))
    for encoder, kernel in zip(net.encoders, (3, 5, 7), strict=True):
        found = [pair for scale in encoder.scales for pair in widths(scale)]
        pairs = [(1, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
        assert found == [(*pair, kernel) for pair in pairs]
    assert net.fusion.maker.weight.shape == (768 * 256, 768)
    coarse, middle, fine = (widths(part.convolutions) for part in net.decoder)
    assert coarse == [(1024, 256, 3), (256, 256, 3), (256, 256, 3), (256, 128, 3)]
    assert middle == [(512, 128, 3), (128, 128, 3), (128, 64, 3)]
    assert fine == [(256, 64, 3), (64, 64, 3), (64, 1, 3)]


@pytest.mark.parametrize("fusion", ["dynamic", "concat", "sum"])
def test_an_untrained_network_sees_a_little_of_everything(fusion):
    # Nothing at all is what absolute distances would never let go of; and maps must not fade from layer to layer.
    net = a_network(fusion=fusion, features=8)
    with torch.no_grad():
        streaks = net.streaks(torch.rand(1, 3, 32, 32))
    assert 0.005 < float(streaks.std()) < 0.5


@torch.no_grad()
def test_rain_is_taken_from_all_channels_and_backgrounds_are_clipped_at_zero():
    net, picture = a_network(), torch.rand(2, 3, 16, 24)
    layers = net.layers(picture)
    streaks = net.streaks(picture)
    assert streaks.shape == (2, 1, 16, 24)
    torch.testing.assert_close(picture - layers.removed, (picture - streaks).clamp(min=0))
    dark = picture * (picture > 0.5)
    assert float((dark - net.layers(dark).removed).min()) >= 0
    net.decoder[-1].convolutions[-1].bias.fill_(5.0)
    assert not (picture - net.layers(picture).removed).any()


def test_the_dynamic_filter_is_a_convolution_by_a_filter_of_each_pictures_means():
    net = a_network()
    maps = [torch.rand(2, 16, 3, 5) for _ in range(3)]
    fused = net.fusion(maps)
    together = torch.cat(maps, 1)
    for k in range(2):
        filters = F.linear(together[k].mean((1, 2)), net.fusion.maker.weight, net.fusion.maker.bias)
        expected = F.conv2d(together[k : k + 1], filters.view(16, 48, 1, 1))
        torch.testing.assert_close(fused[k : k + 1], expected)
    # Another picture in the batch changes nothing.
    torch.testing.assert_close(net.fusion([each[:1] for each in maps]), fused[:1])


def test_other_fusions():
    maps = [torch.rand(1, 16, 2, 2) for _ in range(3)]
    torch.testing.assert_close(a_network(fusion="sum").fusion(maps), maps[0] + maps[1] + maps[2])
    torch.testing.assert_close(a_network(fusion="product").fusion(maps), maps[0] * maps[1] * maps[2])
    dynamic, concat = a_network().fusion, a_network(fusion="concat").fusion
    with torch.no_grad():
        dynamic.maker.weight.zero_()
        concat.filter.weight.copy_(dynamic.maker.bias.view(16, 48, 1, 1))
        concat.filter.bias.zero_()
    torch.testing.assert_close(dynamic(maps), concat(maps))


@pytest.mark.parametrize("kernel", [1, pytest.param(3, marks=pytest.mark.slow)])
def test_a_pixel_sees_no_farther_than_is_said(kernel):
    net = a_network(features=2, fusion="concat", kernel=kernel).double()
    for parameter in net.parameters():
        parameter.data.abs_()  # so that no ReLU closes
    side = 8 * (net.reach // 4 + 3)
    picture = torch.rand(1, 3, side, side, dtype=torch.float64, requires_grad=True)
    middle = side // 2
    far = 0
    for place in range(middle, middle + 8):  # of all places between two pixels of the smallest map
        (slope,) = torch.autograd.grad(net.streaks(picture)[0, 0, place, place], picture)
        seen = slope.abs().sum((0, 1)).nonzero()
        far = max(far, int((seen - place).abs().max()))
    assert net.reach - 8 <= far <= net.reach
    assert a_network().reach is None


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"kernel": 4}, "`kernel` must be odd, got 4"),
        ({"features": 0}, "`features` must be a whole number of at least 1"),
        ({"features": 513}, "`features` must be at most 512, got 513"),
        ({"fusion": "max"}, "`fusion` must be one of dynamic, concat, sum, product, got 'max'"),
    ],
)
def test_configs_that_make_no_network_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        TimeLapseNetConfig(**config)
