"""The direction of the rain in one file."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rainopt.app.task import FileRecord, Progress, error_message, is_there

# Widths of the columns of the table.
ANGLE, CONFIDENCE, DIRECTIONS = 7, 10, 30


def overlay_of(target: Path) -> Path:
    """Return the file that the picture with the direction drawn over it is written to."""
    return target.with_name(f"{target.stem}_angle.png")


@dataclass(frozen=True)
class AngleRecord(FileRecord):
    """What was found in one photograph; `output` is the picture with the direction drawn over it, where one is written.

    ``directions`` are all in which rain falls, none where no rain is to be seen; ``angle`` is the best guess even so.
    """

    angle: float | None = None
    confidence: float | None = None
    directions: list[dict[str, float]] | None = None
    height: int | None = None
    width: int | None = None
    seconds: float | None = None

    def caption(self) -> str:
        """Return what is written over the picture."""
        found = " and ".join(f"{d['angle']:+.1f}° ({100 * d['share']:.0f} %)" for d in self.directions or [])
        seen = f"rain at {found}" if found else "no rain seen"
        return f"{seen}, confidence {self.confidence:.2f}"

    def line(self) -> str:
        """Return a row of the table."""
        directions = self.directions or []
        found = ", ".join(f"{d['angle']:+.1f}° {100 * d['share']:.0f} %" for d in directions)
        # A row says "-" for a direction that nobody should use; --json has the guess.
        angle = f"{self.angle:+.1f}°" if found else "-"
        found = "no rain seen" if not directions else "one" if len(directions) == 1 else found
        return f"{angle:>{ANGLE}}  {self.confidence:>{CONFIDENCE}.2f}  {found:<{DIRECTIONS}}  {self.input}"


@dataclass(frozen=True)
class FindAngle:
    """Estimate the angle of files, as a `Task`; a target is where the picture is to be drawn."""

    overwrite: bool = False
    done: ClassVar[str] = "estimated"
    header: ClassVar[str | None] = (
        f"{'angle':>{ANGLE}}  {'confidence':>{CONFIDENCE}}  {'directions':<{DIRECTIONS}}  file"
    )

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> AngleRecord:
        """Estimate the angle in one file, and draw it where a target is given."""
        start = time.perf_counter()
        picture = None if target is None else overlay_of(target)
        try:
            if picture is not None and not self.overwrite and is_there(picture):
                return AngleRecord(str(source), str(picture), "skipped")
            return self._estimate(source, picture, start)
        # Anything that goes wrong with one image, in a decoder, say, must leave the others to be done.
        except Exception as error:
            return self.failed(source, picture, error_message(error, source, picture))

    def _estimate(self, source: Path, picture: Path | None, start: float) -> AngleRecord:
        from rainopt.commands.overlay import draw_directions
        from rainopt.direction.estimate import estimate_angle
        from rainopt.io import read_image, write_image

        image = read_image(source)
        found = estimate_angle(image)
        record = AngleRecord(
            str(source),
            None if picture is None else str(picture),
            "ok",
            angle=round(found.angle, 3),
            confidence=round(found.confidence, 3),
            directions=[{"angle": round(d.angle, 3), "share": round(d.share, 3)} for d in found.directions],
            height=image.shape[0],
            width=image.shape[1],
            seconds=round(time.perf_counter() - start, 4),
        )
        if picture is not None:
            picture.parent.mkdir(parents=True, exist_ok=True)
            drawn = draw_directions(image, found.directions, record.caption())
            write_image(picture, drawn, overwrite=self.overwrite)
        return record

    def failed(self, source: Path, target: Path | None, error: str) -> AngleRecord:
        """Return the record of a file that could not be worked on."""
        return AngleRecord(str(source), None if target is None else str(target), "failed", error=error)
