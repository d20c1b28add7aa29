"""One photograph by the solver, and by a network after it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.devices import to_device
from rainopt.app.marks import MarkPictures
from rainopt.app.results import OutputSettings
from rainopt.app.task import FileRecord, Progress
from rainopt.arrays import to_numpy
from rainopt.direction.estimate import PRESENT
from rainopt.still.derain import decompose
from rainopt.still.settings import StillSettings

# Confidence of the angle below which a look at the result is advised.
UNSURE = 0.5
AT_ZERO = "no streaks removed, at strength 0"


@dataclass(frozen=True)
class PhotoRecord(FileRecord):
    """What became of one photograph.

    ``gap`` is relative to the energy, ``rain`` the mean brightness that was taken off, in [0, 1]; ``directions`` are
    those in which it was, none in a picture without rain. ``veil`` is the mean of the veil, where it was removed, and
    ``marks`` the shares of the picture that are marked as "rain" and "protected", where it has marks.
    """

    angle: float | None = None
    confidence: float | None = None
    directions: list[dict[str, float]] | None = None
    height: int | None = None
    width: int | None = None
    iterations: int | None = None
    gap: float | None = None
    solver: str | None = None
    rain: float | None = None
    veil: float | None = None
    marks: dict[str, float] | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result, the angle, and what to do where there was no rain to be seen."""
        end = f"{self.seconds:.2f} s"
        if self.directions == []:
            return f"{self.input} → {self.output}  {self._why_no_rain()}, {end}"
        angles = " and ".join(f"{d['angle']:+.1f}°" for d in self.directions or [])
        sure = "" if self.confidence is None else f", confidence {self.confidence:.2f}"
        if self.confidence is not None and self.confidence < UNSURE:
            sure += " (unsure; --angle sets it)"
        return (
            f"{self.input} → {self.output}  rain at {angles}{sure}, {100 * (self.rain or 0):.1f} % light removed, {end}"
        )

    def _why_no_rain(self) -> str:
        """Tell why no streak was removed."""
        if self.confidence is None or self.confidence >= PRESENT:
            return AT_ZERO
        what = "rain is marked, but its direction is not seen" if self.marks and self.marks["rain"] else "no rain seen"
        seen = f"{what} (confidence {self.confidence:.2f})"
        left = "only the veil removed" if self.veil else "left as it is"
        return f"{seen}, {left}; --angle removes rain all the same"


def derain_photo(
    source: Path,
    target: Path,
    settings: StillSettings,
    output: OutputSettings,
    device: str = "cpu",
    progress: Progress | None = None,
    refine: bool = False,
    marks: MarkPictures | None = None,
) -> FileRecord:
    """Derain one image file on a device, as `rainopt.app.derain.photo_to_photo`, with its marks; to ``refine`` it, on
    the CPU.
    """

    def work(image: np.ndarray) -> Derained:
        said = None if marks is None else marks.of(source, *image.shape[:2])
        if refine:
            from rainopt.refine.photo import refined

            result = refined(image, settings, progress=progress, marks=said)
        else:
            there = None if said is None else to_device(said, device)
            result = decompose(to_device(image, device), settings, progress=progress, marks=there)
        solution = result.solution
        energy = float(solution.energy)
        facts: dict[str, Any] = {
            "angle": round(result.angle, 3),
            "confidence": None if result.confidence is None else round(result.confidence, 3),
            "directions": [{"angle": round(d.angle, 3), "share": round(d.share, 3)} for d in result.directions],
            "iterations": solution.iterations,
            "gap": float(solution.gap) / energy if energy > 0 else 0.0,
            "solver": solution.status.name.lower(),
            "veil": None if result.veil is None else float(np.mean(to_numpy(result.veil), dtype=np.float64)),
        }
        if said is not None:
            facts["marks"] = {"rain": float(np.mean(said > 0)), "protected": float(np.mean(said < 0))}
        untouched = not result.directions and result.veil is None
        if untouched and (result.confidence is None or result.confidence >= PRESENT):
            facts["untouched"] = AT_ZERO
        return Derained(to_numpy(result.background), to_numpy(result.rain), untouched, facts)

    return photo_to_photo(source, target, output, work, PhotoRecord)
