"""An input put to the test in this process: what is raised, said, written and held in memory."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shutil
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.robustness.case import MARKS, Case, Kind, PromiseBrokenError, Verdict

MEMORY = 3 * 2**29
"""Bytes that no input may need, 1.5 GiB; the libraries themselves included."""
OURS = ("rainopt", "data_tools", "rainnet")
_ROOT = Path(__file__).parents[2]


def judge(case: Case, folder: Path, memory: int = MEMORY) -> Verdict:
    """Try one input and say what came of it.

    Parameters
    ----------
    case
        The input.
    folder
        An empty folder, or one that is not there; it is emptied when all went well.
    memory
        Bytes that the process may hold.
    """
    (folder / "out").mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    for name, content in case.files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
    error: BaseException | None = None
    result: Any = None
    _forget_peak()
    start = time.perf_counter()
    # Names that are relative lead into the folder, where nothing is overlooked.
    with _listening() as heard, contextlib.chdir(folder):
        try:
            result = case.call(folder)
            broken = case.promise(result) if case.promise else None
        except BaseException as raised:  # whatever it is, it is what is looked for
            error, broken = raised, None
    seconds, peak = time.perf_counter() - start, _peak()
    kind, detail, where = _worst(case, folder, error, broken, heard, peak > memory)
    if kind in (Kind.OK, Kind.REFUSED):
        shutil.rmtree(folder, ignore_errors=True)
    return Verdict(kind, detail, where, seconds, peak)


class Heard:
    """What was said in the meantime: warnings, lines of loggers that are not ours, and of C libraries."""

    def __init__(self) -> None:
        self.warnings: list[warnings.WarningMessage] = []
        self.logged: list[str] = []
        self.written = ""


def _worst(
    case: Case, folder: Path, error: BaseException | None, broken: str | None, heard: Heard, large: bool
) -> tuple[Kind, str, str]:
    """Return the worst that happened, in words, and where."""
    refused = error is not None and isinstance(error, case.refusals)
    where = place_of(error)
    if isinstance(error, PromiseBrokenError) or broken:
        return Kind.WRONG, broken or str(error), case.words.partition("(")[0]
    if large or _is_memory(error, refused):
        return Kind.MEMORY, f"{error!r}"[:300] if error else "more than the limit", where or case.words
    if error is not None and not refused:
        return Kind.TRACEBACK, f"{type(error).__name__}: {error}"[:300], where
    if left := _left_behind(case, folder, done=error is None or case.partial):
        return Kind.HALF, left, case.words.partition("(")[0]
    if refused and case.named and case.named not in str(error):
        return Kind.UNNAMED, f"{type(error).__name__}: {error}"[:300], where
    if heard.warnings or heard.logged:
        first = heard.warnings[0] if heard.warnings else None
        text = f"{first.category.__name__}: {first.message}" if first else heard.logged[0]
        return Kind.WARNING, text[:300], f"{_short(first.filename)}:{first.lineno}" if first else text[:40]
    if heard.written.strip():
        # Two words say which library speaks; times and details differ.
        speaker = " ".join(re.findall(r"[A-Za-z]{3,}", heard.written)[:2])
        return Kind.NOISE, heard.written.strip()[:300], speaker
    return (Kind.REFUSED, str(error)[:300], where) if refused else (Kind.OK, "", "")


def _is_named_so(result: Path, case: Case) -> bool:
    """Tell whether a hidden result is that of a hidden input, which was named by itself."""
    inputs = (Path(name).name for name in case.files)
    return any(name.startswith(".") and result.name.startswith(name) for name in inputs)


def _left_behind(case: Case, folder: Path, done: bool) -> str:
    """Say which file is there that should not be, or is not as it was."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file():
            continue
        if name in case.files:
            if path.read_bytes() != case.files[name]:
                return f"'{name}', an input, was changed"
        elif not name.startswith("out/"):
            return f"'{name}' was written outside its place"
        elif (path.name.startswith(".") and path.name not in MARKS and not _is_named_so(path, case)) or (
            path.suffix == ".tmp"
        ):
            return f"'{name}' was left behind"
        elif not done:
            return f"'{name}' was written, and the input refused"
    lost = [name for name in case.files if not (folder / name).exists()]
    return f"'{lost[0]}', an input, is gone" if lost else ""


def place_of(error: BaseException | None) -> str:
    """Return the innermost line of this project that an error passed, and what it is."""
    if error is None:
        return ""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _short(frame.filename).startswith(OURS)]
    place = f"{_short(ours[-1].filename)}:{ours[-1].lineno}" if ours else ""
    return f"{place} {type(error).__name__}".strip()


def _short(file: str) -> str:
    path = Path(file)
    return path.relative_to(_ROOT).as_posix() if path.is_relative_to(_ROOT) else "/".join(path.parts[-2:])


def _is_memory(error: BaseException | None, refused: bool) -> bool:
    """Tell whether memory was refused somewhere on the way to an error.

    Libraries of C that have a limit of their own, and refuse in words of memory, have asked the system for none.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, MemoryError) or (not refused and "allocate memory" in str(error)):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def _listening() -> Iterator[Heard]:
    """Keep what is said by Python's warnings, by loggers, and straight to the terminal."""
    heard, ear = Heard(), _Ear()
    root = logging.getLogger()
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(number) for number in (1, 2)]
    with tempfile.TemporaryFile() as terminal, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        root.addHandler(ear)
        for number in (1, 2):
            os.dup2(terminal.fileno(), number)
        try:
            yield heard
        finally:
            for number, old in zip((1, 2), kept, strict=True):
                os.dup2(old, number)
                os.close(old)
            root.removeHandler(ear)
            heard.warnings, heard.logged = list(caught), ear.lines
            terminal.seek(0)
            heard.written = terminal.read(4096).decode("utf-8", "replace")


class _Ear(logging.Handler):
    """Keeps the warnings of loggers that are not ours; ours are documented."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(OURS):
            self.lines.append(f"{record.name}: {record.getMessage()}")


def _forget_peak() -> None:
    """Have the system begin anew with the most memory that this process held; under Linux alone."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak() -> int:
    """Return the most memory that this process held since then, in bytes; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024
