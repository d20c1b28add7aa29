"""`solve_udg`: split an upright rainy image into background and rain by minimising the UDG energy."""

from __future__ import annotations

import enum
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from numbers import Real
from typing import Protocol

import numpy as np

from rainopt.arrays import Array, namespace, native
from rainopt.checks import require_batch, require_iterations, require_same_shape
from rainopt.host_steps import truth
from rainopt.optim.admm import Admm
from rainopt.optim.fused import fused_primal_dual
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights, require_prior, require_weights
from rainopt.optim.primal_dual import PrimalDual
from rainopt.optim.workspace import Empty, Workspace

METHODS = ("auto", "primal-dual", "admm", "reference")
MAX_ITER = 400
TOL = 0.02
CHECK_EVERY = 25


class SolverStatus(enum.Enum):
    """How a solve ended; the value is a sentence for its user."""

    CONVERGED = "The duality gap is within `tol` of the energy."
    MAX_ITER = (
        "The duality gap is above `tol`, or was not asked about (`tol` 0); the layers are usable, and a larger "
        "`max_iter` refines them."
    )
    NOTHING_TO_DO = "No rain was found, so nothing was solved; give an angle to remove rain all the same."


@dataclass(frozen=True)
class UDGSolution:
    """Background and rain of a batch of images, and how well they are known.

    Attributes
    ----------
    background, rain
        (..., H, W), dtype and library of the input. `background` is the model's own `B`, smoothed by its total
        variation; ``O - rain`` keeps the texture that `B` loses.
    energy, gap
        (...,) float64: the UDG energy, and a bound on how far above the least energy it can be; without
        ``weights.bounded`` the least among layers no larger in magnitude than the image and the layer found.
    iterations
        Steps taken.
    status
        `SolverStatus`; its value says what to do.
    """

    background: Array | None
    rain: Array | None
    energy: Array
    gap: Array
    iterations: int
    status: SolverStatus


class Solver(Protocol):
    """What `solve_udg` asks of an iteration."""

    def advance(self, iterations: int) -> None:
        """Run so many iterations."""

    def certify(self) -> tuple[Array, Array]:
        """Return energy and duality gap, one number an image."""

    def result(self) -> tuple[Array, Array]:
        """Return background and rain."""


def solve_udg(
    O: Array,
    *,
    weights: UDGWeights | None = None,
    method: str = "auto",
    max_iter: int | None = None,
    tol: float | None = None,
    prior: RainPrior = NO_PRIOR,
    start: Array | None = None,
    workspace: Workspace | None = None,
) -> UDGSolution:
    """Split rainy images with upright streaks into background and rain.

    ``min over B, R of udg_energy(O, B, R, weights, prior)``, with ``0 ≤ R ≤ O`` where ``weights.bounded``. A photograph
    and a frame of a video are one problem: what other frames tell is a term of the energy, see `udg_energy`.

    Parameters
    ----------
    O
        (..., H, W) luminance, float32 or float64, about [0, 1]; axes before the last two are a batch of independent
        images.
    weights
        `UDGWeights`; None for the defaults.
    method
        ``"primal-dual"``: fused iteration, numba on the CPU, the array library elsewhere. ``"reference"``: the same
        iteration on the array library always. ``"admm"``: the paper's alternating updates with transform solves.
        ``"auto"``: primal-dual.
    max_iter
        Most iterations, default 400, at most 100 000.
    tol
        Stop when every image's duality gap is at most ``tol`` times its energy, default 0.02, where results no
        longer change visibly. 0 runs ``max_iter`` iterations without looking.
    prior
        `rainopt.optim.objectives.RainPrior`: factors on the sparsity, a ceiling of the rain, and the rain that other
        moments tell with the trust in it, pixel by pixel.
    start
        (..., H, W) rain layer to begin with, default none; ADMM begins without rain always. ``prior.excess`` is a good
        one where it can be trusted.
    workspace
        `rainopt.optim.workspace.Workspace`: memory that one solve after another works in, for the frames of a video;
        default fresh memory. The result is the same.

    Returns
    -------
    UDGSolution
        Not converging is a status, not an exception.

    Raises
    ------
    ValueError, TypeError
        For wrong rank, dtype, non-finite or (when bounded) negative input, or unknown settings.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (3); the iterations are described in `rainopt.optim.primal_dual` and
    `rainopt.optim.admm`.

    Examples
    --------
    One upright streak before a grey wall:

    >>> import numpy as np
    >>> import rainopt
    >>> O = np.full((64, 64), 0.3, np.float32)
    >>> O[8:56, 31] += 0.4
    >>> s = rainopt.solve_udg(O)
    >>> s.status.name
    'CONVERGED'
    >>> round(float(s.rain[32, 31]), 2), round(float(s.rain[:, :30].max()), 2)
    (0.4, 0.0)

    The gap bounds what any other pair of layers could save:

    >>> bool(s.gap <= 0.02 * s.energy)
    True
    """
    weights = UDGWeights() if weights is None else weights
    require_weights(weights)
    require_batch(O, "O")
    xp, O = namespace(O), native(O)
    if weights.bounded and truth(xp.any(O < 0), "check"):
        raise ValueError("`O` must not be negative when the rain layer is bounded by it; use bounded=False or clip it")
    require_prior(O, weights, prior)
    if start is not None:
        require_batch(start, "start")
        require_same_shape(O, "O", start=start)
        if start.dtype != O.dtype:
            raise TypeError(f"`start` must be of the image's dtype {O.dtype}, got {start.dtype}")
    if not (workspace is None or isinstance(workspace, Workspace)):
        raise TypeError(f"`workspace` must be a Workspace or None, got {type(workspace).__name__}")
    if method not in METHODS:
        raise ValueError(f"`method` must be one of {', '.join(METHODS)}, got {method!r}")
    return minimise(
        O, weights, method=method, max_iter=max_iter, tol=tol, prior=prior, start=start, workspace=workspace
    )


