"""A dataset's folder that a command fills: begun or gone on with, by the settings in its manifest's header."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from data_tools.manifest.file import (
    MANIFEST_NAME,
    Manifest,
    ManifestError,
    ManifestHeader,
    read_manifest,
    write_manifest,
)
from data_tools.manifest.record import FORMAT
from rainopt.io.claim import ClaimedError, claimed
from rainopt.io.own_results import RECORD, note_folder

LOCK_NAME = ".rainopt.lock"  # held by the run that fills the folder
# What names of files begin with that runs keep for themselves.
OWN_NAMES = (LOCK_NAME, RECORD)
LONGEST_HEADER = 1 << 16  # bytes
SHEET_NAME = "contact_sheet.png"  # pictures of the dataset, to be looked at; no part of it
# What people have decided about the dataset, and pictures that can be made again; no part of it, but for masks and
# backgrounds of `REVIEW_FOLDER` that records name.
REVIEW_FOLDER, REVIEW_CACHE = "review", ".review-cache"


class FolderError(ValueError):
    """The folder cannot be used; nothing has been done."""


@contextmanager
def filling(folder: Path) -> Iterator[None]:
    """Hold a folder for the run that fills it, until the block ends or the process does; it is made where it lacks.

    Raises
    ------
    ClaimedError
        If another run fills it; nothing has been done.
    FolderError
        If it cannot be made or written.
    """
    with ExitStack() as stack:
        try:
            if folder.exists() and not folder.is_dir():
                raise FolderError(f"'{folder}' is a file; name a folder")
            folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(claimed(folder / LOCK_NAME, folder))
        except ClaimedError:
            raise
        except OSError as error:
            raise _unusable(folder, error) from error
        yield


def open_folder(folder: Path, kind: str, settings: dict[str, Any], licence: str = "") -> Manifest:
    """Return what a dataset holds whose files are there; an empty or missing folder becomes an empty dataset.

    Records whose files were removed are taken out of the manifest, so that they can be made again.

    Parameters
    ----------
    folder
        The dataset's folder.
    kind
        Name of what fills it, under which the header keeps the settings.
    settings
        How it is filled, as JSON has them; the same must have been used before.
    licence
        For the header of a new manifest.

    Raises
    ------
    FolderError
        If the folder holds something else, or a dataset made with other settings, or cannot be written.
    """
    try:
        if not (folder / MANIFEST_NAME).exists():
            if folder.exists() and (not folder.is_dir() or not all(map(is_ours, folder.iterdir()))):
                raise FolderError(f"'{folder}' is not empty and holds no {MANIFEST_NAME}; name a new folder")
            folder.mkdir(parents=True, exist_ok=True)
            write_manifest(folder, [], ManifestHeader.parse({"licence": licence, kind: settings}), overwrite=False)
            note_folder(folder)
            return read_manifest(folder)
        manifest = read_manifest(folder, repair=True)
        made = manifest.header.extra.get(kind)
        if made is None:
            raise FolderError(
                f"'{folder}' holds a dataset of another kind: its manifest has no settings of '{kind}'; name another "
                "folder"
            )
        if made != settings:
            raise FolderError(
                f"'{folder}' was made with {made}, and {settings} is asked for; use the same settings or another folder"
            )
        # Also where a run was killed before it had, and in datasets from before there were marks.
        note_folder(folder)
        whole = [record for record in manifest if all(manifest.path(path).is_file() for path in record.paths)]
        if len(whole) < len(manifest):
            # An id may be there only once.
            write_manifest(folder, whole, manifest.header)
        return Manifest(manifest.folder, manifest.header, tuple(whole), manifest.faults)
    except ManifestError as error:
        raise FolderError(str(error)) from error
    except OSError as error:
        raise _unusable(folder, error) from error


def _unusable(folder: Path, error: OSError) -> FolderError:
    return FolderError(f"'{folder}' cannot be used ({error.strerror or error}); name another folder")


def sweep(folder: Path) -> None:
    """Remove what runs that were killed left half written; where people review meanwhile, it is left to them."""
    for leftover in folder.rglob(".*.*.*.tmp"):
        if leftover.relative_to(folder).parts[0] not in (REVIEW_FOLDER, REVIEW_CACHE):
            leftover.unlink(missing_ok=True)


def is_ours(path: Path) -> bool:
    """Tell whether a file in a folder without manifest may be left by a run that was killed while it began one."""
    return path.name.startswith(OWN_NAMES) or (path.name.startswith(".") and path.suffix == ".tmp")


def holds_dataset(folder: Path) -> bool:
    """Tell whether a folder is a dataset that a command of this project has made."""
    try:
        with open(folder / MANIFEST_NAME, "rb") as file:
            return FORMAT.encode() in file.readline(LONGEST_HEADER)
    except OSError:
        return False
