import pytest
import torch

from rainnet import create
from rainnet.models.udgnet import PRESETS, AngleNet, UDGNetConfig

TINY = {"features": 4, "blocks": 2, "angle_features": 4, "angle_stages": 2}


@pytest.fixture
def net():
    """A tiny network whose layers are not the zeros that it begins with."""
    torch.manual_seed(3)
    network = create("udgnet", **TINY, rain_from_input=False)
    for stream in (network.image_stream, network.rain_stream):
        torch.nn.init.normal_(stream.last.weight, std=0.05)
    return network


@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (2, 3, 17, 23), (1, 3, 8, 40)])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_layers_are_shaped_as_the_pictures(shape, stride):
    result = create("udgnet", **TINY, stride=stride)(torch.rand(shape))
    assert result.background.shape == result.rain.shape == shape
    assert result.angle.shape == shape[:1]


def test_every_parameter_has_a_gradient(net):
    result = net(torch.rand(2, 3, 24, 24) * 0.5 + 0.25)
    (result.background.square().sum() + result.rain.square().sum()).backward()
    missing = [name for name, p in net.named_parameters() if p.grad is None or not bool((p.grad != 0).any())]
    assert missing == []


def test_a_fresh_network_leaves_pictures_as_they_are():
    rainy = torch.rand(1, 3, 20, 20)
    result = create("udgnet", **TINY)(rainy, torch.tensor([13.0]))
    assert torch.equal(result.background, rainy)


def test_rain_can_be_predicted_as_what_is_left_of_the_input():
    rainy = torch.rand(1, 3, 16, 16)
    assert torch.equal(create("udgnet", **TINY, rain_from_input=True).layers(rainy).rain, rainy)
    assert torch.equal(create("udgnet", **TINY, rain_from_input=False).layers(rainy).rain, torch.zeros_like(rainy))


def test_the_angle_may_be_given(net):
    rainy = torch.rand(2, 3, 20, 20)
    found = net(rainy)
    given = net(rainy, found.angle)
    torch.testing.assert_close(given.background, found.background)
    assert not torch.allclose(net(rainy, found.angle + 20).background, found.background)


@pytest.mark.parametrize("along", [(1,), (1, 3)])
@pytest.mark.parametrize("stride", [1, 2])
def test_nothing_beyond_its_reach_changes_an_output(along, stride):
    torch.manual_seed(0)
    network = create("udgnet", **TINY, stride=stride, along=along).double()
    torch.nn.init.normal_(network.image_stream.last.weight)
    rainy = torch.rand(1, 3, 96, 96, dtype=torch.float64, requires_grad=True)
    network.layers(rainy).removed[0, 0, 48, 48].backward()
    seen = rainy.grad[0].abs().sum(0).nonzero()
    distance = (seen - 48).abs().max()
    assert network.reach - network.multiple <= int(distance) <= network.reach


def test_it_is_as_large_as_the_paper_says():
    size = 4 * sum(p.numel() for p in create("udgnet").parameters()) / 1e6
    assert 5.6 < size < 6.0  # Yu et al. 2021, Table 3: 5.7 MB
    assert PRESETS["paper"] == UDGNetConfig()


@torch.no_grad()
def test_the_angle_network_stays_within_its_range():
    network = AngleNet(UDGNetConfig(angle_features=4, angle_stages=3))
    torch.nn.init.constant_(network.last.bias, 100.0)
    assert float(network(torch.rand(1, 3, 2, 3))) == pytest.approx(-45)
    torch.nn.init.constant_(network.last.bias, -100.0)
    assert float(network(torch.rand(1, 3, 50, 30))) == pytest.approx(45)


def test_a_shape_that_is_no_batch_is_refused(net):
    with pytest.raises(ValueError, match=r"`rainy` must be \(N, 3, H, W\), got shape \(3, 8, 8\)"):
        net(torch.rand(3, 8, 8))
    with pytest.raises(ValueError, match=r"got shape \(1, 1, 8, 8\)"):
        net(torch.rand(1, 1, 8, 8))
    with pytest.raises(TypeError, match=r"`rainy` must be a tensor .*, got float"):
        net(3.0)


@pytest.mark.parametrize(("field", "value"), [("blocks", 0), ("stride", 1.5), ("rain_blocks", 0), ("along", ())])
def test_a_config_that_makes_no_network_is_refused(field, value):
    with pytest.raises((ValueError, TypeError), match=field):
        UDGNetConfig(**{field: value})


def test_one_angle_stands_for_all_pictures(net):
    rainy = torch.rand(2, 3, 20, 24)
    expected = net(rainy, torch.tensor([5.0, 5.0])).background
    for angle in (5, 5.0, torch.tensor(5), torch.tensor([5.0])):
        assert torch.equal(net(rainy, angle).background, expected)


@pytest.mark.parametrize(
    ("angle", "kind", "message"),
    [
        (torch.tensor([1.0, 2.0, 3.0]), ValueError, r"degrees for each of 2 pictures, \(2,\), .* got shape \(3,\)"),
        ("solver", TypeError, "a tensor \\(N,\\) of degrees, or one number, got str"),
        (True, TypeError, "got bool"),
        (95.0, ValueError, "must be in \\(-90, 90\\] degrees"),
        (torch.tensor([10.0, 80.0]), ValueError, "both steeper and flatter than 45 degrees"),
    ],
)
def test_what_is_no_angle_of_a_batch_is_told(net, angle, kind, message):
    with pytest.raises(kind, match=message):
        net(torch.rand(2, 3, 20, 24), angle)
