"""One photograph from file to file."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.objectives import UDGWeights


@dataclass(frozen=True)
class Options:
    """What is done with every file of a run."""

    angle: float | None = None
    weights: UDGWeights | None = None
    max_iter: int | None = None
    tol: float | None = None
    save_rain: bool = False
    compare: bool = False
    overwrite: bool = False
    device: str = "cpu"
    quality: int = 95


@dataclass(frozen=True)
class Record:
    """What became of one file; a line of ``--json``.

    ``status`` is "ok", "skipped" (all results were there) or "failed"; ``gap`` is relative to the energy, ``rain``
    the mean brightness that was taken off, in [0, 1].
    """

    input: str
    output: str | None
    status: str
    error: str | None = None
    angle: float | None = None
    confidence: float | None = None
    height: int | None = None
    width: int | None = None
    iterations: int | None = None
    gap: float | None = None
    solver: str | None = None
    rain: float | None = None
    seconds: float | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the fields that say something."""
        return {key: value for key, value in asdict(self).items() if value is not None}


def results_of(target: Path, options: Options) -> dict[str, Path]:
    """Return the files that a run with these options writes for one target."""
    files = {"derained": target}
    if options.save_rain:
        files["rain"] = target.with_name(f"{target.stem}_rain.png")
    if options.compare:
        files["compare"] = target.with_name(f"{target.stem}_compare.png")
    return files


def derain_file(
    source: Path, target: Path, options: Options, progress: Callable[[float], None] | None = None
) -> Record:
    """Derain one image file and write what is asked for; never raises for a bad file.

    Depth, alpha, profile and EXIF data of the file are kept, the result is upright. Files that are already there
    are kept too unless ``options.overwrite``; where all are there, nothing is computed. So a run that was
    interrupted goes on where it stopped.
    """
    start = time.perf_counter()
    try:
        wanted = results_of(target, options)
        if not options.overwrite:
            wanted = {kind: path for kind, path in wanted.items() if not _is_there(path)}
        if not wanted:
            return Record(str(source), str(target), "skipped")
        return _derain_file(source, target, wanted, options, progress, start)
    # Anything that goes wrong with one image, in a decoder or on a device, must leave the others to be done.
    except Exception as error:
        return Record(str(source), str(target), "failed", error=_message(error, source, target))


def _is_there(path: Path) -> bool:
    if path.is_dir():
        raise IsADirectoryError(f"a folder has the name of the result '{path}'; choose another for the results")
    return path.exists()


def _message(error: Exception, source: Path, target: Path) -> str:
    """Return a sentence that names the file; errors of files name theirs already."""
    reason = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        reason = f"does not fit into memory ({reason}); use fewer --jobs or a smaller image"
    elif isinstance(error, OSError) and error.filename and error.strerror:
        reason = f"'{error.filename}': {error.strerror}; choose another folder for the results"
    elif not isinstance(error, (ValueError, OSError)):
        reason = f"{type(error).__name__}: {reason}"
    named = any(f"'{path}" in reason for path in (source, target.parent) if str(path) != ".")
    return reason if named else f"'{source}': {reason}"


def _derain_file(
    source: Path,
    target: Path,
    wanted: dict[str, Path],
    options: Options,
    progress: Callable[[float], None] | None,
    start: float,
) -> Record:
    from rainopt.arrays import to_numpy
    from rainopt.command.devices import to_device
    from rainopt.io import read_image_file, write_image
    from rainopt.pipeline import decompose

    file = read_image_file(source)
    image = file.pixels
    on_device = to_device(image, options.device)
    result = decompose(
        on_device,
        on_device.dtype,
        angle=options.angle,
        weights=options.weights,
        max_iter=options.max_iter,
        tol=options.tol,
        progress=progress,
    )
    derained, rain = to_numpy(result.background), to_numpy(result.rain)
    target.parent.mkdir(parents=True, exist_ok=True)
    bits = {"u1": 8, "u2": 16}.get(image.dtype.str[1:], 32)
    # The derained image last: where it is, the rest is.
    if "rain" in wanted:
        write_image(wanted["rain"], rain, bits=16 if bits != 8 else 8, overwrite=options.overwrite)
    if "compare" in wanted:
        from rainopt.command.compare import side_by_side

        write_image(wanted["compare"], side_by_side(image, derained, rain), overwrite=options.overwrite)
    if "derained" in wanted:
        write_image(
            target,
            derained,
            metadata=file.metadata,
            bits=bits,
            quality=options.quality,
            overwrite=options.overwrite,
        )
    solution = result.solution
    energy = float(solution.energy)
    return Record(
        str(source),
        str(target),
        "ok",
        angle=round(result.angle, 3),
        confidence=None if result.confidence is None else round(result.confidence, 3),
        height=image.shape[0],
        width=image.shape[1],
        iterations=solution.iterations,
        gap=float(solution.gap) / energy if energy > 0 else 0.0,
        solver=solution.status.name.lower(),
        rain=float(np.mean(rain, dtype=np.float64)),
        seconds=round(time.perf_counter() - start, 4),
    )
