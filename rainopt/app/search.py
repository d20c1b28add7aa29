"""Which files arguments mean: files, folders and globs are searched, and nothing is passed over without a word."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from rainopt.app.kinds import KNOWN, MISSING, Kind
from rainopt.io import READABLE_SUFFIXES
from rainopt.io.own_results import without_results

SHOWN = 10  # names in a sentence; of more, their number


class Input(NamedTuple):
    """A file or folder to work on, its path below the output folder, and what is wrong with it, if something is."""

    source: Path
    relative: Path
    problem: str | None = None


@dataclass
class Found:
    """What arguments mean.

    Attributes
    ----------
    inputs
        What is worked on, nothing twice.
    unread
        Files that look like pictures or videos and are not read, with their suffix in lower case.
    results
        Results of earlier runs, left out.
    links
        Links to folders, which are not followed.
    beside
        Pictures beside videos, where folders of pictures are videos.
    """

    inputs: list[Input]
    unread: dict[str, str] = field(default_factory=dict)
    results: list[Path] = field(default_factory=list)
    links: list[Path] = field(default_factory=list)
    beside: list[Path] = field(default_factory=list)

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what is left out."""
        notes = []
        if self.unread:
            extras = sorted({MISSING[suffix] for suffix in self.unread.values() if suffix in MISSING})
            install = "".join(f", or pip install 'rainopt[{extra}]'" for extra in extras)
            notes.append(f"not read: {_counted(self.unread.values())}; convert them to a format that is{install}")
        if self.results:
            notes.append(f"left out: {named(self.results, 'result')} of earlier runs; named alone they are taken")
        if self.links:
            notes.append(f"not followed: {named(self.links, 'link')} to folders; name those folders themselves")
        if self.beside:
            notes.append(f"left out: {named(self.beside, 'picture')} beside videos; frames need a folder of their own")
        return tuple(notes)


def named(paths: Sequence[str | Path], what: str) -> str:
    """Return "2 results (a.png, b.png)", with a few of the names."""
    return f"{len(paths)} {what}{'' if len(paths) == 1 else 's'} ({some(paths)})"


