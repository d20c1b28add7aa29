"""What each command writes when nothing disturbs it: how long it takes, and which bytes are the same each time."""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.robustness.watched import environment
from benchmarks.robustness.writers import Writer, copied, differences, digests, leftovers


class DisturbedError(Exception):
    """A command that does not end well though nothing disturbs it."""


@dataclass(frozen=True)
class Undisturbed:
    """Results of runs that nothing disturbed.

    Attributes
    ----------
    seconds
        That a run takes.
    whole
        Digests of its files.
    steady
        Files whose bytes are the same in two runs.
    other
        Digests of a run with the other settings; empty without any.
    hidden
        Hidden files that belong to the result.
    """

    seconds: float
    whole: dict[str, str]
    steady: set[str]
    other: dict[str, str]
    hidden: frozenset[str] = frozenset()

    def left_behind(self, folder: Path) -> list[str]:
        """Return what is hidden or temporary in a folder and does not belong to the result."""
        return [f"'{name}' was left behind" for name in leftovers(folder) if name not in self.hidden]

    def wrong(self, found: dict[str, str], mixed: bool = False) -> list[str]:
        """Return in what a result differs from both; ``mixed``: file by file, either will do."""
        first = differences(found, self.whole, self.steady)
        if not first or not self.other:
            return first
        if mixed:
            both = {name: {self.whole.get(name), self.other.get(name)} for name in {**self.whole, **self.other}}
            return [f"'{name}' is of neither run" for name, digest in found.items() if digest not in both.get(name, ())]
        return first if differences(found, self.other, self.steady) else []


def undisturbed(writer: Writer, material: Path, scratch: Path, other: bool = False) -> Undisturbed:
    """Run a command twice, and once with other settings where that is asked for."""
    results, seconds, hidden = [], 0.0, frozenset[str]()
    for more in ((), (), writer.other) if other and writer.other else ((), ()):
        with copied(material, scratch) as folder:
            start = time.perf_counter()
            run = subprocess.run(
                writer.command(*more), cwd=folder, env=environment(), capture_output=True, text=True, check=False
            )
            seconds = max(time.perf_counter() - start, seconds) if not more else seconds
            if run.returncode != 0:
                raise DisturbedError(f"undisturbed, it ended with status {run.returncode}: {run.stderr.strip()[-300:]}")
            results.append(digests(folder / writer.place))
            hidden |= frozenset(leftovers(folder))
    whole = results[0]
    steady = {name for name in whole if results[1].get(name) == whole[name]}
    return Undisturbed(seconds, whole, steady, results[2] if len(results) > 2 else {}, hidden)
