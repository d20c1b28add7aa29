"""A part of a photograph, or a reduced copy of it, with what the whole tells of its rain: what a page looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from rainopt.direction.estimate import vote
from rainopt.direction.evidence import Evidence
from rainopt.geometry.within import Within
from rainopt.still.rain import Streaks, removals_from
from rainopt.still.settings import StillSettings


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """Pixels that are to be derained as the photograph would be that they are of.

    Attributes
    ----------
    pixels
        (H, W) or (H, W, C) in the dtype of the photograph's file.
    angles
        Degrees in (-90, 90] of the rain, the strongest first; None: as the evidence says.
    unit
        The photograph's `rainopt.image.exposure`.
    evidence
        What the whole photograph tells of directions.
    within
        Where the excerpt lies in the whole photograph at the scale of the excerpt.
    marks
        (H, W) int8 as `rainopt.derain` takes them; None where nothing is marked.
    strength
        How much is removed, 1 as the photograph suggests.
    veil
        (H, W) float32 in [0, 1), of the whole photograph; None where it is not to be taken off.
    """

    pixels: np.ndarray
    angles: tuple[float, ...] | None
    unit: float
    evidence: Evidence
    within: Within
    marks: np.ndarray | None = None
    strength: float = 1.0
    veil: np.ndarray | None = None

    @property
    def streaks(self) -> tuple[Streaks, ...]:
        """What is to be removed, as it is found in the whole photograph; none where that shows no rain."""
        return streaks_of(self.evidence, self.angles, self.strength, self.within.height, self.within.width)

    def widened(self, multiple: int, upright: bool = True) -> tuple[Excerpt, tuple[slice, slice]]:
        """Return the excerpt with as many rows and columns more as bring its pixels, made ``upright`` or as they lie,
        to the places of a network's grid that they have in the whole photograph; and where in it the excerpt lies.

        Where rain falls in several directions, the strongest counts. What is added repeats the edge.
        """
        streaks, (height, width) = self.streaks, self.pixels.shape[:2]
        angle = streaks[0].direction.angle if streaks and upright else 0.0
        rows, columns = self.within.spare(angle, height, width, multiple)

        def wide(field: np.ndarray | None) -> np.ndarray | None:
            return None if field is None else np.pad(field, ((rows, 0), (columns, 0)), mode="edge")

        within = self.within._replace(top=self.within.top - rows, left=self.within.left - columns)
        pixels = np.pad(self.pixels, ((rows, 0), (columns, 0), *((0, 0),) * (self.pixels.ndim - 2)), mode="edge")
        wider = replace(self, pixels=pixels, marks=wide(self.marks), veil=wide(self.veil), within=within)
        return wider, (slice(rows, None), slice(columns, None))


class Seen(NamedTuple):
    """What a method makes of an excerpt.

    Attributes
    ----------
    background
        Shaped as the excerpt's pixels, in their dtype or float32 in [0, 1].
    rain
        (H, W) float32 in [0, 1].
    """

    background: np.ndarray
    rain: np.ndarray


def streaks_of(
    evidence: Evidence, angles: Sequence[float] | None, strength: float, height: int, width: int
) -> tuple[Streaks, ...]:
    """Return what is to be removed from a photograph of which the evidence is known.

    Parameters
    ----------
    evidence
        Of the whole photograph.
    angles
        Degrees, the strongest rain first; None: as the evidence says.
    strength
        As `rainopt.derain`; at 0 nothing is removed.
    height, width
        Of the whole photograph, at the scale that it is derained at.
    """
    if strength == 0 or (angles is not None and not angles):
        return ()
    directions = vote(evidence).directions if angles is None else StillSettings(angle=angles).directions
    return tuple(map(Streaks, directions, removals_from(evidence, directions, strength, height, width)))
