"""Datasets whose pairs are told by folders and file names."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from data_tools.layouts.files import LayoutError, Tree, counted, split_of
from data_tools.layouts.match import VERSIONS, Found, Matched, Relative, Versions, match, match_by

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
    "leftimg8bit_rain": "leftimg8bit",
}
CLEAN_FOLDERS = (
    *("norain", "no_rain", "no-rain", "clean", "target", "ground_truth", "groundtruth", "gt"),
    *("targets", "clean_images", "label", "truth", "leftimg8bit"),
)
# Names that say nothing by themselves, and mean rainy images where they lie beside a folder "gt".
QUIET_FOLDERS = ("data", "in")
_NORAIN = re.compile(r"no[-_]?rain[-_]?[0-9]+$", re.IGNORECASE)
_RAIN = re.compile(r"rain[-_]?[0-9]+$", re.IGNORECASE)
_OUTDOOR = re.compile(r".*_s[0-9]+_a[0-9]+$", re.IGNORECASE)
_DROP = re.compile(r".*[0-9]_rain$", re.IGNORECASE)
# NTURain: a folder for each clip and rain over it, "a1_Rain" or "t1_Rain_01"; "ra1_Rain" is real rain.
_CLIP = re.compile(r"(.+)_rain(_[0-9]+)?$", re.IGNORECASE)
_REAL_CLIP = re.compile(r"r[a-z][0-9]+_rain$", re.IGNORECASE)
# GT-Rain: "SCENE-Webcam-R-012" and one "SCENE-Webcam-C-000" for all, or one of each number; "-P-" is an estimate.
_SCENE = re.compile(r"(.+)-([RCP])-([0-9]+)$")
_SCENE_KEYS = (re.compile(r"(.+)-[RC]-([0-9]+)$"), re.compile(r"(.+)-[RC]-[0-9]+$"))


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
    spare: bool = False  # so are clean ones
    patterns: tuple[re.Pattern[str], ...] = ()  # what the names of a pair share, where their likeness does not tell
    aside: tuple[Relative, ...] = ()  # images of the dataset that are of neither side

    @property
    def folder(self) -> Relative:
        """The folder that holds both sides."""
        return self.rainy_base if self.rainy_base == self.clean_base else self.rainy_base.parent

    @property
    def sides(self) -> tuple[tuple[Relative, ...], tuple[Relative, ...], Relative, Relative]:
        """Images and bases, as `match` takes them."""
        return self.rainy, self.clean, self.rainy_base, self.clean_base

    def matched(self, versions: Versions) -> Matched:
        """Pair the images by their names."""
        return match_by(self.patterns, *self.sides) if self.patterns else match(*self.sides, versions)


def find_parts(tree: Tree) -> list[Part]:
    """Return all the parts in a tree, in natural order; parts inside a part's own folders are not looked for."""
    parts: list[Part] = []
    todo = [PurePosixPath()]
    while todo:
        folder = todo.pop()
        children = {child.name.lower(): child for child in reversed(tree.folders.get(folder, []))}
        here = next(filter(None, ([*find(tree, folder, children)] for find in _FINDERS)), [])
        parts += here
        bases = {base for part in here for base in (part.rainy_base, part.clean_base)}
        todo += reversed([child for child in tree.folders.get(folder, []) if child not in bases])
    return parts


def _folder_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    clean_names = [name for name in CLEAN_FOLDERS if name in children]
    quiet = {name: "gt" for name in QUIET_FOLDERS if name in children and children[name] in tree.images}
    for name, usual in (RAINY_FOLDERS | (quiet if "gt" in children else {})).items():
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
            versions = chosen_versions(part)
            kind = _kind(part, versions)
            # The clean side is Cityscapes, of which a part was chosen for rain.
            yield replace(part, kind=kind, versions=versions, spare=kind == "raincityscapes")


def chosen_versions(part: Part) -> Versions:
    """Tell whether most rainy images are versions of a clean one, by a number or more, rather than of its own name."""
    if part.patterns:
        return VERSIONS[0]
    best, most = VERSIONS[0], len(part.matched(VERSIONS[0]).pairs)
    for versions in VERSIONS[1:]:
        if 2 * most >= len(part.rainy):
            break
        count = len(part.matched(versions).pairs)
        if 2 * most < count:
            best, most = versions, count
    return best


def _kind(part: Part, versions: Versions) -> str:
    names = part.rainy_base.name.lower(), part.clean_base.name.lower()
    if names == ("rainy_image", "ground_truth"):
        return "rain1400"
    if names == ("input", "target"):
        return "rain13k"
    if names == ("leftimg8bit_rain", "leftimg8bit"):
        return "raincityscapes"
    if _most(_NORAIN, part.clean):
        return "rain100"
    if _most(_OUTDOOR, part.rainy):
        return "outdoor"
    if names == ("data", "gt") and _most(_DROP, part.rainy):
        return "raindrop"
    return "rain1400" if versions == "number" else "folders"