def minimise(
    O: Array,
    weights: UDGWeights,
    *,
    method: str = "auto",
    max_iter: int | None = None,
    tol: float | None = None,
    prior: RainPrior = NO_PRIOR,
    start: Array | None = None,
    workspace: Workspace | None = None,
) -> UDGSolution:
    """`solve_udg` of images that were checked at the door, as a photograph's are."""
    # Kernels know the machine's own byte order alone.
    O, start, prior = native(O), native(start), RainPrior(*map(native, prior))
    max_iter, tol = stopping(max_iter, tol)
    with _lent(workspace) as empty:
        return _followed(_solver(O, weights, method, prior, start, empty), O, max_iter, tol)


def sketch(
    O: Array,
    weights: UDGWeights,
    iterations: int,
    prior: RainPrior = NO_PRIOR,
    workspace: Workspace | None = None,
) -> Array:
    """Return the rain that so many iterations of `minimise` find, without a word on how near the least energy it is."""
    with _lent(workspace) as empty:
        solver = _solver(native(O), weights, "auto", RainPrior(*map(native, prior)), None, empty)
        solver.advance(iterations)
        return solver.result()[1]


def _lent(workspace: Workspace | None) -> AbstractContextManager[Empty]:
    """Return what lends memory for one solve."""
    return nullcontext(np.empty) if workspace is None else workspace.lent()


def _followed(solver: Solver, O: Array, max_iter: int, tol: float) -> UDGSolution:
    """Run a solver of ``O`` until every gap is within ``tol`` or ``max_iter`` iterations are done."""
    xp = namespace(O)
    iterations, status = 0, SolverStatus.MAX_ITER
    floor = rounding_level(O) if tol > 0 else None
    while iterations < max_iter:
        chunk = min(CHECK_EVERY, max_iter - iterations) if tol > 0 else max_iter
        solver.advance(chunk)
        iterations += chunk
        if tol > 0:
            energy, gap = solver.certify()
            if truth(xp.all(is_within(energy, gap, tol, floor)), "gap"):
                status = SolverStatus.CONVERGED
                break
    if tol == 0:
        energy, gap = solver.certify()
    background, rain = solver.result()
    return UDGSolution(background, rain, energy, gap, iterations, status)


def stopping(max_iter: int | None, tol: float | None) -> tuple[int, float]:
    """Check the two limits of a solve and fill in their defaults."""
    max_iter = MAX_ITER if max_iter is None else require_iterations(max_iter)
    tol = TOL if tol is None else tol
    if not (isinstance(tol, Real) and tol >= 0):
        raise ValueError(f"`tol` must be at least 0, got {tol!r}")
    return max_iter, float(tol)


def rounding_level(O: Array) -> Array:
    """Return the energy that rounding errors of ``O`` have, shape ``O.shape[:-2]``, float64; no gap below it means
    anything.
    """
    xp = namespace(O)
    return float(xp.finfo(O.dtype).eps) * xp.sum(O * O, axis=(-2, -1), dtype=xp.float64)


def is_within(energy: Array, gap: Array, tol: float, floor: Array) -> Array:
    """Tell whether gaps are within ``tol`` of their energies, or below what rounding allows."""
    return gap <= tol * energy + floor


def _solver(O: Array, weights: UDGWeights, method: str, prior: RainPrior, start: Array | None, empty: Empty) -> Solver:
    if method == "admm":
        return Admm(O, weights, prior=prior)
    fast = None if method == "reference" else fused_primal_dual(O, weights, prior=prior, start=start, empty=empty)
    return PrimalDual(O, weights, prior, start) if fast is None else fast
