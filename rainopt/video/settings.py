"""How all frames of a scene are treated: one set of directions and weights, so that nothing flickers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rainopt.direction.estimate import AngleEstimate, Direction, vote
from rainopt.direction.evidence import Evidence, gather
from rainopt.direction.planes import work_planes
from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright
from rainopt.image import luminance, split_channels
from rainopt.optim.objectives import UDGWeights
from rainopt.parallel.threads import run_all
from rainopt.still.adaptive import Removal, solve_adaptive
from rainopt.still.derain import removals_from, remove_rain

# Iterations of each frame's second solve, and of its pilot. More of the first do not help: at 20 the layers of rendered
# rain are as near to the truth as at convergence. A pilot of 40, as for photographs, is worth 0.2 dB and a fifth of the
# time.
ITERATIONS, PILOT_ITERATIONS = 20, 20
# Degrees within which directions of two frames are one.
PARALLEL = 8.0


@dataclass(frozen=True)
class Treatment:
    """What is done to every frame alike.

    Attributes
    ----------
    directions
        Of the rain, the strongest first; empty where none is seen, and then frames stay as they are.
    removals
        For each direction, with how dense the rain is in it; None where the weights are given.
    weights
        The same for all pixels, where they are given.
    max_iter, tol
        Of the solver.
    """

    directions: tuple[Direction, ...] = ()
    removals: tuple[Removal | None, ...] = ()
    weights: UDGWeights | None = None
    max_iter: int = ITERATIONS
    tol: float | None = None


def treatment_of(
    frames: Sequence[np.ndarray],
    *,
    angle: float | None = None,
    weights: UDGWeights | None = None,
    strength: float = 1.0,
    max_iter: int | None = None,
    tol: float | None = None,
) -> Treatment:
    """Choose how the frames of a scene are treated, from some of them.

    A direction counts where at least half of the frames show it. Its angle, and what its layer is found with, are the
    medians over those frames.

    Parameters
    ----------
    frames
        Some frames of the scene, (H, W, 3) uint8 or uint16, apart from one another.
    angle
        Degrees in (-90, 90], if it is known.
    weights, strength, max_iter, tol
        As `rainopt.derain`; ``max_iter`` is 20 if left out, enough for frames.

    Raises
    ------
    ValueError
        If there is no frame.
    """
    if not len(frames):
        raise ValueError("`frames` must hold at least one frame, got none")
    base = Treatment(weights=weights, max_iter=ITERATIONS if max_iter is None else max_iter, tol=tol)
    if strength == 0:
        return base
    # Told both, it has nothing to learn from the frames.
    told = angle is not None and weights is not None
    evidence = [] if told else [gather(work_planes(frame)) for frame in frames]
    if angle is not None:
        directions: tuple[Direction, ...] = (Direction(float(angle), 1.0),)
    else:
        directions = common_directions([vote(seen) for seen in evidence])
    if weights is not None:
        return replace(base, directions=directions, removals=(None,) * len(directions))
    removals = tuple(_steady_removal(frames, evidence, directions, k, strength) for k in range(len(directions)))
    return replace(base, directions=directions, removals=removals)


def treatment_from(values: dict[str, Any]) -> Treatment:
    """Return the treatment whose ``asdict`` has been to JSON and back."""
    return Treatment(
        directions=tuple(Direction(*direction) for direction in values["directions"]),
        removals=tuple(None if removal is None else Removal(*removal) for removal in values["removals"]),
        weights=None if values["weights"] is None else UDGWeights(**values["weights"]),
        max_iter=values["max_iter"],
        tol=values["tol"],
    )


def derain_frame(frame: np.ndarray, treatment: Treatment) -> np.ndarray:
    """Return a frame (H, W, 3) uint8 or uint16 without the rain, in its dtype."""
    if not treatment.directions:
        return frame
    removed = remove_rain(
        frame,
        frame.dtype,
        treatment.directions,
        treatment.removals,
        treatment.weights,
        max_iter=treatment.max_iter,
        tol=treatment.tol,
    )
    return np.asarray(removed.background)


def common_directions(estimates: Sequence[AngleEstimate]) -> tuple[Direction, ...]:
    """Return the directions that at least half of the frames show, the strongest first; shares add up to 1."""
    found = [(number, d) for number, estimate in enumerate(estimates) for d in estimate.directions]
    kept: list[list[Direction]] = []
    while found:
        # Around the direction that has most company.
        company = [sum(other.share for _, other in found if _parallel(other, d)) for _, d in found]
        centre = found[company.index(max(company))][1]
        group = [(number, d) for number, d in found if _parallel(d, centre)]
        # A frame that shows two of them counts once.
        if 2 * len({number for number, _ in group}) >= len(estimates):
            kept.append([d for _, d in group])
        found = [(number, d) for number, d in found if not _parallel(d, centre)]
    shares = [sum(d.share for d in group) for group in kept]
    middles = [_middle(group) for group in kept]
    ordered = sorted(zip(shares, middles, strict=True), reverse=True)
    return tuple(Direction(angle, share / sum(shares)) for share, angle in ordered)


def _parallel(one: Direction, other: Direction) -> bool:
    return abs(line_angle(one.angle - other.angle)) <= PARALLEL


def _middle(group: list[Direction]) -> float:
    first = group[0].angle
    return line_angle(first + float(np.median([line_angle(d.angle - first) for d in group])))


def _steady_removal(
    frames: Sequence[np.ndarray],
    evidence: Sequence[Evidence],
    directions: tuple[Direction, ...],
    place: int,
    strength: float,
) -> Removal:
    """Return the median over the frames of what a direction's layer is found with."""
    height, width = frames[0].shape[:2]
    each = [removals_from(seen, directions, strength, height, width)[place] for seen in evidence]
    high = float(np.median([removal.height for removal in each]))
    parallel = float(np.median([removal.parallel for removal in each]))
    steady = Removal(high, strength, None, parallel, PILOT_ITERATIONS)
    upright = Upright(directions[place].angle, height, width)

    def density_of(frame: np.ndarray) -> float:
        straight = np.maximum(np.asarray(upright.forward(luminance(split_channels(frame).colour))), 0)
        return solve_adaptive(straight, steady, 1, 0.0)[1]

    dense = float(np.median(run_all(density_of, [(frame,) for frame in frames])))
    return steady._replace(dense=dense)
