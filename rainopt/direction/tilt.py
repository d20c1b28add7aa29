"""Find the direction of streaks as the turn that makes a window of the picture low-rank.

A window of upright streaks repeats from row to row, so its matrix has a low rank; turned, it has not. TILT looks for
the transform after which a window is a low-rank matrix plus sparse errors. Here the transform has one unknown, the
angle.
"""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass
from numbers import Real

import numpy as np

from rainopt.checks import require_finite, require_iterations, require_non_negative, require_whole
from rainopt.direction.tilt_window import BLUR, Level, pyramid
from rainopt.geometry.lines import line_angle
from rainopt.optim.robust_pca import RobustPCA, robust_pca

TRANSFORMS = ("rotation", "shear")
SEARCH = 45.0  # degrees to both sides where no start is given
LARGEST_WINDOW = 100  # pixels, of the default window
SMALLEST_WINDOW = 8  # pixels; fewer rows say nothing about a direction
STRIDE = 1.0  # samples that the ends of a window move between two angles of the search
REACH = 2.0  # samples that the ends of a window may move at once; a linearisation holds so far
TOL = 1e-3  # degrees
MAX_ITER = 40
INNER_TOL, SEARCH_TOL = 1e-3, 1e-2  # duality gaps of the inner problems, relative; of the search
STEEPEST = 60.0  # degrees that a shear may make upright; searches change its axis at 45
INSENSITIVE = 1e-3  # change of a normalised window, moved by a sample, below which it counts as unchanged
LEAN = 10.0  # degrees by which the lines of an upright window may lean


class TiltStatus(enum.Enum):
    """How a search for the angle ended; the value is a sentence for its user."""

    CONVERGED = "The angle no longer changes by more than `tol`, and the lines of the window stand upright at it."
    ASKEW = (
        "The angle no longer changes, but the lines of the window do not stand upright at it: a local minimum, lines "
        "across, or no common direction. Allow a (wider) `search`, or do not use the angle."
    )
    MAX_ITER = "The angle still changes by more than `tol`; a larger `max_iter` refines it."
    CONSTANT = "The window is constant, or the same at all angles, and has no direction. Choose another `centre`."


@dataclass(frozen=True)
class TiltSolution:
    """Direction of the streaks in a window, and the window brought upright.

    Attributes
    ----------
    angle
        Degrees in (-90, 90]; 0 is vertical, positive moves right going down.
    low_rank, sparse
        (h, w) float64: the two parts of the upright window, which was given mean 0 and Frobenius norm 1.
    objective
        ``‖low_rank‖_* + λ ‖sparse‖₁``, λ = 1 / √h; 1 for perfect stripes.
    gap
        Duality gap of the last inner problem, in the units of `objective`.
    iterations
        Linearisations, all levels together, without the branch search.
    status
        `TiltStatus`; its value says what to do.
    """

    angle: float
    low_rank: np.ndarray
    sparse: np.ndarray
    objective: float
    gap: float
    iterations: int
    status: TiltStatus


