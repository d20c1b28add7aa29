"""`derain`: a network on one picture of any size, depth and array library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rainnet.infer.along import without_rain
from rainnet.infer.angle import SOLVER, checked_angle, found_by_network
from rainnet.infer.device import device_for, evaluating
from rainnet.infer.ensemble import MIRRORS, mean_layers
from rainnet.infer.given import network_of
from rainnet.infer.planes import checked_unit, contiguous, for_net, like, planes_of, without_colour
from rainnet.infer.polish import polished
from rainnet.infer.precision import PRECISIONS, checked_precision
from rainnet.infer.streaks import Streaks
from rainnet.infer.tiles import Progress, checked_tile
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.start import solver_layer
from rainopt.arrays import Array, detached
from rainopt.checks import require_whole
from rainopt.direction.estimate import Direction
from rainopt.image import exposure, join_channels, luminance, scaled, split_channels
from rainopt.refine.way import corrected_layer
from rainopt.still.bound import most_rain
from rainopt.still.colour import colour_of_rain, remove_layer


@dataclass(frozen=True)
class Derained:
    """A rainy image taken apart by a network.

    Attributes
    ----------
    background
        Shaped as the image, float32 in [0, 1] (alpha as it was).
    rain
        (H, W) float32 in [0, 1], BT.601 luminance of the rain layer; of the polished one, where it is polished.
    angle
        Degrees in (-90, 90], given or found, the first of several; None for networks that need none.
    dry
        Whether no rain was seen, so that the image came back as it was.
    attention
        (H, W) float32 in [0, 1]: where the network looked for rain; None for networks that do not say.
    """

    background: Array
    rain: Array
    angle: float | None
    dry: bool = False
    attention: Array | None = None


def derain(
    net: Network | str | Path,
    image: Array,
    *,
    angle: float | str | Sequence[float] | None = None,
    tile: int | None = None,
    device: str | torch.device = "auto",
    batch: int = 1,
    polish: int = 0,
    bounded: bool = True,
    ensemble: int = 1,
    precision: str = PRECISIONS[0],
    unit: float | None = None,
    streaks: Streaks | None = None,
    channel_axis: int = -1,
    progress: Progress | None = None,
) -> Derained:
    """Remove rain from one image by a network.

    The picture is brought into the orientation of the network (`rainnet.models.base.Network.orientation`), split there
    in tiles, and what was removed travels back, so that what is not rain is never interpolated. A grey picture is shown
    to a network of three channels as three equal ones, and what is removed is their mean. A dark picture is divided by
    its `rainopt.image.exposure` first, and the results are multiplied by it. A network that begins with the solver's
    layer takes away the rain of all directions that the solver finds, see `rainopt.refine.way`; of angles that are
    given, that of these directions alone.

    Parameters
    ----------
    net
        A network; it is moved to the device and stays there, and keeps its mode, training or evaluation. Or the name or
        file of one, as `rainnet.load` takes it, which is loaded at its first use and kept.
    image
        (H, W) or (H, W, C) with C of 1 to 4: grey or RGB, with or without alpha; uint8, uint16 or float in [0, 1];
        numpy, cupy or torch; of any size.
    angle
        Degrees in (-90, 90]: 0 is vertical, positive moves right going down. ``"network"``: what the network finds,
        within ±45 degrees for `rainnet.models.udgnet.UDGNet`; ``"solver"``: what `rainopt.estimate_angle` finds. None:
        the solver's, `rainnet.infer.angle.ANGLE_BY`, for networks that work on upright streaks; and an
        image in which it sees no rain is left as it is, as `rainopt.derain` leaves it. Where ``"solver"`` is said, such
        an image is derained all the same, along its best guess. Several degrees, the strongest rain first, for rain
        that falls in several directions, as `rainopt.derain` takes them: each is sought in what those before have left.
    tile
        Side in pixels of the tiles that a large picture is cut into, at least 32; each sees its surroundings as well,
        so that the result is that of the whole. None: 1024 on a CPU, 2048 elsewhere. 0: never tile. A network that sees
        the whole picture (`rainnet.models.base.Network.reach`) is run whole if this is None and memory allows; in tiles
        it gives something else, which is logged as a warning.
    device
        ``"cpu"``, ``"cuda:N"``, or ``"auto"``: where the network is, if that is not the CPU, else the first CUDA device
        if there is one, else the CPU. Training loops pass the device of their network.
    batch
        Tiles that go through the network together.
    polish
        Iterations of the solver that go on from what the network removed, see `rainnet.infer.polish`; some 20 do, and 0
        is none. They need an angle: where the network has none, the solver's.
    bounded
        Take no more light off a pixel than rain can have added, by the height of the bright streaks of the picture, see
        `rainopt.still.bound`; for networks that work with an angle, whatever angle another is told.
    ensemble
        1; or 2 or 4: the mean of what is found in the picture and in its mirror images, left to right and upside down,
        in which streaks are upright as well. It takes as many times as long and is worth some 0.2 dB.
    precision
        ``"float32"``, or ``"bfloat16"``: convolutions in 16 bits, which takes half the time where a processor can
        compute with them, and is some 50 dB from the former.
    unit
        What the picture is divided by for the network, above 0 and at most 1; None: its own exposure. Frames of a video
        share one, see `rainopt.image.exposure`, lest they flicker.
    streaks
        What the whole picture tells of its rain, where ``image`` is a part of one; its unit is to be given, too.
    channel_axis
        Axis of the channels.
    progress
        Called with the share done, from 0 to 1.

    Returns
    -------
    Derained
        In the image's array library and on its device; gradients are not followed.

    Raises
    ------
    ValueError, TypeError
        For images that are not as above or have channels that the network does not take, settings out of range, and
        devices that are not there.

    Notes
    -----
    Source: Yu et al. 2021, Section 3.3 and Fig. 3, for the way of a picture through the network.

    Examples
    --------
    >>> import numpy as np
    >>> import rainnet
    >>> from data_tools import RainSpec, add_rain
    >>> from rainopt import psnr
    >>> clean = np.linspace(0.1, 0.6, 128 * 128, dtype=np.float32).reshape(128, 128)
    >>> rainy = add_rain(clean, RainSpec(angle=12, density=1500), np.random.default_rng(0)).rainy
    >>> d = rainnet.derain("refine", rainy, angle=12.0, device="cpu")
    >>> psnr(d.background, clean) > psnr(rainy, clean) + 6
    True
    """
    net, image = network_of(net), detached(image)
    channels = split_channels(image, channel_axis)
    height, width = channels.colour.shape[-2:]
    alpha = without_colour(channels, net)
    del channels
    place = device_for(device, net)
    checked_tile(tile, place)
    batch = require_whole(batch, "batch")
    iterations = require_whole(polish, "polish") if polish != 0 or isinstance(polish, bool) else 0
    wish, mirrors = checked_angle(angle, net), MIRRORS.get(ensemble)
    precision = checked_precision(precision)
    if iterations and isinstance(wish, tuple):
        raise ValueError(f"`polish` goes on along one direction; give one angle, not {len(wish)}, or leave it out")
    if mirrors is None:
        raise ValueError(f"`ensemble` must be one of {', '.join(map(str, MIRRORS))}, got {ensemble!r}")
    net.to(place)
    unit = exposure(image, channel_axis=channel_axis) if unit is None else checked_unit(unit)
    streaks = streaks or Streaks(image, channel_axis, unit)
    with evaluating(net), torch.no_grad():
        if angle is None and wish == SOLVER and not streaks.estimate.directions:
            colour = planes_of(image, channel_axis, net, place)
            whole = join_channels(like(colour, image), alpha)
            nothing = like(torch.zeros_like(colour[0]), image)
            where = nothing if net.has_attention else None
            return Derained(contiguous(whole), nothing, streaks.estimate.angle, True, where)

        def rainy() -> Tensor:
            return scaled(planes_of(image, channel_axis, net, place), 1 / unit)

        degrees = _degrees(net, streaks, rainy, wish, place)
        if iterations and degrees is None:
            degrees = streaks.estimate.angle
        told = wish if isinstance(wish, tuple) else (degrees,)

        def most_of(angle: float | None) -> float | None:
            limit = bounded and net.directional and angle is not None
            return most_rain(streaks.removal(angle, height, width)) if limit and angle is not None else None

        where = None
        if net.starts and degrees is not None:
            found = streaks.estimate.directions if wish == SOLVER else ()
            directions = found or tuple(Direction(angle, 1 / len(told)) for angle in told if angle is not None)

            def removed_of(upright: Tensor, number: int) -> Tensor:
                def advance(share: float) -> None:
                    if progress:
                        progress((number + share) / len(directions))

                return mean_layers(net, upright, mirrors, tile, batch, place, advance, precision).removed

            colour, most = rainy(), most_of(degrees)
            begun = solver_layer(luminance(colour), streaks.evidence, directions, streaks.within)
            layer = corrected_layer(colour, begun, directions, net.channels, removed_of, most, streaks.within)
            del begun
            shade = colour_of_rain(colour, layer, [direction.angle for direction in directions])
            background, rain = remove_layer(colour, layer, shade.shares)
            del layer, colour
        else:

            def layers_of(upright: Tensor, advance: Progress) -> Layers:
                return mean_layers(net, upright, mirrors, tile, batch, place, advance, precision)

            # Where pictures are taken as they lie, one pass is all.
            angles = told if net.directional else told[:1]
            ways = [(net.orientation(height, width, angle, streaks.within), most_of(angle)) for angle in angles]
            background, rain, where = without_rain(net, rainy, ways, layers_of, unit, progress)
        if iterations and degrees is not None:
            removal = streaks.removal(degrees, height, width)
            background, rain = polished(rainy(), background, degrees, removal, iterations)
        background, rain = scaled(background, unit), scaled(rain, unit)
        attention = None if where is None else like(where, image)
    if progress:
        progress(1.0)
    background = contiguous(join_channels(like(background, image), alpha))
    return Derained(background, like(rain, image), degrees, attention=attention)


def find_angle(
    net: Network | str | Path,
    image: Array,
    *,
    by: str | None = None,
    device: str | torch.device = "auto",
    channel_axis: int = -1,
) -> float | None:
    """Return the degrees that `derain` would work with, None where the network needs none.

    Parameters
    ----------
    net, image, device, channel_axis
        As `derain`.
    by
        ``"network"``, ``"solver"``, or None: `rainnet.infer.angle.ANGLE_BY`.

    Raises
    ------
    ValueError, TypeError
        As `derain`.
    """
    net, image = network_of(net), detached(image)
    place, wish = device_for(device, net), checked_angle(by, net)
    without_colour(split_channels(image, channel_axis), net)
    net.to(place)
    unit = exposure(image, channel_axis=channel_axis)

    def rainy() -> Tensor:
        return scaled(planes_of(image, channel_axis, net, place), 1 / unit)

    with evaluating(net), torch.no_grad():
        return _degrees(net, Streaks(image, channel_axis, unit), rainy, wish, place)


def _degrees(
    net: Network,
    streaks: Streaks,
    rainy: Callable[[], Tensor],
    wish: float | str | tuple[float, ...] | None,
    place: torch.device,
) -> float | None:
    if isinstance(wish, tuple):
        return wish[0]
    if wish is None or isinstance(wish, float):
        return wish
    if wish == SOLVER:
        return streaks.estimate.angle
    found = found_by_network(net, for_net(rainy(), net), place)
    if found is None and net.directional:
        raise ValueError(f"`angle` cannot be '{wish}': {net.name} finds none; give degrees or '{SOLVER}'")
    return found
