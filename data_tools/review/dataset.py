"""A dataset as it is reviewed: its scenes in the order of their uncertainty, and the frames of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from data_tools.decisions.as_made import all_as_made
from data_tools.decisions.scenes import Scene, group
from data_tools.manifest.file import Manifest, read_manifest
from data_tools.manifest.paths import resolve_path
from data_tools.manifest.pictures import pictures_of
from data_tools.manifest.record import ManifestHeader, PairRecord
from data_tools.review.order import Judged, accepts_from, judge


class DatasetError(ValueError):
    """There is nothing to review; the message says why."""


@dataclass(frozen=True)
class Frame:
    """A rainy picture of a scene; paths are relative to the dataset's folder."""

    name: str
    rainy: str
    clean: str | None
    valid: str | None


@dataclass(frozen=True)
class Listed:
    """A scene, its place in the order, and what the automatic measure thinks of it."""

    number: int
    scene: Scene
    judged: Judged


class ReviewDataset:
    """The scenes of a dataset that hold a picture, the most uncertain first; it is read once.

    Raises
    ------
    ManifestError
        If its manifest cannot be read.
    DatasetError
        If it holds no scene.
    """

    def __init__(self, folder: Path) -> None:
        manifest = read_manifest(folder, repair=True)
        self.folder, self.header = manifest.folder, manifest.header
        self.scenes = _listed(manifest)
        self.numbers = {listed.scene.name: listed.number for listed in self.scenes}
        if not self.scenes:
            raise DatasetError(f"'{folder}' holds no scene that could be reviewed")

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self.folder.resolve().name

    def path(self, relative: str) -> Path:
        """Return where a file of the dataset lies.

        Raises
        ------
        ManifestError
            If a link leads out of the folder.
        """
        return resolve_path(self.folder, relative)


def _listed(manifest: Manifest) -> Sequence[Listed]:
    accept = accepts_from(manifest.header)
    judged = [(scene, judge(scene, accept)) for scene in group(all_as_made(manifest)).values()]
    judged.sort(key=lambda one: (-one[1].uncertainty, one[1].score, one[0].name))
    return [Listed(number, scene, its) for number, (scene, its) in enumerate(judged)]


def frames_of(records: Sequence[PairRecord], header: ManifestHeader) -> list[Frame]:
    """Return the rainy pictures of records, in the order of their names."""
    found = []
    for record in records:
        for picture in pictures_of(record, header):
            valid = picture.valid if isinstance(picture.valid, str) else None
            found.append(Frame(picture.name, picture.rainy, picture.clean, valid))
    return found
