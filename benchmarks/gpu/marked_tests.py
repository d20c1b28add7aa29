"""Step c: the tests that need a CUDA device."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.gpu.notes import Notes, arguments

MARK = "mark.gpu"
TOLD = 2500  # characters of what pytest says in the end


def files() -> list[str]:
    """Return the files with such tests, or beside fixtures that mark them; the others may import what is not here."""

    def marked(path: Path) -> bool:
        return path.is_file() and MARK in path.read_text(encoding="utf-8")

    tests = Path("tests").rglob("test_*.py")
    return sorted(str(path) for path in tests if marked(path) or marked(path.with_name("conftest.py")))


def main() -> None:
    """Run them."""
    asked = arguments()
    notes = Notes(asked.notes)
    found = files()
    notes.note("files", found)
    # Versions that these tests were not written with may warn.
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        "-W",
        "default",
        "-p",
        "no:cacheprovider",
        "--tb=short",
    ]
    command += ["-o", "addopts=--import-mode=importlib", "--continue-on-collection-errors", *found]
    if importlib.util.find_spec("pytest_timeout") is None:
        command += ["-o", "timeout=0"]
    if asked.rehearse:
        command.append("--collect-only")
    told = subprocess.run(command, capture_output=True, text=True, timeout=asked.seconds - 2)
    print(told.stdout + told.stderr)
    notes.note("status", told.returncode)
    lines = told.stdout.strip().splitlines()
    notes.note("summary", lines[-1] if lines else told.stderr[-300:])
    failed = [line for line in lines if re.match(r"(FAILED|ERROR)", line)]
    if failed:
        notes.note("failed", failed[:40])
        notes.note("told", told.stdout[-TOLD:])


if __name__ == "__main__":
    main()
