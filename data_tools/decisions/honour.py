"""Bring what people have decided into the manifest of a dataset; whatever is undone comes back.

The manifest is always made anew of the records as they were made and of what stands of the logs, so that nothing
depends on what was decided before:

* a scene that anybody rejects leaves the manifest; its files stay where they are;
* one that somebody accepts, and nobody rejects or wants more frames of, is no longer to be reviewed; its background is
  that of the estimate which was accepted, the latest if people accepted several;
* one that somebody wants more frames of is to be reviewed;
* pixels that anybody has marked as invalid are so in the pairs' masks, which are written beside the old ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data_tools.decisions.as_made import FOLDER, REVIEWED, all_as_made, read_as_made, write_as_made
from data_tools.decisions.board import Board, Opinion
from data_tools.decisions.masks import SET, MaskError, union_of
from data_tools.decisions.rounds import read_round, rounds_of
from data_tools.decisions.scenes import Scene, group
from data_tools.manifest.file import Manifest, read_manifest, write_manifest
from data_tools.manifest.folder import REVIEW_FOLDER
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.pictures import REVIEW
from data_tools.manifest.record import PairRecord
from rainopt.io import image_size, read_image
from rainopt.io.atomic import replacing


@dataclass(frozen=True)
class Honoured:
    """What the decisions make of a dataset.

    Attributes
    ----------
    records
        In the manifest.
    left_out
        Records as they were made whose scenes were rejected.
    accepted, more, marked
        Scenes that were accepted, that more frames are wanted of, and in which pixels were marked as invalid.
    problems
        What could not be honoured, a sentence each.
    """

    records: int
    left_out: int = 0
    accepted: int = 0
    more: int = 0
    marked: int = 0
    problems: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The same in words, nothing without decisions."""
        counts = {
            "pairs left out as rejected": self.left_out,
            "scenes accepted": self.accepted,
            "scenes that more frames are wanted of": self.more,
            "scenes with marked regions": self.marked,
        }
        said = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        return f"; by review: {said}" if said else ""

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**vars(self), "problems": list(self.problems)}


def apply_decisions(dataset: Path) -> Honoured:
    """Honour what was decided about a dataset, whose folder the caller holds.

    Raises
    ------
    ManifestError, JournalError, WriteError
        If something cannot be read or written; the manifest is whole all the same.
    """
    manifest = read_manifest(dataset, repair=True)
    return honour(manifest, all_as_made(manifest))


def honour(manifest: Manifest, made: Sequence[PairRecord]) -> Honoured:
    """Write the manifest that decisions make of records as they were made; see `apply_decisions`."""
    dataset, board = manifest.folder, Board(manifest.folder)
    records: list[PairRecord] = []
    kept: list[PairRecord] = []
    counts = {"accepted": 0, "more": 0, "marked": 0, "left_out": 0}
    problems: list[str] = []
    masks: set[str] = set()
    for scene in group(made).values():
        opinions = board.opinions(scene.name)
        if not opinions:
            records += scene.records
            continue
        try:
            become = _become(dataset, scene, opinions, counts)
        except (ValueError, OSError) as error:
            problems.append(f"the decisions on '{scene.name}' cannot be honoured: {error}")
            become = list(scene.records)
        masks |= {str(record.extra.get("valid")) for record in become}
        records += become
        there = {record.id: record for record in become}
        kept += [record for record in scene.records if there.get(record.id) != record]
    records.sort(key=lambda record: record.id)
    before = read_as_made(dataset)
    now = {record.id: record for record in kept}
    # So that nothing is in neither, whenever this is killed.
    both = before | now
    if both != before:
        write_as_made(dataset, both.values())
    if manifest.faults or records != list(manifest.records):
        write_manifest(dataset, records, manifest.header)
    if now != both:
        write_as_made(dataset, now.values())
    for mask in (dataset / REVIEW_FOLDER / FOLDER / "valid").glob("*.png"):
        if mask.relative_to(dataset).as_posix() not in masks:
            mask.unlink(missing_ok=True)  # made of files that are there, and can be made again
    return Honoured(len(records), **counts, problems=(*board.faults(), *problems))


def _become(dataset: Path, scene: Scene, opinions: Sequence[Opinion], counts: dict[str, int]) -> list[PairRecord]:
    """Return what the records of a scene become, and count."""
    verdicts = {one.verdict for one in opinions}
    invalid = union_of(dataset, sorted({one.mask for one in opinions if one.mask is not None}))
    accepted = [one for one in opinions if one.verdict == "accept"]
    if "reject" in verdicts:
        counts["left_out"] += len(scene.records)
        return []
    status: str | None = None
    records: Sequence[PairRecord] = scene.records
    changes: dict[str, Any] = {}
    if "more" in verdicts:
        counts["more"] += 1
        status = REVIEW
    elif accepted:
        counts["accepted"] += 1
        status = "accepted"
        number = min(max(one.round for one in accepted), rounds_of(dataset, scene))
        if number:
            records = read_round(dataset, scene, number) or scene.records
            changes["round"] = number
    if invalid is not None:
        counts["marked"] += 1
    return [_changed(dataset, record, scene.records[0], status, invalid, changes) for record in records]


def _changed(
    dataset: Path,
    record: PairRecord,
    first: PairRecord,
    status: str | None,
    invalid: np.ndarray | None,
    changes: dict[str, Any],
) -> PairRecord:
    """Return a record as it is after the decisions: the same one, if they change nothing."""
    update: dict[str, Any] = {}
    if status is not None and "status" in record.extra and record.extra["status"] != status:
        update["status"] = status
    if invalid is not None:
        update |= _masked(dataset, record, invalid)
    if "round" in changes:
        update["split"] = first.split
    if not update:
        return record
    return record.model_copy(update={**update, REVIEWED: {"status": record.extra.get("status"), **changes}})


def _masked(dataset: Path, record: PairRecord, invalid: np.ndarray) -> dict[str, Any]:
    """Return the fields of a record whose mask lacks what is invalid as well."""
    before = record.extra.get("valid")
    if isinstance(before, str):
        mask = read_image(resolve_path(dataset, before))
        valid = (mask if mask.ndim == 2 else mask[..., 0]) > SET
    else:
        picture = record.rainy or record.frames[0].rainy
        valid = np.ones(image_size(resolve_path(dataset, picture)), bool)
    if valid.shape != invalid.shape:
        raise MaskError(f"the mask of invalid pixels is {invalid.shape}, and the pairs are {valid.shape}")
    valid &= ~invalid
    name = _written(dataset, valid)
    sums = {path: digest for path, digest in record.checksums.items() if path != before}
    share = {"valid_share": round(float(np.mean(valid)), 5)} if "valid_share" in record.extra else {}
    return {"valid": name, "checksums": {**sums, name: checksum(dataset / name)}, **share}


def _written(dataset: Path, valid: np.ndarray) -> str:
    """Write a mask of valid pixels under a name made of its content; return that."""
    import cv2

    done, content = cv2.imencode(".png", valid.astype(np.uint8) * 255)
    if not done:
        raise MaskError(f"a mask of {valid.shape} cannot be encoded")
    data = content.tobytes()
    name = f"{REVIEW_FOLDER}/{FOLDER}/valid/{hashlib.sha256(data).hexdigest()[:32]}.png"
    place = dataset / name
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place, True) as out:
            out.write(data)
    return name


def held_back(dataset: Path) -> set[str]:
    """Return the ids of records that decisions keep out of the manifest or change in it: none is to be made again."""
    return set(read_as_made(dataset))
