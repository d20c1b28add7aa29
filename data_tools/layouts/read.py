"""Public deraining datasets as they lie on the disk: recognised, paired, and what is missing named."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from data_tools.layouts.files import ROOT, LayoutError, Tree, counted, natural_key, scan, without_own_results
from data_tools.layouts.folders import (
    CLEAN_FOLDERS,
    RAINY_FOLDERS,
    Part,
    find_parts,
    is_one_sided,
    read_parts,
    read_unpaired,
)
from data_tools.layouts.halves import HALVES, rainy_half, read_halves
from data_tools.layouts.lists import find_lists, lists_of, mask_places, read_lists, read_manifest_pairs, with_masks
from data_tools.layouts.match import Found, Pair
from data_tools.manifest.file import MANIFEST_NAME

__all__ = ["LAYOUTS", "Layout", "LayoutError", "Pair", "detect", "natural_key", "read_dataset"]

LAYOUTS = {
    "manifest": "manifest",
    "spa": "SPA-Data",
    "jrgr": "JRGR",
    "rain1400": "Rain1400",
    "rain13k": "Rain13K",
    "rain100": "Rain100L/H",
    "outdoor": "Outdoor-Rain",
    "raindrop": "RainDrop",
    "raincityscapes": "RainCityscapes",
    "nturain": "NTURain",
    "gtrain": "GT-Rain",
    "folders": "folders of pairs",
    "rainy-left": "pairs in one image, rainy on the left",
    "rainy-right": "pairs in one image, rainy on the right",
    "unpaired": "unpaired images",
}
"""Names of the layouts, and how messages call them."""

_OTHER_NAMES = {
    **{"rain100l": "rain100", "rain100h": "rain100", "spa-data": "spa", "ddn": "rain1400"},
    **{"outdoor-rain": "outdoor", "gt-rain": "gtrain", "ntu-rain": "nturain"},
}


@dataclass(frozen=True)
class Layout:
    """A dataset as it was found.

    Attributes
    ----------
    name : str
        One of `LAYOUTS`.
    root : Path
        The dataset's folder.
    pairs : tuple of Pair
        Pairs and unpaired images, in natural order.
    problems : tuple of str
        What is no pair though it should be: partners that are missing or not clear, lines that cannot be read.
    notes : tuple of str
        What was left aside on purpose.
    named : tuple of Path
        Folders of rainy and of clean images, where these were named and not the dataset's.
    """

    name: str
    root: Path
    pairs: tuple[Pair, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    named: tuple[Path, ...] = ()

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders that are read: the two that were named, or else the root."""
        return self.named or (self.root,)

    def __iter__(self) -> Iterator[Pair]:
        return iter(self.pairs)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def message(self) -> str:
        """What was recognised, in one line."""
        paired = Counter(pair.scene for pair in self.pairs if pair.clean is not None)
        count, unpaired = paired.total(), len(self.pairs) - paired.total()
        said = [] if self.pairs else ["no pair"]
        if paired:
            scenes, least, most = len(paired), min(paired.values()), max(paired.values())
            if 1 < least == most:
                each = "each of " if scenes > 1 else ""
                said.append(f"{most} rainy images for {each}{counted(scenes, 'clean one')}")
            said.append(counted(count, "pair") + (f" of {counted(scenes, 'scene')}" if least < most else ""))
        if unpaired:
            said.append(f"{counted(unpaired, 'rainy image')} without a clean one")
        splits = Counter(pair.split for pair in self.pairs)
        if len(splits) == 1 and None not in splits:
            said.append(f"split '{self.pairs[0].split}'")
        elif len(splits) > 1:
            order = ("train", "val", "test", None)
            said += [f"{splits[s]} in split '{s}'" if s else f"{splits[s]} in none" for s in order if s in splits]
        if self.problems:
            said.append(counted(len(self.problems), "problem"))
        return f"{LAYOUTS[self.name]}: {', '.join(said)}"

    def __str__(self) -> str:
        return self.message


