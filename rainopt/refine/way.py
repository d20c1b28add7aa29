"""The way of a picture through a network that begins with the solver's layer; of `rainopt` and `rainnet` alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rainopt.arrays import Array, namespace
from rainopt.direction.estimate import Direction
from rainopt.geometry.within import Within, upright_of
from rainopt.image import luminance


def corrected_layer(
    colour: Array,
    start: Array,
    directions: Sequence[Direction],
    channels: int,
    removed_of: Callable[[Array, int], Array],
    most: float | None = None,
    within: Within | None = None,
) -> Array:
    """Return the rain layer of a picture, as a network that begins with the solver's layer corrects it.

    The picture is brought upright once for each direction, and what the network then corrects of the layer is averaged,
    by the directions' shares of the rain. To let each direction begin with what the one before has left was worse by
    decibels: networks are trained on the solver's layers, and what they correct of them as a rule would be corrected
    again and again. The correction alone travels back: what the network leaves of the start is not interpolated twice.

    Of the correction its luminance counts. What rain adds to each channel is told by its streaks, see
    `rainopt.still.colour`, which knows of lamps that no training has seen.

    Parameters
    ----------
    colour
        (C, H, W) float32 in [0, 1], C being 1 or ``channels``.
    start
        (H, W) in [0, 1], the sum of the solver's layers of all directions.
    directions
        At least one, the strongest first.
    channels
        Of the network. A grey picture is shown to it as so many equal planes.
    removed_of
        Returns what the network takes off an upright picture, (``channels``, H', W'), of which it is shown the planes
        (``channels`` + 1, H', W'), the start being the last; it is told which direction that is.
    most
        Largest brightness that a pixel may lose, unless the solver's layer is higher; None: any.
    within
        Where the picture lies in another, if it is a part of one.

    Returns
    -------
    Array
        (H, W), at least 0.
    """
    xp = namespace(colour)
    height, width = start.shape
    layer, whole = start, sum(direction.share for direction in directions)
    for number, direction in enumerate(directions):
        way = upright_of(direction.angle, height, width, within)
        # Interpolation overshoots.
        straight = xp.clip(way.forward(start), 0.0, 1.0)
        shown = xp.broadcast_to(way.forward(colour), (channels, *way.shape))
        removed = luminance(removed_of(xp.concat([shown, straight[None, ...]], axis=0), number))
        layer = layer + direction.share / whole * way.back(removed - straight)
    layer = xp.where(layer > 0, layer, xp.zeros_like(layer))
    return layer if most is None else xp.minimum(layer, xp.clip(start, most, None))
