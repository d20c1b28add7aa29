"""The recurrence of an IRNN along rows and columns, as an operator of torch with its own gradient.

Along each line ``h_t = max(α h_{t-1} + β + x_t, 0)``, and ``max(x, 0)`` at its first pixel. Four sweeps, with α and β
for each direction and channel, take a time that grows with the number of pixels. A sweep has the name of where it goes:
"up" starts at the bottom row, so that a pixel knows what lies below it; "right" starts at the left column.

Source: Wang et al. 2019, Eq. (5); Le, Jaitly and Hinton 2015, "A simple way to initialize recurrent networks of
rectified linear units". β and the first pixel are those of the released program.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import register_flop_formula

from rainopt.arrays import kernel

DIRECTIONS = ("up", "right", "down", "left")
# Of each direction: the axis it runs along, and whether from its end to its beginning.
_SWEEPS = ((2, True), (3, False), (2, False), (3, True))


def recurrence(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """Sweep over pictures in four directions.

    Parameters
    ----------
    x
        (N, C, H, W), floating point; any of the sizes may be 0.
    alpha, beta
        (4, C) weights and biases, in the order of `DIRECTIONS`.

    Returns
    -------
    (N, 4 C, H, W), all channels of "up", then of "right", "down" and "left"; contiguous, on the device of ``x``, of its
    dtype. What has less than 32 bits is computed in float32; under autocast the result is float32, too. A NaN stays NaN
    until the end of its lines.

    Raises
    ------
    ValueError
        For other shapes.
    TypeError
        For whole or complex numbers.

    Notes
    -----
    Gradients are followed once, not twice. For them the result is kept, and the inputs are not.
    """
    _check(x, alpha, beta)
    exact = x.dtype if x.dtype == torch.float64 else torch.float32
    return torch.ops.rainnet.irnn(x.to(exact), alpha.to(exact), beta.to(exact)).to(
        torch.float32 if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64 else x.dtype
    )


def recurrence_reference(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    """Return what `recurrence` does by plain operations of torch, a line at a time: what it is compared with."""
    _check(x, alpha, beta)
    sweeps = zip(_SWEEPS, alpha.to(x.dtype), beta.to(x.dtype), strict=True)
    return torch.cat([_sweep(x, a, b, axis, backwards) for (axis, backwards), a, b in sweeps], dim=1)


class Recurrence(nn.Module):
    """`recurrence` with weights ``alpha`` and biases ``beta`` (4, channels) that can be learned.

    Parameters
    ----------
    channels
        Of the input.
    alpha
        All weights at the start; biases start at 0.
    """

    def __init__(self, channels: int, alpha: float = 0.2) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.full((len(DIRECTIONS), channels), alpha))
        self.beta = nn.Parameter(torch.zeros(len(DIRECTIONS), channels))

    def forward(self, x: Tensor) -> Tensor:
        """Sweep over pictures (N, C, H, W); gives (N, 4 C, H, W)."""
        return recurrence(x, self.alpha, self.beta)


def _check(x: Tensor, alpha: Tensor, beta: Tensor) -> None:
    if x.ndim != 4:
        raise ValueError(f"`x` must be (N, C, H, W), got shape {tuple(x.shape)}")
    wanted = (len(DIRECTIONS), x.shape[1])
    for name, value in (("alpha", alpha), ("beta", beta)):
        if tuple(value.shape) != wanted:
            raise ValueError(
                f"`{name}` must be {wanted}, a number for each direction and channel of `x`, got shape "
                f"{tuple(value.shape)}"
            )
    for name, value in (("x", x), ("alpha", alpha), ("beta", beta)):
        if not value.is_floating_point():
            raise TypeError(f"`{name}` must be floating point, got {value.dtype}; convert it, as by `.float()`")


def _order(length: int, backwards: bool) -> range:
    return range(length - 1, -1, -1) if backwards else range(length)


def _sweep(x: Tensor, a: Tensor, b: Tensor, axis: int, backwards: bool) -> Tensor:
    if x.shape[axis] == 0:
        return x.clone()
    lines: dict[int, Tensor] = {}
    a, b = a[:, None], b[:, None]
    previous: Tensor | None = None
    # Taken apart at once: the gradient of each line alone would be as large as the picture.
    parts = x.unbind(axis)
    for t in _order(x.shape[axis], backwards):
        line = parts[t]
        previous = torch.relu(line if previous is None else a * previous + (b + line))
        lines[t] = previous
    return torch.stack([lines[t] for t in range(x.shape[axis])], dim=axis)


@torch.library.custom_op("rainnet::irnn", mutates_args=())
def _irnn(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    x, alpha, beta = x.detach().contiguous(), alpha.detach(), beta.detach()
    fast = kernel("irnn", x, alpha, beta)
    if fast is not None:
        return fast(x, alpha, beta)
    channels = x.shape[1]
    out = x.new_empty(_swept(x))
    for k, (axis, backwards) in enumerate(_SWEEPS):
        # A direction at a time: the lines of all of them would be as large as the result.
        out[:, k * channels : (k + 1) * channels] = _sweep(x, alpha[k], beta[k], axis, backwards)
    return out


@torch.library.custom_op("rainnet::irnn_backward", mutates_args=())
def _irnn_backward(grad: Tensor, h: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    grad, h, alpha = grad.detach().contiguous(), h.detach(), alpha.detach()
    fast = kernel("irnn_backward", grad, h, alpha)
    return fast(grad, h, alpha) if fast is not None else _backward_as_written(grad, h, alpha)


def _backward_as_written(grad: Tensor, h: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    channels = alpha.shape[1]
    by_x = grad.new_zeros(_unswept(grad))
    by_alpha, by_beta = torch.zeros_like(alpha), torch.zeros_like(alpha)
    for k, (axis, backwards) in enumerate(_SWEEPS):
        part = slice(k * channels, (k + 1) * channels)
        order = list(_order(grad.shape[axis], backwards))
        carry: Tensor | None = None
        for step in range(len(order) - 1, -1, -1):
            g, value = grad[:, part].select(axis, order[step]), h[:, part].select(axis, order[step])
            d = (g if carry is None else g + carry).masked_fill(value <= 0, 0)
            by_x.select(axis, order[step]).add_(d)
            if step > 0:
                before = h[:, part].select(axis, order[step - 1])
                by_alpha[k] += (d * before).sum(dim=(0, 2))
                by_beta[k] += d.sum(dim=(0, 2))
            carry = alpha[k][:, None] * d
    return by_x, by_alpha, by_beta


def _swept(x: Tensor) -> tuple[int, ...]:
    return x.shape[0], len(DIRECTIONS) * x.shape[1], x.shape[2], x.shape[3]


def _unswept(h: Tensor) -> tuple[int, ...]:
    return h.shape[0], h.shape[1] // len(DIRECTIONS), h.shape[2], h.shape[3]


@_irnn.register_fake
def _(x: Tensor, alpha: Tensor, beta: Tensor) -> Tensor:
    return x.new_empty(_swept(x))


@register_flop_formula(torch.ops.rainnet.irnn)
def _operations(x: tuple[int, ...], *weights: Any, **options: Any) -> int:
    # A product and two sums for each value of the result; the comparison with 0 counts as little as a ReLU.
    batch, channels, height, width = x
    return 3 * len(DIRECTIONS) * batch * channels * height * width


@_irnn_backward.register_fake
def _(grad: Tensor, h: Tensor, alpha: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    return grad.new_empty(_unswept(grad)), alpha.new_empty(alpha.shape), alpha.new_empty(alpha.shape)


def _keep(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    ctx.save_for_backward(output, inputs[1])


def _gradient(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    h, alpha = ctx.saved_tensors
    return torch.ops.rainnet.irnn_backward(grad, h, alpha)


_irnn.register_autograd(_gradient, setup_context=_keep)
for _device in ("cpu", "cuda"):
    _irnn.register_autocast(_device, torch.float32)
