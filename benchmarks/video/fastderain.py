"""FastDeRain, a peer written from its paper: rain video as a convex problem over space and time.

Jiang, Huang, Zhao, Deng, Wang: FastDeRain: A Novel Video Rain Streak Removal Method Using Directional Gradient Priors,
IEEE Transactions on Image Processing, 2018. With rainy luma O, rain R and background B = O - R, over (time, rows,
columns):

    min  α₁ ‖∇_y R‖₁ + α₂ ‖R‖₁ + α₃ ‖∇_x (O - R)‖₁ + α₄ ‖∇_t (O - R)‖₁   subject to  0 ≤ R ≤ O

Rain is smooth along its way (y) and sparse, the background smooth across it (x) and over time. Differences are of
neighbours, nothing beyond the edges. ADMM splits every term off; what remains for R is

    (I + ∇_yᵀ∇_y + ∇_xᵀ∇_x + ∇_tᵀ∇_t) R = right side,

which the cosine transform DCT-II makes diagonal. Departures from the paper:

1. The transform is the cosine one where the paper pads and takes Fourier's: the same equations without wrapping round.
2. Sparsity and box are one proximal step, max(0, min(v - α₂/β, O)).
3. Oblique rain is set upright by shifts of whole rows, as in the paper, by the angle that `rainopt` finds.
4. Weights are the same for all clips; the paper sets them clip by clip against the truth. They are the best of two
   dozen on four short clips with truth: the benchmark's indoor and hand-held scenes under other rain, indoors in other
   frames. So they favour this peer a little.
5. A clip is done in stretches of 30 frames, for its memory.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rainopt.video.settings import VideoSettings, scene_settings

STRETCH = 30
ITERATIONS, TOLERANCE = 30, 1e-3  # with 60, clips are no nearer to their truths
TIME, ROWS, COLUMNS = 0, 1, 2  # axes
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True)
class FastDeRainWeights:
    """The weights α₁ to α₄; with no data term only their ratios count."""

    along: float = 1.0
    sparsity: float = 0.3
    across: float = 0.4
    time: float = 1.0


def energy(O: np.ndarray, R: np.ndarray, weights: FastDeRainWeights) -> float:
    """Return the objective of a rain layer that is within its bounds."""
    B = O - R
    terms = (
        (weights.along, np.diff(R, axis=ROWS)),
        (weights.sparsity, R),
        (weights.across, np.diff(B, axis=COLUMNS)),
        (weights.time, np.diff(B, axis=TIME)),
    )
    return float(sum(weight * np.abs(values).sum(dtype=np.float64) for weight, values in terms))


def rain_layer(
    O: np.ndarray,
    weights: FastDeRainWeights | None = None,
    beta: float = 20.0,
    max_iter: int = ITERATIONS,
    tol: float = TOLERANCE,
) -> np.ndarray:
    """Return the rain R of upright rain video by ADMM.

    Parameters
    ----------
    O
        (T, H, W) luma in [0, 1], float32 or float64; the rain falls along the rows.
    beta
        Penalty of the splitting.
    max_iter, tol
        Most iterations, and the relative change of R that ends them earlier.
    """
    from scipy.fft import dctn, idctn

    w = FastDeRainWeights() if weights is None else weights
    axes = (ROWS, COLUMNS, TIME)
    # Differences of R are drawn to these: to none along the rain, to those of O otherwise.
    goal = {ROWS: np.zeros_like(O[:, 1:]), COLUMNS: np.diff(O, axis=COLUMNS), TIME: np.diff(O, axis=TIME)}
    limit = {ROWS: w.along / beta, COLUMNS: w.across / beta, TIME: w.time / beta}
    spectrum = np.ones(O.shape, O.dtype)
    for axis in axes:
        shape = [1, 1, 1]
        shape[axis] = -1
        spectrum += (2 - 2 * np.cos(np.pi * np.arange(O.shape[axis]) / O.shape[axis])).reshape(shape).astype(O.dtype)

    R = np.zeros_like(O)
    V, U = np.zeros_like(O), np.zeros_like(O)
    D = dict(goal)
    P = {axis: np.zeros_like(D[axis]) for axis in axes}
    for _ in range(max_iter):
        right = V - U
        for axis in axes:
            right += _adjoint(D[axis] - P[axis], axis)
        before, R = R, idctn(dctn(right, norm="ortho", workers=-1) / spectrum, norm="ortho", workers=-1)
        V = np.clip(R + U - O.dtype.type(w.sparsity / beta), 0, O)
        U += R - V
        for axis in axes:
            have = np.diff(R, axis=axis) + P[axis]
            D[axis] = goal[axis] + _shrunk(have - goal[axis], limit[axis])
            P[axis] = have - D[axis]
        if np.linalg.norm(R - before) < tol * np.linalg.norm(before):
            break
    return V


def _adjoint(values: np.ndarray, axis: int) -> np.ndarray:
    """Return the adjoint of ``np.diff`` along an axis."""
    edges = [(0, 0)] * 3
    edges[axis] = (1, 1)
    return -np.diff(np.pad(values, edges), axis=axis)


def _shrunk(values: np.ndarray, limit: float) -> np.ndarray:
    return values - np.clip(values, -limit, limit)


def derained_by_fastderain(frames: np.ndarray) -> np.ndarray:
    """Return frames (N, H, W, 3) uint8 without their rain; the layer of the luma is taken off all channels."""
    samples = [frames[k] for k in sorted({round(k) for k in np.linspace(0, len(frames) - 1, 7)})]
    directions = scene_settings(samples, VideoSettings()).directions
    angle = directions[0].angle if directions else 0.0
    # As many stretches as are needed, all about as long.
    parts = np.array_split(frames, -(-len(frames) // STRETCH))
    return np.concatenate([_derained(part, angle) for part in parts])


def _derained(frames: np.ndarray, angle: float) -> np.ndarray:
    pixels = frames.astype(np.float32) / 255
    shifts = upright_shifts(frames.shape[1], angle)
    rain = shifted_back(rain_layer(shifted(pixels @ LUMA, shifts)), shifts)
    return np.rint(np.clip(pixels - rain[..., None], 0, 1) * 255).astype(np.uint8)


def upright_shifts(height: int, angle: float) -> np.ndarray:
    """Return by how many pixels each row goes to the right so that streaks at an angle stand upright; from 0 on."""
    shifts = np.rint(-np.tan(np.deg2rad(angle)) * np.arange(height)).astype(int)
    return shifts - shifts.min()


def shifted(video: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return (T, H, W) video with each row shifted, wide enough for all, its edges repeated."""
    room = int(shifts.max())
    rows = [np.pad(video[:, k], ((0, 0), (shift, room - shift)), mode="edge") for k, shift in enumerate(shifts)]
    return np.stack(rows, axis=1)


def shifted_back(video: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Return what was shifted as it was."""
    width = video.shape[2] - int(shifts.max())
    return np.stack([video[:, k, shift : shift + width] for k, shift in enumerate(shifts)], axis=1)
