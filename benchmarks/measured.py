"""When, by which command and on which tree a result was measured."""

from __future__ import annotations

import datetime
import shutil
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
CODE = ("rainopt", "rainnet", "data_tools")  # what is measured


@dataclass(frozen=True)
class Tree:
    """The code that was measured.

    Attributes
    ----------
    commit
        The short name of the commit; None outside of a checkout.
    dirty
        True where the code, or the benchmarks, differ from that commit.
    """

    commit: str | None
    dirty: bool


@dataclass(frozen=True)
class Measured:
    """What a result tells of its making.

    Attributes
    ----------
    date
        The day on which it began, as "2026-11-29".
    commit, dirty
        As of `Tree`, when it began: what is committed while it runs is not what is measured.
    command
        The command, without the paths that it was given.
    seconds
        From the first line of the command to its result.
    quick
        True where less work than that of the published run was asked for, by ``--quick``.
    """

    date: str
    commit: str | None
    dirty: bool
    command: str
    seconds: float
    quick: bool

    def as_dict(self) -> dict[str, Any]:
        """Return the fields for a result."""
        return asdict(self)


@dataclass(frozen=True)
class Begun:
    """A benchmark that is running."""

    command: str
    quick: bool
    clock: float
    date: str
    tree: Tree

    def measured(self) -> Measured:
        """Return what is to be told now that it ends."""
        seconds = round(time.perf_counter() - self.clock, 1)
        return Measured(self.date, self.tree.commit, self.tree.dirty, self.command, seconds, self.quick)


def begin(command: str, quick: bool) -> Begun:
    """Take the time and look at the tree."""
    return Begun(command, quick, time.perf_counter(), datetime.date.today().isoformat(), tree())


def tree() -> Tree:
    """Return which tree the running code is of."""
    commit = git("rev-parse", "--short", "HEAD")
    # The results are left out: a benchmark that wrote one does not change what the next one measures.
    changes = git("status", "--porcelain", "--", *CODE, "benchmarks", ":(exclude)benchmarks/results")
    return Tree(commit, bool(changes)) if commit else Tree(None, False)


def changed_since(commit: str) -> bool | None:
    """Return True if the code differs from that of a commit, and None if that cannot be told."""
    if git("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}") is None:
        return None
    return git("diff", "--quiet", commit, "--", *CODE) is None


def git(*words: str) -> str | None:
    """Return what a command of git about this tree says; None if it fails, or if there is no git."""
    program = shutil.which("git")
    if program is None:
        return None
    ended = subprocess.run([program, "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return ended.stdout.strip() if ended.returncode == 0 else None
