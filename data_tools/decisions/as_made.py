"""Records as they were made, before people decided: what is changed in the manifest, or left out of it, lies here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from data_tools.manifest.file import MANIFEST_NAME, Manifest, read_manifest, write_manifest
from data_tools.manifest.folder import REVIEW_FOLDER
from data_tools.manifest.record import ManifestHeader, PairRecord

FOLDER = "honoured"
REVIEWED = "reviewed"
"""Field of records that are not as they were made: what people decided about them."""


def read_as_made(dataset: Path) -> dict[str, PairRecord]:
    """Return the records that the manifest does not hold as they were made, by id.

    Raises
    ------
    ManifestError
        If they cannot be read.
    """
    folder = dataset / REVIEW_FOLDER / FOLDER
    if not (folder / MANIFEST_NAME).exists():
        return {}
    return {record.id: record for record in read_manifest(folder)}


def write_as_made(dataset: Path, records: Iterable[PairRecord]) -> None:
    """Keep records, in place of those that were kept.

    Raises
    ------
    ManifestError
        If they cannot be written; those that were kept stay.
    """
    folder = dataset / REVIEW_FOLDER / FOLDER
    note: dict[str, Any] = {"records_as_made": "paths are relative to the dataset's folder"}
    folder.mkdir(parents=True, exist_ok=True)
    write_manifest(folder, sorted(records, key=lambda record: record.id), ManifestHeader.parse(note))


def all_as_made(manifest: Manifest) -> list[PairRecord]:
    """Return all records of a dataset as they were made, those that people have left out included, by id.

    Raises
    ------
    ManifestError
        If what was kept cannot be read.
    """
    kept = read_as_made(manifest.folder)
    made = {record.id: record for record in manifest if REVIEWED not in record.extra}
    for name, record in kept.items():
        # One that was made again since is newer than what was kept.
        if name not in made and all(manifest.path(path).is_file() for path in record.paths):
            made[name] = record
    return sorted(made.values(), key=lambda record: record.id)
