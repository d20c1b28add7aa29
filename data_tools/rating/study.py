"""A study: what each rater sees, in which order, and what they have said."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from data_tools.rating.sources import Picture, digest
from rainopt.io.journal import Journal, JournalError

SCALE = (1, 2, 3, 4, 5)
SUFFIX = ".jsonl"
# Letters and digits of any script first: a name is the name of a file as well.
_NAME = re.compile(r"\w[\w .-]{0,39}")


class OtherQuestionError(ValueError):
    """A study holds answers to another question; the message names both."""


class RatingError(ValueError):
    """Something that was asked for by a page makes no sense; the message says what does."""


class Rating(NamedTuple):
    """What a rater has said of a picture: 1 to 5, at which place of the order, when, and after how many seconds."""

    rater: str
    source: str
    name: str
    rating: int
    position: int
    at: str
    seconds: float | None


class Rater:
    """One person, with the pictures in an order of their own.

    The order depends on the seed, the name of the rater, and each picture alone: where pictures are added to a study,
    the others keep their order.
    """

    def __init__(self, name: str, journal: Journal, pictures: Sequence[Picture], seed: int, asked: str) -> None:
        self.name, self.seed, self.asked = name, seed, asked
        self.order = sorted(pictures, key=lambda one: digest(f"{seed}", name, one.source, one.name))
        self._journal = journal
        self._begun = False
        self._said: list[Rating] = []
        self._lines = 0
        self._read(journal.read())

    @property
    def ratings(self) -> dict[tuple[str, str], Rating]:
        """What was said last of each picture, by source and name; also of pictures that are no longer there."""
        return {(one.source, one.name): one for one in self._said}

    def given(self) -> list[int | None]:
        """Return the rating of each picture in the order of this rater, None where there is none."""
        ratings = self.ratings
        there = (ratings.get((one.source, one.name)) for one in self.order)
        return [one.rating if one else None for one in there]

    def rate(self, position: int, rating: int, seconds: float | None = None) -> None:
        """Note a rating, and return when it is on the disk; one that is there already is replaced by it.

        Raises
        ------
        RatingError
            If there is no such place, or the rating is not on the scale.
        JournalError
            If it cannot be written.
        """
        picture = self.picture(position)
        if rating not in SCALE:
            raise RatingError(f"`rating` must be 1 to 5, got {rating}")
        if not self._begun:
            begun = {"rater": self.name, "seed": self.seed, "asked": self.asked, "pictures": len(self.order)}
            self._append(begun | {"at": _now()})
            self._begun = True
        line = {
            "rating": rating,
            "source": picture.source,
            "name": picture.name,
            "position": position + 1,
            "at": _now(),
            "seconds": None if seconds is None else round(seconds, 2),
        }
        self._append(line)

    def undo(self) -> int | None:
        """Take the last rating back, and return its place in the order, None where its picture is no longer there.

        Raises
        ------
        RatingError
            If there is none.
        JournalError
            If it cannot be written.
        """
        if not self._said:
            raise RatingError("there is no rating to take back")
        last = self._said[-1]
        line = {"undo": True, "source": last.source, "name": last.name, "at": _now()}
        self._append(line)
        places = {(one.source, one.name): k for k, one in enumerate(self.order)}
        return places.get((last.source, last.name))

    def picture(self, position: int) -> Picture:
        """Return the picture at a place of the order, from 0.

        Raises
        ------
        RatingError
            If there is no such place.
        """
        if not 0 <= position < len(self.order):
            raise RatingError(f"`position` must be 0 to {len(self.order) - 1}, got {position}")
        return self.order[position]

    def _append(self, line: dict[str, Any]) -> None:
        """Add a line to the journal, and to what is known when it is on the disk."""
        content = json.dumps(line).encode()

        def say(new: list[bytes]) -> bytes:
            self._read(new)  # of another server of this study
            return content

        self._journal.append(say)
        self._read([content])

    def _read(self, lines: list[bytes]) -> None:
        for content in lines:
            self._lines += 1
            try:
                self._take(json.loads(content))
            except OtherQuestionError:
                raise
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                where = f"'{self._journal.path}', line {self._lines}"
                raise JournalError(f"{where}: it is no line of a study ({error!r}); remove it") from None

    def _take(self, line: dict[str, Any]) -> None:
        if line.get("asked", self.asked) != self.asked:
            raise OtherQuestionError(
                f"'{self._journal.path}' holds answers to the question '{line['asked']}', and '{self.asked}' is asked; "
                "name another file for the other study"
            )
        if line.get("undo"):
            if self._said:
                self._said.pop()
        elif "rating" in line:
            rating = line["rating"]
            if rating not in SCALE:
                raise ValueError(f"`rating` must be 1 to 5, got {rating!r}")
            place, at, seconds = line["position"], line["at"], line["seconds"]
            self._said.append(Rating(self.name, str(line["source"]), str(line["name"]), rating, place, at, seconds))


class Study:
    """The raters of some pictures, and their journals in a folder. Its methods may be called from several threads.

    Parameters
    ----------
    pictures
        What is rated.
    folder
        Of the journals; made with the first rating.
    seed
        Of the orders.
    asked
        The question, of `data_tools.rating.questions`; answers to several do not mix.

    Raises
    ------
    OtherQuestionError
        If a journal that is there holds answers to another question.
    JournalError
        If a journal that is there cannot be read.
    """

    def __init__(self, pictures: Sequence[Picture], folder: Path, seed: int = 0, asked: str = "real") -> None:
        self.pictures, self.folder, self.seed, self.asked = list(pictures), folder, seed, asked
        self.lock = threading.RLock()
        self._raters: dict[str, Rater] = {}
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            self._add(path.stem)

    @property
    def raters(self) -> list[Rater]:
        """All who have begun."""
        with self.lock:
            return list(self._raters.values())

    def rater(self, name: str) -> Rater:
        """Return who has a name, with whatever they have said; a new one where nobody has.

        Raises
        ------
        RatingError
            If that is no name.
        """
        name = name.strip()
        if not _NAME.fullmatch(name):
            raise RatingError(
                "a name has 1 to 40 letters, digits, spaces, '.', '-' or '_', and begins with a letter or digit"
            )
        with self.lock:
            known = self._raters.get(name.casefold())
            if known is not None:
                return known
            return self._add(name)

    def ratings(self) -> list[Rating]:
        """Return what all raters have said of the pictures that are there, rater by rater, in the order of time."""
        there = {(one.source, one.name) for one in self.pictures}
        return [rating for rater in self.raters for key, rating in rater.ratings.items() if key in there]

    def strays(self) -> int:
        """Return how many ratings are of pictures that are not there."""
        return sum(len(rater.ratings) for rater in self.raters) - len(self.ratings())

    def _add(self, name: str) -> Rater:
        # Names that differ in capitals alone would be one file on some systems.
        rater = Rater(name, Journal(self.folder / f"{name}{SUFFIX}"), self.pictures, self.seed, self.asked)
        self._raters[name.casefold()] = rater
        return rater


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
