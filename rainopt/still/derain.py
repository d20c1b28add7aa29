"""`derain`: angle, warp, solve, warp back, and off with the layer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import array_api_compat

from rainopt.arrays import Array, detached, host_view, namespace, native, require_dense
from rainopt.checks import require_axis
from rainopt.direction.estimate import Direction
from rainopt.direction.planes import reduced_planes
from rainopt.image import exposure, image_luminance, join_channels, quantise, raw_planes, scaled, split_channels
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights
from rainopt.optim.udg import UDGSolution
from rainopt.parallel.threads import run_all
from rainopt.still.colour import CELL, RainColour, RainLight, cells_behind, colour_of_rain, remove_layer, shares_over
from rainopt.still.haze import estimate_veil, remove_veil
from rainopt.still.marks import NO_MARKS, Marks, marks_of
from rainopt.still.rain import Streaks, find_rain
from rainopt.still.rain_layer import Progress, rain_layers
from rainopt.still.settings import LayerSettings, StillSettings

# Smaller than this no streak can be told from anything else.
LEAST_SIDE = 8
# Numbers that a thread converts to float at a time, about.
BAND_NUMBERS = 1 << 20


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
        the tiles, `iterations` the most, and `background` and `rain` are None, as they are for a dry image. All of it
        is in units of the image's `rainopt.image.exposure`.
    confidence
        Of the estimated angle, in [0, 1]; None where the angle was given.
    directions
        All directions in which rain was removed, one after the other; empty for a dry image.
    veil
        (H, W) float32 in [0, 1), the white veil that was taken off after the streaks; None where none was asked for.
    colour
        `rainopt.still.colour.RainColour`: what the rain adds to each channel over what it adds to luminance, by place;
        None for a dry image.
    """

    background: Array
    rain: Array
    angle: float
    solution: UDGSolution
    confidence: float | None = None
    directions: tuple[Direction, ...] = ()
    veil: Array | None = None
    colour: RainColour | None = None


