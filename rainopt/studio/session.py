"""A session of the page: its pictures, what they are derained with, and everything that is made of them."""

from __future__ import annotations

import re
import secrets
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

from rainopt.app.methods import Method
from rainopt.studio.archive import Entry, gathered
from rainopt.studio.asked import Asked
from rainopt.studio.batch import Batch, shared
from rainopt.studio.bench import Bench
from rainopt.studio.looks import Looks
from rainopt.studio.marks import write_marks, write_marks_beside
from rainopt.studio.pictures import MOST_BYTES, Named, Picture, PictureError, Pictures
from rainopt.studio.results import Results, wish_of
from rainopt.studio.views import Views

T = TypeVar("T")


class Session:
    """Everything that goes with the process: `close` ends the work and removes the folder of uploads and results.

    Parameters
    ----------
    methods
        By name.
    named
        Files of the command line.
    bench, looks
        Where results are made, and where methods that are not live derain what is looked at; of its own, if none are
        given.
    """

    def __init__(
        self,
        methods: Mapping[str, Method],
        named: Sequence[Named] = (),
        bench: Bench | None = None,
        looks: Looks | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="rainopt-studio-", ignore_cleanup_errors=True)
        self.methods = dict(methods)
        self._place = Path(self._folder.name)
        # Uploads lie in folders of their own, and so do results.
        self._inside = re.compile(re.escape(str(self._place)) + r"/\w+(/[\w-]+)?/(?=[^/]+)")
        self._marks: dict[str, Path] = {}
        self._archives: dict[str, list[Entry]] = {}
        self.pictures = Pictures(named, self._place / "uploads")
        self._bench = bench or Bench()
        self.results = Results(self.methods, self._bench, self._place / "results")
        self.looks = looks or Looks()
        self.views = Views(self.pictures, self.results, self.looks)
        self.batch: Batch | None = None

    def close(self) -> None:
        """End the work, and remove what was uploaded and made."""
        if self.batch is not None:
            self.batch.stop()
        self._bench.close()
        self.looks.close()
        self.views.close()
        self._folder.cleanup()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def plain(self, told: T) -> T:
        """Return what is told, a text or JSON, without where files lie in this session's folder.

        That says nothing to anybody, and others may be let in.
        """
        if isinstance(told, str):
            return cast(T, self._inside.sub("", told))
        if isinstance(told, dict):
            return cast(T, {key: self.plain(value) for key, value in told.items()})
        return cast(T, [self.plain(value) for value in told]) if isinstance(told, list) else told

    def as_json(self) -> dict[str, Any]:
        """Return what the page begins with."""
        methods = [
            {
                "name": method.name,
                "title": method.title,
                "about": method.about,
                "directions": method.directions,
                "found": method.found,
                "strength": method.strength,
                "veil": method.veil,
                "marks": method.marks,
                "live": method.live,
                "missing": method.missing,
            }
            for method in self.methods.values()
        ]
        return {
            "pictures": [self.told(picture) for picture in self.pictures.all],
            "methods": methods,
            "most_bytes": MOST_BYTES,
            "batch": None if self.batch is None else self.batch.as_json(),
        }

    def told(self, picture: Picture) -> dict[str, Any]:
        """Return what the page knows of a picture."""
        return {
            "number": picture.number,
            "name": picture.name,
            "named": picture.target is not None,
            "target": None if picture.target is None else str(picture.target),
            "result": picture.result_name,
            "asked": picture.asked.as_json(),
            "saved": picture.saved,
            "made": self.results.is_made(picture),
        }

    def run_all(self, picture: Picture, asked: Asked, *, lines: bool, overwrite: bool) -> Batch:
        """Begin to derain all pictures as one of them.

        Raises
        ------
        PictureError
            If that is being done already.
        """
        if self.batch is not None and self.batch.runs:
            raise PictureError("all pictures are being worked on already; stop that first")
        self.results.method(asked)

        def wanted(other: Picture) -> Asked:
            return asked if other is picture else shared(asked, other, lines=lines)

        self.batch = Batch(list(self.pictures.all), wanted, self.results, overwrite=overwrite)
        return self.batch

    def archive(self) -> dict[str, Any]:
        """Gather the results of uploads for one file, which `archived` has by the key that is returned; with what
        its pictures are called in it, and what is left out.

        Raises
        ------
        PictureError
            If no upload has a result.
        """
        entries, left = gathered(self.pictures.all, self.results)
        if not entries:
            raise PictureError("no picture that was dropped has its result yet; wait for one, or apply to all")
        # By chance: a page knows of its own alone.
        key = secrets.token_hex(12)
        self._archives = {key: entries}
        packed = [{"number": entry.picture.number, "name": entry.name} for entry in entries]
        return {"key": key, "packed": packed, "left": [one._asdict() for one in left]}

    def archived(self, key: str) -> list[Entry]:
        """Return what goes into a file of results.

        Raises
        ------
        PictureError
            If another was asked for since.
        """
        if key not in self._archives:
            raise PictureError("this file of results is no more; ask for it again")
        return self._archives[key]

    def command(self, picture: Picture, asked: Asked, *, write: bool) -> dict[str, str | None]:
        """Return the command line that makes the result of a picture, the one for a folder, and the file of the marks.

        The marks are written beside the result where the picture is a file of the command line, and ``write`` says so;
        a page takes those of an upload home by itself.
        """
        method = self.results.method(asked)
        named = picture.target
        source, target = (Path(picture.name), Path(picture.result_name)) if named is None else (picture.path, named)
        place, field = None, self.results.drawn(picture, asked) if method.marks else None
        if field is not None:
            place = target.with_name(f"{target.stem}_marks.png")
            if write and named is not None:
                place.parent.mkdir(parents=True, exist_ok=True)
                place = write_marks_beside(field, place)
        words = method.command(wish_of(asked, place))
        every = method.command(wish_of(replace(asked, strokes=())))
        return {
            "command": shlex.join([*words[:2], _operand(source), "-o", str(target), *words[2:]]),
            "folder": shlex.join([*every[:2], "FOLDER", "-o", "RESULTS", *every[2:]]),
            "marks": None if place is None else str(place),
        }

    def marks_of(self, picture: Picture, asked: Asked) -> str:
        """Write the marks of a picture into the session's folder, and return the key by which `marks_file` has them.

        Raises
        ------
        PictureError
            If there are none.
        """
        field = self.results.drawn(picture, asked)
        if field is None:
            raise PictureError("nothing is marked in this picture")
        key = f"{picture.number:05}-{asked.key()}"
        self._marks[key] = self._place / "marks" / f"{key}.png"
        self._marks[key].parent.mkdir(exist_ok=True)
        write_marks(field, self._marks[key])
        return key

    def marks_file(self, key: str) -> Path:
        """Return where marks were written.

        Raises
        ------
        PictureError
            If they were not.
        """
        if key not in self._marks:
            raise PictureError("there are no marks of this name")
        return self._marks[key]


def _operand(path: Path) -> str:
    """Return a path that no program takes for an option."""
    return f"./{path}" if str(path).startswith("-") else str(path)
