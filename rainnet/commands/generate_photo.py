"""Rain over one photograph."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from data_tools.rain.spec import Composition
from data_tools.rain.synth import compose
from rainnet.commands.networks import NetworkSettings
from rainnet.generate.controls import RainControls
from rainnet.generate.layer import rain_layer
from rainnet.generate.measure import measure, runs
from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.results import OutputSettings, results_of
from rainopt.app.task import FileRecord, Progress
from rainopt.image import join_channels, split_channels

if TYPE_CHECKING:
    from rainnet.models.base import Network


@dataclass(frozen=True)
class GenerateSettings:
    """A generator of rain, what is asked of it, and how the rain lies over pictures."""

    model: Path
    device: str
    controls: RainControls
    composition: Composition
    seed: int

    @property
    def network(self) -> Network:
        """The network, read once in each process."""
        return NetworkSettings(model=self.model, device=self.device).network


@dataclass(frozen=True)
class RainyRecord(FileRecord):
    """What became of one photograph; ``angle`` to ``intensity`` are measured on its rain."""

    angle: float | None = None
    length: float | None = None
    width_of_streaks: float | None = None
    density: float | None = None
    intensity: float | None = None
    height: int | None = None
    width: int | None = None
    rain: float | None = None
    seconds: float | None = None

    def line(self) -> str:
        """Return the result, and what its rain is like."""
        return (
            f"{self.input} → {self.output}  rain at {self.angle:+.1f}°, {self.length:.0f} pixels long, on "
            f"{100 * (self.density or 0):.2g} % of the picture, {self.intensity:.2f} bright, {self.seconds:.2f} s"
        )


def numbered(target: Path, count: int) -> list[Path]:
    """Return the names of so many results of one picture; of one alone, the name itself."""
    if count == 1:
        return [target]
    digits = len(str(count - 1))
    return [target.with_name(f"{target.stem}_{number:0{digits}d}{target.suffix}") for number in range(count)]


@dataclass(frozen=True)
class Generate:
    """Making photographs rainy, as a `rainopt.app.task.Task`.

    Parameters
    ----------
    output
        What is written.
    settings
        By which network, and how.
    numbers
        Which of the results of its photograph a target is.
    """

    output: OutputSettings
    settings: GenerateSettings
    numbers: Mapping[Path, int]
    done: ClassVar[str] = "made rainy"
    header: ClassVar[str | None] = None

    def __call__(self, source: Path, target: Path | None, progress: Progress | None = None) -> FileRecord:
        """Make one rainy picture."""
        if target is None:
            raise ValueError(f"'{source}' has no place for its result")
        name = zlib.crc32(source.name.encode("utf-8", "surrogateescape"))
        seed = int(np.random.SeedSequence([self.settings.seed, name, self.numbers[target]]).generate_state(1)[0])

        def work(image: np.ndarray) -> Derained:
            rows, columns = image.shape[:2]
            layer = rain_layer(self.settings.network, rows, columns, self.settings.controls, seed)  # type: ignore[arg-type]
            channels = split_channels(image, -1)
            rainy = np.stack([compose(plane, layer, self.settings.composition) for plane in channels.colour])
            found, asked = measure(layer), self.settings.controls.angle
            length, width = (found.length, found.width) if asked is None else runs(layer, asked)
            facts = {
                "angle": round(found.angle, 2),
                "length": round(length, 2),
                "width_of_streaks": round(width, 2),
                "density": round(found.density, 4),
                "intensity": round(found.intensity, 4),
            }
            return Derained(np.ascontiguousarray(join_channels(rainy, channels)), layer, False, facts)

        return photo_to_photo(source, target, self.output, work, RainyRecord)

    def failed(self, source: Path, target: Path | None, error: str) -> FileRecord:
        """Return the record of a file that could not be worked on."""
        return RainyRecord(str(source), None if target is None else str(target), "failed", error=error)

    def results(self, target: Path) -> Iterable[Path]:
        """Return the files that are written for one target."""
        return results_of(target, self.output).values()