def derain(
    image: Array,
    *,
    angle: float | Sequence[float] | None = None,
    weights: UDGWeights | None = None,
    channel_axis: int = -1,
    max_iter: int | None = None,
    tol: float | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    strength: float = 1.0,
    veil: bool = False,
    marks: Array | None = None,
) -> Decomposition:
    """Remove rain streaks from one image, without any training.

    The streaks are made upright by a shear, the UDG energy splits the luminance into background and rain, the rain
    layer alone travels back, and is taken off every channel in the colour of the rain, which streaks are lit in by what
    is around them (see `rainopt.still.colour.remove_layer`). Pixels
    without rain stay exactly as they were, and so does an image in which no rain is found. Rain that falls in several
    directions is removed one direction after the other, the strongest first.

    Parameters
    ----------
    image
        (H, W) or (H, W, C) with C of 1 to 4: grey or RGB, with or without alpha; uint8, uint16 or float in [0, 1];
        numpy, cupy or torch. A dark one is divided by its `rainopt.image.exposure` before anything is looked for, so
        that the same picture sixteen times darker gives the same sixteen times darker.
    angle
        Degrees in (-90, 90]: 0 is vertical, positive moves right going down. Several for rain that falls in several
        directions, the strongest first: at most `rainopt.direction.estimate.MOST`, a degree apart at least. None:
        estimated, with as many directions as there are, and none where the confidence is below
        `rainopt.direction.estimate.PRESENT`; see `rainopt.estimate_angle`.
    weights
        `UDGWeights`, the same for all pixels; None: chosen from the image, see `rainopt.still.adaptive`.
    channel_axis
        Axis of the channels.
    max_iter, tol
        As `rainopt.solve_udg`; of the second solve, where weights are chosen from the image.
    tile
        Side in pixels of the tiles of a large image, default 2048, and 8192 on a device. Tiles of some 400 pixels and
        more agree with the whole to 2/255; smaller ones see too little around them. 0: never tile.
    progress
        Called with the share done, from 0 to 1.
    strength
        How much is removed, at least 0: 1 as the image suggests, 2 more and with it more of the scene, 0 nothing. It
        divides the sparsity λs and multiplies λy by its root. Not together with ``weights``.
    veil
        Remove the veil of distant rain as well, see `rainopt.still.haze`. Pictures that hold nothing dark are mistaken
        for veiled ones.
    marks
        (H, W) int8 or floating point in [-1, 1], as the image's library and device: what a person says of each pixel.
        -1 protects it: it comes out as it went in, but for a veil. 1 says that rain is there: what runs along the rain
        is taken off as far as the picture lets it, however bright it is and however much it looks like texture. 0 says
        nothing, and what lies between counts by that share: soft borders leave no edge in dense rain. Marks tell where
        rain is and not how it falls: where no direction is seen and no ``angle`` given, nothing is taken off there
        either.

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

    Examples
    --------
    Rendered rain, whose truth is known:

    >>> import numpy as np
    >>> import rainopt
    >>> from data_tools import RainSpec, add_rain
    >>> clean = np.linspace(0.1, 0.6, 256 * 256, dtype=np.float32).reshape(256, 256)
    >>> rainy = add_rain(clean, RainSpec(angle=12, density=1500), np.random.default_rng(0)).rainy
    >>> d = rainopt.derain(rainy)
    >>> abs(d.angle - 12) < 1
    True
    >>> rainopt.psnr(d.background, clean) > rainopt.psnr(rainy, clean) + 6
    True

    A picture in which no rain is found comes back as it was:

    >>> dry = rainopt.derain(clean)
    >>> np.array_equal(dry.background, clean), dry.directions
    (True, ())
    """
    settings = StillSettings(
        angle=angle, weights=weights, strength=strength, veil=veil, max_iter=max_iter, tol=tol, tile=tile
    )
    return decompose(image, settings, as_float=True, channel_axis=channel_axis, progress=progress, marks=marks)


def decompose(
    image: Array,
    settings: StillSettings,
    *,
    as_float: bool = False,
    channel_axis: int = -1,
    progress: Progress | None = None,
    remove: Callable[..., Removed] | None = None,
    marks: Array | None = None,
) -> Decomposition:
    """`derain` with its settings in one object, and the background in the image's dtype or, ``as_float``, in float32.

    The background is written a band of rows at a time, so that memory stays near the image's own. ``remove`` takes the
    place of `remove_rain`, with the same arguments. ``marks`` are those of `derain`.
    """
    remove = remove or remove_rain
    require_dense(image, "image")
    xp, image = namespace(image), detached(native(image))
    rows_axis, height, width = _layout(image, channel_axis)
    if min(height, width) < LEAST_SIDE:
        raise ValueError(
            f"`image` must be at least {LEAST_SIDE} pixels on each side to show a streak, got {height} x {width}"
        )
    said = marks_of(marks, image, height, width)
    unit = exposure(image, channel_axis=channel_axis)
    rain = find_rain(image, settings, channel_axis, (height, width), unit)
    dtype = xp.float32 if as_float else image.dtype
    how: dict[str, Any] = {"channel_axis": channel_axis, "progress": progress, "unit": unit, "marks": said}
    parts = remove(image, rain.streaks, settings, dtype, **how)
    haze = None
    if settings.veil:
        planes = reduced_planes(parts.background, channel_axis)
        haze = estimate_veil(scaled(planes, 1 / unit), (height, width))

        def unveil(rows: slice, index: Any) -> None:
            channels = split_channels(parts.background[index], channel_axis)
            clear = scaled(remove_veil(scaled(channels.colour, 1 / unit), haze[rows, :]), unit)
            parts.background[index] = quantise(join_channels(clear, channels), parts.background.dtype)

        run_all(unveil, _bands(image, rows_axis, height))
    directions = tuple(streaks.direction for streaks in rain.streaks)
    found = rain.angle, parts.solution, rain.confidence, directions
    return Decomposition(parts.background, parts.rain, *found, haze, parts.colour)