def tilt(
    image: np.ndarray,
    *,
    start: float | None = None,
    search: float | None = None,
    transform: str = "rotation",
    window: int | tuple[int, int] | None = None,
    centre: tuple[float, float] | None = None,
    blur: float = BLUR,
    max_iter: int = MAX_ITER,
    tol: float = TOL,
    inner_tol: float = INNER_TOL,
) -> TiltSolution:
    """Find the angle at which a window of an image is a low-rank matrix plus sparse errors.

    Parameters
    ----------
    image
        (H, W) real host array of any scale and offset; for rain, a layer in which little but streaks is left.
    start
        Degrees in (-90, 90] to begin from, default 0.
    search
        Degrees to both sides of the start that the branch search covers, [0, 90]; 0 for none. Default 45 without a
        start, else 0. Rotation cannot tell lines down from lines across, so more than 45 includes twins.
    transform
        ``"rotation"``, or ``"shear"``: rows shifted sideways as in `rainopt.geometry.warp` (columns, for starts closer
        to the horizontal).
    window
        Side, or (height, width) in pixels, 8 to the image's. Default the largest square that stays inside the image
        while it is turned, 100 at most.
    centre
        (row, column) of the middle of the window, default the image's. Pixels of a window that lie outside the image
        take the value of its edge.
    blur
        Standard deviation in pixels of the Gaussian that the image is smoothed with, default 0.7; 0 for none. Turning
        interpolates, which spreads single wrong pixels and averages noise, while angle 0 copies: without a blur to
        make the two alike, wrong pixels draw angles within 2° or so of 0 to exactly 0, and noise drives them off.
    max_iter
        Most linearisations a level.
    tol
        Degrees; a move no larger than this is the last.
    inner_tol
        Duality gap, relative to the objective, at which an inner problem is solved. With the default, textures that
        repeat are found to a thousandth of a degree; rain does not repeat, and 1e-2 finds it as well in a quarter of
        the time.

    Returns
    -------
    TiltSolution
        Not converging is a status, not an exception.

    Raises
    ------
    ValueError
        For wrong shapes, non-finite values, a window larger than the image or too small, or unknown settings.

    Notes
    -----
    Source: Zhang, Ganesh, Liang, Ma, "TILT: Transform Invariant Low-rank Textures", IJCV 2012, Algorithms 1 and 2,
    with one unknown for the paper's two to eight. Departures:

    1. The mean of the window is taken out, so that an offset changes nothing.
    2. A pyramid level samples a blurred image at larger distances about the same centre instead of decimating the
       image, so that mirrored images have mirrored pyramids. Levels that blur leaves without contrast are dropped.
    3. The window is smoothed a little; see `blur`.
    4. Where a window is not of low rank, as in photographs, the steps of the paper are far shorter than the way:
       sparse errors take up the rest. Here they are extrapolated to where they vanish, by secants, in a bracket
       where there is one. A move displaces no pixel by more than two samples.
    5. Inner problems start from their predecessors and are solved to a duality gap; see `rainopt.optim.robust_pca`.
    """
    image = _checked_image(image)
    if transform not in TRANSFORMS:
        raise ValueError(f"`transform` must be one of {', '.join(TRANSFORMS)}, got {transform!r}")
    height, width = _window_shape(window, image.shape, transform)
    middle = _checked_centre(centre, image.shape)
    max_iter = require_iterations(max_iter)
    require_non_negative(blur=blur)
    if not (_is_number(tol) and tol > 0):
        raise ValueError(f"`tol` must be positive, got {tol!r}")
    if not (_is_number(inner_tol) and inner_tol > 0):
        raise ValueError(f"`inner_tol` must be positive, got {inner_tol!r}")
    search = (SEARCH if start is None else 0.0) if search is None else search
    if not (_is_number(search) and 0 <= search <= 90):
        raise ValueError(f"`search` must be in [0, 90] degrees, got {search!r}")
    start = 0.0 if start is None else start
    if not (_is_number(start) and -90 < start <= 90):
        raise ValueError(f"`start` must be in (-90, 90] degrees, got {start!r}")

    levels = pyramid(image, middle, (height, width), transform, start, blur)
    if not levels:
        nothing = np.zeros((height, width))
        return TiltSolution(start, nothing, nothing, 0.0, 0.0, 0, TiltStatus.CONSTANT)
    angle = _search(levels[0], start, search) if search > 0 else start
    iterations = 0
    # The axis along which a shear moves pixels must not change under way.
    transposed = abs(angle) > 45
    for level in levels:
        angle, pca, taken, status = _refine(level, angle, transposed, max_iter, tol, inner_tol)
        iterations += taken
    if status is TiltStatus.CONVERGED and abs(lean(pca.low_rank)) > LEAN:
        status = TiltStatus.ASKEW
    return TiltSolution(angle, pca.low_rank, pca.sparse, pca.objective, pca.gap, iterations, status)


def lean(matrix: np.ndarray) -> float:
    """Return the dominant direction of the lines in a matrix, degrees in (-90, 90]; 0 is upright.

    It is the direction of least mean square change, an eigenvector of the mean structure tensor.
    """
    down = (matrix[1:, 1:] - matrix[:-1, 1:] + matrix[1:, :-1] - matrix[:-1, :-1]) / 2
    right = (matrix[1:, 1:] - matrix[1:, :-1] + matrix[:-1, 1:] - matrix[:-1, :-1]) / 2
    rr, cc, rc = (down**2).sum(), (right**2).sum(), (down * right).sum()
    return math.degrees(0.5 * math.atan2(-2 * rc, cc - rr))


