"""The scenes of a dataset: what has one background, and is judged as one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from data_tools.manifest.record import PairRecord


@dataclass(frozen=True)
class Scene:
    """What has one background: all pairs of a window of a video, or of a crop of it, or a sequence.

    Attributes
    ----------
    name
        Stays the same when the dataset is built again.
    records
        Of the manifest, as they were made.
    """

    name: str
    records: tuple[PairRecord, ...]

    @property
    def video(self) -> str:
        """Name of the video that it was built of, if it was."""
        return self.name.rpartition("/")[0]


def scene_name(record: PairRecord) -> str:
    """Return the name of the scene that a record belongs to: by its clean picture, else by what it says."""
    if record.clean is not None:
        folder, _, last = record.clean.removeprefix("clean/").rpartition("/")
        stem = last.rpartition(".")[0] or last
        return f"{folder}/{stem}" if folder else stem
    return record.scene or record.id


def group(records: Iterable[PairRecord]) -> dict[str, Scene]:
    """Return the scenes of records by name."""
    found: dict[str, list[PairRecord]] = {}
    for record in records:
        found.setdefault(scene_name(record), []).append(record)
    return {name: Scene(name, tuple(its)) for name, its in found.items()}
