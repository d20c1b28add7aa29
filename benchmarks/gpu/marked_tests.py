"""Step c: the tests that need a CUDA device."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from benchmarks.gpu.notes import Notes, arguments

MARK = "mark.gpu"
TOLD = 2500  # characters of what pytest says in the end


def files() -> list[str]:
    """Return the files with such tests, or beside fixtures that mark them; the others may import what is not here."""

    def marked(path: Path) -> bool:
        return path.is_file() and MARK in path.read_text(encoding="utf-8")

    tests = Path("tests").rglob("test_*.py")
    return sorted(str(path) for path in tests if marked(path) or marked(path.with_name("conftest.py")))


def command_of(file: str, rehearse: bool) -> list[str]:
    """Return what runs the marked tests of a file."""
    # Versions that these tests were not written with may warn.
    options = ["-q", "-m", "gpu", "-W", "default", "-p", "no:cacheprovider", "--tb=short"]
    options += ["-o", "addopts=--import-mode=importlib", "--continue-on-collection-errors"]
    if importlib.util.find_spec("pytest_timeout") is None:
        options += ["-o", "timeout=0"]
    if rehearse:
        options.append("--collect-only")
    return [sys.executable, "-m", "pytest", *options, file]


def run_file(file: str, rehearse: bool, seconds: float) -> dict[str, Any]:
    """Return how the tests of a file ended."""
    try:
        told = subprocess.run(
            command_of(file, rehearse), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired as late:
        said = late.output.decode(errors="replace") if isinstance(late.output, bytes) else str(late.output or "")
        return {"status": None, "summary": f"stopped after {seconds:.0f} s", "told": said[-TOLD:]}
    print(told.stdout, flush=True)
    lines = told.stdout.strip().splitlines()
    found: dict[str, Any] = {"status": told.returncode, "summary": lines[-1] if lines else ""}
    failed = [line[:300] for line in lines if re.match(r"(FAILED|ERROR)", line)]
    return found | ({"failed": failed[:20], "told": told.stdout[-TOLD:]} if failed else {})


def main() -> None:
    """Run them, each file by a process of its own: compiling kernels is what takes the time."""
    asked = arguments()
    notes = Notes(asked.notes)
    found = files()
    notes.note("files", found)
    workers = 1 if asked.rehearse else max((os.cpu_count() or 2) - 2, 1)
    with ThreadPoolExecutor(workers) as pool:
        running = {pool.submit(run_file, file, asked.rehearse, asked.seconds - 3): file for file in found}
        for done in as_completed(running):
            notes.attempt(running[done], done.result)


if __name__ == "__main__":
    main()
