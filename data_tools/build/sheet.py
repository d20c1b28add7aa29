"""A contact sheet of a dataset that was built of videos."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from data_tools.manifest.file import Manifest, PairRecord
from data_tools.manifest.folder import SHEET_NAME
from rainopt.app.sheet import Row, sheet_of
from rainopt.io import read_image, write_image

ROWS, WIDTH, DIFFERENCE_GAIN = 24, 360, 3
Item = TypeVar("Item")


def write_sheet(manifest: Manifest) -> Path | None:
    """Write a contact sheet into the dataset, of pairs or sequences spread over it.

    Of a pair it shows rainy frame, background, their difference, and the valid mask; of a sequence the first frame, one
    of the middle and the last, and how the first two differ.
    """
    if not len(manifest):
        return None
    pairs = [record for record in manifest if record.clean is not None]
    scenes: dict[str, list[PairRecord]] = {}
    for record in manifest:
        if record.clean is None:
            scenes.setdefault(record.scene or record.id, []).append(record)
    rows = [_of_pair(manifest, record) for record in _spread(pairs)]
    rows += [_of_sequence(manifest, scene) for scene in _spread(list(scenes.values()))]
    return write_image(manifest.folder / SHEET_NAME, sheet_of(rows, width=WIDTH))


def _spread(items: Sequence[Item]) -> list[Item]:
    return [items[k] for k in sorted({round(k) for k in np.linspace(0, len(items) - 1, ROWS)})] if items else []


def _of_pair(manifest: Manifest, record: PairRecord) -> Row:
    rainy, clean = (read_image(manifest.path(str(path))) for path in (record.rainy, record.clean))
    title = f"{record.id}   {record.split}   expected {record.extra.get('expected_psnr', 0):.1f} dB"
    valid = read_image(manifest.path(str(record.extra["valid"])))
    return Row([rainy, clean, _difference(rainy, clean), valid], title=title + _doubts(record))


def _of_sequence(manifest: Manifest, records: Sequence[PairRecord]) -> Row:
    chosen = (records[0], records[len(records) // 2], records[-1])
    frames = [read_image(manifest.path(str(record.rainy))) for record in chosen]
    count = f"{len(records)} frames from {records[0].extra.get('frame')} to {records[-1].extra.get('frame')}"
    title = f"{records[0].scene}   {records[0].split}   {count}{_doubts(records[0])}"
    return Row([*frames, _difference(frames[0], frames[1])], title=title)


def _difference(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    scale = np.iinfo(one.dtype).max
    apart = np.abs(one.astype(np.float32) - other).mean(axis=-1) * (DIFFERENCE_GAIN / scale)
    return np.asarray(np.minimum(apart, 1.0))


def _doubts(record: PairRecord) -> str:
    return f"   to review: {'; '.join(record.extra['doubts'])}" if record.extra.get("doubts") else ""
