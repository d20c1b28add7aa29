"""One photograph from file to file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rainopt.app.results import results_of, wanted_of, write_results
from rainopt.app.task import FileRecord, Progress, error_message
from rainopt.direction.estimate import PRESENT
from rainopt.optim.objectives import UDGWeights

# Confidence of the angle below which a look at the result is advised.
UNSURE = 0.5


@dataclass(frozen=True)
class Options:
    """What is done with every file of a run."""

    angle: float | None = None
    weights: UDGWeights | None = None
    strength: float = 1.0
    veil: bool = False
    max_iter: int | None = None
    tol: float | None = None
    save_rain: bool = False
    compare: bool = False
    overwrite: bool = False
    device: str = "cpu"
    quality: int = 95
    crf: int = 18  # of videos
    background: bool = True  # whether the background of a still camera may help


@dataclass(frozen=True)
class Record(FileRecord):
    """What became of one photograph.

    ``gap`` is relative to the energy, ``rain`` the mean brightness that was taken off, in [0, 1]; ``directions`` are
    those in which it was, none in a picture without rain. ``veil`` is the mean of the veil, where it was removed.
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
            return "no streaks removed, at strength 0"
        seen = f"no rain seen (confidence {self.confidence:.2f})"
        left = "only the veil removed" if self.veil else "left as it is"
        return f"{seen}, {left}; --angle removes rain all the same"


def derain_file(source: Path, target: Path, options: Options, progress: Progress | None = None) -> Record:
    """Derain one image file and write what is asked for; never raises for a bad file.

    Depth, alpha, profile and EXIF data of the file are kept, the result is upright. Files that are already there
    are kept too unless ``options.overwrite``; where all are there, nothing is computed. So a run that was
    interrupted goes on where it stopped.
    """
    start = time.perf_counter()
    try:
        wanted = wanted_of(results_of(target, options), options)
        if not wanted:
            return Record(str(source), str(target), "skipped")
        return _derain_file(source, target, wanted, options, progress, start)
    # Anything that goes wrong with one image, in a decoder or on a device, must leave the others to be done.
    except Exception as error:
        return Record(str(source), str(target), "failed", error=error_message(error, source, target))


def _derain_file(
    source: Path,
    target: Path,
    wanted: dict[str, Path],
    options: Options,
    progress: Progress | None,
    start: float,
) -> Record:
    from rainopt.app.devices import to_device
    from rainopt.arrays import to_numpy
    from rainopt.io import read_image_file
    from rainopt.still.derain import decompose

    file = read_image_file(source)
    image = file.pixels
    on_device = to_device(image, options.device)
    result = decompose(
        on_device,
        on_device.dtype,
        angle=options.angle,
        weights=options.weights,
        strength=options.strength,
        veil=options.veil,
        max_iter=options.max_iter,
        tol=options.tol,
        progress=progress,
    )
    derained, rain = to_numpy(result.background), to_numpy(result.rain)
    untouched = not result.directions and result.veil is None
    write_results(source, file, wanted, derained, rain, options, untouched)
    solution = result.solution
    energy = float(solution.energy)
    return Record(
        str(source),
        str(target),
        "ok",
        angle=round(result.angle, 3),
        confidence=None if result.confidence is None else round(result.confidence, 3),
        directions=[{"angle": round(d.angle, 3), "share": round(d.share, 3)} for d in result.directions],
        height=image.shape[0],
        width=image.shape[1],
        iterations=solution.iterations,
        gap=float(solution.gap) / energy if energy > 0 else 0.0,
        solver=solution.status.name.lower(),
        rain=float(np.mean(rain, dtype=np.float64)),
        veil=None if result.veil is None else float(np.mean(to_numpy(result.veil), dtype=np.float64)),
        seconds=round(time.perf_counter() - start, 4),
    )
