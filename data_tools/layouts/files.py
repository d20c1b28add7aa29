"""What lies in a dataset's folder, in natural order, and what names say about splits."""

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from rainopt.io import READABLE_SUFFIXES
from rainopt.io.own_results import without_results

ROOT = PurePosixPath()

_SPLIT_WORDS = {
    word: split
    for split, words in {"train": "train training", "val": "val valid validation", "test": "test testing"}.items()
    for word in words.split()
}


class LayoutError(ValueError):
    """A folder that is no dataset known here; the message says what was looked for and what is there."""


def natural_key(path: str | PurePosixPath) -> tuple[object, str]:
    """Return a sorting key that puts 2 before 10, folder by folder."""
    return tuple(tuple(map(_chunk, re.split("([0-9]+)", name))) for name in str(path).split("/")), str(path)


def _chunk(text: str) -> tuple[int, str]:
    """Return a number by its size, as its length without zeros tells it, and text by itself."""
    if not text.isdecimal():
        return 0, text
    digits = text.lstrip("0")
    return 1 + len(digits), digits


def counted(number: int, noun: str) -> str:
    """Return number and noun, such as "1 image" or "2 images"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def is_image(name: str) -> bool:
    """Tell whether a name is that of an image that is not hidden."""
    return not name.startswith(".") and os.path.splitext(name)[1].lower() in READABLE_SUFFIXES


@dataclass
class Tree:
    """Images, texts and folders below a root, by folder, all relative to the root and in natural order."""

    root: Path
    images: dict[PurePosixPath, list[PurePosixPath]] = field(default_factory=dict)
    texts: list[PurePosixPath] = field(default_factory=list)
    folders: dict[PurePosixPath, list[PurePosixPath]] = field(default_factory=dict)

    @property
    def image_count(self) -> int:
        """How many images there are, in all folders."""
        return sum(map(len, self.images.values()))

    def below(self, folder: PurePosixPath) -> list[PurePosixPath]:
        """Return the images in a folder and in the folders in it."""
        found = list(self.images.get(folder, ()))
        for child in self.folders.get(folder, ()):
            found += self.below(child)
        return found


def scan(root: Path) -> Tree:
    """List a folder and all below it, following links; hidden files and folders do not count."""
    tree = Tree(root)
    _scan(tree, ROOT, frozenset())
    return tree


def _scan(tree: Tree, folder: PurePosixPath, above: frozenset[str]) -> None:
    place = tree.root / folder
    real = os.path.realpath(place)
    if real in above:  # a link back to where we come from
        return
    images, folders = [], []
    try:
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name == "__MACOSX":
                    continue
                if entry.is_dir():
                    folders.append(folder / entry.name)
                elif is_image(entry.name):
                    images.append(folder / entry.name)
                elif entry.name.lower().endswith(".txt"):
                    tree.texts.append(folder / entry.name)
    except OSError as error:
        raise LayoutError(f"'{place}' cannot be listed ({error.strerror or error})") from error
    if images:
        tree.images[folder] = sorted(images, key=natural_key)
    tree.folders[folder] = sorted(folders, key=natural_key)
    for child in tree.folders[folder]:
        _scan(tree, child, above | {real})
    if not above:
        tree.texts.sort(key=natural_key)


def without_own_results(tree: Tree) -> tuple[Tree, list[str]]:
    """Return a tree without what this project wrote among other images, and a sentence about that."""
    places = {tree.root / path: path for paths in tree.images.values() for path in paths}
    _, left = without_results(list(places))
    if not left:
        return tree, []
    gone = {places[place] for place in left}
    kept = {folder: [path for path in paths if path not in gone] for folder, paths in tree.images.items()}
    images = {folder: paths for folder, paths in kept.items() if paths}
    note = f"left out: {counted(len(left), 'result')} of earlier runs, such as '{places[left[0]]}'"
    return replace(tree, images=images), [note]


def split_of(root: Path, folder: PurePosixPath) -> str | None:
    """Return the split that the names of folders tell, the innermost first.

    The root's own name counts where it is a word such as "testing", or that of a public dataset's part, such as
    "RainTrainL", "rain_data_test_Heavy" or "Test100".
    """
    names = list(folder.parts)
    root_name = root.resolve().name
    if root_name.lower() in _SPLIT_WORDS or re.fullmatch("(rain|real).*|test[0-9]+", root_name, re.IGNORECASE):
        names.insert(0, root_name)
    for name in reversed(names):
        for word in re.findall("[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name):
            if word.lower() in _SPLIT_WORDS:
                return _SPLIT_WORDS[word.lower()]
    return None


class Finder:
    """Find files by the names that a list gives, each folder listed once; a name's case may differ."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[PurePosixPath, dict[str, list[str]]] = {}

    def __call__(self, path: PurePosixPath) -> PurePosixPath | None:
        """Return the file's true path, or None if there is none."""
        if path.parent not in self._known:
            names = defaultdict(list)
            try:
                for name in os.listdir(self._root / path.parent):
                    names[name.casefold()].append(name)
            except (OSError, ValueError):  # no such folder, or a name that none can have
                pass
            self._known[path.parent] = names
        same = self._known[path.parent].get(path.name.casefold(), [])
        if path.name in same:
            return path
        return path.parent / same[0] if len(same) == 1 else None
