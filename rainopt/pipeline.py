"""`derain`: angle, warp, solve, warp back, and off with the layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from typing import Any

from rainopt.adaptive import Removal, solve_adaptive
from rainopt.angle import AngleEstimate, Direction, share, streak_height, vote
from rainopt.arrays import Array, detached, namespace, native
from rainopt.checks import require_non_negative, require_whole
from rainopt.colour import remove_layer
from rainopt.evidence import gather
from rainopt.image import device_of, join_channels, luminance, quantise, split_channels
from rainopt.objectives import UDGWeights
from rainopt.operators import diff_across
from rainopt.tiles import Tile, tiles
from rainopt.udg import CHECK_EVERY, SolverStatus, UDGSolution, is_within, rounding_level, solve_udg, stopping
from rainopt.veil import estimate_veil, remove_veil
from rainopt.warp import Upright
from rainopt.work_planes import reduction, work_planes

# Smaller than this no streak can be told from anything else.
LEAST_SIDE = 8
# Images of more pixels are solved in tiles; some 50 bytes a pixel are in use at once.
TILE_SIDE = 2048
# Each iteration carries a pixel's influence one pixel further, and some hundred are usual; a third of this lies between
# the part of a tile that is used and its cut.
TILE_OVERLAP = 384
# All tiles run the same number of iterations, or their seams would show: as many as the busiest window of the image
# needs, this many pixels a side.
PILOT_SIDE = 1024
# Rows that are converted to float at a time.
BAND_ROWS = 256

Progress = Callable[[float], None]
Split = tuple[UDGSolution, float | None]
Splitter = Callable[[Array, int | None, float | None], Split]


@dataclass(frozen=True)
class Decomposition:
    """A rainy image taken apart.

    Attributes
    ----------
    background
        Shaped as the image, float32 in [0, 1] (alpha as it was): the image with the rain layer taken off.
    rain
        (H, W) float32 in [0, 1], the layer that was taken off the luminance.
    angle
        Degrees in (-90, 90], given or estimated; of the strongest rain where it falls in several directions.
    solution
        `UDGSolution` of the upright problem of ``angle``. For an image solved in tiles energies and gaps are sums over
        the tiles, `iterations` the most, and `background` and `rain` are None, as they are for a dry image.
    confidence
        Of the estimated angle, in [0, 1]; None where the angle was given.
    directions
        All directions in which rain was removed, one after the other; empty for a dry image.
    veil
        (H, W) float32 in [0, 1), the white veil that was taken off after the streaks; None where none was asked for.
    """

    background: Array
    rain: Array
    angle: float
    solution: UDGSolution
    confidence: float | None = None
    directions: tuple[Direction, ...] = ()
    veil: Array | None = None


def derain(
    image: Array,
    *,
    angle: float | None = None,
    weights: UDGWeights | None = None,
    channel_axis: int = -1,
    max_iter: int | None = None,
    tol: float | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    strength: float = 1.0,
    veil: bool = False,
) -> Decomposition:
    """Remove rain streaks from one image, without any training.

    The streaks are made upright by a shear, the UDG energy splits the luminance into background and rain, the rain
    layer alone travels back, and is taken off every channel (see `rainopt.colour.remove_layer` for why). Pixels
    without rain stay exactly as they were, and so does an image in which no rain is found. Rain that falls in several
    directions is removed one direction after the other, the strongest first.

    Parameters
    ----------
    image
        (H, W) or (H, W, C) with C of 1 to 4: grey or RGB, with or without alpha; uint8, uint16 or float in [0, 1];
        numpy, cupy or torch.
    angle
        Degrees in (-90, 90]: 0 is vertical, positive moves right going down. None: estimated, with as many directions
        as there are, and none where the confidence is below `rainopt.angle.PRESENT`; see `rainopt.estimate_angle`.
    weights
        `UDGWeights`, the same for all pixels; None: chosen from the image, see `rainopt.adaptive`.
    channel_axis
        Axis of the channels.
    max_iter, tol
        As `rainopt.solve_udg`; of the second solve, where weights are chosen from the image.
    tile
        Side in pixels of the tiles of a large image, default 2048. Tiles of some 400 pixels and more agree with the
        whole to 2/255; smaller ones see too little around them. 0: never tile.
    progress
        Called with the share done, from 0 to 1.
    strength
        How much is removed, at least 0: 1 as the image suggests, 2 more and with it more of the scene, 0 nothing. It
        divides the sparsity λs and multiplies λy by its root. Not together with ``weights``.
    veil
        Remove the veil of distant rain as well, see `rainopt.veil`. Pictures that hold nothing dark are mistaken for
        veiled ones.

    Returns
    -------
    Decomposition
        In the input's array library and on its device; gradients are not followed.

    Raises
    ------
    ValueError, TypeError
        For images that are not as above or smaller than 8 pixels on a side, and settings out of range.

    Notes
    -----
    Source: Yu et al. 2021, Section 3.2. Departures: the energy is made well posed (`UDGWeights`); a shear takes the
    place of the rotation, and ``O - R``, not the smoothed `B`, is the result.
    """
    return decompose(
        image,
        namespace(image, names="image").float32,
        angle,
        weights,
        channel_axis,
        max_iter,
        tol,
        tile,
        progress,
        strength,
        veil,
    )


def decompose(
    image: Array,
    dtype: Any,
    angle: float | None = None,
    weights: UDGWeights | None = None,
    channel_axis: int = -1,
    max_iter: int | None = None,
    tol: float | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    strength: float = 1.0,
    veil: bool = False,
) -> Decomposition:
    """`derain` with the background in ``dtype``, written a band of rows at a time so that memory stays near the
    image's own.
    """
    image = detached(native(image))
    xp, device = namespace(image, names="image"), device_of(image)
    if angle is not None and (isinstance(angle, bool) or not isinstance(angle, Real)):
        raise TypeError(f"`angle` must be a number of degrees in (-90, 90] or None, got {angle!r}")
    require_non_negative(strength=strength)
    if weights is not None and strength != 1:
        raise ValueError("`strength` scales the weights chosen from the image; give it or `weights`, not both")
    rows_axis, height, width = _layout(image, channel_axis)
    if min(height, width) < LEAST_SIDE:
        raise ValueError(
            f"`image` must be at least {LEAST_SIDE} pixels on each side to show a streak, got {height} x {width}"
        )

    def bands():
        for first in range(0, height, BAND_ROWS):
            rows = slice(first, min(first + BAND_ROWS, height))
            index = (slice(None),) * rows_axis + (rows, ...)
            yield rows, index, split_channels(image[index], channel_axis)

    grey = xp.empty((height, width), dtype=xp.float32, device=device)
    for rows, _, channels in bands():
        grey[rows, :] = luminance(channels.colour)

    # Told both, it has nothing to learn from the image.
    evidence = None if angle is not None and weights is not None else gather(work_planes(image, channel_axis))
    if angle is not None:
        estimate, confidence = AngleEstimate(float(angle), 1.0, (Direction(float(angle), 1.0),)), None
    else:
        estimate = vote(evidence)
        confidence = estimate.confidence
    directions = estimate.directions if strength > 0 else ()
    removals: list[Removal | None] = [None] * len(directions)
    if weights is None:
        parallel = sum(share(evidence, d.angle) for d in directions)
        # In the mean over a block, a streak of one pixel is as much lower as the block is wide.
        blocks = reduction(height, width)
        heights = [min(blocks * streak_height(evidence, d.angle), 1.0) for d in directions]
        removals = [Removal(high, float(strength), parallel=parallel) for high in heights]
    rain, solution = _all_rain(grey, directions, removals, weights, max_iter, tol, tile, progress)

    background = xp.empty(tuple(image.shape), dtype=dtype, device=device)
    for rows, index, channels in bands():
        clean, taken = remove_layer(channels.colour, grey[rows, :], rain[rows, :])
        rain[rows, :] = taken
        background[index] = quantise(join_channels(clean, channels), dtype)
    haze = None
    if veil:
        planes = xp.asarray(work_planes(background, channel_axis), device=device)
        haze = estimate_veil(planes, (height, width))
        for rows, index, _ in bands():
            channels = split_channels(background[index], channel_axis)
            clear = remove_veil(channels.colour, haze[rows, :])
            background[index] = quantise(join_channels(clear, channels), dtype)
    return Decomposition(background, rain, estimate.angle, solution, confidence, directions, haze)


def _all_rain(
    grey: Array,
    directions: tuple[Direction, ...],
    removals: Sequence[Removal | None],
    weights: UDGWeights | None,
    max_iter: int | None,
    tol: float | None,
    tile: int | None,
    progress: Progress | None,
) -> tuple[Array, UDGSolution]:
    """Find the rain of each direction in what the ones before have left; returns the sum of the layers and the first
    solution.
    """
    # A dry image is no reason to accept what would be refused in rain.
    stopping(max_iter, tol)
    _checked_side(TILE_SIDE if tile is None else tile)
    rain, first = None, None
    for done, (direction, removal) in enumerate(zip(directions, removals, strict=True)):

        def advance(part: float, done: int = done) -> None:
            if progress:
                progress((done + part) / len(directions))

        # A plane of a large image is not made for nothing.
        left = grey if rain is None else grey - rain
        layer, solution = rain_layer(left, direction.angle, weights, max_iter, tol, tile, advance, removal)
        rain = layer if rain is None else rain + layer
        first = first or solution
    if rain is None or first is None:
        if progress:
            progress(1.0)
        nothing = UDGSolution(None, None, 0.0, 0.0, 0, SolverStatus.NOTHING_TO_DO)
        return namespace(grey).zeros_like(grey), nothing
    return rain, first


def rain_layer(
    grey: Array,
    angle: float,
    weights: UDGWeights | None = None,
    max_iter: int | None = None,
    tol: float | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    removal: Removal | None = None,
) -> tuple[Array, UDGSolution]:
    """Find the rain of one luminance image (H, W) float32, in tiles where it is large; returns the layer and the
    solution. With a ``removal`` the weights are chosen from the image.
    """

    def split(O: Array, most: int | None, within: float | None, removal: Removal | None = removal) -> Split:
        if removal is None:
            return solve_udg(O, weights=weights, max_iter=most, tol=within), None
        return solve_adaptive(O, removal, most, within)

    height, width = grey.shape
    side = _checked_side(TILE_SIDE if tile is None else tile)
    max_iter, tol = stopping(max_iter, tol)
    cover = list(tiles(height, width, side or max(height, width), min(TILE_OVERLAP, side)))
    # `tile=0` on a large image counts iterations as tiles do, so that the two can be compared.
    if len(cover) == 1 and (tile is None or max(height, width) <= PILOT_SIDE):
        layer, solution, _ = _solve_upright(grey, angle, split, max_iter, tol)
        if progress:
            progress(1.0)
        return layer, solution

    # All tiles share the number of iterations and the kind of rain, or their seams would show.
    count, dense = _pilot(grey, angle, split, max_iter, tol)
    if removal is not None:
        split = partial(split, removal=removal._replace(dense=dense))
    floor, shown = rounding_level(grey), progress
    while True:
        layer, solution = _solve_tiles(grey, angle, split, count, cover, shown)
        converged = tol > 0 and bool(is_within(solution.energy, solution.gap, tol, floor))
        if converged or tol == 0 or count == max_iter:
            break
        # The pilot was easier than the rest; rare enough to begin again, with a bar that stands still meanwhile.
        count, shown = min(2 * count, max_iter), None
    if progress:
        progress(1.0)
    return layer, replace(solution, status=SolverStatus.CONVERGED if converged else SolverStatus.MAX_ITER)


def _checked_side(side: int) -> int:
    if side < 0:
        raise ValueError(f"`tile` must be at least 0, got {side!r}")
    return require_whole(side, "tile") if side else 0


def _solve_tiles(
    grey: Array, angle: float, split: Splitter, count: int, cover: list[Tile], progress: Progress | None
) -> tuple[Array, UDGSolution]:
    """Run ``count`` iterations on every tile and blend the layers; progress stays below 1."""
    height, width = grey.shape
    xp = namespace(grey)
    rain = xp.zeros_like(grey)
    energy, gap = 0.0, 0.0
    for done, part in enumerate(cover):
        centre = _centre(angle, height, width, part)
        layer, solution, _ = _solve_upright(grey[part.rows, part.columns], angle, split, count, 0.0, centre)
        window = xp.asarray(part.window, device=device_of(grey))
        rain[part.rows, part.columns] = rain[part.rows, part.columns] + window * layer
        energy, gap = energy + solution.energy, gap + solution.gap
        if progress and done + 1 < len(cover):
            progress((done + 1) / len(cover))
    if len(cover) == 1:
        return rain, solution
    return rain, UDGSolution(None, None, energy, gap, count, solution.status)


def _pilot(grey: Array, angle: float, split: Splitter, max_iter: int, tol: float) -> tuple[int, float | None]:
    """Return the iterations that the busiest window of the image needs to reach ``tol``, and some to be safe, and how
    dense its rain is.
    """
    xp = namespace(grey)
    # Half-overlapping windows, the last ones moved back into the image.
    rows, columns = (sorted({min(k, max(n - PILOT_SIDE, 0)) for k in range(0, n, PILOT_SIDE // 2)}) for n in grey.shape)
    windows = [grey[r : r + PILOT_SIDE, c : c + PILOT_SIDE] for r in rows for c in columns]
    busiest = max(windows, key=lambda window: float(xp.sum(xp.abs(diff_across(window)))))
    _, solution, dense = _solve_upright(busiest, angle, split, max_iter, tol)
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
) -> tuple[Array, UDGSolution, float | None]:
    xp = namespace(grey)
    upright = Upright(angle, grey.shape[0], grey.shape[1], centre)
    # Interpolation overshoots at sharp edges; a bounded layer needs an image that is nowhere negative.
    straight = upright.forward(grey)
    straight = xp.where(straight > 0, straight, xp.zeros_like(straight))
    solution, dense = split(straight, max_iter, tol)
    layer = upright.back(solution.rain)
    layer = xp.where(layer > 0, layer, xp.zeros_like(layer))
    return xp.minimum(layer, grey), solution, dense


def _centre(angle: float, height: int, width: int, part: Tile) -> float:
    """Return the row that the shear of the whole image leaves in place, counted from the first row of a tile."""
    if Upright(angle, height, width).transposed:
        return (width - 1) / 2 - part.columns.start
    return (height - 1) / 2 - part.rows.start


def _layout(image: Array, channel_axis: int) -> tuple[int, int, int]:
    """Return the axis of the rows, the height and the width, leaving complaints to `split_channels`."""
    shape = list(image.shape)
    if image.ndim not in (2, 3) or 0 in shape:
        split_channels(image, channel_axis)
    if image.ndim == 2:
        return 0, shape[0], shape[1]
    if channel_axis is None or not -3 <= channel_axis < 3:
        split_channels(image, channel_axis)
    axis = channel_axis % 3
    height, width = shape[:axis] + shape[axis + 1 :]
    return int(axis == 0), height, width