class Removed(NamedTuple):
    """What `remove_rain` makes of an image; see `Decomposition`."""

    background: Array
    rain: Array
    solution: UDGSolution
    colour: RainColour | None


def remove_rain(
    image: Array,
    rain: Sequence[Streaks],
    settings: LayerSettings,
    dtype: Any,
    *,
    channel_axis: int = -1,
    progress: Progress | None = None,
    unit: float = 1.0,
    known: RainPrior = NO_PRIOR,
    light: RainLight | None = None,
    marks: Marks = NO_MARKS,
) -> Removed:
    """Take known rain off a checked image divided by its exposure; the background comes in ``dtype``, and the image's
    own units, as the layer does. What the frames around a frame of video tell is ``known``, in units of the exposure.

    The colour of the rain is found by place, unless its ``light`` is known, as that of a scene. What ``marks`` protect
    is taken off the layer once it is found, so that all around it stays as it would be.
    """
    xp, device = namespace(image), array_api_compat.device(image)
    rows_axis, height, width = _layout(image, channel_axis)
    grey = xp.empty((height, width), dtype=xp.float32, device=device)

    def see(rows: slice, index: Any) -> None:
        grey[rows, :] = scaled(image_luminance(image[index], channel_axis), 1 / unit)

    run_all(see, _bands(image, rows_axis, height))
    layer, solution = rain_layers(grey, rain, settings, progress, known, marks.rainy)
    if marks.left is not None:
        layer = marks.left * layer
    colour = None
    if rain and light is None:
        planes, scale = raw_planes(image, channel_axis)
        colour = colour_of_rain(planes, layer, [streaks.direction.angle for streaks in rain], scale / unit)
    lies = None if colour is None else colour.shares
    if rain and light is not None:
        cells = [
            cells_behind(scaled(split_channels(image[index], channel_axis).colour, 1 / unit), layer[rows, :])
            for rows, index in _bands(image, rows_axis, height)
        ]
        lies = shares_over(light, xp.concat(cells, axis=1))
    background = xp.empty(tuple(image.shape), dtype=dtype, device=device)

    def take_off(rows: slice, index: Any) -> None:
        channels = split_channels(image[index], channel_axis)
        clean, taken = remove_layer(scaled(channels.colour, 1 / unit), layer[rows, :], lies, rows.start)
        layer[rows, :] = scaled(taken, unit)
        background[index] = quantise(join_channels(scaled(clean, unit), channels), background.dtype)

    run_all(take_off, _bands(image, rows_axis, height))
    return Removed(background, layer, solution, colour)


def _bands(image: Array, rows_axis: int, height: int) -> Iterator[tuple[slice, tuple[Any, ...]]]:
    """Yield bands of rows, and the index of each in an image whose rows are on an axis; all of them at once on a
    device, where each operation is a launch. But for the last, they are of whole cells of the colour of rain.
    """
    many = height
    if host_view(image) is not None:
        many = CELL * max(1, BAND_NUMBERS * height // math.prod(image.shape) // CELL)
    for first in range(0, height, many):
        rows = slice(first, min(first + many, height))
        yield rows, (slice(None),) * rows_axis + (rows, ...)


def _layout(image: Array, channel_axis: int) -> tuple[int, int, int]:
    """Return the axis of the rows, the height and the width, leaving complaints to `split_channels`."""
    shape = list(image.shape)
    if image.ndim not in (2, 3) or 0 in shape:
        split_channels(image, channel_axis)
    if image.ndim == 2:
        return 0, shape[0], shape[1]
    axis = require_axis(channel_axis, tuple(shape))
    height, width = shape[:axis] + shape[axis + 1 :]
    return int(axis == 0), height, width