def some(names: Sequence[str | Path]) -> str:
    """Return a few names, and how many more there are."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(str, names[:SHOWN])) + more


def _counted(suffixes: Iterable[str]) -> str:
    kinds = sorted(Counter(suffixes).items(), key=lambda kind: (-kind[1], kind[0]))
    return ", ".join(f"{count} {suffix}" for suffix, count in kinds)


def find(arguments: Iterable[str | Path], output: Path | None, kind: Kind) -> Found:
    """Search what arguments name, for a command that writes below ``output``, if it writes at all."""
    found = Found([])
    inside = "" if output is None else os.path.join(os.path.realpath(output), "")
    inputs: dict[str, Input] = {}
    for argument in arguments:
        for item in _Search(found, kind, inside).expand(argument):
            inputs.setdefault(os.path.realpath(item.source), item)
    _, left = without_results([item.source for item in inputs.values() if item.problem is None])
    # Frames of a folder that is an input itself were met in the folder above.
    whole = {os.path.realpath(item.source) for item in inputs.values() if os.path.isdir(item.source)}
    found.unread = {
        file: suffix
        for file, suffix in found.unread.items()
        if suffix not in READABLE_SUFFIXES or os.path.dirname(file) not in whole
    }
    out = set(left)
    found.inputs = [item for item in inputs.values() if item.source not in out]
    found.results = sorted({*found.results, *left})
    return found


def is_searched(path: Path, kind: Kind) -> bool:
    """Tell whether a path is a folder that files are looked for in."""
    return os.path.isdir(path) and not (kind.folders and _is_sequence(path, kind))


def _is_sequence(path: Path, kind: Kind) -> bool:
    """Tell whether a folder holds images itself, and no file of the kind."""
    try:
        names = [p.suffix.lower() for p in path.iterdir() if p.is_file() and not p.name.startswith(".")]
    except OSError:
        return False  # the search says what is wrong
    return any(name in READABLE_SUFFIXES for name in names) and not any(name in kind.suffixes for name in names)


@dataclass
class _Search:
    found: Found
    kind: Kind
    inside: str  # what the names of all files in the output folder begin with

    def expand(self, argument: str | Path) -> Iterator[Input]:
        path = Path(argument)
        # `os.path` answers False for names that no file can have, where pathlib raises.
        if os.path.isdir(path):
            yield from self._folder(path)
        elif not os.path.lexists(path) and glob.has_magic(str(argument)):
            yield from self._glob(argument)
        else:
            # A missing file is an input as well: reading it says what is wrong, as it does for a damaged one.
            yield Input(path, Path(path.name))

    def _folder(self, path: Path) -> Iterator[Input]:
        if self.kind.folders and _is_sequence(path, self.kind):
            name = Path(os.path.realpath(path)).name  # also of `.`
            self.found.results += without_results([p for p in path.iterdir() if self._takes(p, READABLE_SUFFIXES)])[1]
            yield Input(path, Path(f"{name}.video"))
            return
        problems: list[OSError] = []
        files, sequences = [], []
        for place, folders, names in os.walk(path, onerror=problems.append):
            if self.kind.nested and not self._is_inside(Path(place)) and _is_sequence(Path(place), self.kind):
                sequences.append(Path(place))
                folders.clear()
                continue
            # Hidden files and folders hold thumbnails and programs.
            folders[:] = [name for name in folders if not name.startswith(".")]
            self.found.links += [link for name in folders if os.path.islink(link := Path(place, name))]
            files += [file for name in names if self._takes(file := Path(place, name), self.kind.suffixes)]
        for problem in problems:
            yield Input(
                Path(problem.filename),
                Path(),
                f"'{problem.filename}' cannot be listed ({problem.strerror}); ask for the right to read it",
            )
        if not files and not sequences and not problems:
            inside = os.path.join(os.path.realpath(path), "")
            unread = [suffix for place, suffix in self.found.unread.items() if place.startswith(inside)]
            there = f" that is read, but {_counted(unread)}; read are" if unread else ""
            yield Input(
                path, Path(), f"'{path}' holds no {self.kind.name}{there} ({', '.join(sorted(self.kind.suffixes))})"
            )
        for file in sorted(files + sequences):
            below = file.relative_to(path)
            yield Input(file, below.with_name(f"{below.name}.video") if file in sequences else below)

    def _glob(self, argument: str | Path) -> Iterator[Input]:
        matches = sorted(Path(p) for p in glob.glob(str(argument), recursive=True))
        taken = [
            p for p in matches if (os.path.isdir(p) and not self._is_inside(p)) or self._takes(p, self.kind.suffixes)
        ]
        if not taken:
            what = f"matches no {self.kind.name}" if matches else "matches no file"
            yield Input(Path(argument), Path(), f"'{argument}' {what}")
        for match in taken:
            yield from self.expand(match)

    def _takes(self, path: Path, suffixes: frozenset[str]) -> bool:
        """Tell whether a file that was met is worked on, and note one that looks as if it were."""
        suffix = path.suffix.lower()
        # A link to what is gone is named by the error of reading it.
        if suffix not in KNOWN or path.name.startswith(".") or os.path.isdir(path):
            return False
        if suffix not in suffixes or not (os.path.isfile(path) or os.path.islink(path)):
            if self.kind.nested and suffix in READABLE_SUFFIXES and not self._is_inside(path):
                self.found.beside.append(path)
            elif not self._is_inside(path):
                self.found.unread[os.path.realpath(path)] = suffix
            return False
        if self._is_inside(path):
            self.found.results.append(path)
            return False
        return True

    def _is_inside(self, path: Path) -> bool:
        """Tell whether a path is the output folder or lies in it: it holds results, not photographs."""
        return bool(self.inside) and os.path.join(os.path.realpath(path), "").startswith(self.inside)
