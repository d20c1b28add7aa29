"""`refine`: the solver begins, a small network ends."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.arrays import Array
from rainopt.geometry.within import Within
from rainopt.image import join_channels, luminance, quantise, scaled, split_channels
from rainopt.refine.session import PACKAGED, core
from rainopt.refine.way import corrected_layer
from rainopt.still.bound import most_rain
from rainopt.still.colour import colour_of_rain, remove_layer
from rainopt.still.derain import Decomposition, Removed, decompose, remove_rain
from rainopt.still.marks import NO_MARKS, Marks
from rainopt.still.rain import Streaks
from rainopt.still.rain_layer import Progress, rain_layers
from rainopt.still.settings import LayerSettings, StillSettings

SOLVER_SHARE = 0.2
"""Of the time, for the bar that shows it."""


def refine(
    image: np.ndarray,
    *,
    angle: float | Sequence[float] | None = None,
    channel_axis: int = -1,
    max_iter: int | None = None,
    tol: float | None = None,
    tile: int | None = None,
    progress: Progress | None = None,
    veil: bool = False,
    marks: np.ndarray | None = None,
) -> Decomposition:
    """Remove rain streaks from one image by the solver, and let a small network correct what it removes.

    The network sees the upright picture and the solver's layer, and corrects the layer: it gives scene back that was
    taken for rain, and takes a little of the rain that was left. The layer is taken off as the solver's is.
    It runs on the CPU by onnxruntime, which the extra ``refine`` brings. An image in which no rain is found stays
    exactly as it was.

    Parameters
    ----------
    image
        As `rainopt.derain`, of numpy.
    angle, channel_axis, max_iter, tol
        As `rainopt.derain`. The solver's weights and strength are those that the network was trained with.
    tile
        Side in pixels of the tiles of a large image, by default 2048 for the solver and 1024 for the network, which
        sees as much around each as it needs; 0: never tile.
    progress
        Called with the share done, from 0 to 1.
    veil, marks
        As `rainopt.derain`; the network does not give back what is marked as rain.

    Returns
    -------
    Decomposition
        As of `rainopt.derain`; ``solution`` is that of the solver's layer.

    Raises
    ------
    ModuleNotFoundError
        Without the extra ``refine``.
    ValueError, TypeError
        As `rainopt.derain`.

    Notes
    -----
    The network is `rainnet.models.refine.Refine`, whose weights ship with `rainnet` as well; `rainnet.derain` of it
    gives the same.
    """
    settings = StillSettings(angle=angle, veil=veil, max_iter=max_iter, tol=tol, tile=tile)
    return refined(image, settings, as_float=True, channel_axis=channel_axis, progress=progress, marks=marks)


def refined(
    image: np.ndarray,
    settings: StillSettings,
    *,
    as_float: bool = False,
    channel_axis: int = -1,
    progress: Progress | None = None,
    path: Path = PACKAGED,
    marks: np.ndarray | None = None,
) -> Decomposition:
    """`refine` with its settings in one object, the background in the image's dtype or, ``as_float``, in float32, and
    any network that `rainopt.refine.session.Core` takes.
    """
    require_usual(settings)
    if not isinstance(image, np.ndarray):
        raise TypeError(f"`image` must be an array of numpy to be refined, got {type(image).__name__}")
    core(path)  # that it can be had is known before the work
    return decompose(
        image,
        settings,
        as_float=as_float,
        channel_axis=channel_axis,
        progress=progress,
        remove=partial(remove_refined, path=path),
        marks=marks,
    )


def remove_refined(
    image: np.ndarray,
    rain: Sequence[Streaks],
    settings: LayerSettings,
    dtype: Any,
    *,
    channel_axis: int = -1,
    progress: Progress | None = None,
    unit: float = 1.0,
    marks: Marks = NO_MARKS,
    within: Within | None = None,
    path: Path = PACKAGED,
) -> Removed:
    """`rainopt.still.derain.remove_rain` whose layer a network corrects; ``within`` says where the image lies in
    another, if it is a part of one.
    """
    if not rain:
        return remove_rain(image, rain, settings, dtype, channel_axis=channel_axis, progress=progress, unit=unit)
    network = core(path)
    channels = split_channels(image, channel_axis)
    colour = np.ascontiguousarray(scaled(channels.colour, 1 / unit))

    def solving(share: float) -> None:
        if progress:
            progress(SOLVER_SHARE * share)

    grey = np.ascontiguousarray(luminance(colour))
    start, solution = rain_layers(grey, rain, settings, solving, marked=marks.rainy, within=within)

    def removed_of(upright: Array, number: int) -> Array:
        def advance(share: float) -> None:
            if progress:
                progress(SOLVER_SHARE + (1 - SOLVER_SHARE) * (number + share) / len(rain))

        return network.removed(upright, settings.tile, advance)

    directions = [streaks.direction for streaks in rain]
    most = None if rain[0].removal is None else most_rain(rain[0].removal)
    layer = corrected_layer(colour, start.clip(0, 1), directions, network.channels, removed_of, most, within)
    if marks.rainy is not None:
        # The network saw no marks, and would give back what a person has called rain.
        layer = layer + marks.rainy * (np.maximum(start, layer) - layer)
    if marks.left is not None:
        layer = marks.left * layer
    shade = colour_of_rain(colour, layer, [direction.angle for direction in directions])
    clean, taken = remove_layer(colour, layer, shade.shares)
    background = quantise(join_channels(scaled(clean, unit), channels), dtype)
    if progress:
        progress(1.0)
    # Not a view whose channels lie first.
    return Removed(np.ascontiguousarray(background), scaled(taken, unit), solution, shade)


def require_usual(settings: StillSettings) -> None:
    """Refuse settings under which the solver's layer is another than the network was trained with.

    Raises
    ------
    ValueError
        If strength or weights are given.
    """
    for name, given in (("strength", settings.strength != 1), ("weights", settings.weights is not None)):
        if given:
            raise ValueError(f"`{name}` cannot be chosen where a network refines: it was trained without; leave it out")
