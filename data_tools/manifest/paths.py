"""Paths in a dataset's folder: which of them a manifest may hold, and where they lead."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path


class ManifestError(ValueError):
    """The manifest is not as it must be; the message names line and field."""


def check_path(path: object) -> str:
    """Return `path` if it is a POSIX path that, links aside, stays where it starts.

    Raises
    ------
    ValueError
        If it is not; the message completes the name of the field that holds it.
    """
    if not isinstance(path, str):
        raise ValueError(f"must be a path, got {path!r}")
    reason = None
    if "\\" in path:
        reason = "has a backslash; separate folders by '/'"
    elif path.startswith("/") or re.match("[A-Za-z]:", path):
        reason = "is absolute; it must be relative to the dataset's folder"
    elif ".." in path.split("/"):
        reason = "leaves the dataset's folder"
    elif "\0" in path or not all(part not in ("", ".") for part in path.split("/")):
        reason = "is no plain relative path, such as 'rainy/1.png'"
    if reason:
        raise ValueError(f"{path!r} {reason}")
    return path


def resolve_path(folder: str | os.PathLike[str], path: str) -> Path:
    """Return where a path of a manifest lies.

    Raises
    ------
    ManifestError
        If it is absolute, or leads outside the folder, by itself or by a link.
    """
    try:
        check_path(path)
    except ValueError as error:
        raise ManifestError(f"`path` {error}") from None
    LinkCheck(Path(folder))(path)
    return Path(folder, path)


class LinkCheck:
    """Refuse paths that a link leads out of the folder; each folder is looked up once."""

    def __init__(self, folder: Path) -> None:
        self._folder = os.path.realpath(folder)
        self._inside: dict[str, bool] = {}

    def __call__(self, path: str) -> None:
        """Look at one path.

        Raises
        ------
        ManifestError
            If a link on its way leads outside.
        """
        place = os.path.join(self._folder, path)
        parent = os.path.dirname(place)
        if parent not in self._inside:
            self._inside[parent] = self._is_inside(parent)
        if not self._inside[parent] or (os.path.islink(place) and not self._is_inside(place)):
            raise ManifestError(f"path '{path}' leads outside the dataset's folder through a link")

    def _is_inside(self, place: str) -> bool:
        return os.path.join(os.path.realpath(place), "").startswith(os.path.join(self._folder, ""))


def checksum(path: str | os.PathLike[str]) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
