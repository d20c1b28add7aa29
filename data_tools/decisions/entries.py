"""The lines of a reviewer's log: what each may say, and how it reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Kind = Literal["decision", "above", "note", "invalid", "undo"]
Verdict = Literal["accept", "reject", "more"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
LONGEST_NOTE = 4000  # characters


@dataclass(frozen=True)
class Entry:
    """One line of a reviewer's log.

    Attributes
    ----------
    number
        Of the line, from 1 on.
    by, at
        Who wrote it, and when (UTC, ISO 8601).
    kind
        A "decision" on a scene; one on all scenes "above" a score; a "note"; pixels that are "invalid"; or "undo".
    scenes
        Names of the scenes that it is about.
    verdict
        Of decisions.
    note
        What the person says; None if a decision says nothing new.
    mask
        Of "invalid": SHA-256 of the mask's file, None if no pixel is.
    round
        Of decisions: which estimate of the background was looked at; 0 is that of the dataset.
    undone
        Of "undo": the number of the line that it takes back.
    score
        Of "above": from which score on.
    """

    number: int
    by: str
    at: str
    kind: Kind
    scenes: tuple[str, ...] = ()
    verdict: Verdict | None = None
    note: str | None = None
    mask: str | None = None
    round: int = 0
    undone: int = 0
    score: float | None = None

    @property
    def id(self) -> str:
        """Name of the line among those of all reviewers."""
        return f"{self.by}:{self.number}"

    def to_line(self) -> bytes:
        """Return the line, without its end."""
        values: dict[str, Any] = {"entry": self.number, "at": self.at, "kind": self.kind}
        if self.kind == "above":
            values |= {"score": self.score, "scenes": list(self.scenes)}
        elif self.scenes:
            values["scene"] = self.scenes[0]
        values |= {"verdict": self.verdict} if self.verdict else {}
        values |= {"note": self.note} if self.note is not None else {}
        values |= {"mask": self.mask} if self.kind == "invalid" else {}
        values |= {"round": self.round} if self.round else {}
        values |= {"undone": self.undone} if self.kind == "undo" else {}
        return json.dumps(values, ensure_ascii=False, allow_nan=False).encode(errors="replace")


def parse_entry(line: bytes, number: int, by: str) -> Entry:
    """Return what a line of a log says.

    Raises
    ------
    ValueError
        If it is no such line; the message completes the name of the line.
    """
    try:
        values = json.loads(line.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"is no JSON in UTF-8 ({error})") from None
    if not isinstance(values, dict) or values.get("kind") not in get_args(Kind):
        raise ValueError("says nothing that is known")
    kind: Kind = values["kind"]
    scenes = values.get("scenes", []) if kind == "above" else [values["scene"]] if "scene" in values else []
    verdict, note, mask = (values.get(name) for name in ("verdict", "note", "mask"))
    round_, undone, score = values.get("round", 0), values.get("undone", 0), values.get("score")
    plain = (
        _are(str, scenes)
        and (bool(scenes) or kind in ("undo", "above"))
        and (verdict in VERDICTS if kind in ("decision", "above") else verdict is None)
        and (note is None or isinstance(note, str))
        and (mask is None or (isinstance(mask, str) and len(mask) == 64 and set(mask) <= set("0123456789abcdef")))
        and _are(int, [round_, undone])
        and (undone < number)
    )
    if not plain:
        raise ValueError(f"is no {kind} as it is written here")
    at = str(values.get("at", ""))
    score = float(score) if isinstance(score, int | float) else None
    return Entry(number, by, at, kind, tuple(scenes), verdict, note, mask, round_, undone, score)


def _are(kind: type, values: Any) -> bool:
    return isinstance(values, Sequence) and all(isinstance(one, kind) for one in values)
