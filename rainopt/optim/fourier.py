"""The two-dimensional DCT-II that diagonalises the Neumann differences, on any array library."""

from __future__ import annotations

import math
from typing import Any

from rainopt.arrays import Array, kernel, namespace


def dct2(image: Array) -> Array:
    """Orthonormal DCT-II over the last two axes; (..., H, W) real to (..., H, W) real.

    On the CPU scipy computes it; elsewhere it is the standard's FFT on the reordered signal (Makhoul 1980:
    the DCT-II of length n from one complex FFT of length n).
    """
    fast = kernel("dct2", image)
    if fast is not None:
        return fast(image)
    return _swap(_dct_last(_swap(_dct_last(image))))


def idct2(coefficients: Array) -> Array:
    """Inverse of `dct2`, which is also its adjoint."""
    fast = kernel("idct2", coefficients)
    if fast is not None:
        return fast(coefficients)
    return _swap(_idct_last(_swap(_idct_last(coefficients))))


def _swap(a: Array) -> Array:
    xp = namespace(a)
    return xp.permute_dims(a, (*range(a.ndim - 2), a.ndim - 1, a.ndim - 2))


def _phase(n: int, a: Array) -> tuple[Array, Array, Array]:
    """Return the cosine and sine of π k / 2n, and the orthonormal scale of coefficient k."""
    import array_api_compat

    xp = namespace(a)
    k = xp.arange(n, dtype=a.dtype, device=array_api_compat.device(a))
    angle = k * (math.pi / (2 * n))
    scale = xp.where(k == 0, xp.full_like(k, math.sqrt(1 / n)), xp.full_like(k, math.sqrt(2 / n)))
    return xp.cos(angle), xp.sin(angle), scale


def _dct_last(a: Array) -> Array:
    xp = namespace(a)
    cos, sin, scale = _phase(a.shape[-1], a)
    order = xp.concat([a[..., 0::2], xp.flip(a[..., 1::2], axis=-1)], axis=-1)
    spectrum = xp.fft.fft(xp.astype(order, _complex(a)), axis=-1)
    return scale * (cos * xp.real(spectrum) + sin * xp.imag(spectrum))


def _idct_last(c: Array) -> Array:
    xp = namespace(c)
    n = c.shape[-1]
    cos, sin, scale = _phase(n, c)
    x = c / scale
    mirrored = xp.concat([xp.zeros_like(x[..., :1]), xp.flip(x[..., 1:], axis=-1)], axis=-1)
    # The spectrum of the reordered real signal: V[k] = exp(iπk/2n) (X[k] - i X[n - k]).
    real, imaginary = cos * x + sin * mirrored, sin * x - cos * mirrored
    kind = _complex(c)
    spectrum = xp.astype(real, kind) + 1j * xp.astype(imaginary, kind)
    order = xp.real(xp.fft.ifft(spectrum, axis=-1))
    half = (n + 1) // 2
    even, odd = order[..., :half], xp.flip(order[..., half:], axis=-1)
    # Interleave even and odd samples: stack pairs, padding an odd length by one sample that is cut again.
    if n % 2:
        odd = xp.concat([odd, xp.zeros_like(even[..., :1])], axis=-1)
    pairs = xp.stack([even, odd], axis=-1)
    return xp.reshape(pairs, (*c.shape[:-1], 2 * half))[..., :n]


def _complex(a: Array) -> Any:
    xp = namespace(a)
    return xp.complex128 if a.dtype == xp.float64 else xp.complex64
