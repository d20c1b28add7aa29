"""One input of an attack, and the verdict on what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any


class Kind(StrEnum):
    """What came of an input."""

    OK = "ok"
    REFUSED = "refused"
    CRASH = "crash"  # the process died of a signal
    HANG = "hang"  # no end within the limit
    MEMORY = "memory"  # more than the limit
    TRACEBACK = "traceback"  # an exception that is not documented
    HALF = "half"  # a file left behind, half-written, or an input changed
    WRONG = "wrong"  # a result that breaks a promise
    UNNAMED = "unnamed"  # a refusal that does not name the file
    WARNING = "warning"  # a warning of Python, or a line that another package logs
    NOISE = "noise"  # a line of a C library, or control characters, on the terminal


MARKS = frozenset({".rainopt-results"})
"""Hidden files that are meant to stay: they tell later runs that a folder holds results."""
FAILURES = frozenset(Kind) - {Kind.OK, Kind.REFUSED}


@dataclass(frozen=True)
class Case:
    """One input.

    Attributes
    ----------
    words
        What it is, in one line.
    call
        What is attacked, given the folder that holds the files; files are written below ``out`` in it alone.
    refusals
        Exceptions that are documented.
    files
        Contents by path below the folder.
    named
        File that a refusal has to name.
    promise
        Says what is wrong with a result, if anything.
    partial
        Whether a refusal may leave results: those of the other inputs of a command.
    """

    words: str
    call: Callable[[Path], Any]
    refusals: tuple[type[BaseException], ...]
    files: Mapping[str, bytes] = field(default_factory=dict)
    named: str | None = None
    promise: Callable[[Any], str | None] | None = None
    partial: bool = False


@dataclass(frozen=True)
class Verdict:
    """What came of an input.

    Attributes
    ----------
    kind
        The worst that happened.
    detail
        What was said or raised.
    where
        Where in this project it came from; failures of one kind at one place are one fault.
    seconds, peak
        Time, and the most memory of the process, in bytes.
    """

    kind: Kind
    detail: str = ""
    where: str = ""
    seconds: float = 0.0
    peak: int = 0

    @property
    def fault(self) -> tuple[str, str]:
        """What makes two failures the same fault."""
        return self.kind.value, self.where or self.detail[:60]


class PromiseBrokenError(Exception):
    """A result that is not what was promised; raised by attacks themselves."""
