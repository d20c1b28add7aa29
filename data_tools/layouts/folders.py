"""Datasets whose pairs are told by folders and file names."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from data_tools.layouts.files import LayoutError, Tree, counted, split_of
from data_tools.layouts.match import VERSIONS, Found, Relative, Versions, match

RAINY_FOLDERS = {
    # name: the clean folder that it comes with, where there are several
    "rain": "norain",
    "rainy": "clean",
    "input": "target",
    "rainy_image": "ground_truth",
    "rainy_images": "ground_truth",
    "inputs": "targets",
    "rain_images": "clean_images",
    "lq": "gt",
}
CLEAN_FOLDERS = (
    *("norain", "no_rain", "no-rain", "clean", "target", "ground_truth", "groundtruth", "gt"),
    *("targets", "clean_images", "label"),
)
_NORAIN = re.compile(r"no[-_]?rain[-_]?[0-9]+$", re.IGNORECASE)
_RAIN = re.compile(r"rain[-_]?[0-9]+$", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """Rainy images and their clean ones: two folders of a dataset, or one that holds both."""

    kind: str
    rainy: tuple[Relative, ...]
    clean: tuple[Relative, ...]
    rainy_base: Relative
    clean_base: Relative
    versions: Versions = "none"
    unpaired: bool = False  # rainy images without partner are meant to be

    @property
    def folder(self) -> Relative:
        """The folder that holds both sides."""
        return self.rainy_base if self.rainy_base == self.clean_base else self.rainy_base.parent

    @property
    def sides(self) -> tuple[tuple[Relative, ...], tuple[Relative, ...], Relative, Relative]:
        """Images and bases, as `match` takes them."""
        return self.rainy, self.clean, self.rainy_base, self.clean_base


def find_parts(tree: Tree) -> list[Part]:
    """Return all the parts in a tree, in natural order; parts inside a part's own folders are not looked for."""
    parts: list[Part] = []
    todo = [PurePosixPath()]
    while todo:
        folder = todo.pop()
        children = {child.name.lower(): child for child in reversed(tree.folders.get(folder, []))}
        here = [*_jrgr_parts(tree, folder, children)] or [*_flat_parts(tree, folder, children)]
        here = here or [*_folder_parts(tree, folder, children)]
        parts += here
        bases = {base for part in here for base in (part.rainy_base, part.clean_base)}
        todo += reversed([child for child in tree.folders.get(folder, []) if child not in bases])
    return parts


def _folder_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    clean_names = [name for name in CLEAN_FOLDERS if name in children]
    for name, usual in RAINY_FOLDERS.items():
        if name not in children or not clean_names:
            continue
        if len(clean_names) > 1 and usual not in clean_names:
            raise LayoutError(
                f"'{tree.root / children[name]}' could belong to {_quoted(clean_names)}; rename the wrong ones"
            )
        clean_base = children[usual if usual in clean_names else clean_names[0]]
        rainy, clean = tree.below(children[name]), tree.below(clean_base)
        if rainy or clean:
            part = Part("folders", tuple(rainy), tuple(clean), children[name], clean_base)
            yield replace(part, kind=_kind(part), versions=_versions(part))


def _versions(part: Part) -> Versions:
    """Tell whether most rainy images are numbered versions of a clean one, rather than of its own name."""
    one, several = (match(*part.sides, versions)[0] for versions in VERSIONS[:2])
    return "number" if 2 * len(one) < len(several) else "none"


def _kind(part: Part) -> str:
    names = part.rainy_base.name.lower(), part.clean_base.name.lower()
    if names == ("rainy_image", "ground_truth"):
        return "rain1400"
    if names == ("input", "target"):
        return "rain13k"
    if part.clean and 2 * sum(bool(_NORAIN.match(path.stem)) for path in part.clean) >= len(part.clean):
        return "rain100"
    return "rain1400" if _versions(part) == "number" else "folders"


def _flat_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    """Find clean images named norain-N with the rainy ones beside them, or in a folder beside them."""
    images = tree.images.get(folder, [])
    clean = tuple(path for path in images if _NORAIN.match(path.stem))
    if not clean:
        return
    rainy = tuple(path for path in images if _RAIN.match(path.stem))
    part = Part("rain100", rainy, clean, folder, folder)
    bases = [children[name] for name in RAINY_FOLDERS if name in children and tree.below(children[name])]
    if rainy:
        yield part
    elif bases:
        yield from (replace(part, rainy=tuple(tree.below(base)), rainy_base=base) for base in bases)


def _jrgr_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    for rainy, clean in (("os", "bs"), ("ot", "bt")):
        if rainy not in children or not ({"os", "bs"} <= children.keys() or children[rainy].name in ("Os", "Ot")):
            continue
        base = children.get(clean, children[rainy])
        truth = tree.below(base) if clean in children else []
        yield Part(
            "jrgr", tuple(tree.below(children[rainy])), tuple(truth), children[rainy], base, "any", rainy == "ot"
        )


def read_parts(tree: Tree, parts: list[Part], versions: Versions | None = None) -> Found:
    """Pair the images of all parts; `versions` overrides what each part says."""
    found = Found()
    for part in parts:
        split = split_of(tree.root, part.folder)
        how = part.versions if versions is None else versions
        pairs, problems = match(*part.sides, how)
        found.rows += [(rainy, clean, split) for rainy, clean in pairs]
        if part.unpaired:
            paired = {rainy for rainy, _ in pairs}
            found.rows += [(rainy, None, split) for rainy in part.rainy if rainy not in paired]
            if lonely := set(part.clean) - {clean for _, clean in pairs}:
                found.notes.append(f"{counted(len(lonely), 'clean image')} in '{part.clean_base}' without a rainy one")
        else:
            found.problems += problems
        if how == "number":
            found.problems += _fewer_versions(pairs)
    _tell_rest(tree, parts, found)
    return found


def _tell_rest(tree: Tree, parts: list[Part], found: Found) -> None:
    read = {path for part in parts for path in (*part.rainy, *part.clean)}
    for folder, images in tree.images.items():
        rest = sum(path not in read for path in images)
        if rest and folder.name.lower() in {*RAINY_FOLDERS, *CLEAN_FOLDERS}:
            found.problems.append(f"folder '{folder}' with {counted(rest, 'image')} has no other side beside it")
        elif rest:
            found.notes.append(f"not read: {counted(rest, 'image')} in '{folder}'")


def may_be_unpaired(tree: Tree) -> bool:
    """Tell whether a folder looks like rainy images alone: images lie in it and no name speaks of clean ones."""
    images = tree.images.get(PurePosixPath(), [])
    names = {folder.name.lower() for folder in tree.folders}
    lone = names.isdisjoint([*RAINY_FOLDERS, *CLEAN_FOLDERS]) and not any(_NORAIN.match(p.stem) for p in images)
    return bool(images) and lone


def _fewer_versions(pairs: list[tuple[Relative, Relative]]) -> list[str]:
    counts = Counter(clean for _, clean in pairs)
    most = max(counts.values(), default=0)
    return [f"'{clean}' has {n} rainy images where others have {most}" for clean, n in counts.items() if n < most]


def read_unpaired(tree: Tree) -> Found:
    """Take every image as a rainy one without truth."""
    rows = [(path, None, split_of(tree.root, folder)) for folder, paths in tree.images.items() for path in paths]
    return Found([*rows])


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
