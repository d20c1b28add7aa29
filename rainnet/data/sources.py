"""From datasets on the disk to pairs, and to the angles of their rain where they are known."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from data_tools.layouts.files import counted
from data_tools.layouts.read import Layout, LayoutError, Pair, read_dataset
from data_tools.manifest.file import MANIFEST_NAME, read_manifest
from data_tools.manifest.pictures import REVIEW
from data_tools.manifest.record import PairRecord
from rainnet.data.pictures import DataError, check_sizes, without_own
from rainopt.geometry.lines import line_angle
from rainopt.io import READABLE_SUFFIXES

Source = str | os.PathLike[str] | Layout
_log = logging.getLogger(__name__)


def find_pairs(
    sources: Source | Sequence[Source], split: str | None = None, *, files: bool = False
) -> tuple[list[Pair], dict[Path, float]]:
    """Return all pairs of datasets, and the angles in degrees that manifests give for their rainy pictures.

    Pairs that are marked to be reviewed are left out, which is logged.

    Parameters
    ----------
    sources
        A dataset's folder, manifest or list, or what `data_tools.layouts.read.read_dataset` made of one; or several.
    split
        "train", "val" or "test": only the pairs of this split; None: all.
    files
        Whether a picture may be named too; it is a rainy one without truth.

    Raises
    ------
    DataError
        If there is no pair, or none of the split.
    LayoutError, ManifestError
        If a dataset is not recognised, or its manifest is broken.
    """
    named = [sources] if isinstance(sources, str | os.PathLike | Layout) else list(sources)
    pairs: list[Pair] = []
    angles: dict[Path, float] = {}
    for source in named:
        if files and not isinstance(source, Layout) and is_picture(Path(source)):
            pairs.append(lone(Path(source)))
            continue
        layout = source if isinstance(source, Layout) else _read(Path(source), files)
        if layout.problems:
            _log.warning("'%s': %d problems, the first: %s", layout.root, len(layout.problems), layout.problems[0])
        known, doubted = _said(layout, source) if layout.name == "manifest" else ({}, set[Path]())
        angles |= known
        if doubted:
            _log.warning(
                "'%s': left out, as marked to be reviewed: %s; with the status 'accepted' in the manifest they are "
                "trained on",
                layout.root,
                counted(len(doubted), "pair"),
            )
        # Names of scenes are unique within a dataset alone.
        kept = set(without_own([pair.rainy for pair in layout.pairs], layout.root)) - doubted
        pairs += [replace(pair, scene=f"{layout.root}/{pair.scene}") for pair in layout.pairs if pair.rainy in kept]
    where = ", ".join(f"'{source.root if isinstance(source, Layout) else source}'" for source in named)
    if not pairs:
        raise DataError(f"{where or 'no folder'} holds no pair; name a dataset's folder, manifest or list")
    if split is None:
        return pairs, angles
    chosen = [pair for pair in pairs if pair.split == split]
    if not chosen:
        there = ", ".join(sorted({f"'{pair.split}'" if pair.split else "none" for pair in pairs}))
        raise DataError(f"{where} holds no pair of the split '{split}', but of {there}; name one of these, or no split")
    return chosen, angles


def scenes_of(pairs: Sequence[Pair], frames: int, sizes: dict[Path, tuple[int, int]]) -> list[list[Pair]]:
    """Group pairs by their clean picture, or by their scene where they have none; scenes with too few are left out.

    Raises
    ------
    DataError
        If no scene has as many rainy pictures, or the pictures of one differ in size.
    """
    groups: dict[Path | str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(pair.clean or pair.scene, []).append(pair)
    scenes = [group for group in groups.values() if len(group) >= frames]
    if not scenes:
        most = max(len(group) for group in groups.values())
        raise DataError(
            f"the losses need {frames} rainy pictures of one scene, and the most that a scene has here is {most}; name "
            "a dataset with several rainy pictures for each clean one, or a manifest whose records share a scene"
        )
    for group in scenes:
        unequal = [pair.rainy for pair in group if sizes[pair.rainy] != sizes[group[0].rainy]]
        if unequal:
            raise DataError(
                f"'{unequal[0]}' and '{group[0].rainy}' show one scene and differ in size; leave one of them out"
            )
    return scenes


def is_picture(path: Path) -> bool:
    """Tell whether a path is that of a picture file, by its suffix."""
    return path.suffix.lower() in READABLE_SUFFIXES and not path.is_dir()


def lone(path: Path) -> Pair:
    """Return a rainy picture without truth as a pair."""
    return Pair(path, None, str(path), None, path.name)


def require_truth(pairs: Sequence[Pair]) -> None:
    """Refuse pairs without a clean picture.

    Raises
    ------
    DataError
        If there are some; the message says how many.
    """
    lacking = [pair for pair in pairs if pair.clean is None]
    if lacking:
        raise DataError(
            f"{len(lacking)} of {len(pairs)} rainy pictures have no clean one, the first being '{lacking[0].rainy}'; "
            "leave them out, or train without truth"
        )


def require_one_size(pairs: Sequence[Pair], sizes: dict[Path, tuple[int, int]]) -> None:
    """Refuse pairs whose pictures differ in size.

    Raises
    ------
    DataError
        If there are some; the message names the first.
    """
    unequal = [(pair.rainy, pair.clean) for pair in pairs if pair.clean and sizes[pair.rainy] != sizes[pair.clean]]
    if unequal:
        rainy, clean = unequal[0]
        is_ = [f"{height} x {width}" for height, width in (sizes[rainy], sizes[clean])]
        more = f"; {len(unequal) - 1} more pairs differ as well" if len(unequal) > 1 else ""
        raise DataError(
            f"'{rainy}' has {is_[0]} pixels, but its clean picture '{clean}' has {is_[1]}{more}; leave such pairs out"
        )


def require_masks_of_size(pairs: Sequence[Pair], sizes: dict[Path, tuple[int, int]]) -> None:
    """Refuse masks that differ in size from their pictures, or cannot be read.

    Raises
    ------
    DataError
        If there is one; the message names it.
    """
    for pair in pairs:
        if pair.valid is None:
            continue
        found = check_sizes([pair.valid], 1)[pair.valid]
        if found != sizes[pair.rainy]:
            is_ = [f"{height} x {width}" for height, width in (found, sizes[pair.rainy])]
            raise DataError(f"the mask '{pair.valid}' has {is_[0]} pixels, and '{pair.rainy}' {is_[1]}; leave both out")


def _read(source: Path, rainy_alone: bool) -> Layout:
    try:
        return read_dataset(source)
    except LayoutError as error:
        if rainy_alone and source.is_dir():
            raise LayoutError(f"{error}; or the folders that hold the rainy pictures themselves") from None
        raise


def _said(layout: Layout, source: Source) -> tuple[dict[Path, float], set[Path]]:
    """Return the angles that the manifest of a layout gives, by rainy picture, and those that are to be reviewed."""
    named = None if isinstance(source, Layout) or Path(source).is_dir() else Path(source)
    file = named or layout.root / MANIFEST_NAME
    if not file.is_file():
        return {}, set()  # a layout made from a manifest of another name: which one is not known
    manifest = read_manifest(file, repair=True)
    angles, doubted = {}, set()
    for record in manifest:
        pictures = [record.rainy, *(frame.rainy for frame in record.frames)]
        for rainy in pictures:
            if rainy is not None and record.angle is not None:
                angles[manifest.folder / rainy] = _main_angle(record)
            if rainy is not None and record.extra.get("status") == REVIEW:
                doubted.add(manifest.folder / rainy)
    return angles, doubted


def _main_angle(record: PairRecord) -> float:
    """Return the degrees of the strongest rain of a record: a spec of several directions is around its own angle."""
    turns = [part for part in record.spec.get("directions", ()) if isinstance(part, dict)]
    strongest = max(turns, key=lambda part: part.get("share", 1.0), default={})
    return line_angle(float(record.angle or 0.0) + float(strongest.get("turn", 0.0)))
