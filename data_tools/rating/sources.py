"""The pictures of a study: what has the same name in the folders of all sources."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple


class StudyError(ValueError):
    """The folders make no study; the message says why and what to do."""


class Picture(NamedTuple):
    """One picture: where it is from, its name (the path in its folder, without suffix), and its file."""

    source: str
    name: str
    path: Path


@dataclass
class Pictures:
    """What is rated, and what is not.

    Attributes
    ----------
    sources
        Names of the sources, in the order in which they were given.
    chosen
        What is rated.
    unmatched
        Names that some sources lack, with those that have them.
    failed
        Files that cannot be shown, with what is wrong.
    """

    sources: tuple[str, ...]
    chosen: list[Picture] = field(default_factory=list)
    unmatched: dict[str, list[str]] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def gather(
    folders: Sequence[Path],
    *,
    count: int | None = None,
    seed: int = 0,
    everything: bool = False,
    check: Callable[[Path], object] | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Pictures:
    """Find the pictures of a study.

    Parameters
    ----------
    folders
        One for each source, searched with all its sub-folders; a source is called like its folder.
    count
        So many names are drawn by chance; all by default. With ``everything``, so many of each source.
    seed
        The same seed draws the same.
    everything
        Take pictures whose names other sources lack as well, as a study of unrelated pictures does.
    check
        Reads a file; what it raises (OSError, ValueError) says that the picture cannot be shown. Then its name is
        left out of all sources, so that all are still rated on the same pictures; with ``everything`` it alone is.
    progress
        Told how many files of how many are checked.

    Raises
    ------
    StudyError
        If a folder is none or holds no picture, or nothing is left to rate.
    """
    sources = _named(folders)
    pictures = Pictures(tuple(sources))
    found = {source: _listed(source, folder, pictures) for source, folder in sources.items()}
    names = sorted(set().union(*found.values()))
    if not everything:
        for name in names:
            having = [source for source in sources if name in found[source]]
            if len(having) < len(sources):
                pictures.unmatched[name] = having
        names = [name for name in names if name not in pictures.unmatched]
        drawn = set(_drawn(names, count, f"{seed}"))
        found = {source: {n: path for n, path in there.items() if n in drawn} for source, there in found.items()}
    else:
        # Each source draws its own, and sources that share names do not draw the same.
        found = {
            source: {name: there[name] for name in _drawn(sorted(there), count, f"{seed}\0{source}")}
            for source, there in found.items()
        }
    chosen = [Picture(source, name, path) for source, there in found.items() for name, path in there.items()]
    bad = _damaged(chosen, check, progress, pictures)
    left_out = set() if everything else {picture.name for picture in bad}
    pictures.chosen = [one for one in chosen if one not in bad and one.name not in left_out]
    if not pictures.chosen:
        raise StudyError(_nothing(pictures, len(folders)))
    return pictures


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Return the sources by their names: those of the folders, or their whole paths where names are the same."""
    for folder in folders:
        if not folder.is_dir():
            what = "is a file" if folder.exists() else "does not exist"
            raise StudyError(f"'{folder}' {what}; name a folder of pictures for each source")
    places = Counter(os.path.realpath(folder) for folder in folders)
    twice = next((folder for folder in folders if places[os.path.realpath(folder)] > 1), None)
    if twice is not None:
        raise StudyError(f"'{twice}' is named twice; name each source once")
    names = Counter(Path(os.path.realpath(folder)).name for folder in folders)
    named = {}
    for folder in folders:
        name = Path(os.path.realpath(folder)).name
        named[name if names[name] == 1 else str(folder)] = folder
    return named


def _listed(source: str, folder: Path, pictures: Pictures) -> dict[str, Path]:
    """Return the pictures of a folder by their names; of two files of one name neither is taken."""
    from rainopt.app.kinds import READABLE

    found: dict[str, list[Path]] = {}
    problems: list[OSError] = []
    for place, inner, files in os.walk(folder, onerror=problems.append):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        for file in sorted(files):
            path = Path(place, file)
            if path.suffix.lower() in READABLE and not file.startswith("."):
                found.setdefault(path.relative_to(folder).with_suffix("").as_posix(), []).append(path)
    for problem in problems:
        pictures.failed[str(problem.filename)] = f"'{problem.filename}' cannot be listed ({problem.strerror})"
    for name, paths in found.items():
        if len(paths) > 1:
            both = " and ".join(f"'{path.name}'" for path in paths)
            pictures.failed[str(paths[0])] = f"'{folder}' holds {both}: which is '{name}' of {source}? Neither is taken"
    if not found:
        raise StudyError(f"'{folder}' holds no picture")
    return {name: paths[0] for name, paths in found.items() if len(paths) == 1}


def _drawn(names: Sequence[str], count: int | None, seed: str) -> Sequence[str]:
    """Return some of the names, by chance."""
    if count is None or count >= len(names):
        return names
    return sorted(sorted(names, key=lambda name: digest(seed, name))[:count])


def digest(*parts: str) -> bytes:
    """Return what orders things by chance, the same on every machine and whatever else there is to be ordered."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).digest()


def _damaged(
    chosen: Sequence[Picture],
    check: Callable[[Path], object] | None,
    progress: Callable[[int, int], object],
    pictures: Pictures,
) -> set[Picture]:
    bad = set()
    for k, picture in enumerate(chosen if check else ()):
        try:
            check(picture.path)  # type: ignore[misc]
        except (OSError, ValueError) as error:
            pictures.failed[str(picture.path)] = str(error)
            bad.add(picture)
        progress(k + 1, len(chosen))
    return bad


def _nothing(pictures: Pictures, folders: int) -> str:
    if pictures.failed:
        return f"no picture is left to rate; {next(iter(pictures.failed.values()))}"
    return (
        f"no name is in all {folders} folders ('{next(iter(pictures.unmatched), '')}' is not); pictures are matched by "
        "their names without suffix, and --unmatched rates those that have none"
    )