def detect(root: str | os.PathLike[str]) -> Layout:
    """Recognise a dataset by its folders, names and lists.

    Looked for in this order: our manifest; lists of pairs (SPA-Data); Os and Bs (JRGR); folders of pairs anywhere
    below (Rain1400, Rain13K, Rain100L/H, Outdoor-Rain, RainDrop, RainCityscapes, NTURain, GT-Rain, other folders of
    equal file names); images whose two halves are a pair; a folder that holds images, then unpaired.

    Parameters
    ----------
    root : str or path-like
        The dataset's folder, or a manifest or a list of pairs.

    Raises
    ------
    LayoutError
        If nothing is recognised, several different datasets are, or no pair is whole; the message says what is there.
    """
    return read_dataset(root)


def read_dataset(root: str | os.PathLike[str], layout: str | None = None) -> Layout:
    """Read a dataset's pairs.

    Parameters
    ----------
    root : str or path-like
        The dataset's folder, or a manifest or a list of pairs.
    layout : str, optional
        One of `LAYOUTS`, to be read even where another is likelier: the folders' names then matter less. By default,
        what `detect` recognises.

    Raises
    ------
    LayoutError
        As for `detect`, or if there is no such layout or nothing of it.
    """
    root = Path(root)
    if layout is not None:
        layout = _OTHER_NAMES.get(str(layout).lower(), str(layout).lower())
        if layout not in LAYOUTS:
            raise LayoutError(f"`layout` must be one of {', '.join(LAYOUTS)}, got '{layout}'")
    if root.is_file():
        return _read_file(root, layout)
    if not root.is_dir():
        raise LayoutError(f"'{root}' does not exist; check the name")
    if layout in (None, "manifest") and (root / MANIFEST_NAME).is_file():
        return _read_file(root / MANIFEST_NAME, "manifest")
    tree = scan(root)
    name, found = _recognise(tree) if layout is None else _forced(tree, layout)
    return _layout(name, root, found)


def _read_file(file: Path, layout: str | None) -> Layout:
    if layout == "manifest" or (layout is None and file.suffix == ".jsonl"):
        pairs, problems = read_manifest_pairs(file)
        return Layout("manifest", file.parent, tuple(pairs), tuple(problems))
    if layout == "spa" or (layout is None and file.suffix.lower() == ".txt"):
        return _layout("spa", file.parent, lists_of(file))
    raise LayoutError(f"'{file}' is a file; a folder is expected, a manifest (.jsonl) or a list of pairs (.txt)")


def _layout(name: str, root: Path, found: Found) -> Layout:
    if not found.rows:
        first = "; ".join(found.problems[:3]) or "it is empty"
        more = f"; and {len(found.problems) - 3} more" if len(found.problems) > 3 else ""
        raise LayoutError(f"'{root}' looks like {LAYOUTS[name]}, but no pair is whole: {first}{more}")
    pairs = found.pairs(root)
    pairs = with_masks(pairs) if name == "spa" else pairs
    return Layout(name, root, tuple(pairs), tuple(found.problems), tuple(found.notes))


def _recognise(tree: Tree) -> tuple[str, Found]:
    parts, lists = find_parts(tree), find_lists(tree)
    found = read_lists(tree.root, lists)
    if found.rows or (lists and not parts):
        listed = {path for rainy, clean, _ in found.rows for path in (rainy, clean) if path is not None}
        parts = [part for part in parts if listed.isdisjoint(part.rainy)]
        _one_kind(tree, {"spa": lists[0].parent} | {part.kind: part.folder for part in reversed(parts)})
        unread = tree.image_count - len(listed | (mask_places(listed) & set(tree.below(ROOT))))
        if listed and unread:
            found.notes.append(f"not read: {counted(unread, 'image')} that no list names")
        return "spa", found
    if parts:
        _one_kind(tree, {part.kind: part.folder for part in reversed(parts)})
        found = read_parts(tree, parts)
        found.notes += [f"not read: '{path}' names no images that are here" for path in lists]
        return parts[0].kind, found
    if is_one_sided(tree):
        tree, notes = without_own_results(tree)
        if (told := rainy_half(tree)) is not None:
            half, why = told
            found = read_halves(tree, half)
            found.notes += [*notes, why]
            return f"rainy-{half}", found
        if ROOT in tree.images:
            found = read_unpaired(tree)
            found.notes += notes
            return "unpaired", found
    raise _unknown(tree, tuple(LAYOUTS))


