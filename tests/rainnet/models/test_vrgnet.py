"""VRGNet: a derainer, codes, and rain of codes."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.models.critic import Critic, SelfAttention
from rainnet.models.rainfield import ABOVE, BESIDE, RainField, draw_field
from rainnet.models.vrgnet import Codes, VRGNet, VRGNetConfig

TINY: dict[str, int] = {"features": 4, "latent": 6, "side": 16, "stages": 2, "blocks": 1, "derainer": 4}


@pytest.fixture(params=["vrgnet", "rainfield"])
def net(request):
    torch.manual_seed(0)
    return rainnet.create(request.param, **TINY)


def test_codes_and_rain_have_the_size_of_the_patches(net):
    patches = torch.rand(3, 3, 16, 16)
    codes = net.codes(patches)
    assert codes.mean.shape == codes.log_variance.shape
    assert codes.mean.shape == ((3, 6) if net.name == "vrgnet" else (3, 6, 4, 16))
    rain = net.rain(codes.draw())
    assert rain.shape == patches.shape
    assert float(rain.detach().min()) >= 0


def test_codes_are_drawn_around_their_mean():
    torch.manual_seed(0)
    net = rainnet.create("vrgnet", **TINY)
    codes = net.codes(torch.rand(1, 3, 16, 16))
    many = Codes(codes.mean.expand(4000, -1), torch.full((4000, 6), np.log(0.25)))
    drawn = many.draw()
    torch.testing.assert_close(drawn.mean(0), codes.mean[0], atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std(0), torch.full((6,), 0.5), atol=0.05, rtol=0)


def test_it_derains_by_the_mean_of_its_background(net):
    for parameter in net.background.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    pictures = torch.rand(1, 3, 20, 24)
    with torch.no_grad():
        found = net.backgrounds(pictures)
        torch.testing.assert_close(pictures - net.layers(pictures).removed, found.stages[-1])
    assert found.log_variance.shape == pictures.shape
    assert net.directional == isinstance(net, RainField)


def test_an_untrained_derainer_is_as_sure_as_pairs_are_exact():
    found = rainnet.create("vrgnet", **TINY).backgrounds(torch.rand(1, 3, 8, 8))
    torch.testing.assert_close(found.log_variance.exp(), torch.full((1, 3, 8, 8), 1e-6))


def test_the_papers_sizes():
    net = rainnet.create("vrgnet")
    widths = [conv.out_channels for conv in net.encoder.halvings]
    assert (widths, net.encoder.whole.out_channels, net.encoder.last.out_features) == ([32, 64, 128, 256], 512, 256)
    assert net.rain(torch.randn(1, 128)).shape == (1, 3, 64, 64)
    assert net.background.config == rainnet.create("prenet", preset="variance").config


@pytest.mark.parametrize("halvings", [2, 3, 4])
def test_a_field_that_moves_by_a_cell_moves_the_rain_by_its_pixels(halvings):
    torch.manual_seed(0)
    net = rainnet.create("rainfield", **TINY | {"side": 4 << halvings}).double()
    field = draw_field(net.config, 10 * net.cell - 1, 40, torch.Generator().manual_seed(1)).double()
    assert field.shape == (1, 6, 10 + 2 * ABOVE, 40 + 2 * BESIDE)
    net.generator.last.bias.data.fill_(0.1)  # so that it rains
    with torch.no_grad():
        whole = net.rain_of_field(field)
        moved = net.rain_of_field(field[..., 1:, 2:])
    assert whole.shape[-2:] == (10 * net.cell, 40)
    assert float(whole.std()) > 0
    # To the last digit, at its border as well: what the margin leaves out is all that the border changes.
    torch.testing.assert_close(moved, whole[..., net.cell :, 2:], rtol=0, atol=1e-12)


def test_common_numbers_are_the_same_in_all_cells():
    torch.manual_seed(0)
    net, patches = rainnet.create("rainfield", **TINY, common=2), torch.rand(3, 3, 16, 16)
    codes = net.codes(patches)
    for field in (codes.mean, codes.log_variance, codes.draw(), net.draw_codes(3), draw_field(net.config, 20, 30)):
        spread = field.detach().flatten(2).std(2)
        assert float(spread[:, :2].max()) < 1e-6
        assert float(spread[:, 2:].min()) > 0
    told = draw_field(net.config, 20, 30, common=torch.tensor([3.0, -2.0]))
    assert told[0, :2, 1, 2].tolist() == [3, -2]
    with pytest.raises(ValueError, match="`common` must be at most 6, got 7"):
        rainnet.create("rainfield", **TINY, common=7)


def test_every_parameter_learns(net):
    critic = Critic(16, 3, 4)
    zeros = [net.background.last.weight, net.background.final.weight, *(block.gain for block in critic.attention)]
    for parameter in zeros:
        torch.nn.init.normal_(parameter, std=0.1)
    pictures = torch.rand(2, 3, 16, 16)
    found, codes = net.backgrounds(pictures), net.codes(pictures)
    fake = found.stages[-1] + net.rain(codes.draw())
    (critic(fake).sum() + found.log_variance.sum()).backward()
    parameters = [*net.named_parameters(), *critic.named_parameters()]
    assert [name for name, value in parameters if value.grad is None or not value.grad.any()] == []


def test_attention_is_the_mean_over_all_places_by_likeness():
    torch.manual_seed(0)
    block, x = SelfAttention(8).double(), torch.rand(1, 8, 3, 4, dtype=torch.float64)
    assert torch.equal(block(x), x)
    block.gain.data.fill_(0.7)
    places = x[0].flatten(1).T  # (12, 8)

    def seen(part):
        return places @ part.weight[:, :, 0, 0].T + (0 if part.bias is None else part.bias)

    expected = places.clone()
    for k, query in enumerate(seen(block.query)):
        likeness = torch.stack([(query * key).sum() for key in seen(block.key)]).exp()
        expected[k] += 0.7 * (likeness[:, None] * seen(block.value)).sum(0) / likeness.sum()
    torch.testing.assert_close(block(x)[0].flatten(1).T, expected)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"side": 48}, "`side` must be a power of two of at least 16, got 48"),
        ({"side": 8}, "`side` must be a power of two"),
        ({"latent": 0}, "`latent` must be"),
        ({"features": 1025}, "`features` must be at most 1024, got 1025"),
    ],
)
def test_configs_that_make_no_network_are_refused(config, message):
    with pytest.raises(ValueError, match=message):
        VRGNetConfig(**config)


def test_authors_derainers_are_its_background(net):
    other = rainnet.create("prenet", features=4, stages=2, blocks=1, variance="last")
    net.background.load_state_dict(other.state_dict())
    assert isinstance(net, VRGNet)
