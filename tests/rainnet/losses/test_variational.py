"""Divergences of normal distributions, and the critic's game."""

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from rainnet.losses.variational import LEAST, MOST, bounded, kl_around, kl_standard
from rainnet.losses.wasserstein import critic_loss, generator_loss, gradient_penalty


@pytest.fixture
def normals():
    generator = torch.Generator().manual_seed(0)
    mean, log_variance, centre = torch.randn(3, 4, 5, generator=generator, dtype=torch.float64)
    return mean, 2 * log_variance, centre


def test_divergences_are_those_of_torch(normals):
    mean, log_variance, centre = normals
    found = Normal(mean, (0.5 * log_variance).exp())
    torch.testing.assert_close(kl_standard(mean, log_variance), kl_divergence(found, Normal(0.0, 1.0)))
    for variance in (1e-6, 0.3, 7.0):
        prior = Normal(centre, variance**0.5)
        torch.testing.assert_close(kl_around(mean, log_variance, centre, variance), kl_divergence(found, prior))


def test_divergences_vanish_where_the_distributions_agree():
    zero = torch.zeros(3)
    assert torch.equal(kl_standard(zero, zero), zero)
    near = kl_around(torch.full((3,), 0.4), torch.full((3,), 0.01).log(), torch.full((3,), 0.4), 0.01)
    torch.testing.assert_close(near, zero)


def test_logarithms_beyond_the_bounds_are_held_and_teach_nothing():
    beyond = torch.tensor([-100.0, 0.0, 100.0], requires_grad=True)
    held = bounded(beyond)
    torch.testing.assert_close(held, torch.tensor([LEAST, 0.0, MOST]))
    held.sum().backward()
    assert beyond.grad.tolist() == [0, 1, 0]


def test_what_one_wins_the_other_loses():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.5, -0.5])
    assert float(critic_loss(real, fake)) == -2
    assert float(generator_loss(fake)) == 0
    assert float(critic_loss(real, fake) + generator_loss(fake)) == -float(real.mean())


@pytest.mark.parametrize("slope", [0.0, 1.0, 3.0])
def test_a_plane_is_penalised_for_its_slope_wherever_it_is_looked_at(slope):
    weights = torch.randn(3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    weights = (slope * weights / weights.norm()).requires_grad_()
    real, fake = torch.rand(2, 5, 3, 4, 4, dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (weights * x).sum(dim=(1, 2, 3)), real, fake)
    torch.testing.assert_close(penalty, torch.tensor((slope - 1) ** 2, dtype=torch.float64))
    # And it teaches the critic.
    (teaches,) = torch.autograd.grad(penalty, weights)
    assert bool(teaches.abs().sum() > 0) == (slope not in (0.0, 1.0))
