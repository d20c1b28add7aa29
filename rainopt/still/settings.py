"""What is asked of deraining, checked when it is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from numbers import Real

import numpy as np

from rainopt.checks import require_iterations, require_non_negative, require_whole
from rainopt.direction.estimate import MOST, Direction
from rainopt.geometry.lines import line_angle
from rainopt.optim.objectives import UDGWeights, require_weights

MOST_STRENGTH = 100.0  # ten times what takes off all that varies across the streaks
APART = 1.0  # degrees between two angles that are given, at least; an angle is told to some two


@dataclass(frozen=True, kw_only=True)
class LayerSettings:
    """How the rain layer of one direction is found.

    Attributes
    ----------
    weights
        `UDGWeights`, the same for all pixels; None: chosen from the image, see `rainopt.still.adaptive`.
    max_iter, tol
        As `rainopt.solve_udg`; of the second solve, where weights are chosen from the image.
    tile
        Side in pixels of the tiles of a large image; None: 2048, and 8192 on a device; 0: never tile.

    Raises
    ------
    ValueError, TypeError
        For settings out of range.
    """

    weights: UDGWeights | None = None
    max_iter: int | None = None
    tol: float | None = None
    tile: int | None = None

    def __post_init__(self) -> None:
        # What would be refused in rain is no better in a dry image.
        if self.max_iter is not None:
            require_iterations(self.max_iter)
        if self.tol is not None:
            require_non_negative(tol=self.tol)
        if self.weights is not None:
            require_weights(self.weights)
        if isinstance(self.tile, Real) and self.tile < 0:
            raise ValueError(f"`tile` must be at least 0, got {self.tile!r}")
        if self.tile is not None and not (isinstance(self.tile, Real) and self.tile == 0):
            # As an int: sides and overlaps are computed from it, for which numpy's small integers have no room.
            object.__setattr__(self, "tile", require_whole(self.tile, "tile"))


def checked_angles(angles: object) -> tuple[float, ...]:
    """Return angles of rain that are given, as floats.

    Raises
    ------
    TypeError
        For what is no sequence of numbers.
    ValueError
        For none or more than `MOST`, angles that are not in (-90, 90] degrees, and lines less than `APART` from one
        another.
    """
    told = angles.tolist() if isinstance(angles, np.ndarray) else angles
    if not isinstance(told, Sequence) or isinstance(told, str | bytes):
        raise TypeError(f"`angle` must be a number of degrees in (-90, 90], some of them or None, got {angles!r}")
    for angle in told:
        if isinstance(angle, bool) or not isinstance(angle, Real):
            raise TypeError(f"`angle` must be a number of degrees in (-90, 90], some of them or None, got {angle!r}")
        if not -90 < float(angle) <= 90:
            raise ValueError(f"`angle` must be in (-90, 90] degrees, got {angle!r}")
    if not 1 <= len(told) <= MOST:
        raise ValueError(f"`angle` must be one to {MOST} angles, got {len(told)}")
    for one, other in combinations(told, 2):
        if abs(line_angle(one - other)) < APART:
            raise ValueError(f"`angle` must hold angles at least {APART:g} degree apart, got {one:g} and {other:g}")
    return tuple(map(float, told))


@dataclass(frozen=True, kw_only=True)
class DerainSettings(LayerSettings):
    """What a user asks of all deraining, of photographs and of video; see `rainopt.derain`.

    Attributes
    ----------
    angle
        Degrees in (-90, 90] of the rain, or a tuple of several, the strongest first, see `checked_angles`; None:
        estimated.
    strength
        How much is removed, 0 to `MOST_STRENGTH`: 1 as the image suggests.
    """

    angle: float | Sequence[float] | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.angle is not None and not isinstance(self.angle, Real):
            angles = checked_angles(self.angle)
            object.__setattr__(self, "angle", angles[0] if len(angles) == 1 else angles)
        elif self.angle is not None:
            checked_angles((self.angle,))
        require_non_negative(MOST_STRENGTH, strength=self.strength)
        if self.weights is not None and self.strength != 1:
            raise ValueError("`strength` scales the weights chosen from the image; give it or `weights`, not both")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The directions of the angles that are given, of equal shares; none where they are to be estimated."""
        if self.angle is None:
            return ()
        angles = self.angle if isinstance(self.angle, Sequence) else (self.angle,)
        return tuple(Direction(float(angle), 1 / len(angles)) for angle in angles)

    @property
    def strongest(self) -> float | None:
        """The first of the angles that are given, in degrees; None where they are to be estimated."""
        return self.directions[0].angle if self.directions else None


@dataclass(frozen=True, kw_only=True)
class StillSettings(DerainSettings):
    """What a user asks of one photograph.

    Attributes
    ----------
    veil
        Remove the veil of distant rain as well, see `rainopt.still.haze`.
    """

    veil: bool = False
