"""One photograph from file to file, through a network."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rainnet.commands.derain_options import Options, network
from rainnet.infer.derain import derain
from rainopt.app.results import results_of, wanted_of, write_results
from rainopt.app.task import FileRecord, Progress, error_message
from rainopt.io import read_image_file


@dataclass(frozen=True)
class Record(FileRecord):
    """What became of one photograph.

    ``angle`` is in degrees, missing where the network needs none; ``dry`` is there where no rain was seen; ``rain`` is
    the mean luminance of the rain layer, in [0, 1], and ``removed`` the mean brightness that was taken off, which is
    negative where light was added.
    """

    angle: float | None = None
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
        where = "" if self.angle is None else f"rain at {self.angle:+.1f}°, "
        taken = f"{100 * (self.removed or 0):.1f} % light removed"
        return f"{self.input} → {self.output}  {where}{taken}, {self.seconds:.2f} s"


def derain_picture(source: Path, target: Path, options: Options, progress: Progress | None = None) -> Record:
    """Derain one image file and write what is asked for; never raises for a bad file.

    Files that are already there are kept unless ``options.overwrite``; where all are there, nothing is computed.
    """
    start = time.perf_counter()
    try:
        wanted = wanted_of(results_of(target, options), options)
        if not wanted:
            return Record(str(source), str(target), "skipped")
        file = read_image_file(source)
        image = file.pixels
        result = derain(
            network(options.model, options.device),
            image,
            angle=options.angle,
            tile=options.tile,
            device=options.device,
            batch=options.batch,
            polish=options.polish,
            ensemble=options.ensemble,
            progress=progress,
        )
        write_results(source, file, wanted, result.background, result.rain, options)
        full = 1.0 if image.dtype.kind == "f" else float(np.iinfo(image.dtype).max)
        before, after = (np.mean(picture, dtype=np.float64) for picture in (image, result.background))
        return Record(
            str(source),
            str(target),
            "ok",
            angle=None if result.angle is None else round(result.angle, 3),
            dry=result.dry or None,
            height=image.shape[0],
            width=image.shape[1],
            rain=float(np.mean(result.rain, dtype=np.float64)),
            removed=float(before / full - after),
            seconds=round(time.perf_counter() - start, 4),
        )
    # Anything that goes wrong with one image, in a decoder or on a device, must leave the others to be done.
    except Exception as error:
        return Record(str(source), str(target), "failed", error=error_message(error, source, target))
