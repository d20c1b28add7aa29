"""The rain layers of one luminance image: shear, solve, shear back, in tiles where it is large."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import array_api_compat
import numpy as np

from rainopt.arrays import Array, host_view, namespace
from rainopt.geometry.tiles import Tile, tiles
from rainopt.geometry.warp import Upright
from rainopt.geometry.within import Within
from rainopt.host_steps import fetch, truth
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights
from rainopt.optim.operators import diff_across
from rainopt.optim.udg import CHECK_EVERY, SolverStatus, UDGSolution, is_within, minimise, rounding_level, stopping
from rainopt.optim.workspace import Workspace
from rainopt.parallel.rows import by_rows
from rainopt.still.adaptive import Removal, certain, solve_adaptive
from rainopt.still.rain import Streaks
from rainopt.still.settings import LayerSettings

# Images of more pixels are solved in tiles; some 50 bytes a pixel are in use at once.
TILE_SIDE = 2048
# Devices have the memory for more, and what tiles share would be solved twice.
TILE_SIDE_THERE = 8192
# Each iteration carries a pixel's influence one pixel further, and some hundred are usual; a third of this lies between
# the part of a tile that is used and its cut.
TILE_OVERLAP = 384
# All tiles run the same number of iterations, or their seams would show: as many as the busiest window of the image
# needs, this many pixels a side.
PILOT_SIDE = 1024

Progress = Callable[[float], None]
Split = tuple[UDGSolution, float | None]
Splitter = Callable[[Array, RainPrior, Array | None, int | None, float | None], Split]


def rain_layers(
    grey: Array,
    rain: Sequence[Streaks],
    settings: LayerSettings,
    progress: Progress | None = None,
    known: RainPrior = NO_PRIOR,
    marked: Array | None = None,
    within: Within | None = None,
) -> tuple[Array, UDGSolution]:
    """Find the rain of each direction in what the ones before have left of a luminance image (H, W) float32; returns
    the sum of the layers and the first solution. An excess and the trust in it, ``known`` of the rain of all directions
    together, shrinks as the layers are taken off. Where rain is ``marked``, (H, W) in [0, 1], it is not doubted, see
    `rainopt.still.adaptive`. ``within`` says where the image lies in a larger one, if it is a part of one.
    """
    total, first = None, None
    for done, streaks in enumerate(rain):

        def advance(part: float, done: int = done) -> None:
            if progress:
                progress((done + part) / len(rain))

        # A plane of a large image is not made for nothing.
        left = grey if total is None else grey - total
        layer, solution = rain_layer(left, streaks, settings, advance, _less(known, total), marked, within)
        total = layer if total is None else total + layer
        first = first or solution
    if total is None or first is None:
        if progress:
            progress(1.0)
        nothing = UDGSolution(None, None, 0.0, 0.0, 0, SolverStatus.NOTHING_TO_DO)
        return namespace(grey).zeros_like(grey), nothing
    return total, first


def _less(known: RainPrior, layer: Array | None) -> RainPrior:
    """Return what is known of the rain that a layer has left."""
    if known.excess is None or layer is None:
        return known
    rest = known.excess - layer
    return known._replace(excess=namespace(rest).where(rest > 0, rest, namespace(rest).zeros_like(rest)))


def rain_layer(
    grey: Array,
    streaks: Streaks,
    settings: LayerSettings,
    progress: Progress | None = None,
    known: RainPrior = NO_PRIOR,
    marked: Array | None = None,
    within: Within | None = None,
) -> tuple[Array, UDGSolution]:
    """Find the rain of one direction in a luminance image (H, W) float32, in tiles where it is large; returns the
    layer and the solution. Where the streaks have a removal, the weights are chosen from the image.
    """
    angle, removal = streaks.direction.angle, streaks.removal

    # One tile after the other is solved in the same memory.
    workspace = Workspace()

    def split(
        O: Array,
        known: RainPrior,
        marked: Array | None,
        most: int | None,
        within: float | None,
        removal: Removal | None = removal,
    ) -> Split:
        if removal is None:
            if marked is not None:
                known = known._replace(sparsity=certain(namespace(O).ones_like(O), marked))
            weights = settings.weights or UDGWeights()
            return minimise(O, weights, max_iter=most, tol=within, prior=known, workspace=workspace), None
        return solve_adaptive(O, removal, most, within, known=known, workspace=workspace, marked=marked)

    height, width = grey.shape
    usual = TILE_SIDE_THERE if host_view(grey) is None else TILE_SIDE
    side = usual if settings.tile is None else settings.tile
    max_iter, tol = stopping(settings.max_iter, settings.tol)
    whole = side == 0 or max(height, width) <= side
    # `tile=0` on a large image counts iterations as tiles do, so that the two can be compared.
    if whole and (settings.tile is None or max(height, width) <= PILOT_SIDE):
        centre = None if within is None else within.upright(angle, height, width).centre
        layer, solution, _ = _solve_upright(grey, angle, split, max_iter, tol, centre, known, marked)
        if progress:
            progress(1.0)
        return layer, solution

    cover = list(tiles(height, width, side or max(height, width), min(TILE_OVERLAP, side)))
    # All tiles share the number of iterations and the kind of rain, or their seams would show.
    count, dense = _pilot(grey, angle, split, max_iter, tol, known, marked)
    if removal is not None:
        split = partial(split, removal=removal._replace(dense=dense))
    floor, shown = rounding_level(grey), progress
    while True:
        layer, solution = _solve_tiles(grey, angle, split, count, cover, shown, known, marked)
        converged = tol > 0 and truth(is_within(solution.energy, solution.gap, tol, floor), "gap")
        if converged or tol == 0 or count == max_iter:
            break
        # The pilot was easier than the rest; rare enough to begin again, with a bar that stands still meanwhile.
        count, shown = min(2 * count, max_iter), None
    if progress:
        progress(1.0)
    return layer, replace(solution, status=SolverStatus.CONVERGED if converged else SolverStatus.MAX_ITER)


def _solve_tiles(
    grey: Array,
    angle: float,
    split: Splitter,
    count: int,
    cover: list[Tile],
    progress: Progress | None,
    known: RainPrior,
    marked: Array | None,
) -> tuple[Array, UDGSolution]:
    """Run ``count`` iterations on every tile and blend the layers; progress stays below 1."""
    height, width = grey.shape
    xp = namespace(grey)
    rain = xp.zeros_like(grey)
    energy, gap = 0.0, 0.0
    for done, part in enumerate(cover):
        centre = _centre(angle, height, width, part)
        box = part.rows, part.columns
        here = _cut(known, *box), None if marked is None else marked[box]
        layer, solution, _ = _solve_upright(grey[box], angle, split, count, 0.0, centre, *here)
        down, across = (xp.asarray(side, device=array_api_compat.device(grey)) for side in (part.down, part.across))

        def added(there: Array, here: Array, share: Array, across: Array = across) -> Array:
            return there + share * across * here

        rain[box] = by_rows(added, rain[box], layer, down[:, None])
        energy, gap = energy + solution.energy, gap + solution.gap
        if progress and done + 1 < len(cover):
            progress((done + 1) / len(cover))
    if len(cover) == 1:
        return rain, solution
    return rain, UDGSolution(None, None, energy, gap, count, solution.status)


def _cut(known: RainPrior, rows: slice, columns: slice) -> RainPrior:
    return RainPrior(*(None if field is None else field[rows, columns] for field in known))


def _pilot(
    grey: Array,
    angle: float,
    split: Splitter,
    max_iter: int,
    tol: float,
    known: RainPrior,
    marked: Array | None,
) -> tuple[int, float | None]:
    """Return the iterations that the busiest window of the image needs to reach ``tol``, and some to be safe, and how
    dense its rain is.
    """
    xp = namespace(grey)
    # Half-overlapping windows, the last ones moved back into the image.
    rows, columns = (sorted({min(k, max(n - PILOT_SIDE, 0)) for k in range(0, n, PILOT_SIDE // 2)}) for n in grey.shape)
    windows = [
        (slice(r, min(r + PILOT_SIDE, grey.shape[0])), slice(c, min(c + PILOT_SIDE, grey.shape[1])))
        for r in rows
        for c in columns
    ]
    varies = xp.stack([xp.sum(xp.abs(diff_across(grey[window]))) for window in windows])
    busiest = windows[int(np.argmax(fetch(varies, "busiest window")))]
    here = _cut(known, *busiest), None if marked is None else marked[busiest]
    _, solution, dense = _solve_upright(grey[busiest], angle, split, max_iter, tol, None, *here)
    # Where the window is the whole image there is nothing else to be safe from.
    alone = max(grey.shape) <= PILOT_SIDE
    return solution.iterations if alone else min(solution.iterations + CHECK_EVERY, max_iter), dense


def _solve_upright(
    grey: Array,
    angle: float,
    split: Splitter,
    max_iter: int | None,
    tol: float | None,
    centre: float | None = None,
    known: RainPrior = NO_PRIOR,
    marked: Array | None = None,
) -> tuple[Array, UDGSolution, float | None]:
    xp = namespace(grey)
    upright = Upright(angle, grey.shape[0], grey.shape[1], centre)
    # Interpolation overshoots at sharp edges; a bounded layer needs an image that is nowhere negative.
    straight = by_rows(_positive, upright.forward(grey))
    turned = RainPrior(*(None if field is None else _turned(upright, field) for field in known))
    if turned.excess is not None:
        turned = turned._replace(excess=xp.minimum(turned.excess, straight))
    if marked is not None:
        marked = xp.clip(upright.forward(marked), 0.0, 1.0)
    solution, dense = split(straight, turned, marked, max_iter, tol)
    layer = by_rows(lambda found, most: xp.minimum(_positive(found), most), upright.back(solution.rain), grey)
    return layer, solution, dense


def _turned(upright: Upright, field: Array) -> Array:
    """Return a field that is nowhere negative, upright."""
    return by_rows(_positive, upright.forward(field))


def _positive(field: Array) -> Array:
    xp = namespace(field)
    return xp.where(field > 0, field, xp.zeros_like(field))


def _centre(angle: float, height: int, width: int, part: Tile) -> float:
    """Return the row that the shear of the whole image leaves in place, counted from the first row of a tile."""
    if Upright(angle, height, width).transposed:
        return (width - 1) / 2 - part.columns.start
    return (height - 1) / 2 - part.rows.start
