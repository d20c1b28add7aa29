"""What all reviewers hold of each scene, by their logs."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_tools.decisions.entries import Entry, Verdict
from data_tools.decisions.log import NAME, SUFFIX, ReviewLog
from data_tools.manifest.folder import REVIEW_FOLDER


class NothingToUndoError(LookupError):
    """A reviewer has done nothing that is not undone already."""


@dataclass(frozen=True)
class Opinion:
    """What one reviewer holds of a scene.

    Attributes
    ----------
    by, at
        Who, and when the verdict was given.
    verdict
        None where only a note was written or pixels were marked.
    note
        The last one.
    mask
        SHA-256 of the mask of invalid pixels.
    round
        Which estimate of the background the verdict is on.
    swept
        Whether the verdict was given to all scenes above a score.
    """

    by: str
    at: str = ""
    verdict: Verdict | None = None
    note: str = ""
    mask: str | None = None
    round: int = 0
    swept: bool = False


class Board:
    """The logs of a dataset, read as far as they go; safe to use from several threads.

    Attributes
    ----------
    version
        Grows with every line that is read.
    """

    def __init__(self, dataset: Path) -> None:
        self.folder = dataset / REVIEW_FOLDER
        self.version = 0
        self._logs: dict[str, ReviewLog] = {}
        self._about: dict[str, dict[str, list[Entry]]] = {}
        self._undone: dict[str, set[int]] = {}
        self._opinions: dict[tuple[str, str], Opinion] = {}
        self._mutex = threading.RLock()
        self.refresh()

    def refresh(self) -> set[str]:
        """Read what any process has added since; return the names of the scenes that it is about."""
        with self._mutex:
            for path in self.folder.glob(f"*{SUFFIX}"):
                if path.stem not in self._logs and NAME.fullmatch(path.stem):
                    self._log_of(path.stem)
            changed: set[str] = set()
            for log in self._logs.values():
                changed |= self._fold(log, log.refresh())
            return changed

    def _log_of(self, reviewer: str) -> ReviewLog:
        if reviewer not in self._logs:
            self._logs[reviewer] = ReviewLog(self.folder, reviewer)
            self._about[reviewer] = defaultdict(list)
            self._undone[reviewer] = set()
        return self._logs[reviewer]

    def _fold(self, log: ReviewLog, new: Iterable[Entry]) -> set[str]:
        changed: set[str] = set()
        about, undone = self._about[log.reviewer], self._undone[log.reviewer]
        for entry in new:
            self.version += 1
            named = scenes_of(entry, log.entries)
            changed.update(named)
            for scene in named:
                self._opinions.pop((log.reviewer, scene), None)
            if entry.kind == "undo":
                undone.add(entry.undone)
            for scene in entry.scenes:
                about[scene].append(entry)
        return changed

    def add(self, reviewer: str, **fields: Any) -> Entry:
        """Write down an entry of a reviewer; return it when it is on the disk.

        Raises
        ------
        JournalError
            If it cannot be written; nothing has changed then.
        """
        return self.add_seen(reviewer, lambda: fields)

    def add_seen(self, reviewer: str, say: Callable[[], dict[str, Any]]) -> Entry:
        """Write down what `say` returns when all that this reviewer has written, elsewhere too, is on the board."""
        with self._mutex:
            log = self._log_of(reviewer)

            def said(new: list[Entry]) -> dict[str, Any]:
                self._fold(log, new)
                return say()

            entry = log.append(said)
            self._fold(log, [entry])
            return entry

    def undo(self, reviewer: str) -> Entry:
        """Take back what a reviewer did last and has not undone; return that.

        Raises
        ------
        NothingToUndoError
            If there is nothing.
        JournalError
            If it cannot be written; nothing has changed then.
        """
        undone: list[Entry] = []

        def say() -> dict[str, Any]:
            done = (one for one in reversed(self._logs[reviewer].entries) if one is not None and one.kind != "undo")
            last = next((one for one in done if one.number not in self._undone[reviewer]), None)
            if last is None:
                raise NothingToUndoError("there is nothing to undo")
            undone.append(last)
            return {"kind": "undo", "undone": last.number}

        self.add_seen(reviewer, say)
        return undone[0]

    def reviewers(self) -> list[str]:
        """Return who has written anything, by name."""
        with self._mutex:
            return sorted(name for name, log in self._logs.items() if log.entries)

    def opinion(self, reviewer: str, scene: str) -> Opinion:
        """Return what a reviewer holds of a scene."""
        with self._mutex:
            known = self._opinions.get((reviewer, scene))
            if known is None:
                known = self._opinions[reviewer, scene] = self._opinion(reviewer, scene)
            return known

    def _opinion(self, reviewer: str, scene: str) -> Opinion:
        undone = self._undone.get(reviewer, set())
        entries = self._about.get(reviewer, {}).get(scene, ())
        standing = [entry for entry in entries if entry.number not in undone]
        facts: dict[str, Any] = {}
        for entry in standing:
            if entry.verdict is not None:
                facts |= {"at": entry.at, "verdict": entry.verdict, "round": entry.round}
                facts["swept"] = entry.kind == "above"
            if entry.note is not None:
                facts["note"] = entry.note
            if entry.kind == "invalid":
                facts["mask"] = entry.mask
        return Opinion(reviewer, **facts)

    def opinions(self, scene: str) -> list[Opinion]:
        """Return what all reviewers hold of a scene who hold anything."""
        found = [self.opinion(name, scene) for name in self.reviewers()]
        return [one for one in found if one != Opinion(one.by)]

    def scenes(self, reviewer: str | None = None) -> set[str]:
        """Return the scenes that anything was written about, by anybody or by one reviewer."""
        with self._mutex:
            names = [reviewer] if reviewer is not None else list(self._about)
            return {scene for name in names for scene in list(self._about.get(name, ()))}

    def sizes(self) -> dict[str, int]:
        """Return how many bytes were read of each log: where news begin."""
        with self._mutex:
            return {name: log.journal.size for name, log in self._logs.items()}

    def since(self, sizes: dict[str, int]) -> set[str]:
        """Return the scenes that lines are about which came after `sizes` of the logs."""
        with self._mutex:
            changed: set[str] = set()
            for name, log in self._logs.items():
                first = bisect_right(log.journal.ends, sizes.get(name, 0))
                for entry in log.entries[first:]:
                    changed |= set(scenes_of(entry, log.entries)) if entry is not None else set()
            return changed

    def faults(self) -> list[str]:
        """Return what is wrong with lines of the logs, a sentence each."""
        with self._mutex:
            return [fault for log in self._logs.values() for fault in log.faults]


def scenes_of(entry: Entry, entries: Sequence[Entry | None]) -> tuple[str, ...]:
    """Return the scenes that a line of a log is about; those of an undoing are what it takes back."""
    if entry.kind != "undo":
        return entry.scenes
    undone = entries[entry.undone - 1] if 0 < entry.undone <= len(entries) else None
    return undone.scenes if undone is not None else ()
