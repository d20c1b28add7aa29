"""Names of the numbered pictures that a folder holds, or that a video becomes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from math import gcd
from pathlib import Path

from rainopt.io.video.common import VideoError

SHOWN = 5  # names or numbers in a sentence

_NUMBER = re.compile(r"(.*?)(\d+)(\D*)", re.DOTALL)
_PATTERN = re.compile(r"((?:[^%]|%%)*)%(0\d{0,2})?d((?:[^%]|%%)*)", re.DOTALL)


@dataclass(frozen=True)
class Pattern:
    """Names with a place for a number, as ``frame_%05d.png`` says; the pictures of a video are counted from 1."""

    text: str

    def name(self, index: int) -> str:
        """Return the name of the picture of a frame, whose index counts from 0."""
        return self.text % (index + 1)


def pattern_of(name: str) -> Pattern | None:
    """Return the pattern that a name is, or None for a plain name.

    Raises
    ------
    ValueError
        If it holds a percent sign that starts no number.
    """
    if _PATTERN.fullmatch(name):
        return Pattern(name)
    if re.search(r"%\d*[a-zA-Z]", name):
        raise ValueError(f"'{name}' has no place for one number; write it as in 'frame_%05d.png'")
    return None


def siblings_of(picture: Path) -> list[Path]:
    """Return the pictures of a folder whose names differ from this one's by their last number alone."""
    found = _NUMBER.fullmatch(picture.stem)
    if found is None:
        return [picture]
    alike = re.compile(f"{re.escape(found[1])}\\d+{re.escape(found[3] + picture.suffix)}", re.DOTALL)
    try:
        return sorted(path for path in picture.parent.iterdir() if alike.fullmatch(path.name))
    except OSError:
        return [picture]


def check_numbers(folder: Path, files: Sequence[Path]) -> str | None:
    """Make sure that pictures are the frames of one video; return a sentence about numbers that are missing.

    Raises
    ------
    VideoError
        If a name has no number, differs from the others by more than its number, or has a number twice.
    """
    groups: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for file in files:
        found = _NUMBER.fullmatch(file.stem)
        if found is None:
            groups.setdefault(("", ""), []).append((-1, file.name))
        else:
            groups.setdefault((found[1], found[3] + file.suffix), []).append((int(found[2]), file.name))
    kind, frames = max(groups.items(), key=lambda group: (group[0] != ("", ""), len(group[1])))
    if kind == ("", ""):
        raise VideoError(
            f"'{folder}' holds no numbered pictures ({_some([name for _, name in frames])}); number the names of its "
            "frames, as in 'frame_0001.png'"
        )
    others = sorted(name for other, group in groups.items() if other != kind for _, name in group)
    if others:
        raise VideoError(
            f"'{folder}' holds {_some(others)} beside frames named like '{frames[0][1]}'; leave only the frames of one "
            "video there"
        )
    numbers: dict[int, str] = {}
    for number, name in frames:
        if number in numbers:
            raise VideoError(f"'{folder}' holds the frame {number} twice ('{numbers[number]}', '{name}'); remove one")
        numbers[number] = name
    return _gaps(sorted(numbers))


def _gaps(numbers: list[int]) -> str | None:
    """Return what is missing of numbers that rise by the same step; the step may be any."""
    pairs = list(pairwise(numbers))
    step = reduce(gcd, (b - a for a, b in pairs), 0) or 1
    holes = [(a + step, b - step) for a, b in pairs if b - a > step]
    if not holes:
        return None
    missing = sum((last - first) // step + 1 for first, last in holes)
    where = _some([str(first) if first == last else f"{first} to {last}" for first, last in holes])
    return f"{missing} number{'' if missing == 1 else 's'} missing ({where}), the frames around follow each other"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


Naming = Callable[[int], str]
"""What gives the picture of a frame, whose index counts from 0, its name."""
