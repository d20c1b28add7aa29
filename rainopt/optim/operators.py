"""Forward differences along and across the streak, their adjoints, and what diagonalises them.

Streaks are upright: *along* (the papers' x) is the second last axis, rows; *across* (y) is the last axis, columns.

Boundary: the difference that would leave the image is 0 (Neumann, the evenly mirrored image). So the differences of
an H × W image are again H × W with a last row or column of zeros, nothing wraps around, and `∇ᵀ∇` is diagonalised
by the discrete cosine transform (DCT-II), which is the Fourier transform of the mirrored image.
"""

from __future__ import annotations

import math
from typing import Any

from rainopt.arrays import Array, namespace

# ‖∇along‖² ≤ 4 and ‖∇across‖² ≤ 4: the largest symbol 2 - 2 cos(π k / n) is below 4.
NORM_SQUARED_BOUND = 4.0


def diff_along(image: Array) -> Array:
    """Forward difference over rows, ``d[i, j] = a[i + 1, j] - a[i, j]``, last row 0; (..., H, W) to (..., H, W)."""
    xp = namespace(image)
    return xp.concat([image[..., 1:, :] - image[..., :-1, :], xp.zeros_like(image[..., :1, :])], axis=-2)


def diff_across(image: Array) -> Array:
    """Forward difference over columns, ``d[i, j] = a[i, j + 1] - a[i, j]``, last column 0."""
    xp = namespace(image)
    return xp.concat([image[..., :, 1:] - image[..., :, :-1], xp.zeros_like(image[..., :, :1])], axis=-1)


def diff_along_adjoint(field: Array) -> Array:
    """Adjoint of `diff_along`: ⟨diff_along(a), p⟩ = ⟨a, diff_along_adjoint(p)⟩ for all a and p; last row unused."""
    xp = namespace(field)
    inner = field[..., :-1, :]
    edge = xp.zeros_like(field[..., :1, :])
    return xp.concat([edge, inner], axis=-2) - xp.concat([inner, edge], axis=-2)


def diff_across_adjoint(field: Array) -> Array:
    """Adjoint of `diff_across`; the last column of ``field`` is unused."""
    xp = namespace(field)
    inner = field[..., :, :-1]
    edge = xp.zeros_like(field[..., :, :1])
    return xp.concat([edge, inner], axis=-1) - xp.concat([inner, edge], axis=-1)


def laplacian_symbol(length: int, xp: Any, dtype: Any, device: Any = None) -> Array:
    """Eigenvalues of the one-dimensional `∇ᵀ∇` in the DCT-II basis, ``2 - 2 cos(π k / length)``, shape (length,)."""
    k = xp.arange(length, dtype=dtype, device=device)
    return 2 - 2 * xp.cos(k * (math.pi / length))
