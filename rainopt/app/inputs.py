"""Which files a command works on, and where each result goes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import overload

from rainopt.app.kinds import IMAGES, PICTURES, SEQUENCES, VIDEOS, Kind, names_a_file, result_suffix
from rainopt.app.search import find, is_searched

__all__ = ["IMAGES", "PICTURES", "SEQUENCES", "VIDEOS", "Job", "Kind", "Plan", "PlanError", "Results", "plan", "survey"]

Results = Callable[[Path], Iterable[Path]]
Placing = Callable[[Path, Path], Path]
"""What names the result of a source, told where a file of its name would be."""


class PlanError(ValueError):
    """The arguments contradict one another; nothing has been done."""


@dataclass(frozen=True)
class Job:
    """One input and the file that its result is to become; `problem` says why there is none."""

    source: Path
    target: Path | None
    problem: str | None = None


@dataclass(frozen=True)
class Plan(Sequence[Job]):
    """Jobs, and sentences about what was met and left out."""

    jobs: tuple[Job, ...]
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.jobs)

    @overload
    def __getitem__(self, number: int) -> Job: ...
    @overload
    def __getitem__(self, number: slice) -> list[Job]: ...
    def __getitem__(self, number: int | slice) -> Job | list[Job]:
        """Return one job, or a list of several."""
        return list(self.jobs[number]) if isinstance(number, slice) else self.jobs[number]

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)


def plan(
    inputs: Iterable[str | Path],
    output: Path,
    results: Results = lambda target: [target],
    kind: Kind = IMAGES,
    placing: Placing | None = None,
) -> Plan:
    """Expand files, folders and globs, and give each file found its place below ``output``.

    A folder is searched with all its sub-folders, which appear again below ``output``. ``output`` is a file if it
    ends like a result, is no folder, and there is one input file; else it is a folder. An input that does not exist is
    a job with a problem, and so is a folder that cannot be listed. Results of earlier runs among the inputs are left
    out, as `rainopt.io.own_results` says. ``results`` tells all files that are written for a target, ``kind`` which
    files are meant, and ``placing`` where results go that do not simply have the names of their sources.

    Raises
    ------
    PlanError
        If two inputs would write one file, a result would replace an input, several results should become one file, or
        an argument is empty.
    """
    inputs = _named(inputs)
    _require_writable(output, kind)
    for argument in inputs:
        if os.path.isdir(argument) and os.path.realpath(argument) == os.path.realpath(output):
            raise PlanError(f"'{output}' is the same folder as the input '{argument}'; name another for the results")
    single = _is_single(output, kind)
    found = find(inputs, output, kind)
    if single and (len(found.inputs) > 1 or any(is_searched(Path(argument), kind) for argument in inputs)):
        one = " (--sequence takes a folder of numbered pictures as one video)" if _could_be_frames(output, kind) else ""
        raise PlanError(f"'{output}' names one file, but there can be several results; name a folder instead{one}")
    placing = placing or partial(result_beside, kind=kind)
    jobs = tuple(
        Job(item.source, None, item.problem)
        if item.problem
        else Job(item.source, output if single else placing(item.source, output / item.relative))
        for item in found.inputs
    )
    _refuse_collisions(jobs, results)
    return Plan(jobs, found.notes())


def survey(inputs: Iterable[str | Path], kind: Kind = IMAGES) -> Plan:
    """Expand files, folders and globs into jobs that have no result to be written.

    Raises
    ------
    PlanError
        If an argument is empty.
    """
    found = find(_named(inputs), None, kind)
    return Plan(tuple(Job(item.source, None, item.problem) for item in found.inputs), found.notes())


def _named(inputs: Iterable[str | Path]) -> list[str | Path]:
    inputs = list(inputs)
    if "" in inputs:
        raise PlanError("an input is empty, as of a variable that is not set; name a file, a folder or a glob")
    return inputs


def result_beside(source: Path, place: Path, kind: Kind) -> Path:
    """Return the name of a result, with the suffix that it has to have."""
    return place.with_name(f"{place.stem}{kind.becomes or result_suffix(source)}")


def _could_be_frames(output: Path, kind: Kind) -> bool:
    return kind == PICTURES and output.suffix.lower() in SEQUENCES.results


def _is_single(output: Path, kind: Kind) -> bool:
    """Tell whether an output is one file."""
    # `os.path` answers False for names that no file can have, where pathlib raises.
    return output.suffix.lower() in kind.results and not os.path.isdir(output)


def _require_writable(output: Path, kind: Kind) -> None:
    """Refuse a file that cannot be written, and a file where a folder is wanted."""
    if _is_single(output, kind):
        return
    if names_a_file(output):
        raise PlanError(f"'{output}' cannot be written; use {', '.join(sorted(kind.results))}, or name a folder")
    if os.path.exists(output) and not os.path.isdir(output):
        raise PlanError(f"'{output}' is a file; name a folder for the results")


def refuse_painted(jobs: Sequence[Job], results: Results, painted: Iterable[Path]) -> None:
    """Refuse results that would replace a picture that somebody has painted for this very work.

    Raises
    ------
    PlanError
        If one would; nothing has been done.
    """
    places = {os.path.realpath(file): file for file in painted}
    for job in jobs:
        for result in () if job.target is None else results(job.target):
            if os.path.realpath(result) in places:
                file = places[os.path.realpath(result)]
                raise PlanError(f"'{result}', a result, is '{file}' itself, which was painted; name another folder")


def _refuse_collisions(jobs: Sequence[Job], results: Results) -> None:
    sources = {os.path.realpath(job.source): job.source for job in jobs}
    owner: dict[str, Path] = {}
    for job in jobs:
        if job.target is None:
            continue
        for result in results(job.target):
            place = os.path.realpath(result)
            if os.path.isdir(job.source) and place.startswith(os.path.join(os.path.realpath(job.source), "")):
                raise PlanError(f"'{result}' would lie in the input '{job.source}'; name a folder outside")
            if place == os.path.realpath(job.source):
                raise PlanError(f"'{result}' is the input itself; name another folder for the results")
            if place in sources:
                raise PlanError(f"'{result}', a result, is the input '{sources[place]}' itself; name another folder")
            if place in owner:
                apart = owner[place].parent != job.source.parent
                above = "name the folder above them, so that their own folders are kept, " if apart else ""
                raise PlanError(
                    f"'{owner[place]}' and '{job.source}' would both become '{result}'; {above}rename one, give one a "
                    "folder of its own for its result, or leave out the results that clash"
                )
            owner[place] = job.source
