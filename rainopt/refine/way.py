"""The way of a picture through a network that begins with the solver's layer; of `rainopt` and `rainnet` alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rainopt.arrays import Array, namespace
from rainopt.direction.estimate import Direction
from rainopt.geometry.warp import Upright


def removed_from_start(
    colour: Array,
    start: Array,
    directions: Sequence[Direction],
    channels: int,
    removed_of: Callable[[Array, int], Array],
    most: float | None = None,
) -> Array:
    """Return what a network that begins with the solver's layer takes off a picture.

    The picture is brought upright once for each direction, and what the network then corrects of the layer is averaged,
    by the directions' shares of the rain. To let each direction begin with what the one before has left was worse by
    decibels: networks are trained on the solver's layers, and what they correct of them as a rule would be corrected
    again and again. The correction alone travels back: what the network leaves of the start is not interpolated twice.

    Parameters
    ----------
    colour
        (C, H, W) float32 in [0, 1], C being 1 or ``channels``.
    start
        (H, W) in [0, 1], the sum of the solver's layers of all directions.
    directions
        At least one, the strongest first.
    channels
        Of the network. A grey picture is shown to it as so many equal planes, and the mean is taken of what it removes.
    removed_of
        Returns what the network takes off an upright picture, (``channels``, H', W'), of which it is shown the planes
        (``channels`` + 1, H', W'), the start being the last; it is told which direction that is.
    most
        Largest brightness that a pixel may lose, unless the solver's layer is higher; None: any.

    Returns
    -------
    Array
        (C, H, W), what is to be subtracted.
    """
    xp = namespace(colour)
    count, height, width = colour.shape
    planes = start[None, ...]
    taken, whole = xp.broadcast_to(planes, (count, height, width)), sum(direction.share for direction in directions)
    for number, direction in enumerate(directions):
        way = Upright(direction.angle, height, width)
        # Interpolation overshoots.
        straight = xp.clip(way.forward(planes), 0.0, 1.0)
        upright = way.forward(colour)
        shown = xp.broadcast_to(upright, (channels, *way.shape))
        correction = removed_of(xp.concat([shown, straight], axis=0), number) - straight
        if count != channels:
            correction = xp.mean(correction, axis=0, keepdims=True)
        taken = taken + direction.share / whole * way.back(correction)
    return taken if most is None else xp.minimum(taken, xp.clip(planes, most, None))
