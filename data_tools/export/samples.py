"""Samples to be exported: one for each pair, with its files and what is known about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from data_tools.export.keys import make_keys
from data_tools.layouts.files import LayoutError, counted
from data_tools.layouts.halves import file_of, half_as_png, picture_size, read_picture
from data_tools.layouts.read import Layout, Pair
from data_tools.manifest.file import Manifest, ManifestError
from data_tools.manifest.paths import checksum, resolve_path
from data_tools.manifest.pictures import Picture
from rainopt.io import ImageFileError

# So many names of a long list are given; the rest is counted.
SHOWN = 20


class SampleError(ValueError):
    """One pair is not whole; the message names the file."""


@dataclass(frozen=True)
class Sample:
    """A pair to be exported.

    Attributes
    ----------
    key : str
        Its name in the export, one of its kind.
    name : str
        Its name in the dataset.
    split : str, optional
        "train", "val" or "test".
    files : dict of str to Path
        Files by kind: "rainy", "clean", and where there are such "mask" and "valid", in this order.
    sizes : dict of str to int
        Bytes of each file, by kind.
    states : dict of str to str
        What changes with a file: the recorded checksum, or else time and size; by kind.
    checksums : dict of str to str
        Recorded SHA-256, of the kinds that have one.
    info : dict
        What is known about the pair: id, scene, split, angle, licence, source.
    """

    key: str
    name: str
    split: str | None
    files: dict[str, Path]
    sizes: dict[str, int]
    states: dict[str, str]
    checksums: dict[str, str]
    info: dict[str, Any]

    def suffix(self, kind: str) -> str:
        """Return the ending that the file of a kind has, in lower case."""
        file, half = file_of(self.files[kind])
        return file.suffix.lower() if half is None else ".png"

    def content(self, kind: str) -> bytes:
        """Return the bytes of the file of a kind; a half of an image becomes a PNG file.

        Raises
        ------
        SampleError
            If it cannot be read.
        """
        file, half = file_of(self.files[kind])
        try:
            return file.read_bytes() if half is None else half_as_png(self.files[kind])
        except (ImageFileError, LayoutError) as error:
            raise SampleError(f"'{self.name}': {error}") from None
        except OSError as error:
            raise SampleError(f"'{self.name}': '{file}' cannot be read ({error.strerror or error})") from None


@dataclass
class Collected:
    """Samples in the dataset's order, what is missing, and what was left aside on purpose."""

    samples: list[Sample] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def collect(dataset: Layout, manifest: Manifest | None = None, split: str | None = None) -> Collected:
    """Return the pairs of a dataset as samples; a pair that lacks a file is named instead.

    Parameters
    ----------
    dataset
        What was read.
    manifest
        Its manifest, if it has one: masks, licences, angles and checksums are taken from it.
    split
        "train", "val" or "test", to take these pairs only.
    """
    found = Collected(failures=list(dataset.problems), notes=list(dataset.notes))
    named = manifest.pictures() if manifest is not None else ()
    known = {(picture.name, dataset.root / picture.rainy): picture for picture in named}
    paired = [pair for pair in dataset if pair.clean is not None]
    chosen = [pair for pair in paired if split is None or pair.split == split]
    doubted = [pair for pair in chosen if (said := known.get((pair.name, pair.rainy))) is not None and said.doubtful]
    if doubted:
        found.notes.append(
            f"left out, as marked to be reviewed: {counted(len(doubted), 'pair')}; with the status 'accepted' in the "
            "manifest they are exported"
        )
        there = {id(pair) for pair in doubted}
        chosen = [pair for pair in chosen if id(pair) not in there]
    # From all names, so that a key does not depend on the split that is asked for.
    keys = make_keys([(pair.name, _inside(dataset.root, pair.rainy)) for pair in paired])
    by_pair = {id(pair): key for pair, key in zip(paired, keys, strict=True)}
    for pair in chosen:
        try:
            found.samples.append(_sample(pair, by_pair[id(pair)], known.get((pair.name, pair.rainy)), dataset.root))
        except (ManifestError, SampleError) as error:
            found.failures.append(f"'{pair.name}': {error}")
    alone = [pair.name for pair in dataset if pair.clean is None]
    if alone:
        names = ", ".join(f"'{name}'" for name in alone[:SHOWN])
        more = f" and {len(alone) - SHOWN} more" if len(alone) > SHOWN else ""
        found.notes.append(f"left out: {counted(len(alone), 'rainy image')} without a clean one: {names}{more}")
    others = len(paired) - len(chosen) - len(doubted)
    if others:
        found.notes.append(f"left out: {counted(others, 'pair')} not in split '{split}'")
    return found


def check_sample(sample: Sample) -> tuple[int, int]:
    """Return height and width of a pair, in pixels, once its files are known to be what they should be.

    Raises
    ------
    SampleError
        If a file is gone, is no image, has changed since it was recorded or planned, or differs in height or width.
    """
    shapes: dict[str, tuple[int, int]] = {}
    for kind, file in sample.files.items():
        try:
            own, half = file_of(file)
            size = own.stat().st_size
            changed = kind in sample.checksums and checksum(own) != sample.checksums[kind]
            if not changed:
                # A file that nobody recorded may be damaged, which only decoding tells.
                known = kind in sample.checksums
                shapes[kind] = picture_size(file) if known else read_picture(file).shape[:2]
        except (ImageFileError, LayoutError) as error:
            raise SampleError(f"'{sample.name}': {error}") from None
        except OSError as error:
            raise SampleError(f"'{sample.name}': '{file}' cannot be read ({error.strerror or error})") from None
        if changed:
            raise SampleError(f"'{sample.name}': '{file}' is not the file that was recorded (its checksum differs)")
        if half is None and size != sample.sizes[kind]:
            raise SampleError(f"'{sample.name}': '{file}' was changed during the export; run the command again")
    height, width = shapes["rainy"]
    for kind, shape in shapes.items():
        if shape != (height, width):
            raise SampleError(
                f"'{sample.name}': '{sample.files[kind]}' has {shape[0]} x {shape[1]} pixels, and the rainy image "
                f"{height} x {width}"
            )
    return height, width


def _sample(pair: Pair, key: str, picture: Picture | None, root: Path) -> Sample:
    files = {"rainy": pair.rainy} | ({} if pair.clean is None else {"clean": pair.clean})
    for kind, path in (("mask", picture.mask), ("valid", picture.valid)) if picture else ():
        if path is not None:
            try:
                files[kind] = resolve_path(root, path)
            except ManifestError as error:
                raise SampleError(f"`{kind}`: {error}") from None
    recorded = picture.checksums if picture else {}
    checksums = {kind: recorded[path] for kind, file in files.items() if (path := _inside(root, file)) in recorded}
    sizes, states = {}, {}
    for kind, file in files.items():
        own, half = file_of(file)
        try:
            status = own.stat()
            sizes[kind] = status.st_size if half is None else len(half_as_png(file))
        except (ImageFileError, LayoutError) as error:
            raise SampleError(str(error)) from None
        except OSError as error:
            reason = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
            raise SampleError(f"'{_inside(root, file)}' {reason}") from None
        states[kind] = checksums.get(kind, f"{status.st_size} bytes at {status.st_mtime_ns}")
    info = {
        "id": pair.name,
        "scene": pair.scene,
        "split": pair.split,
        "angle": picture.angle if picture else None,
        "licence": picture.licence if picture else "",
        "source": picture.source if picture else "",
    }
    return Sample(key, pair.name, pair.split, files, sizes, states, checksums, info)


def _inside(root: Path, file: Path) -> str:
    # Folders that were named may lie anywhere.
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()