def _one_kind(tree: Tree, folders: dict[str, PurePosixPath]) -> None:
    if len(folders) > 1:
        there = ", ".join(f"{LAYOUTS[kind]} in '{folder}'" for kind, folder in sorted(folders.items()))
        raise LayoutError(f"'{tree.root}' holds several datasets: {there}; name one of these folders, or a layout")


def _forced(tree: Tree, layout: str) -> tuple[str, Found]:
    one_sided = {"unpaired": read_unpaired} | {f"rainy-{half}": partial(read_halves, rainy=half) for half in HALVES}
    if layout in one_sided and tree.images:
        tree, notes = without_own_results(tree)
        found = one_sided[layout](tree)
        found.notes += notes
        return layout, found
    if layout == "spa" and (lists := find_lists(tree)):
        return layout, read_lists(tree.root, lists)
    if layout not in ("manifest", "spa", *one_sided):
        parts = [part for part in find_parts(tree) if _may_be(part, layout)]
        if parts:
            return layout, read_parts(tree, parts, "number" if layout == "rain1400" else None)
    raise _unknown(tree, (layout,))


def _may_be(part: Part, layout: str) -> bool:
    # These are told by names that others do not have.
    if not {"jrgr", "nturain", "gtrain"}.isdisjoint((layout, part.kind)):
        return layout == part.kind
    return layout == "rain100" or part.rainy_base != part.folder


_SIGNS = {
    "manifest": f"'{MANIFEST_NAME}'",
    "spa": "a text with lines such as 'rainy.png clean.png'",
    "jrgr": "folders 'Os' and 'Bs', or 'Ot'",
    "rain1400": "folders 'rainy_image' and 'ground_truth'",
    "rain13k": "folders 'input' and 'target'",
    "rain100": "images 'norain-1.png' with 'rain-1.png' or 'norain-1x2.png'",
    "outdoor": "folders 'in' (or 'input', 'data') and 'gt', with 'im_0001_s80_a04.png' and 'im_0001.png'",
    "raindrop": "folders 'data' and 'gt', with '0_rain.png' and '0_clean.png'",
    "raincityscapes": "folders 'leftImg8bit_rain' and 'leftImg8bit'",
    "nturain": "folders such as 'a1_Rain' and 'a1_GT'",
    "gtrain": "images such as 'x-R-000.png' and 'x-C-000.png'",
    "folders": f"a folder {'/'.join(list(RAINY_FOLDERS)[:3])} beside one {'/'.join(CLEAN_FOLDERS[:5])}",
    "rainy-left": "images whose left half is the rainy version of the right one",
    "rainy-right": "images whose right half is the rainy version of the left one",
    "unpaired": "images",
}


def _unknown(tree: Tree, layouts: tuple[str, ...]) -> LayoutError:
    signs = "; ".join(f"{LAYOUTS[name]}: {_SIGNS[name]}" for name in layouts)
    folders = sorted((folder for folder in tree.folders if folder.parts), key=lambda f: (len(f.parts), natural_key(f)))
    there = [f"'{folder}' ({counted(len(tree.images.get(folder, ())), 'image')})" for folder in folders[:8]]
    there += [f"{len(folders) - 8} more folders"] if len(folders) > 8 else []
    there += [counted(len(tree.images.get(ROOT, ())), "image") + " directly in it"]
    hint = "" if layouts != tuple(LAYOUTS) else "; name a layout, or the folders of the rainy and of the clean images"
    return LayoutError(f"'{tree.root}' is no dataset known here. Looked for: {signs}. Found: {', '.join(there)}{hint}")
