"""Which files a command works on, and where each result goes."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rainopt.io import READABLE_SUFFIXES


class PlanError(ValueError):
    """The arguments contradict one another; nothing has been done."""


@dataclass(frozen=True)
class Job:
    """One input and the file that its result is to become; `problem` says why there is none."""

    source: Path
    target: Path | None
    problem: str | None = None


def plan(inputs: Iterable[str | Path], output: Path) -> list[Job]:
    """Expand files, folders and globs, and give each file found its place below ``output``.

    A folder is searched with all its sub-folders, which appear again below ``output``. ``output`` is a file if it
    ends like an image file, is no folder, and there is one input file; else it is a folder. An input that does not
    exist is a job with a problem.

    Raises
    ------
    PlanError
        If two inputs would become one file, a result would replace its own input, or several results should become
        one file.
    """
    inputs = list(inputs)
    found = [entry for argument in inputs for entry in _expand(argument, output)]
    single = output.suffix.lower() in READABLE_SUFFIXES and not output.is_dir()
    if single and (len(found) != 1 or Path(inputs[0]).is_dir()):
        raise PlanError(f"'{output}' names one file, but there are {len(found)} inputs; name a folder instead")
    if not single and output.exists() and not output.is_dir():
        raise PlanError(f"'{output}' is a file; name a folder for the results")
    jobs: dict[Path, Job] = {}
    owner: dict[Path, Path] = {}
    for source, relative, problem in found:
        if source in jobs:
            continue
        if problem:
            jobs[source] = Job(source, None, problem)
            continue
        target = output if single else output / relative
        if target.resolve() == source.resolve():
            raise PlanError(f"'{target}' is the input itself; name another folder for the results")
        if target in owner:
            raise PlanError(
                f"'{owner[target]}' and '{source}' would both become '{target}'; "
                "name the folder above them, so that their own folders are kept, or run them one after the other"
            )
        owner[target] = source
        jobs[source] = Job(source, target)
    return list(jobs.values())


def _expand(argument: str | Path, output: Path) -> Iterator[tuple[Path, Path, str | None]]:
    """Yield (file, path below the output folder, problem) for one argument."""
    path = Path(argument)
    if path.is_dir():
        # An output folder inside the input folder holds results, not photographs.
        inside = output.resolve()
        files = sorted(
            p
            for p in path.rglob("*")
            if p.suffix.lower() in READABLE_SUFFIXES
            and p.is_file()
            and not p.name.startswith(".")
            and inside not in p.resolve().parents
        )
        if not files:
            yield path, Path(), f"'{path}' holds no image ({', '.join(sorted(READABLE_SUFFIXES))})"
        for file in files:
            yield file, file.relative_to(path), None
        return
    if not path.exists() and glob.has_magic(str(argument)):
        matches = sorted(Path(p) for p in glob.glob(str(argument), recursive=True))
        if not matches:
            yield path, Path(), f"'{argument}' matches no file"
        for match in matches:
            if match.is_dir() or match.suffix.lower() in READABLE_SUFFIXES:
                yield from _expand(match, output)
        return
    # A missing file is a job as well: reading it says what is wrong, as it does for a damaged one.
    yield path, Path(path.name), None
