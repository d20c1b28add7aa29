"""Export as WebDataset: tar files of some hundred megabytes, each of whole samples, the same bytes every time."""

from __future__ import annotations

import io
import itertools
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from data_tools.export.folder import flush
from data_tools.export.keys import spread
from data_tools.export.samples import Sample, SampleError, check_sample
from data_tools.manifest.record import SPLITS
from rainopt.io.atomic import replacing

UNSPLIT = "all"


@dataclass(frozen=True)
class Shard:
    """One tar file that is to be: its path in the export's folder, and its samples in order."""

    path: str
    split: str
    samples: tuple[Sample, ...]


@dataclass(frozen=True)
class Written:
    """One tar file that is there: how many samples and bytes, what had to be left out, and whether it was there."""

    samples: int
    bytes: int
    failures: tuple[str, ...]
    kept: bool = False


def plan_shards(samples: Sequence[Sample], limit: int, shuffle: bool = True) -> list[Shard]:
    """Deal samples to shards of at most `limit` bytes; a larger sample has a shard to itself.

    Readers take shards in any order but go through each in order, so frames of one scene must not lie beside each
    other: with `shuffle` samples are sorted by a digest of their names, which is the same everywhere.
    """
    shards = []
    for split in (*SPLITS, None):
        own = [sample for sample in samples if sample.split == split]
        if shuffle:
            own.sort(key=lambda sample: (spread(sample.name), sample.key))
        name = split or UNSPLIT
        for number, part in enumerate(_parts(own, limit)):
            shards.append(Shard(f"{name}/{name}-{number:06}.tar", name, tuple(part)))
    return shards


def write_shard(shard: Shard, folder: Path, progress: Callable[[int], None]) -> Written:
    """Write a shard unless it is there already; samples that are not whole are left out and named.

    Parameters
    ----------
    shard
        What it holds.
    folder
        The folder of the export.
    progress
        Called with the number of samples done since the last call.

    Returns
    -------
    Written
        What is there now; with no sample where none is whole, and then there is no file.

    Raises
    ------
    WriteError
        If it cannot be written; then there is no part of it.
    """
    place = folder / shard.path
    there = _there(shard, place)
    if there is not None:
        progress(len(shard.samples))
        return there
    failures: list[str] = []

    def whole() -> Iterator[tuple[Sample, dict[str, bytes]]]:
        for sample in shard.samples:
            try:
                yield sample, _members(sample)
            except SampleError as error:
                failures.append(str(error))
            progress(1)

    place.parent.mkdir(parents=True, exist_ok=True)
    samples = whole()
    first = next(samples, None)
    if first is None:
        place.unlink(missing_ok=True)
        return Written(0, 0, tuple(failures))
    count = 0
    with replacing(place, overwrite=True) as out:
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for _, members in itertools.chain([first], samples):
                for name, content in members.items():
                    tar.addfile(_header(name, len(content)), io.BytesIO(content))
                count += 1
        flush(out)
    return Written(count, place.stat().st_size, tuple(failures))


def describe_shards(written: Sequence[tuple[Shard, Written]]) -> dict[str, Any]:
    """Return the index: each split's samples and bytes, and each shard's."""
    splits: dict[str, dict[str, int]] = {}
    shards = []
    for shard, done in written:
        if done.samples:
            shards.append({"path": shard.path, "split": shard.split, "samples": done.samples, "bytes": done.bytes})
            split = splits.setdefault(shard.split, {"samples": 0, "shards": 0, "bytes": 0})
            split["samples"] += done.samples
            split["shards"] += 1
            split["bytes"] += done.bytes
    return {"format": "webdataset", "version": 1, "splits": splits, "shards": shards}


def _parts(samples: Sequence[Sample], limit: int) -> Iterator[list[Sample]]:
    part: list[Sample] = []
    size = 0
    for sample in samples:
        more = _sample_bytes(sample)
        if part and _tar_bytes(size + more) > limit:
            yield part
            part, size = [], 0
        part.append(sample)
        size += more
    if part:
        yield part


def _sample_bytes(sample: Sample) -> int:
    # Height and width are not known yet, and have no more digits than these.
    sizes = [*sample.sizes.values(), len(_json(sample, 10**9, 10**9))]
    return sum(map(_member_bytes, sizes))


def _member_bytes(size: int) -> int:
    return tarfile.BLOCKSIZE - (-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _tar_bytes(members: int) -> int:
    """Return the size of a tar file: its members, two empty blocks, filled up to a whole record."""
    return -(-(members + 2 * tarfile.BLOCKSIZE) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def _names(sample: Sample) -> list[str]:
    return [f"{sample.key}.{kind}{sample.suffix(kind)}" for kind in sample.files] + [f"{sample.key}.json"]


def _members(sample: Sample) -> dict[str, bytes]:
    """Return names and contents of a sample's members."""
    height, width = check_sample(sample)
    contents = [sample.content(kind) for kind in sample.files]
    return dict(zip(_names(sample), [*contents, _json(sample, height, width)], strict=True))


def _json(sample: Sample, height: int, width: int) -> bytes:
    return json.dumps(sample.info | {"height": height, "width": width}).encode()


def _header(name: str, size: int) -> tarfile.TarInfo:
    """Return a header that depends on nothing but name and size."""
    header = tarfile.TarInfo(name)
    header.size, header.mode = size, 0o644  # time, user and group are 0, and unnamed
    return header


def _there(shard: Shard, place: Path) -> Written | None:
    """Return what is in a shard that an earlier run wrote, or None if it must be written."""
    try:
        with tarfile.open(place, "r:") as tar:
            found = {member.name: member.size for member in tar}
        size = place.stat().st_size
    except (OSError, tarfile.TarError):
        return None
    expected: list[str] = []
    failures = []
    for sample in shard.samples:
        names = _names(sample)
        if found.keys().isdisjoint(names):
            # It was left out; it may have been mended meanwhile.
            try:
                check_sample(sample)
            except SampleError as error:
                failures.append(str(error))
                continue
            return None
        if [found.get(name) for name in names[:-1]] != list(sample.sizes.values()):
            return None
        expected += names
    if list(found) != expected or size != _tar_bytes(sum(map(_member_bytes, found.values()))):
        return None
    return Written(len(shard.samples) - len(failures), size, tuple(failures), kept=True)
