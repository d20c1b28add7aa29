"""Bring streaks upright and back: a shear, rows shifted sideways by interpolation.

A shear makes straight streaks vertical as a rotation does, but it interpolates along one axis only and keeps the
rows. Only a rain layer is ever brought back, so what is not rain is never interpolated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import array_api_compat
import numpy as np

from rainopt.arrays import Array, detached, kernel, namespace

# Columns added on both sides of a sheared image, so that a tile and the whole, whose rows jut out differently, have the
# same neighbourhood at the edge of the image.
BORDER = 4


@dataclass(frozen=True)
class Upright:
    """The map that makes streaks of one angle vertical in images of one shape.

    ``(A a)[i, j] = a(i, j - m + tan θ · (i - c))`` with so many extra columns, m of them on the left, that no pixel
    is lost. Streaks that lie closer to the horizontal (|θ| > 45°) are transposed first, so that ``|tan| ≤ 1`` always.

    Parameters
    ----------
    angle
        θ in degrees, in (-90, 90]; 0 is vertical, positive moves right going down.
    height, width
        Shape of the image in pixels.
    centre
        The row c that stays where it is (after the transposition), default the middle one. A tile passes the middle
        row of the whole image, counted from its own first: then each row is shifted by the same fraction of a pixel
        in all tiles.

    Raises
    ------
    ValueError
        If the angle is outside its range or not finite.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (1), θ∘Y. Departure: a shear for the paper's rotation; Yu et al. rotate the result
    back, which blurs it twice.
    """

    angle: float
    height: int
    width: int
    centre: float | None = None
    transposed: bool = field(init=False, repr=False)
    """Whether rows and columns are exchanged before the shear."""
    slope: float = field(init=False, repr=False)
    """Columns that a streak moves a row, after the transposition; in [-1, 1]."""
    margin: int = field(init=False, repr=False)
    """Columns of the upright image to the left of column 0 of the unshifted row; negative in a tile far from the
    centre.
    """
    shape: tuple[int, int] = field(init=False, repr=False)
    """Shape of the upright image."""
    offsets: np.ndarray = field(init=False, repr=False, compare=False)
    """Columns, one number a row, from the start of an upright row to the image's own."""

    def __post_init__(self) -> None:
        if not -90 < self.angle <= 90:
            raise ValueError(f"`angle` must be in (-90, 90] degrees, got {self.angle!r}")
        transposed = abs(self.angle) > 45
        rows, columns = (self.width, self.height) if transposed else (self.height, self.width)
        radians = math.radians(self.angle)
        # cos 90° is 6e-17 in floating point.
        flat = 0.0 if self.angle == 90 else math.cos(radians) / math.sin(radians) if transposed else None
        slope = math.tan(radians) if flat is None else flat
        shift = slope * (np.arange(rows) - ((rows - 1) / 2 if self.centre is None else self.centre))
        border = BORDER if slope else 0
        margin = math.ceil(shift.max()) + border
        computed = {
            "transposed": transposed,
            "slope": slope,
            "margin": margin,
            "shape": (rows, columns + margin - math.floor(shift.min()) + border),
            "offsets": shift - margin,
        }
        for name, value in computed.items():
            object.__setattr__(self, name, value)

    def forward(self, image: Array, *, fill: str = "edge") -> Array:
        """Make streaks vertical; (..., height, width) to (..., *shape).

        ``fill`` is what lies outside the image: ``"edge"``, its nearest pixel of the row, or ``"zero"``, which
        makes the map linear with `adjoint` as its adjoint.
        """
        if tuple(image.shape[-2:]) != (self.height, self.width):
            raise ValueError(f"`image` must be (..., {self.height}, {self.width}), got shape {tuple(image.shape)}")
        return shift_rows(self._turned(image), self.offsets, self.shape[1], fill=fill)

    def adjoint(self, upright: Array) -> Array:
        """Adjoint of ``forward(·, fill="zero")``; (..., *shape) to (..., height, width)."""
        return self._sheared_back(upright, adjoint=True)

    def back(self, upright: Array) -> Array:
        """Bring a layer back to where the image was: the shear by the opposite slope, (..., *shape) to (...,
        height, width).

        It inverts `forward` exactly where shifts are whole pixels and to interpolation accuracy elsewhere. At angle
        0 it is the identity.
        """
        return self._sheared_back(upright)

    def _sheared_back(self, upright: Array, adjoint: bool = False) -> Array:
        if tuple(upright.shape[-2:]) != self.shape:
            rows, columns = self.shape
            raise ValueError(f"`upright` must be (..., {rows}, {columns}), got shape {tuple(upright.shape)}")
        width = self.height if self.transposed else self.width
        return self._turned(shift_rows(upright, -self.offsets, width, fill="zero", adjoint=adjoint))

    def _turned(self, image: Array) -> Array:
        if not self.transposed:
            return image
        axes = (*range(image.ndim - 2), image.ndim - 1, image.ndim - 2)
        return namespace(image).permute_dims(image, axes)


