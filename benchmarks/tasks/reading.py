"""What was read held against what was written: errors a letter, and words that are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.tasks.boxes import Box

MARGIN = 4.0  # pixels around a sign that its reading may reach into


@dataclass(frozen=True)
class Reading:
    """What became of the signs of one picture."""

    wrong: int  # letters to insert, remove or replace
    letters: int
    right: int  # words without an error
    words: int
    strays: int  # lines that were read where no sign is


def edit_distance(one: str, other: str) -> int:
    """Return the least number of letters to insert, remove or replace that makes one text the other (Levenshtein)."""
    before = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        now = [i]
        for j, wanted in enumerate(other, 1):
            now.append(min(before[j] + 1, now[j - 1] + 1, before[j - 1] + (letter != wanted)))
        before = now
    return before[-1]


def compare(signs: Sequence[tuple[Box, str]], lines: Sequence[tuple[Box, str]]) -> Reading:
    """Return what is wrong with lines that were read, each by the sign that its middle lies on.

    Lines on one sign are put together from left to right. Case and spaces do not count: some letters look the same in
    both cases, and where a word ends is a question of its own.
    """
    on: list[list[tuple[float, str]]] = [[] for _ in signs]
    strays = 0
    for (left, top, right, bottom), text in lines:
        x, y = (left + right) / 2, (top + bottom) / 2
        for place, (box, _) in zip(on, signs, strict=True):
            if box[0] - MARGIN <= x <= box[2] + MARGIN and box[1] - MARGIN <= y <= box[3] + MARGIN:
                place.append((left, text))
                break
        else:
            strays += 1
    pairs = [
        (_plain("".join(text for _, text in sorted(read))), _plain(word))
        for read, (_, word) in zip(on, signs, strict=True)
    ]
    wrong = [edit_distance(read, word) for read, word in pairs]
    return Reading(sum(wrong), sum(len(word) for _, word in pairs), sum(not one for one in wrong), len(pairs), strays)


def text_figures(readings: Sequence[Reading]) -> dict[str, float]:
    """Return the character error rate, the share of words without an error, and lines of nothing a picture.

    The error rate is the sum of edit distances over that of letters: 1 where nothing is read, and above where more is
    read than was written.
    """
    return {
        "character_error_rate": sum(one.wrong for one in readings) / sum(one.letters for one in readings),
        "words_right": sum(one.right for one in readings) / sum(one.words for one in readings),
        "strays_a_picture": sum(one.strays for one in readings) / len(readings),
    }


def _plain(text: str) -> str:
    return "".join(text.split()).casefold()
