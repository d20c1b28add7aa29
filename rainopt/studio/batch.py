"""What is asked of one picture, done with all of them: one after another, told as it goes on, and stopped at a word."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rainopt.io import ImageFileError
from rainopt.studio.asked import Asked
from rainopt.studio.pictures import Picture, PictureError
from rainopt.studio.results import Result, Results


class Batch:
    """A run through pictures, in a thread of its own.

    Parameters
    ----------
    pictures
        That are derained.
    wanted
        What is asked of each.
    results
        Where they are made.
    overwrite
        Whether files that are there are replaced; else they are left, and counted.
    """

    def __init__(
        self, pictures: list[Picture], wanted: Callable[[Picture], Asked], results: Results, *, overwrite: bool
    ) -> None:
        self._pictures, self._wanted, self._results, self._overwrite = pictures, wanted, results, overwrite
        self._now: Result | None = None
        self._stopped = threading.Event()
        self._done: list[dict[str, Any]] = []
        self._thread = threading.Thread(target=self._run, name="studio-batch", daemon=True)
        self._thread.start()

    @property
    def runs(self) -> bool:
        """Whether it is still at work."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Give up what is being done, and what is not begun; what is saved stays."""
        self._stopped.set()
        now = self._now
        if now is not None:
            self._results.stop(now.number)

    def as_json(self) -> dict[str, Any]:
        """Return how far it is."""
        now, done = self._now, list(self._done)
        state = "running" if self.runs else "stopped" if self._stopped.is_set() else "done"
        return {
            "state": state,
            "of": len(self._pictures),
            "done": len(done),
            "share": 0.0 if now is None or not self.runs else now.work.share,
            "pictures": done,
        }

    def _run(self) -> None:
        for picture in self._pictures:
            if self._stopped.is_set():
                return
            told: dict[str, Any] = {"number": picture.number, "name": picture.name, "saved": None, "error": None}
            try:
                told |= self._one(picture)
            except (PictureError, ImageFileError, OSError) as error:
                told["error"] = str(error)
            if self._stopped.is_set() and told["saved"] is None:
                return
            self._done.append(told)

    def _one(self, picture: Picture) -> dict[str, Any]:
        """Derain and save one picture, and tell where it is."""
        if picture.target is not None and picture.target.exists() and not self._overwrite:
            return {"error": f"'{picture.target}' is there already and was left"}
        asked = self._wanted(picture)
        self._now = result = self._results.start(picture, asked, urgent=False)
        if self._stopped.is_set():
            self._results.stop(result.number)
        result.work.done.wait()
        failure = result.work.failure()
        if not result.work.stopped:
            picture.asked = asked
        if failure is not None:
            return {"error": failure}
        if result.file is None or picture.target is None:
            return {"saved": ""}
        return {"saved": str(self._results.save(picture, result.file, overwrite=self._overwrite))}


def shared(asked: Asked, picture: Picture, *, lines: bool) -> Asked:
    """Return what is asked of a picture when another's settings are taken: all but its own marks, and its own
    directions unless these are to be taken too.
    """
    return replace(asked, strokes=picture.asked.strokes, lines=asked.lines if lines else picture.asked.lines)