TAPS = 6


def lanczos_weights(fraction: Array) -> Array:
    """Weights of the six pixels around a point ``fraction`` ∈ [0, 1) to the right of the third; (...) to (..., 6).

    Lanczos-3 windowed sinc, normalised to sum 1, a plain copy at 0. On real streaks it keeps 0.1 dB more than a
    cubic and 0.5 dB more than a linear interpolation. On any array library, and differentiable under torch.
    """
    xp, half = namespace(fraction), TAPS // 2
    taps = xp.arange(1 - half, half + 1, dtype=fraction.dtype, device=array_api_compat.device(fraction))
    distance = taps - fraction[..., None]
    weights = _sinc(distance) * _sinc(distance / half)
    # sin(π k) is not quite 0 in floating point, and a shift by whole pixels is to be a copy.
    tiny = 4.5 * float(xp.finfo(fraction.dtype).eps)
    weights = xp.where(xp.abs(weights) < tiny, xp.zeros_like(weights), weights)
    return weights / xp.sum(weights, axis=-1, keepdims=True)


def _sinc(x: Array) -> Array:
    xp = namespace(x)
    y = math.pi * xp.where(x == 0, xp.full_like(x, 1e-20), x)
    return xp.sin(y) / y


def shift_rows(image: Array, offsets: Array, width: int, *, fill: str = "edge", adjoint: bool = False) -> Array:
    """Return ``out[..., i, j] = image(..., i, j + offsets[..., i])``, interpolated along the row.

    ``adjoint`` instead applies the transpose of the shift by ``-offsets`` with fill ``"zero"``, the only one that is
    linear. This is the one shear of the toolkit: `Upright`, the batches of `rainnet`, its crops and its ONNX files
    all use it.

    Parameters
    ----------
    image
        (..., H, W).
    offsets
        (H,) pixels for all images alike, numpy or as the image; or (..., H) that broadcast to the image, of its
        library. Under torch gradients are followed, in the image and in the offsets.
    width
        Columns of the result, (..., H, width).
    fill
        What lies outside the image: ``"edge"``, the nearest pixel of the row, or ``"zero"``.
    """
    fill = "zero" if adjoint else fill
    if fill not in ("edge", "zero"):
        raise ValueError(f"`fill` must be 'edge' or 'zero', got {fill!r}")
    xp = namespace(offsets, names="offsets")
    towards = -offsets if adjoint else offsets
    # The gradient of the floor is 0.
    whole = xp.floor(detached(towards))
    weights = lanczos_weights(towards - whole)
    starts = xp.astype(whole, xp.int64) - (TAPS // 2 - 1)
    if adjoint:
        # Transposing out[j] = Σ w[k] a[j + s + k] gives a[m] = Σ w[k] out[m - s - k]: taps reversed.
        weights, starts = xp.flip(weights, axis=-1), -starts - (TAPS - 1)
    fast = kernel("shear", image) if isinstance(offsets, np.ndarray) and offsets.ndim == 1 else None
    if fast is not None:
        return fast(image, starts, weights, width, fill == "edge")
    return _shift_rows_reference(image, starts, weights, width, fill)


def _shift_rows_reference(image: Array, starts: Array, weights: Array, width: int, fill: str) -> Array:
    """`shift_rows` on the array namespace."""
    xp, device = namespace(image), array_api_compat.device(image)
    if isinstance(starts, np.ndarray):
        # Flipped ones run backwards in memory, which torch does not know.
        starts, weights = (xp.asarray(np.ascontiguousarray(part), device=device) for part in (starts, weights))
    first = starts[..., None] + xp.arange(width, device=device)
    last_column = image.shape[-1] - 1
    total = xp.zeros((*image.shape[:-1], width), dtype=image.dtype, device=device)
    for k in range(TAPS):
        column = first + k
        inside = xp.clip(column, 0, last_column)
        weight = xp.astype(weights[..., k], image.dtype)[..., None]
        if fill == "zero":
            weight = weight * xp.astype(column == inside, image.dtype)
        total = total + weight * _taken(image, inside)
    return total


def _taken(image: Array, columns: Array) -> Array:
    """Return ``image[..., i, columns[..., i, j]]``, the same columns in every image where ``columns`` are (H, J)."""
    xp, device = namespace(image), array_api_compat.device(image)
    *batch, rows, width = image.shape
    if columns.ndim == 2:
        index = columns + xp.arange(rows, device=device)[:, None] * width
        flat = xp.reshape(image, (*batch, rows * width))
        return xp.reshape(xp.take(flat, xp.reshape(index, (-1,)), axis=-1), (*batch, *columns.shape))
    first = xp.reshape(xp.arange(math.prod(batch) * rows, device=device), (*batch, rows, 1)) * width
    taken = xp.take(xp.reshape(image, (-1,)), xp.reshape(columns + first, (-1,)), axis=0)
    return xp.reshape(taken, (*batch, rows, columns.shape[-1]))
