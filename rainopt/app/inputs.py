"""Which files a command works on, and where each result goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rainopt.io import READABLE_SUFFIXES
from rainopt.io.video.read import VIDEO_SUFFIXES
from rainopt.io.video.write import WRITABLE_SUFFIXES

# Output names that mean a picture and not a folder, in formats that are not written.
OTHER_PICTURES = frozenset({".gif", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm", ".pgm", ".dng", ".psd"})

Results = Callable[[Path], Iterable[Path]]


class PlanError(ValueError):
    """The arguments contradict one another; nothing has been done."""


_NOT_WRITTEN = VIDEO_SUFFIXES - WRITABLE_SUFFIXES


@dataclass(frozen=True)
class Kind:
    """What a command works on and what becomes of it.

    Attributes
    ----------
    suffixes
        Of the files that are worked on, in lower case.
    name
        What such a file is called.
    becomes
        Suffix of the results; None where each keeps that of its input, but for videos in formats that are not written,
        which become .mp4.
    folders
        Whether a folder of images, without any such file, is one input itself: a video.
    """

    suffixes: frozenset[str]
    name: str
    becomes: str | None = None
    folders: bool = False

    @property
    def results(self) -> frozenset[str]:
        """Suffixes of the files that may be written."""
        return self.suffixes - _NOT_WRITTEN if self.becomes is None else frozenset(READABLE_SUFFIXES)


IMAGES = Kind(frozenset(READABLE_SUFFIXES), "image")
PICTURES = Kind(frozenset(READABLE_SUFFIXES) | VIDEO_SUFFIXES, "image or video")
VIDEOS = Kind(VIDEO_SUFFIXES, "video", becomes=".png", folders=True)


@dataclass(frozen=True)
class Job:
    """One input and the file that its result is to become; `problem` says why there is none."""

    source: Path
    target: Path | None
    problem: str | None = None


def plan(
    inputs: Iterable[str | Path], output: Path, results: Results = lambda target: [target], kind: Kind = IMAGES
) -> list[Job]:
    """Expand files, folders and globs, and give each file found its place below ``output``.

    A folder is searched with all its sub-folders, which appear again below ``output``. ``output`` is a file if it
    ends like a result, is no folder, and there is one input file; else it is a folder. An input that does not exist is
    a job with a problem. ``results`` tells all files that are written for a target, ``kind`` which files are meant.

    Raises
    ------
    PlanError
        If two inputs would write one file, a result would replace an input, or several results should become one
        file.
    """
    inputs = list(inputs)
    _require_writable(output, kind)
    single = _is_single(output, kind)
    found = _find(inputs, output, kind)
    if single and (len(found) > 1 or any(_is_searched(Path(argument), kind) for argument in inputs)):
        raise PlanError(f"'{output}' names one file, but there can be several results; name a folder instead")
    jobs = [
        Job(source, None, problem) if problem else Job(source, output if single else _result(output / relative, kind))
        for source, relative, problem in found
    ]
    _refuse_collisions(jobs, results)
    return jobs


def survey(inputs: Iterable[str | Path], kind: Kind = IMAGES) -> list[Job]:
    """Expand files, folders and globs into jobs that have no result to be written."""
    return [Job(source, None, problem) for source, _, problem in _find(inputs, None, kind)]


def _result(place: Path, kind: Kind) -> Path:
    """Return the name of a result, with the suffix that it has to have."""
    suffix = kind.becomes or (".mp4" if place.suffix.lower() in _NOT_WRITTEN else place.suffix)
    return place.with_name(f"{place.stem}{suffix}")


def _find(inputs: Iterable[str | Path], output: Path | None, kind: Kind) -> list[tuple[Path, Path, str | None]]:
    """Return (file, path below the output folder, problem) for all arguments, no file twice."""
    found: dict[str, tuple[Path, Path, str | None]] = {}
    for argument in inputs:
        for source, relative, problem in _expand(argument, output, kind):
            found.setdefault(os.path.realpath(source), (source, relative, problem))
    return list(found.values())


def _is_single(output: Path, kind: Kind) -> bool:
    """Tell whether an output is one file."""
    return output.suffix.lower() in kind.results and not _is_folder(output)


def _is_searched(path: Path, kind: Kind) -> bool:
    """Tell whether a path is a folder that files are looked for in."""
    return _is_folder(path) and not (kind.folders and _is_sequence(path, kind))


def _is_sequence(path: Path, kind: Kind) -> bool:
    """Tell whether a folder holds images itself, and no file of the kind."""
    names = [p.suffix.lower() for p in path.iterdir() if p.is_file() and not p.name.startswith(".")]
    return any(name in READABLE_SUFFIXES for name in names) and not any(name in kind.suffixes for name in names)


def _require_writable(output: Path, kind: Kind) -> None:
    """Refuse a file that cannot be written, and a file where a folder is wanted."""
    if _is_single(output, kind):
        return
    if output.suffix.lower() in OTHER_PICTURES and not _is_folder(output):
        raise PlanError(f"'{output}' cannot be written; use {', '.join(sorted(kind.results))}, or name a folder")
    if os.path.exists(output) and not _is_folder(output):
        raise PlanError(f"'{output}' is a file; name a folder for the results")


def _refuse_collisions(jobs: list[Job], results: Results) -> None:
    sources = {os.path.realpath(job.source): job.source for job in jobs}
    owner: dict[str, Path] = {}
    for job in jobs:
        if job.target is None:
            continue
        for result in results(job.target):
            place = os.path.realpath(result)
            if place == os.path.realpath(job.source):
                raise PlanError(f"'{result}' is the input itself; name another folder for the results")
            if place in sources:
                raise PlanError(f"'{result}', a result, is the input '{sources[place]}' itself; name another folder")
            if place in owner:
                raise PlanError(
                    f"'{owner[place]}' and '{job.source}' would both become '{result}'; name the folder above them, so "
                    "that their own folders are kept, rename one, or leave out the results that clash"
                )
            owner[place] = job.source


def _expand(argument: str | Path, output: Path | None, kind: Kind) -> Iterator[tuple[Path, Path, str | None]]:
    """Yield (file, path below the output folder, problem) for one argument."""
    path = Path(argument)
    if _is_folder(path):
        if output is not None and os.path.realpath(path) == os.path.realpath(output):
            raise PlanError(f"'{output}' is the same folder as the input '{path}'; name another for the results")
        if kind.folders and _is_sequence(path, kind):
            name = Path(os.path.realpath(path)).name  # also of `.`
            yield path, Path(f"{name}.video"), None
            return
        # An output folder inside the input folder holds results, not photographs.
        inside = _inside(output)
        files = sorted(
            p
            for p in path.rglob("*")
            if p.suffix.lower() in kind.suffixes
            and p.is_file()
            # Hidden files and folders hold thumbnails and programs.
            and not any(part.startswith(".") for part in p.relative_to(path).parts)
            and not (inside and os.path.realpath(p).startswith(inside))
        )
        if not files:
            yield path, Path(), f"'{path}' holds no {kind.name} ({', '.join(sorted(kind.suffixes))})"
        for file in files:
            yield file, file.relative_to(path), None
        return
    if not os.path.lexists(path) and glob.has_magic(str(argument)):
        matches = sorted(Path(p) for p in glob.glob(str(argument), recursive=True))
        inside = _inside(output)
        images = [
            p
            for p in matches
            if (_is_folder(p) or p.suffix.lower() in kind.suffixes)
            # An earlier run's results, which `**` finds too.
            and not (inside and os.path.realpath(p).startswith(inside))
        ]
        if not images:
            what = f"matches no {kind.name}" if matches else "matches no file"
            yield path, Path(), f"'{argument}' {what}"
        for match in images:
            yield from _expand(match, output, kind)
        return
    # A missing file is a job as well: reading it says what is wrong, as it does for a damaged one.
    yield path, Path(path.name), None


def _inside(output: Path | None) -> str:
    """Return what the names of all files inside the output folder begin with."""
    return "" if output is None else os.path.realpath(output) + os.sep


def _is_folder(path: Path) -> bool:
    # `os.path` answers False for names that no file can have, where pathlib raises.
    return os.path.isdir(path)
