"""The finished parts of a video that is being written, so that a run that was stopped goes on."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from rainopt.io.atomic import replacing
from rainopt.io.video.formats import WRITABLE_SUFFIXES
from rainopt.io.video.write import part_suffix

SETTINGS = "settings.json"


class Parts:
    """A hidden folder beside the result, one file for each stretch and a note about it.

    Where the result is pictures, a part is a folder of them.

    Parameters
    ----------
    target
        The result.
    settings
        What the parts depend on, as JSON has it; parts made with others are thrown away.
    codec
        What the parts are coded with, where that is not what is usual.
    """

    def __init__(self, target: Path, settings: dict[str, Any], codec: str | None = None) -> None:
        self.folder = target.with_name(f".{target.name}.parts")
        self._suffix = part_suffix(target, codec) if target.suffix.lower() in WRITABLE_SUFFIXES else ""
        self._made = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]
        if self.folder.is_dir() and _read(self.folder / SETTINGS) != settings:
            self.remove()
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            _write(self.folder / SETTINGS, settings)
        except BaseException:
            self.remove_if_none_is_finished()
            raise

    def file(self, first: int) -> Path:
        """Return where the part that begins with frame ``first`` goes."""
        return self.folder / f"{first:08}{self._suffix}"

    def finished(self, first: int) -> dict[str, Any] | None:
        """Return the note about a part, None if it is not finished, of other settings, or another file by now."""
        note = _read(self.folder / f"{first:08}.json")
        if note is None or note.get("made") != self._made or note.get("bytes") != _size(self.file(first)):
            return None
        values = note.get("note")
        return values if isinstance(values, dict) else None

    def note(self, first: int, values: dict[str, Any]) -> None:
        """Write down that a part is finished."""
        note = {"made": self._made, "bytes": _size(self.file(first)), "note": values}
        _write(self.folder / f"{first:08}.json", note)

    def remove_if_none_is_finished(self) -> None:
        """Remove what would be of no use to the next run."""
        if not any(file.name != SETTINGS for file in self.folder.glob("*.json")):
            self.remove()

    def remove(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _size(file: Path) -> int | None:
    try:
        if file.is_dir():
            return sum(picture.stat().st_size for picture in file.iterdir())
        return file.stat().st_size
    except OSError:
        return None


def _write(file: Path, values: dict[str, Any]) -> None:
    with replacing(file, True) as out:
        out.write(json.dumps(values).encode())


def _read(file: Path) -> dict[str, Any] | None:
    try:
        values = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    return values if isinstance(values, dict) else None
