"""One photograph through a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rainnet.commands.heat import ATTENTION, heat
from rainnet.commands.networks import NetworkSettings
from rainnet.infer.derain import derain
from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.results import OutputSettings
from rainopt.app.task import NO_RAIN, FileRecord, Progress


@dataclass(frozen=True)
class PhotoRecord(FileRecord):
    """What became of one photograph.

    ``angle`` is in degrees, missing where the network needs none, and ``angles`` are all of several that were given;
    ``dry`` is there where no rain was seen; ``rain`` is the mean luminance of the rain layer, in [0, 1], and
    ``removed`` the mean brightness that was taken off, which is negative where light was added.
    """

    angle: float | None = None
    angles: list[float] | None = None
    dry: bool | None = None
    height: int | None = None
    width: int | None = None
    rain: float | None = None
    removed: float | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result, the angle, and how much was taken off."""
        if self.dry:
            return (
                f"{self.input} → {self.output}  no rain seen, left as it is; --angle removes rain all the same, "
                f"{self.seconds:.2f} s"
            )
        angles = self.angles or ([] if self.angle is None else [self.angle])
        where = f"rain at {' and '.join(f'{angle:+.1f}°' for angle in angles)}, " if angles else ""
        taken = f"{100 * (self.removed or 0):.1f} % light removed"
        return f"{self.input} → {self.output}  {where}{taken}, {self.seconds:.2f} s"


def derain_photo(
    source: Path, target: Path, settings: NetworkSettings, output: OutputSettings, progress: Progress | None = None
) -> FileRecord:
    """Derain one image file by a network, as `rainopt.app.derain.photo_to_photo`."""

    def work(image: np.ndarray) -> Derained:
        result = derain(settings.network, image, angle=settings.angle, progress=progress, **settings.options())
        full = 1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max)
        before, after = (np.mean(picture, dtype=np.float64) for picture in (image, result.background))
        facts = {
            "angle": None if result.angle is None else round(result.angle, 3),
            "angles": list(settings.angle) if isinstance(settings.angle, tuple) else None,
            "dry": result.dry or None,
            "removed": float(before / full - after),
            "untouched": NO_RAIN if result.dry else None,
        }
        extras = {} if result.attention is None else {ATTENTION: heat(result.attention)}
        return Derained(result.background, result.rain, False, facts, extras)

    return photo_to_photo(source, target, output, work, PhotoRecord)
