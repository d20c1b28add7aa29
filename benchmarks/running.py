"""Run benchmarks one after another, each as a process of its own that leaves its result whole or not at all."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.benchmark import Benchmark
from benchmarks.overview import WORDS, took
from benchmarks.result import ResultError, how_measured, read
from rainopt.io.atomic import replacing

GRACE = 20.0  # seconds that an interrupted benchmark has to end
Say = Callable[[str], None]


@dataclass(frozen=True)
class Given:
    """What benchmarks are given.

    Attributes
    ----------
    data
        The folder of pictures.
    runs
        Training runs, by the names of their options: "model", "runs".
    quick
        Whether less work is asked for.
    """

    data: Path | None
    runs: Mapping[str, str]
    quick: bool


def without_what_they_need(benchmarks: Sequence[Benchmark], given: Given) -> dict[str, list[str]]:
    """Return the names of benchmarks that cannot be run, by what is missing."""
    missing: dict[str, list[str]] = {}
    for one in benchmarks:
        lacks = ["--data DIR"] if one.needs_data and given.data is None else []
        lacks += [" ".join(WORDS[run]) for run in one.runs if run not in given.runs]
        if given.quick and not one.quick:
            missing.setdefault("have no --quick", []).append(one.name)
        elif lacks:
            missing.setdefault(f"need {' '.join(lacks)}", []).append(one.name)
    return missing


def words(one: Benchmark, given: Given, target: Path) -> list[str]:
    """Return the command of a benchmark that writes its result to ``target``."""
    more = ["--data", str(given.data)] if given.data is not None and (one.needs_data or one.optional_data) else []
    for run in one.runs:
        more += [WORDS[run][0], given.runs[run]]
    quick = ["--quick"] if given.quick else []
    return [sys.executable, "-m", f"benchmarks.{one.module}", *one.options, *more, *quick, "--json", str(target)]


def expected_minutes(one: Benchmark, given: Given, results: Path) -> float:
    """Return what a benchmark will take: what it took the last time in the same way, or else what is known of it."""
    with suppress(ResultError):
        last = how_measured(read(results / f"{one.name}.json"))
        if last is not None and last.quick == given.quick:
            return last.seconds / 60
    return one.quick_minutes if given.quick else one.minutes


def run_all(benchmarks: Sequence[Benchmark], given: Given, results: Path, say: Say) -> list[str]:
    """Run benchmarks one after another and return the names of those that failed; a former result then stays.

    Parameters
    ----------
    benchmarks
        Those that have what they need.
    given
        What they are given.
    results
        The folder for NAME.json; it is made.
    say
        Takes lines of progress.
    """
    results.mkdir(parents=True, exist_ok=True)
    minutes = [expected_minutes(one, given, results) for one in benchmarks]
    if len(benchmarks) > 1:
        say(f"{len(benchmarks)} benchmarks, about {took(sum(minutes))}")
    failed = []
    for k, one in enumerate(benchmarks):
        say(f"[{k + 1}/{len(benchmarks)}] {one.name}: {one.question} About {took(minutes[k])}.")
        start = time.monotonic()
        wrong = run_one(one, given, results)
        spent = took((time.monotonic() - start) / 60)
        if wrong:
            failed.append(one.name)
            say(f"[{k + 1}/{len(benchmarks)}] {one.name} failed after {spent}: {wrong}; its former result is untouched")
        else:
            say(f"[{k + 1}/{len(benchmarks)}] {one.name} took {spent}; see {results / one.name}.json")
    return failed


def run_one(one: Benchmark, given: Given, results: Path) -> str:
    """Run a benchmark and put its result in place; return what went wrong, or nothing."""
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / f"{one.name}.json"
        status = _status_of(words(one, given, made))
        if status:
            return f"status {status}"
        try:
            read(made)
            with replacing(results / made.name, overwrite=True) as file:
                file.write(made.read_bytes())
        except (ResultError, OSError) as error:
            return str(error)
    return ""


def _status_of(command: list[str]) -> int:
    """Return the status that a command ends with; one that is interrupted has ended when this returns."""
    process = subprocess.Popen(command)
    try:
        return process.wait()
    except BaseException:
        # On a terminal Ctrl-C reaches both; where it came to this process alone, it is passed on.
        process.send_signal(signal.SIGINT)
        try:
            process.wait(GRACE)
        except BaseException:
            process.kill()
            process.wait()
        raise
