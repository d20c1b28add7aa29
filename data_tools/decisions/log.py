"""A reviewer's log, `review/NAME.jsonl` in the dataset's folder: a journal of what that person decided."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from data_tools.decisions.entries import Entry, parse_entry
from rainopt.io.journal import Journal

SUFFIX = ".jsonl"
NAME = re.compile(r"\w(?:[\w@+-]|\.(?=[\w@+-])){0,63}")


def check_reviewer(name: str) -> str:
    """Return a name if a log can be called so.

    Raises
    ------
    ValueError
        If it is none; the message names it.
    """
    if not NAME.fullmatch(name):
        raise ValueError(
            f"`reviewer` must be up to 64 letters, digits, '-', '_', '+', '@' and single dots within, got {name!r}"
        )
    return name


class ReviewLog:
    """The log of one reviewer, read as far as it is whole; several processes and threads may add to it.

    Attributes
    ----------
    journal
        Its file.
    entries
        What was read; a line that says nothing known is None.
    """

    def __init__(self, folder: Path, reviewer: str) -> None:
        self.journal = Journal(folder / f"{check_reviewer(reviewer)}{SUFFIX}")
        self.reviewer = reviewer
        self.entries: list[Entry | None] = []
        self._faults: list[str] = []

    @property
    def faults(self) -> list[str]:
        """What is wrong with lines, a sentence each."""
        return [*self._faults, *self.journal.cut]

    def refresh(self) -> list[Entry]:
        """Read what was added since; return it.

        Raises
        ------
        JournalError
            If it cannot be read.
        """
        return self._parsed(self.journal.read())

    def _parsed(self, lines: list[bytes]) -> list[Entry]:
        new = []
        for line in lines:
            number = len(self.entries) + 1
            try:
                entry = parse_entry(line, number, self.reviewer)
            except ValueError as error:
                where = f"'{self.journal.path}', line {number}"
                self._faults.append(f"{where} {error}; it is left as it is and does not count")
                self.entries.append(None)
                continue
            self.entries.append(entry)
            new.append(entry)
        return new

    def append(self, say: Callable[[list[Entry]], dict[str, Any]]) -> Entry:
        """Add a line and return it when it is on the disk.

        Parameters
        ----------
        say
            Called when nobody else can write, with the lines that were not read before; returns the fields of the new
            one. What it raises is raised, and nothing is written.

        Raises
        ------
        JournalError
            If it cannot be written; then the log is as it was.
        """
        said: list[Entry] = []

        def line(new: list[bytes]) -> bytes:
            fields = say(self._parsed(new))
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            said.append(Entry(number=len(self.entries) + 1, by=self.reviewer, at=at, **fields))
            return said[0].to_line()

        self.journal.append(line)
        self.entries.append(said[0])
        return said[0]