def _search(level: Level, start: float, search: float) -> float:
    """Return the angle of a grid around ``start`` whose window splits best."""
    count = math.ceil(search / (STRIDE * level.degrees_a_sample))
    best: tuple[bool, float, float] | None = None
    for k in range(-count, count + 1):
        angle = line_angle(start + search * k / count)
        window = level.window(angle, abs(angle) > 45)
        window = window - window.mean()
        if not np.linalg.norm(window) > 0:
            continue
        pca = robust_pca(window / np.linalg.norm(window), tol=SEARCH_TOL)
        # Lines across are as low-rank as lines down.
        key = (abs(lean(pca.low_rank)) > 45, pca.objective, angle)
        best = key if best is None or key < best else best
    return start if best is None else best[2]


def _refine(
    level: Level, angle: float, transposed: bool, max_iter: int, tol: float, inner_tol: float
) -> tuple[float, RobustPCA, int, TiltStatus]:
    """Follow linearisations from ``angle``; return angle, last split, linearisations taken and how it ended.

    The steps of successive linearisations are a function of the angle with a root where the window is best, and the
    angle moves to the root of the secant through the last two.
    """
    limit = REACH * level.degrees_a_sample
    low, high = -math.inf, math.inf  # angles below and above the root
    axis = math.copysign(90.0, angle) if transposed else 0.0
    pca, last, move, iteration = None, 0.0, 0.0, 0
    while True:
        iteration += 1
        D, J = level.linearise(angle, transposed)
        if not np.linalg.norm(J) * level.degrees_a_sample > INSENSITIVE:
            return line_angle(angle), robust_pca(D, tol=inner_tol), iteration, TiltStatus.CONSTANT
        pca = robust_pca(D, J, tol=inner_tol, start=pca)
        step = pca.step
        low, high = (max(low, angle), high) if step > 0 else (low, min(high, angle))
        if move and (last - step) / move > 0:
            move *= step / (last - step)
        else:
            # At the first step, and where steps grow on the way, no root can be foreseen: take longer steps.
            move = math.copysign(max(abs(step), 2 * abs(move)), step) if step else 0.0
        move = min(max(move, -limit), limit)
        if -math.inf < low < high < math.inf and not low < angle + move < high:
            move = (low + high) / 2 - angle
        if abs(move) <= tol:
            return line_angle(angle + move), pca, iteration, TiltStatus.CONVERGED
        # Not wrapped on the way, so that angles compare. A shear knows no direction along its rows.
        aim = angle + move
        if level.transform == "shear":
            aim = min(max(aim, axis - STEEPEST), axis + STEEPEST)
        angle, move, last = aim, aim - angle, step
        if iteration == max_iter:
            return line_angle(angle), pca, iteration, TiltStatus.MAX_ITER


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)


def _checked_image(image: np.ndarray) -> np.ndarray:
    image = np.asarray(image)
    if image.ndim != 2 or image.dtype.kind not in "uif":
        raise ValueError(f"`image` must be (H, W) real numbers, got shape {image.shape}, dtype {image.dtype}")
    image = image.astype(np.float64)
    require_finite(image, "image")
    return image


def _window_shape(window: int | tuple[int, int] | None, shape: tuple[int, ...], transform: str) -> tuple[int, int]:
    if window is None:
        # A turned square reaches √2 times its half side to the side; one sheared by 45° twice.
        side = min(LARGEST_WINDOW, int(min(shape) / (math.sqrt(2) if transform == "rotation" else 2)))
        sides = (side, side)
    else:
        given = window if isinstance(window, tuple) else (window, window)
        if len(given) != 2:
            raise ValueError(f"`window` must be a side or (height, width), got {window!r}")
        sides = (require_whole(given[0], "window"), require_whole(given[1], "window"))
    if min(sides) < SMALLEST_WINDOW:
        raise ValueError(f"`window` must be at least {SMALLEST_WINDOW} pixels wide and high, got {sides}")
    if sides[0] > shape[0] or sides[1] > shape[1]:
        raise ValueError(f"`window` must not be larger than the image, {tuple(shape)}, got {sides}")
    return sides


def _checked_centre(centre: tuple[float, float] | None, shape: tuple[int, ...]) -> tuple[float, float]:
    if centre is None:
        return (shape[0] - 1) / 2, (shape[1] - 1) / 2
    if len(centre) != 2 or not all(_is_number(c) and 0 <= c <= n - 1 for c, n in zip(centre, shape, strict=True)):
        raise ValueError(f"`centre` must be a (row, column) inside the image of shape {tuple(shape)}, got {centre!r}")
    return float(centre[0]), float(centre[1])