def _most(pattern: re.Pattern[str], paths: tuple[Relative, ...]) -> bool:
    """Tell whether half of the names, or more, are as a pattern says."""
    return bool(paths) and 2 * sum(bool(pattern.match(path.stem)) for path in paths) >= len(paths)


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


def _clip_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    """Find folders of frames, of rainy ones and of clean ones that several rainy ones may share."""
    clips = {name: hit for name in children if (hit := _CLIP.match(name)) and tree.below(children[name])}
    for name, hit in clips.items():
        rainy, clean = children[name], children.get(f"{hit[1]}_gt")
        if clean is not None:
            yield Part("nturain", tuple(tree.below(rainy)), tuple(tree.below(clean)), rainy, clean)
        elif _REAL_CLIP.match(name):
            yield Part("nturain", tuple(tree.below(rainy)), (), rainy, rainy, unpaired=True)


def _scene_parts(tree: Tree, folder: Relative, children: dict[str, Relative]) -> Iterator[Part]:
    """Find frames of a camera that stands still, named by rainy or clean and a number."""
    sides: dict[str, list[Relative]] = {"R": [], "C": [], "P": []}
    for path in tree.images.get(folder, ()):
        if hit := _SCENE.match(path.stem):
            sides[hit[2]].append(path)
    rainy, clean, aside = map(tuple, sides.values())
    if rainy and clean:
        yield Part("gtrain", rainy, clean, folder, folder, patterns=_SCENE_KEYS, aside=aside)


_FINDERS = (_jrgr_parts, _flat_parts, _folder_parts, _clip_parts, _scene_parts)


def read_parts(tree: Tree, parts: list[Part], versions: Versions | None = None) -> Found:
    """Pair the images of all parts; `versions` overrides what each part says."""
    found = Found()
    aside = 0
    for part in parts:
        split = split_of(tree.root, part.folder)
        how = part.versions if versions is None else versions
        pairs, problems, lonely = part.matched(how)
        # Where the clean side holds more than the dataset, splits are told below it.
        found.rows += [
            (rainy, clean, split_of(tree.root, rainy.parent) if part.spare else split) for rainy, clean in pairs
        ]
        aside += len(part.aside)
        if part.unpaired:
            paired = {rainy for rainy, _ in pairs}
            found.rows += [(rainy, None, split) for rainy in part.rainy if rainy not in paired]
        else:
            found.problems += problems
        if lonely and (part.unpaired or part.spare):
            found.notes.append(f"{counted(len(lonely), 'clean image')} in '{part.clean_base}' without a rainy one")
        else:
            found.problems += [f"'{path}' has no rainy image in '{part.rainy_base}'" for path in lonely]
        if how == "number" or part.kind == "outdoor":
            found.problems += _fewerchosen_versions(pairs)
    if aside:
        found.notes.append(f"not read: {counted(aside, 'image')} that are estimates of clean ones")
    _tell_rest(tree, parts, found)
    return found


def _tell_rest(tree: Tree, parts: list[Part], found: Found) -> None:
    read = {path for part in parts for path in (*part.rainy, *part.clean, *part.aside)}
    for folder, images in tree.images.items():
        rest = sum(path not in read for path in images)
        if rest and folder.name.lower() in {*RAINY_FOLDERS, *CLEAN_FOLDERS}:
            found.problems.append(f"folder '{folder}' with {counted(rest, 'image')} has no other side beside it")
        elif rest:
            found.notes.append(f"not read: {counted(rest, 'image')} in '{folder}'")


def is_one_sided(tree: Tree) -> bool:
    """Tell whether images lie in a tree and no name speaks of rainy and clean ones."""
    images = tree.images.get(PurePosixPath(), [])
    names = {folder.name.lower() for folder in tree.folders}
    lone = names.isdisjoint([*RAINY_FOLDERS, *CLEAN_FOLDERS]) and not any(_NORAIN.match(p.stem) for p in images)
    return bool(tree.images) and lone


def _fewerchosen_versions(pairs: list[tuple[Relative, Relative]]) -> list[str]:
    counts = Counter(clean for _, clean in pairs)
    most = max(counts.values(), default=0)
    return [f"'{clean}' has {n} rainy images where others have {most}" for clean, n in counts.items() if n < most]


def read_unpaired(tree: Tree) -> Found:
    """Take every image as a rainy one without truth."""
    rows = [(path, None, split_of(tree.root, folder)) for folder, paths in tree.images.items() for path in paths]
    return Found([*rows])


def _quoted(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
