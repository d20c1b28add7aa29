"""Datasets whose pairs are told by a text: lists as SPA-Data has them, and our manifest."""

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from data_tools.layouts.files import ROOT, Finder, LayoutError, Tree, counted, is_image, natural_key, split_of
from data_tools.layouts.match import Found, Pair
from data_tools.manifest.file import ManifestError, read_manifest
from data_tools.manifest.paths import resolve_path

RAINY, MASKS = "rain", "valid"  # folders of an export
_WELL_KNOWN = {"real_world": "train", "real_test_1000": "test"}


def is_list(path: Path) -> bool:
    """Tell whether one of a text's first lines names two images."""
    with open(path, "rb") as file:
        head = file.read(1 << 16)
    return any(len(line.split()) >= 2 and _halves(line) for line in _decode(head).splitlines()[:50])


def find_lists(tree: Tree) -> list[PurePosixPath]:
    """Return the texts in a tree that are lists of pairs, the well-known names first."""
    lists = [path for path in tree.texts if is_list(tree.root / path)]
    return sorted(lists, key=lambda path: (path.stem.lower() not in _WELL_KNOWN, natural_key(path)))


def read_lists(root: Path, lists: list[PurePosixPath]) -> Found:
    """Read lists of pairs: "rainy clean" on each line, the paths relative to the list's folder or one above it.

    A leading slash says nothing. A pair that several lines or lists name is taken once.
    """
    found, finder = Found(), Finder(root)
    seen: dict[PurePosixPath, tuple[PurePosixPath, str | None, str]] = {}
    repeated = 0
    for path in lists:
        split = _WELL_KNOWN.get(path.stem.lower()) or split_of(root, path.with_suffix(""))
        for number, raw in enumerate(_decode((root / path).read_bytes()).split("\n"), 1):
            line, place = raw.strip(" \t\r"), f"'{path}', line {number}"
            if not line:
                continue
            pair = _resolve(finder, root, path.parent, line)
            if isinstance(pair, str):
                found.problems.append(f"{place}: {pair}")
                continue
            rainy, clean = pair
            if rainy not in seen:
                seen[rainy] = clean, split, place
                found.rows.append((rainy, clean, split))
            elif seen[rainy][0] != clean:
                found.problems.append(f"{place}: '{rainy}' has another clean image in {seen[rainy][2]}")
            elif seen[rainy][1] != split:
                found.problems.append(f"{place}: '{rainy}' is in another split in {seen[rainy][2]}")
            else:
                repeated += 1
    if repeated:
        found.notes.append(f"a pair repeated: {counted(repeated, 'line')}")
    return found


def _decode(content: bytes) -> str:
    return content.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n").replace("\r", "\n")


def _halves(line: str) -> list[tuple[str, str]]:
    """Return the ways to read a line as two names of images; names may hold spaces."""
    gaps = list(re.finditer("[ \t]+", line.strip(" \t\r")))
    text = line.strip(" \t\r")
    ways = [(text[: gap.start()], text[gap.end() :]) for gap in gaps]
    return [(a, b) for a, b in ways if is_image(PurePosixPath(a).name) and is_image(PurePosixPath(b).name)]


def _resolve(finder: Finder, root: Path, folder: PurePosixPath, line: str) -> tuple[PurePosixPath, PurePosixPath] | str:
    """Return both images of a line, or what is wrong with it."""
    halves = _halves(line.replace("\\", "/"))
    if not halves:
        return f"is not two names of images: '{line}'"
    missing = ""
    for names in halves:
        files = []
        for name in names:
            parts = [part for part in name.split("/") if part not in ("", ".")]
            if ".." in parts or (parts and re.match("[A-Za-z]:", parts[0])):
                return f"'{name}' leaves the dataset's folder"
            file = _find(finder, root, folder, PurePosixPath(*parts))
            if file is None:
                missing = missing or f"'{name}' is missing"
                break
            files.append(file)
        else:
            return files[0], files[1]
    return missing


def _find(finder: Finder, root: Path, folder: PurePosixPath, name: PurePosixPath) -> PurePosixPath | None:
    for base in (folder, *folder.parents):
        if file := finder(base / name):
            return file
        own = base.name if base != ROOT else root.resolve().name
        if len(name.parts) > 1 and name.parts[0] == own and (file := finder(base / PurePosixPath(*name.parts[1:]))):
            return file
    return None


def read_manifest_pairs(path: Path) -> tuple[list[Pair], list[str]]:
    """Return the pairs that a manifest names, a sequence frame by frame, and what is missing."""
    manifest = read_manifest(path, repair=True)
    finder = Finder(manifest.folder)
    pairs, problems = [], list(manifest.faults)
    for picture in manifest.pictures():
        files = [path for path in (picture.rainy, picture.clean) if path is not None]
        missing = [path for path in files if finder(PurePosixPath(path)) != PurePosixPath(path)]
        if missing:
            problems.append(f"record '{picture.name}': " + ", ".join(f"'{path}' is missing" for path in missing))
            continue
        truth = None if picture.clean is None else manifest.folder / picture.clean
        valid = None
        if truth is not None and picture.valid is not None:
            try:
                valid = resolve_path(manifest.folder, picture.valid)
            except ManifestError as error:
                problems.append(f"record '{picture.name}': `valid`: {error}")
                continue
            # Without its mask, a pair would teach that what lives is rain.
            if not valid.is_file():
                problems.append(f"record '{picture.name}': '{picture.valid}' is missing")
                continue
        pairs.append(Pair(manifest.folder / picture.rainy, truth, picture.scene, picture.split, picture.name, valid))
    return sorted(pairs, key=lambda pair: natural_key(pair.name)), problems


def with_masks(pairs: Iterable[Pair]) -> list[Pair]:
    """Return pairs of lists with the masks that lie beside the rainy images, as our export has them.

    A line can name no mask, since the program that lists are made for reads two names and no more. So the mask of
    `rain/a.png` is `valid/a.png`.
    """
    return [replace(pair, valid=_mask_of(pair.rainy)) for pair in pairs]


def mask_places(images: Iterable[PurePosixPath]) -> set[PurePosixPath]:
    """Return where the masks of the rainy images among some lie, if they have any."""
    return {path.parent.with_name(MASKS) / f"{path.stem}.png" for path in images if path.parent.name == RAINY}


def _mask_of(rainy: Path) -> Path | None:
    mask = rainy.parent.with_name(MASKS) / f"{rainy.stem}.png"
    return mask if rainy.parent.name == RAINY and mask.is_file() else None


def lists_of(path: Path) -> Found:
    """Read the one list that was named."""
    if not is_list(path):
        raise LayoutError(f"'{path}' is no list of pairs: no line of it is 'rainy.png clean.png'")
    return read_lists(path.parent, [PurePosixPath(path.name)])
