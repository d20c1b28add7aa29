"""Pairs of any two folders: one of rainy images, one of clean ones, wherever they lie."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

from data_tools.layouts.files import LayoutError, counted, scan, split_of
from data_tools.layouts.folders import Part, chosen_versions
from data_tools.layouts.match import Found
from data_tools.layouts.read import Layout
from rainopt.io import READABLE_SUFFIXES


class MatchError(LayoutError):
    """What tells which images belong together is no regular expression."""


def read_two_folders(rainy: str | os.PathLike[str], clean: str | os.PathLike[str], match: str | None = None) -> Layout:
    """Pair the images of two folders.

    Without `match`, names must be alike as in any other dataset: equal but for case, for zeros before numbers, and
    for words such as "rain" or "gt" at either end; or the rainy ones are versions of a clean one, such as "7_1" and
    "7_2" of "7". Sub-folders must agree as far as the clean side has them.

    Parameters
    ----------
    rainy, clean : str or path-like
        Folders, searched with their sub-folders. Where one lies in the other, its images are on its own side alone.
    match : str, optional
        Regular expression that is searched for in each image's path below its folder, without suffix. Images belong
        together if it finds the same in both: its groups, or all of it where it has none.

    Returns
    -------
    Layout
        Of the name "folders". Pairs are called as their rainy images are in their folder.

    Raises
    ------
    LayoutError
        If one is no folder that can be listed, both are one, or no pair is whole.
    MatchError
        If `match` is no regular expression.
    """
    patterns = _patterns(match)
    folders = _folder(rainy, "rainy"), _folder(clean, "clean")
    real = [os.path.join(os.path.realpath(folder), "") for folder in folders]
    if real[0] == real[1]:
        raise LayoutError(f"'{rainy}' cannot be the folder of the rainy and of the clean images; name two folders")
    bases = [PurePosixPath(folder.as_posix()) for folder in folders]
    images = [
        [base / path for path in _images(folder, other)]
        for folder, other, base in zip(folders, reversed(real), bases, strict=True)
    ]
    part = Part("folders", tuple(images[0]), tuple(images[1]), bases[0], bases[1], patterns=patterns)
    pairs, problems, lonely = part.matched(chosen_versions(part))
    found = Found(
        [(one, other, split_of(folders[0], one.parent.relative_to(bases[0]))) for one, other in pairs],
        problems + [f"'{path}' has no rainy image in '{bases[0]}'" for path in lonely],
    )
    if not pairs:
        how = "whose names are alike; tell with `match` what they share" if match is None else f"that share '{match}'"
        raise LayoutError(
            f"'{rainy}' with {counted(len(images[0]), 'image')} and '{clean}' with {counted(len(images[1]), 'image')} "
            f"hold no two images {how}: {'; '.join(problems[:2])}"
        )
    return Layout("folders", _above(folders), tuple(found.pairs(Path(), *bases)), tuple(found.problems), named=folders)


def _folder(path: str | os.PathLike[str], side: str) -> Path:
    # An unset variable of a shell becomes "", and Path("") is the folder that one is in.
    if not os.fspath(path):
        raise LayoutError(f"`{side}` must name a folder, got ''; is a variable unset?")
    if not os.path.isdir(path):
        raise LayoutError(f"'{path}' is no folder; name the folder of the {side} images")
    return Path(path)


def _images(folder: Path, other: str) -> list[PurePosixPath]:
    """Return the images below a folder that are not in the other one."""
    tree = scan(folder)
    found = [
        path
        for parent, paths in tree.images.items()
        if not os.path.join(os.path.realpath(folder / parent), "").startswith(other)
        or os.path.join(os.path.realpath(folder), "").startswith(other)
        for path in paths
    ]
    if not found:
        raise LayoutError(f"'{folder}' holds no image ({', '.join(sorted(READABLE_SUFFIXES))}); name another")
    return found


def _patterns(match: str | None) -> tuple[re.Pattern[str], ...]:
    if match is None:
        return ()
    try:
        return (re.compile(match),)
    except re.error as error:
        raise MatchError(f"`match` must be a regular expression, got '{match}' ({error})") from None


def _above(folders: tuple[Path, Path]) -> Path:
    """Return the folder that both lie in."""
    try:
        return Path(os.path.commonpath(folders))
    except ValueError:  # one is absolute and one is not
        pass
    try:
        return Path(os.path.commonpath([folder.absolute() for folder in folders]))
    except ValueError:  # on two disks of Windows
        return folders[0]
