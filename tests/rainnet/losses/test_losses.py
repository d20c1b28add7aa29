import numpy as np
import pytest
import torch
from torch import nn

from rainnet.losses.adversarial import AdversarialLoss
from rainnet.losses.distill import SolverLoss, luminance
from rainnet.losses.energy import BoundsLoss, UDGLoss
from rainnet.losses.truth import TruthLoss
from rainopt import UDGWeights, solve_udg, udg_energy
from rainopt.image import luminance as rainopt_luminance
from rainopt.still.adaptive import Removal, solve_adaptive
from rainopt.still.colour import colour_of_rain, remove_layer

WEIGHTS = UDGWeights(0.3, 1.5, 1.1, 0.2, bounded=False)


@pytest.fixture
def layers():
    torch.manual_seed(1)
    return [torch.rand(2, 3, 7, 6, dtype=torch.float64) for _ in range(3)]


def test_the_loss_is_the_energy(layers):
    expected = udg_energy(*layers, WEIGHTS).sum() / layers[0].numel()
    assert float(UDGLoss(WEIGHTS)(*layers)) == pytest.approx(float(expected), rel=1e-15)


def test_its_gradient_is_that_of_finite_differences(layers):
    O, B, R = layers
    inputs = (B.requires_grad_(), R.requires_grad_())
    assert torch.autograd.gradcheck(lambda b, r: UDGLoss(WEIGHTS)(O, b, r), inputs)


@pytest.mark.parametrize("terms", [("self", "image", "rain"), ("image",)])
def test_layers_of_mixed_precision_are_computed_on_in_float32(layers, terms):
    O, B, R = (layer.float() for layer in layers)
    loss = UDGLoss(WEIGHTS, terms)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = loss(O, B.bfloat16(), R.bfloat16())
    assert mixed.dtype == torch.float32
    assert torch.equal(mixed, loss(O, B.bfloat16().float(), R.bfloat16().float()))
    assert torch.equal(mixed, loss(O, B.bfloat16(), R.bfloat16()))


def test_the_terms_add_up(layers):
    parts = [UDGLoss(WEIGHTS, (term,))(*layers) for term in ("self", "image", "rain")]
    assert float(sum(parts)) == pytest.approx(float(UDGLoss(WEIGHTS)(*layers)), rel=1e-12)
    O, B, R = layers
    assert float(parts[0]) == pytest.approx(float((O - B - R).square().mean()) / 2, rel=1e-12)
    assert float(parts[1]) == pytest.approx(float(UDGLoss(WEIGHTS, ("image",))(R, B, O)), rel=1e-15)
    pair = UDGLoss(WEIGHTS, ("self", "rain"))(*layers)
    assert float(pair) == pytest.approx(float(parts[0] + parts[2]), rel=1e-12)


def test_minimising_the_loss_reaches_the_solver(rng):
    # The same energy by gradient descent on free layers and by the solver: one number in the end.
    O = torch.from_numpy(rng.random((1, 1, 6, 5)))
    weights = UDGWeights(0.02, 0.1, 0.05, 0.03, bounded=False)
    best = solve_udg(O, weights=weights, max_iter=4000, tol=1e-6)
    B, R = nn.Parameter(O.clone()), nn.Parameter(torch.zeros_like(O))
    adam = torch.optim.Adam([B, R], lr=1e-2)
    loss = UDGLoss(weights)
    for step in range(1500):
        adam.param_groups[0]["lr"] = 1e-2 * 0.995**step
        adam.zero_grad()
        value = loss(O, B, R)
        value.backward()
        adam.step()
    assert float(value.detach()) * O.numel() == pytest.approx(float(best.energy), rel=0.01)


@pytest.mark.parametrize("terms", [(), ("self", "rian")])
def test_unknown_terms_are_refused(terms):
    with pytest.raises(ValueError, match="`terms` must be some of self, image, rain"):
        UDGLoss(WEIGHTS, terms)


def test_bounds_cost_what_lies_outside():
    O = torch.full((1, 1, 1, 4), 0.5)
    R = torch.tensor([-0.1, 0.0, 0.5, 0.8]).reshape(O.shape)
    assert float(BoundsLoss()(O, R)) == pytest.approx((0.1 + 0.3) / 4)


def test_the_adversaries_want_opposite_things():
    loss, score = AdversarialLoss(), torch.tensor([0.3, -2.0], requires_grad=True)
    (wanted,) = torch.autograd.grad(loss(score), score)
    (feared,) = torch.autograd.grad(loss.discriminator(torch.ones(2), score), score)
    assert bool((wanted < 0).all())
    assert bool((feared > 0).all())
    assert float(loss(torch.zeros(3))) == pytest.approx(np.log(2))


def test_the_truth_costs_nothing_and_errors_rise():
    clean, rainy = torch.rand(2, 3, 8, 8) * 0.5, torch.rand(2, 3, 8, 8) * 0.5 + 0.5
    loss = TruthLoss()
    assert float(loss(clean, rainy - clean, clean, rainy)) == 0
    costs = [float(loss(clean + error, rainy - clean, clean, rainy)) for error in (0.001, 0.01, 0.1)]
    assert costs == sorted(costs)
    # As decibels do: ten times the error costs a fixed step more, wherever it is large.
    steps = [float(loss(clean + e, rainy - clean, clean, rainy)) for e in (0.05, 0.5, 5.0)]
    assert steps[2] - steps[1] == pytest.approx(steps[1] - steps[0], rel=0.1)


def test_one_bad_picture_does_not_decide_alone():
    clean = torch.zeros(2, 3, 8, 8)
    light, heavy = torch.full((3, 8, 8), 0.01), torch.full((3, 8, 8), 0.2)
    B = torch.stack([light, heavy]).requires_grad_()
    TruthLoss(0.0)(B, clean, clean, clean).backward()
    share = B.grad[0].abs().sum() / B.grad[1].abs().sum()
    assert float(share) > 5


def test_the_solver_loss_is_zero_at_the_solvers_own_layers(rng):
    O = torch.from_numpy(rng.random((2, 3, 24, 20))).float()
    loss = SolverLoss(iterations=30)
    target = loss.layers(O)
    for k in range(2):
        # As `rainopt.derain` does, for each picture alone.
        grey = luminance(O)[k, 0].contiguous()
        rain = solve_adaptive(grey, Removal(), 30, 0.0)[0].rain
        background, taken = remove_layer(O[k], rain, colour_of_rain(O[k], rain, (0.0,)).shares)
        assert torch.equal(target.background[k], background)
        assert torch.equal(target.rain[k, 0], taken)
        torch.testing.assert_close(grey, rainopt_luminance(O[k]))
    three = target.rain.expand(-1, 3, -1, -1)
    assert not loss.layers(O.clone().requires_grad_()).background.requires_grad
    assert float(loss(O, target.background, three)) == pytest.approx(0, abs=1e-6)
    assert float(loss(O, O, torch.zeros_like(O))) > 1e-4
