"""Directions that gradients of rain gather around: patterns of which the answer is known."""

import math

import pytest
import torch

from rainnet.models.directional import DirectionalGradients, gradients


def waves(*degrees, side=60, period=60.0):
    """Draw pictures of waves whose gradients have these directions, (count, 1, side, side)."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    parts = [
        torch.sin(2 * math.pi / period * (x * math.cos(math.radians(d)) + y * math.sin(math.radians(d))))
        for d in degrees
    ]
    return torch.stack(parts)[:, None]


def told(*degrees):
    """Return a network whose centres are given; which one counts is not."""
    torch.manual_seed(0)
    net = DirectionalGradients(len(degrees))
    with torch.no_grad():
        net.centres.copy_(torch.tensor(degrees).deg2rad())
    return net


@pytest.mark.parametrize("degrees", [0.0, 30.0, -75.0, 90.0])
def test_one_direction_costs_the_sine_of_what_the_centre_misses(degrees):
    picture = waves(degrees)
    gx, gy = gradients(picture)
    # Differences turn the direction a little; it is that of their mean square.
    found = 0.5 * math.degrees(math.atan2(float((2 * gx * gy).sum()), float((gx**2 - gy**2).sum())))
    assert abs((found - degrees + 90) % 180 - 90) < 6
    assert float(told(found)(picture).detach()) < 0.02
    for miss in (10, -40, 90):
        assert float(told(found + miss)(picture).detach()) == pytest.approx(abs(math.sin(math.radians(miss))), abs=0.02)


def test_a_line_has_no_sign():
    picture = waves(89.0)
    assert float(told(-89.0)(picture).detach()) < 0.1
    torch.testing.assert_close(told(-91.0)(picture), told(89.0)(picture))
    # As a number, -89 is far from 89.
    printed = DirectionalGradients(1, printed=True)
    with torch.no_grad():
        printed.centres.fill_(math.radians(-89))
        far = float(printed(picture))
    assert far > 1


def test_two_directions_are_learned():
    torch.manual_seed(1)
    picture = waves(-60.0, 20.0)
    net = DirectionalGradients(2)
    before = float(net(picture).detach().mean())
    optimiser = torch.optim.Adam(net.parameters(), lr=0.05)
    for _ in range(150):
        optimiser.zero_grad()
        cost = net(picture).mean()
        cost.backward()
        optimiser.step()
    assert float(cost.detach()) < 0.05 < before
    centres = sorted((math.degrees(c) + 90) % 180 - 90 for c in net.centres.tolist())
    assert centres == pytest.approx([-60, 20], abs=6)
    # One centre cannot be near both.
    assert min(float(told(float(c))(picture).detach().mean()) for c in range(-90, 90, 10)) > 0.3


def test_noise_without_direction_costs_the_mean_sine_for_any_centre():
    noise = torch.randn(1, 1, 200, 200, generator=torch.Generator().manual_seed(0))
    for _ in range(6):  # a bell in the end, as round as it gets
        noise = torch.nn.functional.avg_pool2d(noise, 3, stride=1)
    for degrees in (0.0, 33.0, 90.0, -45.0):
        assert float(told(degrees)(noise).detach()) == pytest.approx(2 / math.pi, abs=0.04)


def test_flat_rain_costs_nothing_and_has_a_derivative():
    for net in (told(0.0), told(10.0, 50.0)):
        flat = torch.full((2, 1, 8, 9), 0.3, requires_grad=True)
        cost = net(flat)
        cost.sum().backward()
        assert not cost.detach().any()
        assert torch.isfinite(flat.grad).all()
        assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def test_more_rain_of_the_same_direction_costs_the_same():
    torch.manual_seed(0)
    net, rain = told(0.0, 60.0), torch.rand(1, 1, 24, 24)
    torch.testing.assert_close(net(10 * rain), net(rain), rtol=1e-3, atol=0)
    both = net(torch.cat([rain, rain.flip(2)]))
    assert both.shape == (2,)
    torch.testing.assert_close(both[:1], net(rain))


def test_the_printed_form():
    torch.manual_seed(0)
    net, rain = DirectionalGradients(3, printed=True).double(), torch.rand(1, 1, 6, 7, dtype=torch.float64)
    gx, gy = (each[0, 0] for each in gradients(rain))
    theta = torch.atan(gy / gx)
    member = torch.nn.functional.conv2d(theta[None, None], net.filters.weight, net.filters.bias, padding=1)[0].softmax(
        0
    )
    member, theta = member.detach(), theta.detach()
    expected = sum(
        float(member[k, y, x] * abs(theta[y, x] - net.centres[k].item()))
        for k in range(3)
        for y in range(5)
        for x in range(6)
    )
    assert float(net(rain).detach()) == pytest.approx(expected / 30)


def test_there_is_a_centre():
    with pytest.raises(ValueError, match="`centres` must be at least 1, got 0"):
        DirectionalGradients(0)
