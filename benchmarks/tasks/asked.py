"""The detectors of another environment, asked through pipes: see `benchmarks/tasks/detector.py` for what is said."""

from __future__ import annotations

import json
import queue
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from benchmarks.tasks.boxes import Box
from rainopt import write_image

WORKER = Path(__file__).with_name("detector.py")
LONGEST = 120.0  # seconds that an answer is waited for: models are read for the first


class DetectorError(RuntimeError):
    """The process of the detectors does not do as agreed; the message says what it did."""


@dataclass(frozen=True)
class Seen:
    """What a detector found: where, how sure it is, and what it read there, if it reads."""

    box: Box
    score: float
    text: str = ""


class Detectors:
    """A process that finds people and text in pictures, as a context.

    Parameters
    ----------
    python
        The interpreter that has what detectors need.
    tasks
        Which are asked for.
    worker
        The program that it runs.
    longest
        Seconds that each answer is waited for.

    Attributes
    ----------
    missing : dict of str to str or None
        For each task why it cannot be done, None where it can.
    versions : dict of str to str or None
        Of the interpreter and of packages.

    Raises
    ------
    DetectorError
        If the interpreter cannot be started, or does not say what it can.
    """

    def __init__(self, python: str, tasks: Sequence[str], worker: Path = WORKER, longest: float = LONGEST) -> None:
        self._longest = longest
        self._folder = tempfile.TemporaryDirectory()
        # What the libraries say is kept in a file: a pipe that nobody empties would stop them.
        self._errors = Path(self._folder.name) / "errors.txt"
        try:
            # -I: neither our packages nor the neighbours of the program are in the way of theirs.
            with self._errors.open("wb") as errors:
                self._process = subprocess.Popen(
                    [python, "-I", str(worker), *tasks],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    encoding="utf-8",
                )
        except OSError as error:
            self._folder.cleanup()
            raise DetectorError(f"'{python}' cannot be started: {error.strerror}") from error
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            hello = self._heard()
            self.missing: dict[str, str | None] = {task: hello["missing"][task] for task in tasks}
            self.versions: dict[str, str | None] = dict(hello["versions"])
        except DetectorError:
            self.close()
            raise
        except (KeyError, TypeError) as error:
            self.close()
            raise DetectorError("the detectors must say first what is missing, and their versions") from error

    def __enter__(self) -> Detectors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, and remove what was passed to it."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe:
                try:
                    pipe.close()
                except OSError:  # what was not yet written to a process that has ended
                    continue
        self._folder.cleanup()

    def find(self, task: str, picture: np.ndarray) -> list[Seen]:
        """Return what is found in a picture (H, W) or (H, W, 3) uint8.

        Raises
        ------
        DetectorError
            If the process has ended, says nothing for too long, or tells an error.
        """
        path = Path(self._folder.name) / "picture.png"
        write_image(path, picture, overwrite=True)
        try:
            if self._process.stdin is None:
                raise BrokenPipeError
            print(json.dumps({"task": task, "path": str(path)}), file=self._process.stdin, flush=True)
        except OSError as error:
            raise DetectorError(f"the detectors have ended{self._last_words()}") from error
        reply = self._heard()
        if "error" in reply:
            raise DetectorError(f"{task}: {reply['error']}")
        try:
            return [_seen(one) for one in reply["found"]]
        except (KeyError, TypeError, ValueError) as error:
            raise DetectorError(f"{task}: an answer that is not what was agreed: {str(reply)[:100]}") from error

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line)
        self._lines.put("")  # a line has at least its end: this is that of the process

    def _heard(self) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=self._longest)
        except queue.Empty:
            raise DetectorError(f"the detectors have not answered for {self._longest:.0f} s") from None
        if not line:
            raise DetectorError(f"the detectors have ended{self._last_words()}")
        try:
            reply = json.loads(line)
        except json.JSONDecodeError:
            reply = None
        if not isinstance(reply, dict):
            raise DetectorError(f"the detectors must answer by an object of JSON, got {line.strip()[:100]!r}")
        return reply

    def _last_words(self) -> str:
        lines = self._errors.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return f": {lines[-1]}" if lines else ""


def _seen(one: dict[str, Any]) -> Seen:
    left, top, right, bottom = (float(value) for value in one["box"])
    return Seen((left, top, right, bottom), float(one["score"]), str(one.get("text", "")))
