"""The tables of a study on disk: written anew by every run of the same study, never over anything else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from data_tools.rating.sources import StudyError

NOTES = "written.json"


def journals_of(table: Path) -> Path:
    """Return the folder of the journals of a study whose table has a name: ``study.ratings`` of ``study.csv``."""
    return table.with_suffix(".ratings")


def summary_of(table: Path) -> Path:
    """Return the name of the second table, ``study_summary.csv`` of ``study.csv``."""
    return table.with_name(f"{table.stem}_summary{table.suffix}")


def require_writable(table: Path, overwrite: bool) -> None:
    """Refuse a name that a table cannot be written under.

    A table that an earlier run of this study wrote, and that nobody has changed since, is ours to write anew.

    Raises
    ------
    StudyError
        If the name does not end in .csv, has no folder, or is that of something else.
    """
    if table.suffix.lower() != ".csv":
        raise StudyError(f"'{table}' must end in .csv")
    if not table.parent.is_dir():
        raise StudyError(f"there is no folder '{table.parent}'; create it first")
    noted = _noted(journals_of(table))
    for path in (table, summary_of(table)):
        if path.is_dir():
            raise StudyError(f"'{path}' is a folder; name a file")
        if path.exists() and not overwrite and noted.get(path.name) != _checksum(path.read_bytes()):
            raise StudyError(f"'{path}' exists already; name another file, or allow it with --overwrite")


def write_tables(table: Path, contents: Mapping[Path, bytes]) -> None:
    """Write the tables, and note what they are, so that the next run knows them.

    Raises
    ------
    rainopt.io.atomic.WriteError
        If one cannot be written.
    """
    from rainopt.io.atomic import replacing

    folder = journals_of(table)
    folder.mkdir(exist_ok=True)
    # Noted first: a run that is killed between leaves tables that the next one may still write anew.
    noted = _noted(folder) | {path.name: _checksum(content) for path, content in contents.items()}
    for path, content in {folder / NOTES: json.dumps(noted).encode(), **contents}.items():
        with replacing(path, overwrite=True) as file:
            file.write(content)


def _noted(folder: Path) -> dict[str, str]:
    try:
        noted = json.loads((folder / NOTES).read_bytes())
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _checksum(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
