"""Export as SPA-Data is laid out: lists of "rainy clean", as its authors' training program reads them."""

from __future__ import annotations

import errno
import os
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_tools.export.folder import flush
from data_tools.export.samples import Sample, SampleError, check_sample
from data_tools.layouts.halves import file_of
from rainopt.io.atomic import WriteError, replacing

# Names of lists and folders. SPA-Data has no validation part, and no pair outside its parts.
PARTS = {"train": "real_world", "test": "real_test_1000", "val": "real_val", None: "real_world"}
FOLDERS = {"rainy": "rain", "clean": "gt", "mask": "mask", "valid": "valid"}


@dataclass(frozen=True)
class Listed:
    """A pair and the paths of its files in the export, by kind."""

    sample: Sample
    part: str
    paths: dict[str, str]


def plan_lists(samples: Sequence[Sample]) -> list[Listed]:
    """Say where the files of each pair go: rain, gt, mask and valid lie beside each other, under the same names.

    Pairs of one clean image share it, under the name of the first of them.
    """
    listed = []
    clean: dict[tuple[str, Path], str] = {}
    for sample in samples:
        part = PARTS[sample.split]
        paths = {kind: f"{part}/{FOLDERS[kind]}/{sample.key}{sample.suffix(kind)}" for kind in sample.files}
        paths["clean"] = clean.setdefault((part, sample.files["clean"]), paths["clean"])
        listed.append(Listed(sample, part, paths))
    return listed


def place_pair(pair: Listed, folder: Path) -> str | None:
    """Put the files of a pair into the export, and return a sentence if the pair is not whole.

    They are hard links where the file system allows it, and take no room then, but share later changes; else copies.

    Raises
    ------
    WriteError
        If a file cannot be written.
    """
    try:
        check_sample(pair.sample)
    except SampleError as error:
        # A run before may have found it whole.
        for kind in pair.paths.keys() - {"clean"}:
            (folder / pair.paths[kind]).unlink(missing_ok=True)
        return str(error)
    for kind, path in pair.paths.items():
        source, half = file_of(pair.sample.files[kind])
        if half is None:
            _place(source, folder / path)
        else:
            _write(pair.sample.content(kind), folder / path)
    return None


def write_lists(pairs: Sequence[Listed], folder: Path) -> dict[str, Any]:
    """Write the lists of the pairs that are there, and return the index."""
    lines: dict[str, list[str]] = {}
    for pair in pairs:
        # Every line ends, as the authors' program cuts off its last character.
        lines.setdefault(pair.part, []).append(f"/{pair.paths['rainy']} /{pair.paths['clean']}\n")
    for part in dict.fromkeys(PARTS.values()):
        place = folder / f"{part}.txt"
        if part not in lines:
            place.unlink(missing_ok=True)
            continue
        with replacing(place, overwrite=True) as out:
            out.write("".join(lines[part]).encode())
            flush(out)
    counts: dict[str, Counter[str]] = {part: Counter() for part in lines}
    for pair in pairs:
        counts[pair.part].update(["samples", *(kind for kind in ("mask", "valid") if kind in pair.paths)])
    lists = [{"path": f"{part}.txt", **counts[part]} for part in lines]
    return {"format": "spa", "version": 1, "lists": lists}


def _write(content: bytes, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and place.read_bytes() == content):
        with replacing(place, overwrite=True) as out:
            out.write(content)
            flush(out)


def _place(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    real = os.path.realpath(source)  # else a symbolic link would be linked, not what it points to
    if place.exists() and (os.path.samefile(real, place) or place.stat().st_size == os.path.getsize(real)):
        return
    try:
        place.unlink(missing_ok=True)
        os.link(real, place)
    except OSError as error:
        # Another file system, one without links, too many links, a file of somebody else.
        if error.errno in (errno.ENOSPC, errno.EROFS):
            raise WriteError(f"'{place}' cannot be written ({error.strerror}); check the disk space") from error
        with replacing(place, overwrite=True) as out, open(real, "rb") as file:
            shutil.copyfileobj(file, out, 1 << 20)
            flush(out)
