"""The recurrence in four directions, against itself as written, by hand, and under flips."""

import numpy as np
import pytest
import torch

from rainnet.models import irnn
from rainnet.models.irnn import DIRECTIONS, Recurrence, recurrence, recurrence_reference

SHAPES = [
    (2, 3, 7, 9),
    (1, 2, 1, 5),
    (1, 2, 5, 1),
    (0, 3, 4, 5),
    (1, 2, 0, 5),
    (1, 2, 5, 0),
    (2, 0, 3, 3),
    (1, 1, 9, 8),
]


def inputs(shape, dtype=torch.float64):
    made = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=made, dtype=dtype)
    alpha, beta = (0.4 * torch.randn(4, shape[1], generator=made, dtype=dtype) for _ in range(2))
    return x, alpha, beta


def gradients(function, tensors):
    leaves = [tensor.clone().requires_grad_() for tensor in tensors]
    out = function(*leaves)
    weights = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=out.dtype)
    found = torch.autograd.grad((out * weights).sum(), leaves, allow_unused=True, materialize_grads=True)
    return [out.detach(), *found]


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_and_its_gradient_are_those_of_the_reference(monkeypatch, shape, compiled):
    if not compiled:
        monkeypatch.setattr(irnn, "kernel", lambda *_: None)
    found, wanted = (gradients(function, inputs(shape)) for function in (recurrence, recurrence_reference))
    assert found[0].shape == (shape[0], 4 * shape[1], *shape[2:])
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_a_line_by_hand():
    x = torch.tensor([[1.0, -3.0, 2.0]]).reshape(1, 1, 1, 3)
    alpha, beta = torch.tensor([[9.0], [0.5], [9.0], [2.0]]), torch.tensor([[9.0], [0.25], [9.0], [-0.5]])
    up, right, down, left = recurrence(x, alpha, beta)[0, :, 0]
    # A column of one pixel is its own first pixel.
    assert up.tolist() == down.tolist() == [1, 0, 2]
    assert right.tolist() == [1, 0, 2.25]
    assert left.tolist() == [1.5, 0.5, 2]


def test_flips_and_transposition_exchange_directions():
    x, alpha, beta = inputs((1, 2, 6, 7), torch.float32)
    names = {name: k for k, name in enumerate(DIRECTIONS)}
    for change, pairs in (
        (lambda t: t.flip(-1), {"left": "right", "right": "left", "up": "up", "down": "down"}),
        (lambda t: t.flip(-2), {"left": "left", "right": "right", "up": "down", "down": "up"}),
        (lambda t: t.transpose(-1, -2), {"left": "up", "right": "down", "up": "left", "down": "right"}),
    ):
        order = [names[pairs[name]] for name in DIRECTIONS]
        there = change(recurrence(x, alpha, beta)).unflatten(1, (4, 2))[:, order]
        torch.testing.assert_close(recurrence(change(x), alpha[order], beta[order]).unflatten(1, (4, 2)), there)


@pytest.mark.slow
def test_torch_finds_it_a_proper_operator():
    x, alpha, beta = (tensor.requires_grad_() for tensor in inputs((2, 2, 3, 5)))
    assert torch.autograd.gradcheck(recurrence, (x, alpha, beta))
    torch.library.opcheck(torch.ops.rainnet.irnn, (x, alpha, beta))
    h = recurrence(x, alpha, beta).detach()
    torch.library.opcheck(torch.ops.rainnet.irnn_backward, (torch.ones_like(h), h, alpha.detach()))


def test_gaps_in_memory_do_not_matter():
    x, alpha, beta = inputs((2, 3, 8, 10), torch.float32)
    for seen in (x.to(memory_format=torch.channels_last), x[:, :, ::2, 1:], x.transpose(2, 3), x.expand(2, 3, 8, 10)):
        for a, b in zip(
            gradients(recurrence, (seen, alpha, beta)),
            gradients(recurrence_reference, (seen, alpha, beta)),
            strict=True,
        ):
            torch.testing.assert_close(a, b, atol=1e-4, rtol=1e-4)
    # The gradient of a sum has no memory of its own.
    leaf = x.clone().requires_grad_()
    recurrence(leaf, alpha, beta).sum().backward()
    assert torch.isfinite(leaf.grad).all()


def test_short_numbers_are_computed_in_single_precision():
    x, alpha, beta = inputs((1, 2, 5, 6), torch.float32)
    exact = recurrence(x.bfloat16().float(), alpha, beta)
    assert torch.equal(recurrence(x.bfloat16(), alpha, beta), exact.bfloat16())
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(recurrence(x.bfloat16(), alpha, beta), exact)


def test_nan_stays_until_the_end_of_its_lines():
    x, alpha, beta = inputs((1, 1, 5, 6), torch.float32)
    x[0, 0, 2, 3] = torch.nan
    expected = np.zeros((4, 5, 6), bool)
    expected[0, :3, 3] = expected[1, 2, 3:] = expected[2, 2:, 3] = expected[3, 2, :4] = True
    for function in (recurrence, recurrence_reference):
        assert np.array_equal(function(x, alpha, beta)[0].isnan().numpy(), expected)


def test_a_module_learns_weights_and_biases():
    module = Recurrence(3)
    module(torch.ones(1, 3, 4, 4)).sum().backward()
    assert {name: tuple(p.grad.shape) for name, p in module.named_parameters()} == {"alpha": (4, 3), "beta": (4, 3)}


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"x": torch.zeros(3, 4, 5)}, ValueError, r"`x` must be \(N, C, H, W\), got shape \(3, 4, 5\)"),
        ({"beta": torch.zeros(4, 3)}, ValueError, r"`beta` must be \(4, 2\).*got shape \(4, 3\)"),
        ({"x": torch.zeros(1, 2, 4, 5, dtype=torch.int32)}, TypeError, "`x` must be floating point, got torch.int32"),
    ],
)
def test_what_it_refuses(change, error, message):
    given = dict(zip(("x", "alpha", "beta"), inputs((1, 2, 4, 5)), strict=True)) | change
    with pytest.raises(error, match=message):
        recurrence(**given)
