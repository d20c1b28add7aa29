"""What is asked of deraining, checked when it is said."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from rainopt.checks import require_iterations, require_non_negative, require_whole
from rainopt.direction.estimate import Direction
from rainopt.optim.objectives import UDGWeights, require_weights

MOST_STRENGTH = 100.0  # ten times what takes off all that varies across the streaks


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
            require_whole(self.tile, "tile")


@dataclass(frozen=True, kw_only=True)
class DerainSettings(LayerSettings):
    """What a user asks of all deraining, of photographs and of video; see `rainopt.derain`.

    Attributes
    ----------
    angle
        Degrees in (-90, 90] of the rain; None: estimated.
    strength
        How much is removed, 0 to `MOST_STRENGTH`: 1 as the image suggests.
    """

    angle: float | None = None
    strength: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.angle is not None and (isinstance(self.angle, bool) or not isinstance(self.angle, Real)):
            raise TypeError(f"`angle` must be a number of degrees in (-90, 90] or None, got {self.angle!r}")
        if self.angle is not None and not -90 < self.angle <= 90:
            raise ValueError(f"`angle` must be in (-90, 90] degrees, got {self.angle!r}")
        require_non_negative(MOST_STRENGTH, strength=self.strength)
        if self.weights is not None and self.strength != 1:
            raise ValueError("`strength` scales the weights chosen from the image; give it or `weights`, not both")

    @property
    def directions(self) -> tuple[Direction, ...]:
        """The direction of the angle that is given; none where it is to be estimated."""
        return () if self.angle is None else (Direction(float(self.angle), 1.0),)


@dataclass(frozen=True, kw_only=True)
class StillSettings(DerainSettings):
    """What a user asks of one photograph.

    Attributes
    ----------
    veil
        Remove the veil of distant rain as well, see `rainopt.still.haze`.
    """

    veil: bool = False
