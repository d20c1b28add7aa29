"""The folder of an export: what it is to hold, so that a run that stopped goes on, and nothing else is touched."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data_tools.export.samples import Sample
from data_tools.export.settings import ExportError
from data_tools.manifest.folder import FolderError, filling, is_ours
from data_tools.manifest.paths import ManifestError, resolve_path
from rainopt.io.atomic import WriteError, replacing
from rainopt.io.own_results import note_folder

INDEX_NAME = "index.json"
# Hidden: it says nothing about the data. It is there before the first file, and stays for later runs.
PLAN_NAME = ".rainopt-export.json"
FORMAT = "rainopt-export"
# The name that `replacing` gives a file until it is whole.
TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.[0-9]+\.[0-9a-f]{8}\.tmp")


@contextmanager
def exporting(folder: Path) -> Iterator[None]:
    """Hold the folder of an export for this run; it is made where it lacks.

    Raises
    ------
    ClaimedError
        If another run writes it; nothing has been done.
    ExportError
        If it cannot be made or written.
    """
    try:
        with filling(folder):
            yield
    except FolderError as error:
        raise ExportError(str(error)) from error


def plan_digest(samples: Iterable[Sample], settings: dict[str, Any]) -> str:
    """Return a digest of all that decides what an export holds."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    for sample in samples:
        files = {kind: [sample.suffix(kind), sample.sizes[kind], sample.states[kind]] for kind in sample.files}
        # ASCII, so that names that are no text can be said as well.
        digest.update(json.dumps([sample.key, files, sample.info], sort_keys=True).encode())
    return digest.hexdigest()


def open_folder(folder: Path, plan: str, files: Sequence[str], overwrite: bool) -> None:
    """Make ready the folder of an export, a new one or one that this very export was begun in.

    Parameters
    ----------
    folder
        Where to.
    plan
        The digest that `plan_digest` gives.
    files
        Paths in the folder of all that will be written.
    overwrite
        Whether another export that is there is removed first: the files that it wrote, and no others.

    Raises
    ------
    ExportError
        If the folder holds something else, or cannot be written.
    """
    try:
        there = _read_plan(folder)
        if there is not None and (overwrite or there["plan"] != plan):
            if not overwrite:
                raise ExportError(
                    f"'{folder}' holds another export: the dataset was changed since, or other options are asked "
                    "for; choose another folder, or replace it with --overwrite"
                )
            _remove(folder, there["files"])
            there = None
        folder.mkdir(parents=True, exist_ok=True)
        note_folder(folder)
        # Only a finished export has an index.
        (folder / INDEX_NAME).unlink(missing_ok=True)
        if there is None:
            write_json(folder / PLAN_NAME, {"format": FORMAT, "version": 1, "plan": plan, "files": list(files)})
    except (WriteError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(f"'{folder}' cannot be used ({reason}); name another folder") from error


def close_folder(folder: Path, index: dict[str, Any]) -> None:
    """Write the index, which makes the export a finished one, and remove what killed runs left half written."""
    for leftover in folder.rglob(".*.tmp"):
        if TEMPORARY.fullmatch(leftover.name):
            leftover.unlink(missing_ok=True)
    write_json(folder / INDEX_NAME, index)


def write_json(file: Path, values: dict[str, Any]) -> None:
    """Write a JSON file whole or not at all."""
    with replacing(file, overwrite=True) as out:
        out.write(json.dumps(values, indent=1).encode() + b"\n")
        flush(out)


def flush(out: Any) -> None:
    """Bring a file to the disk before it takes its name."""
    out.flush()
    os.fsync(out.fileno())


def _read_plan(folder: Path) -> dict[str, Any] | None:
    file = folder / PLAN_NAME
    if not file.exists():
        # A run that was killed while it wrote the plan leaves a hidden part of it.
        if folder.exists() and (not folder.is_dir() or not all(map(is_ours, folder.iterdir()))):
            raise ExportError(f"'{folder}' is not empty and holds no export; name a new folder")
        return None
    try:
        plan = json.loads(file.read_bytes())
        if plan["format"] == FORMAT and plan["version"] == 1 and all(isinstance(f, str) for f in plan["files"]):
            return {"plan": plan["plan"], "files": plan["files"]}
    except (ValueError, KeyError, TypeError):
        pass
    raise ExportError(f"'{file}' is damaged, or of a newer rainopt; name a new folder")


def _remove(folder: Path, files: Sequence[str]) -> None:
    try:
        places = [resolve_path(folder, file) for file in files]
    except ManifestError as error:
        raise ExportError(f"'{folder / PLAN_NAME}' is damaged ({error}); name a new folder") from error
    for place in places:
        place.unlink(missing_ok=True)
    inner = {parent for place in places for parent in place.parents if parent.is_relative_to(folder)} - {folder}
    for parent in sorted(inner, key=lambda path: len(path.parts), reverse=True):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    # Last, so that a removal that was interrupted can be gone on with.
    (folder / PLAN_NAME).unlink()
