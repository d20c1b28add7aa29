"""Which files were written by a command of this project, so that no later one takes them for photographs or videos.

A folder that results were written to holds a hidden file, `RECORD`, that lists them by name and size; a folder that is
made of nothing else, a dataset, say, says so there. The results themselves carry no mark: a photograph without rain is
copied byte for byte. A result that was changed since is somebody's own work, and counts no more. Deleting the file is
harmless, and makes the results inputs like any other.

The rule is the same wherever files are looked for: results among other files are left out, which is told; where there
is nothing else, they are what is meant.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rainopt.io.atomic import replacing
from rainopt.io.claim import ClaimedError, claimed

RECORD = ".rainopt-results"
"""Name of the file in which the results of a folder are listed."""

PATIENCE = 2.0  # seconds to wait for another run that writes the record


def note_results(paths: Iterable[Path]) -> None:
    """List files in the records of their folders; those that are not there, and folders of no rights, are passed over.

    Records are written by name, so that the same results leave the same record.
    """
    sizes: dict[Path, dict[str, int]] = {}
    for path in paths:
        with suppress(OSError):
            sizes.setdefault(path.parent, {})[path.name] = path.stat().st_size
    for folder, new in sizes.items():
        with suppress(OSError):
            _change(folder, {"results": new})


def note_folder(folder: Path) -> None:
    """Say in the record of a folder that all in it, at any depth, is a result.

    Raises
    ------
    OSError
        If the record cannot be written.
    """
    _change(folder, {"all": True})


def without_results(paths: Sequence[Path]) -> tuple[list[Path], list[Path]]:
    """Part files into those that are taken and the results that are left out; results alone are taken all."""
    records: dict[Path, dict[str, Any]] = {}
    kept: list[Path] = []
    left: list[Path] = []
    for path in paths:
        (left if _is_listed(path, records) else kept).append(path)
    return (kept, left) if kept else (left, kept)


def _is_listed(path: Path, records: dict[Path, dict[str, Any]]) -> bool:
    place = Path(os.path.abspath(path))
    for folder in place.parents:
        if folder not in records:
            records[folder] = _read(folder)
        if records[folder].get("all") is True:
            return True
    results = records[place.parent].get("results")
    if not isinstance(results, dict) or place.name not in results:
        return False
    try:
        return bool(place.stat().st_size == results[place.name])
    except OSError:
        return False


def _change(folder: Path, new: dict[str, Any]) -> None:
    end = time.monotonic() + PATIENCE
    while True:
        try:
            with claimed(folder / f"{RECORD}.lock", folder / RECORD):
                _merge(folder, new)
            return
        except ClaimedError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def _merge(folder: Path, new: dict[str, Any]) -> None:
    before = _read(folder)
    listed = before.get("results")
    results = (listed if isinstance(listed, dict) else {}) | new.get("results", {})
    # What is gone was moved or deleted.
    results = {name: results[name] for name in sorted(results) if os.path.lexists(folder / name)}
    after: dict[str, Any] = {"results": results}
    if before.get("all") is True or new.get("all"):
        after["all"] = True
    if after != before:
        with replacing(folder / RECORD, True) as file:
            file.write(json.dumps(after, indent=0, sort_keys=True).encode())


def _read(folder: Path) -> dict[str, Any]:
    try:
        record = json.loads((folder / RECORD).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}
