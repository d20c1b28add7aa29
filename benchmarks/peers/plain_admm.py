"""The algorithm of the UDG paper, written down as it stands there, in numpy: alternating updates by fast transforms.

Yu, Chang, Fang, Yi, Yan: UDG and UDGNet, ACM Multimedia 2021, Algorithm 1 with Eqs. (4)-(11). Departures: the Fourier
transform is that of the mirrored picture, which is the cosine transform DCT-II, so that nothing wraps round and the
energy is the one of `rainopt.optim.objectives`; signs are those of the normal equations; where that energy has a box
and a sparsity, a split Q = R carries them. There is no blocking, no kernel and no certificate.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import dctn, idctn

from rainopt import UDGWeights


def dx(a: np.ndarray) -> np.ndarray:
    """Return the differences along the streaks, the last row 0."""
    return np.diff(a, axis=0, append=a[-1:])


def dy(a: np.ndarray) -> np.ndarray:
    """Return the differences across the streaks, the last column 0."""
    return np.diff(a, axis=1, append=a[:, -1:])


def dx_t(p: np.ndarray) -> np.ndarray:
    """Return the adjoint of `dx` for fields whose last row is 0."""
    return -np.diff(p, axis=0, prepend=np.zeros_like(p[:1]))


def dy_t(p: np.ndarray) -> np.ndarray:
    """Return the adjoint of `dy` for fields whose last column is 0."""
    return -np.diff(p, axis=1, prepend=np.zeros_like(p[:, :1]))


def shrink(v: np.ndarray, t: float) -> np.ndarray:
    """Return v, nearer to 0 by t."""
    return np.sign(v) * np.maximum(np.abs(v) - t, 0)


class PlainAdmm:
    """The state of the algorithm on one picture (H, W) with upright streaks.

    Parameters
    ----------
    O, weights
        Picture in [0, 1] and weights of the energy.
    penalty
        All penalties at the start; the paper's α and β.
    rho
        Their growth in each iteration; 1 keeps them.
    """

    def __init__(self, O: np.ndarray, weights: UDGWeights, penalty: float = 1.0, rho: float = 1.0) -> None:
        self.O, self.w, self.penalty, self.rho = O, weights, penalty, rho
        self.split = weights.bounded or weights.sparsity > 0
        zero = np.zeros_like(O)
        self.B, self.R, self.Q, self.dyO = O, zero, zero, dy(O)
        self.Px, self.Py, self.Ux, self.Uy = zero, -self.dyO, dx(O), dy(O)
        self.Jx = self.Jy = self.Jq = self.Kx = self.Ky = zero
        rows, columns = (2 - 2 * np.cos(np.pi * np.arange(n) / n) for n in O.shape)
        self.symbol = (rows[:, None] + columns[None, :]).astype(O.dtype)

    def advance(self, iterations: int) -> None:
        """Run so many iterations."""
        for _ in range(iterations):
            self._rain()
            self._background()
            self.penalty *= self.rho

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return (B, R); R is the copy that is within its box."""
        return self.B, self.Q if self.split else self.R

    def _rain(self) -> None:
        O, w, a = self.O, self.w, self.penalty
        right = O - self.B + dx_t(a * self.Px - self.Jx) + dy_t(a * (self.Py + self.dyO) - self.Jy)
        if self.split:
            right = right + a * self.Q - self.Jq
        self.R = idctn(dctn(right, norm="ortho") / (1 + a * self.split + a * self.symbol), norm="ortho")
        along, across = dx(self.R), dy(self.R) - self.dyO
        self.Px = shrink(along + self.Jx / a, w.lambda_x / a)
        self.Py = shrink(across + self.Jy / a, w.lambda_y / a)
        self.Jx = self.Jx + a * (along - self.Px)
        self.Jy = self.Jy + a * (across - self.Py)
        if self.split:
            self.Q = shrink(self.R + self.Jq / a, w.sparsity / a)
            if w.bounded:
                self.Q = np.clip(self.Q, 0, O)
            self.Jq = self.Jq + a * (self.R - self.Q)

    def _background(self) -> None:
        a, tau = self.penalty, self.w.tau
        right = self.O - self.R + dx_t(a * self.Ux - self.Kx) + dy_t(a * self.Uy - self.Ky)
        self.B = idctn(dctn(right, norm="ortho") / (1 + a * self.symbol), norm="ortho")
        along, across = dx(self.B), dy(self.B)
        self.Ux = shrink(along + self.Kx / a, tau / a)
        self.Uy = shrink(across + self.Ky / a, tau / a)
        self.Kx = self.Kx + a * (along - self.Ux)
        self.Ky = self.Ky + a * (across - self.Uy)
