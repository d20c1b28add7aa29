"""Whether a folder that is named as one of clean photographs can be that."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from data_tools.layouts.files import LayoutError, scan
from data_tools.layouts.folders import find_parts
from data_tools.layouts.lists import find_lists, read_lists
from data_tools.layouts.read import LAYOUTS
from data_tools.manifest.file import ManifestError, read_manifest
from data_tools.manifest.folder import SHEET_NAME, holds_dataset


def why_not_clean(folder: Path) -> str | None:
    """Return a sentence on why a folder is none of clean photographs, because it holds a dataset of pairs or a part of
    one that is not its clean side; None if it is none.

    Rainy pictures, masks and contact sheets would be taken for clean photographs otherwise. Pictures of two halves are
    not looked for, and what lies in datasets below the folder is left to whoever searches it.
    """
    for root in _datasets(folder):
        try:
            sides = _sides(root)
        except (ManifestError, OSError):
            sides = None
        inside = os.path.relpath(os.path.realpath(folder), os.path.realpath(root))
        here = "" if inside == "." else inside + "/"
        if sides is None or not here or any(path.startswith(here) for path in sides[1]):
            what = f"is a part of the dataset '{root}'" if here else "is a dataset"
            clean = f": '{root / sides[0]}'" if sides is not None and sides[0] else ""
            return f"'{folder}' {what}, whose pictures are not all clean; name its clean ones{clean}"
    try:
        tree = scan(folder)
        ours = {PurePosixPath(path) for path in tree.folders if holds_dataset(folder / path)}
        lists = [path for path in find_lists(tree) if ours.isdisjoint(path.parents)]
        parts = [part for part in find_parts(tree) if ours.isdisjoint((part.folder, *part.folder.parents))]
        kind = "spa" if lists and read_lists(folder, lists).rows else parts[0].kind if parts else None
    except LayoutError:
        return None  # whoever reads it says what is wrong with it
    if kind is None:
        return None
    return f"'{folder}' is a dataset of pairs ({LAYOUTS[kind]}), whose pictures are not all clean; name its clean ones"


def _datasets(folder: Path) -> Iterator[Path]:
    """Yield the folders of our datasets that a folder is or lies in."""
    return (place for place in (folder, *Path(os.path.realpath(folder)).parents) if holds_dataset(place))


def _sides(root: Path) -> tuple[str, list[str]]:
    """Return the folder of a dataset's clean pictures, "" where they share none, and the paths of all others."""
    clean: set[str] = set()
    others = {SHEET_NAME}
    for picture in read_manifest(root, repair=True).pictures():
        clean |= {picture.clean} if picture.clean else set()
        named = (picture.rainy, picture.rain, picture.mask, picture.valid)
        others |= {path for path in named if isinstance(path, str)}
    shared = os.path.commonpath([os.path.dirname(path) or "." for path in clean]) if clean else ""
    return ("" if shared == "." else shared), sorted(others - clean)
