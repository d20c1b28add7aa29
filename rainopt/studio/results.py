"""Results at full size, as the command makes them: files of the session, which are shown, copied and handed out."""

from __future__ import annotations

import itertools
import shutil
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rainopt.app.kinds import result_suffix
from rainopt.app.methods import Method, Wish
from rainopt.app.results import OutputSettings
from rainopt.io import copy_image, image_size, read_image
from rainopt.io.own_results import note_results
from rainopt.studio.asked import Asked
from rainopt.studio.bench import Bench, Work
from rainopt.studio.marks import drawn, write_marks
from rainopt.studio.photo import shown
from rainopt.studio.pictures import Picture, PictureError

MOST_BYTES = 4 << 30
"""Of results that are kept on the disk; those that were used longest ago go first."""
OUTPUT = OutputSettings(save_rain=True, overwrite=True)


class Shown(NamedTuple):
    """A result as it is shown: 8 bits, and the rain in [0, 1]."""

    derained: np.ndarray
    rain: np.ndarray


class Result:
    """The result of one picture for what was asked, done or on its way."""

    def __init__(self, work: Work, number: int) -> None:
        self.work, self.number = work, number

    @property
    def file(self) -> Path | None:
        """Where it is, when it is done."""
        return self.work.target if self.work.done.is_set() and self.work.failure() is None else None

    def as_json(self) -> dict[str, object]:
        """Return how far it is."""
        done, failure = self.work.done.is_set(), self.work.failure()
        state = "running" if not done else "done" if failure is None else "stopped" if self.work.stopped else "failed"
        return {"work": self.number, "state": state, "share": self.work.share, "error": failure if done else None}


class Results:
    """All results of a session.

    Parameters
    ----------
    methods
        By name.
    bench
        Where they are made.
    folder
        For their files; it is the session's alone.
    """

    def __init__(self, methods: Mapping[str, Method], bench: Bench, folder: Path) -> None:
        self._methods, self._bench, self._folder = methods, bench, folder
        self._lock = threading.Lock()
        self._all: OrderedDict[tuple[int, str], Result] = OrderedDict()
        self._numbers = itertools.count(1)
        self._decoded: tuple[Path, Shown] | None = None

    def find(self, picture: Picture, asked: Asked) -> Result | None:
        """Return the result of a picture for what is asked, if it is there or on its way."""
        with self._lock:
            key = picture.number, asked.key()
            result = self._all.get(key)
            if result is not None:
                self._all.move_to_end(key)
            return result

    def is_made(self, picture: Picture) -> bool:
        """Tell whether the result of a picture for what is asked of it now is there."""
        with self._lock:
            result = self._all.get((picture.number, picture.asked.key()))
        return result is not None and result.file is not None

    def numbered(self, number: int) -> Result:
        """Return a result by its number.

        Raises
        ------
        PictureError
            If there is none.
        """
        with self._lock:
            for result in self._all.values():
                if result.number == number:
                    return result
        raise PictureError(f"there is no work {number} any more")

    def start(self, picture: Picture, asked: Asked, *, urgent: bool = True) -> Result:
        """Return the result of a picture, which is begun where it is not there.

        An ``urgent`` one takes the place of others that are: nobody waits for these any more.
        """
        method = self.method(asked)
        with self._lock:
            key = picture.number, asked.key()
            known = self._all.get(key)
            if known is not None and not (known.work.done.is_set() and known.work.failure()):
                known.work.urgent |= urgent
                self._all.move_to_end(key)
                return known
            if urgent:
                for other in self._all.values():
                    if other.work.urgent and not other.work.done.is_set():
                        self._bench.stop(other.work)
            folder = self._folder / f"{picture.number:05}-{key[1]}"
            folder.mkdir(parents=True, exist_ok=True)
            target = folder / f"result{result_suffix(picture.path)}"
            marks = self.drawn(picture, asked) if method.marks else None
            place = None if marks is None else write_marks(marks, folder / "marks.png")
            task = method.task(picture.path, wish_of(asked, place), OUTPUT)
            result = Result(self._bench.add(Work(task, picture.path, target, urgent)), next(self._numbers))
            self._all[key] = result
            self._forget_old()
        return result

    def method(self, asked: Asked) -> Method:
        """Return the method that is asked for.

        Raises
        ------
        PictureError
            If there is none of the name, or something of it is not installed.
        """
        method = self._methods.get(asked.plain().method)
        if method is None:
            raise PictureError(f"there is no method '{asked.method}'; choose one of {', '.join(self._methods)}")
        if method.missing:
            raise PictureError(method.missing)
        return method

    def drawn(self, picture: Picture, asked: Asked) -> np.ndarray | None:
        """Return the marks of a picture at its full size, as `rainopt.studio.marks.drawn`."""
        return drawn(asked.strokes, *image_size(picture.path)) if asked.strokes else None

    def stop(self, number: int) -> Result:
        """Give a work up."""
        result = self.numbered(number)
        self._bench.stop(result.work)
        return result

    def shown(self, file: Path) -> Shown:
        """Return a result that is done as it is shown; the last one stays in memory."""
        known = self._decoded
        if known is None or known[0] != file:
            rain = read_image(file.with_name(f"{file.stem}_rain.png"))
            layer = rain.astype(np.float32) / np.float32(np.iinfo(rain.dtype).max)
            known = file, Shown(shown(read_image(file)), layer)
            self._decoded = known
        return known[1]

    def save(self, picture: Picture, file: Path, *, overwrite: bool) -> Path:
        """Copy a result to where the result of its picture goes.

        Raises
        ------
        PictureError
            If its picture was uploaded, and goes nowhere on this machine.
        ImageFileExistsError
            If something is there.
        ImageFileError
            If it cannot be written.
        """
        if picture.target is None:
            raise PictureError(f"'{picture.name}' was uploaded; its result is downloaded")
        picture.target.parent.mkdir(parents=True, exist_ok=True)
        copy_image(file, picture.target, overwrite=overwrite)
        note_results([picture.target])
        picture.saved = str(picture.target)
        return picture.target

    def _forget_old(self) -> None:
        """Delete what is too much."""
        sizes = {key: _size(result.work.target.parent) for key, result in self._all.items()}
        total = sum(sizes.values())
        for key in list(self._all)[:-1]:
            if total <= MOST_BYTES:
                return
            if self._all[key].work.done.is_set():
                total -= sizes[key]
                shutil.rmtree(self._all.pop(key).work.target.parent, ignore_errors=True)


def wish_of(asked: Asked, marks: Path | None = None) -> Wish:
    """Return what a method is asked, of what a page asks."""
    plain = asked.plain()
    return Wish(plain.angles, plain.strength, plain.veil, marks)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*") if file.is_file())
