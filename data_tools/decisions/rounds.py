"""Backgrounds that were estimated again because somebody asked for more frames: beside those of the dataset, for good.

Round k of a window lies in ``review/more/VIDEO/WINDOW/k`` as a small dataset of its own. Its manifest is written last:
with it, the round is there. Round 0 is the dataset itself.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from data_tools.decisions.scenes import Scene, scene_name
from data_tools.manifest.file import MANIFEST_NAME, read_manifest
from data_tools.manifest.folder import REVIEW_FOLDER
from data_tools.manifest.paths import check_path
from data_tools.manifest.record import PairRecord

FOLDER = "more"
MOST = 9
"""Rounds of a window, at most."""
# The number of the first frame of a window, and where a crop of it lies.
WINDOW = re.compile(r"(\d{6,})((?:_\d+_\d+)?)")


def window_of(scene: Scene) -> tuple[str, int, str] | None:
    """Return the video, the first frame and the suffix of the crop of a scene that was built of a window, else None."""
    video, _, last = scene.name.rpartition("/")
    found = WINDOW.fullmatch(last)
    built = all("frame" in record.extra and record.clean is not None for record in scene.records)
    return (video, int(found[1]), found[2]) if video and found and built else None


def round_folder(dataset: Path, scene: Scene, number: int) -> Path:
    """Return where a round of a scene lies; scenes that are crops of one window share it."""
    window = window_of(scene)
    if window is None:
        raise ValueError(f"'{scene.name}' is no window of a video")
    video, start, _ = window
    return dataset / REVIEW_FOLDER / FOLDER / check_path(video) / f"{start:06}" / str(number)


def rounds_of(dataset: Path, scene: Scene) -> int:
    """Return the number of the last round that is there, 0 where nobody has asked for more frames."""
    if window_of(scene) is None:
        return 0
    place = round_folder(dataset, scene, 0).parent
    if not place.is_dir():
        return 0
    there = [k for k in range(1, MOST + 1) if (place / str(k) / MANIFEST_NAME).is_file()]
    return max(there, default=0)


def read_round(dataset: Path, scene: Scene, number: int) -> Sequence[PairRecord]:
    """Return the records of a scene as a round has them, with paths in the dataset's folder.

    Raises
    ------
    ManifestError
        If they cannot be read.
    """
    if number == 0:
        return scene.records
    place = round_folder(dataset, scene, number)
    inside = place.relative_to(dataset).as_posix()
    found = []
    for record in read_manifest(place):
        if scene_name(record) != scene.name:
            continue
        paths = {name: f"{inside}/{getattr(record, name)}" for name in ("rainy", "clean") if getattr(record, name)}
        extra = {"valid": f"{inside}/{record.extra['valid']}"} if "valid" in record.extra else {}
        sums = {f"{inside}/{path}": digest for path, digest in record.checksums.items()}
        found.append(record.model_copy(update={**paths, **extra, "checksums": sums}))
    return found
