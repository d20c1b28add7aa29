"""Which clean image belongs to a rainy one, told by their names."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from data_tools.layouts.files import ROOT, natural_key

Versions = Literal["none", "number", "any"]
VERSIONS: tuple[Versions, ...] = ("none", "number", "any")
Relative = PurePosixPath


@dataclass(frozen=True)
class Pair:
    """A rainy image and its truth.

    Attributes
    ----------
    rainy, clean : Path
        The images; `clean` is None where there is no truth.
    scene : str
        The clean image, relative to the dataset's folder, so that rainy versions of one picture share it; the rainy
        image where there is no clean one; or what a manifest says.
    split : str, optional
        "train", "val" or "test", where the layout tells.
    name : str
        Path of the rainy image in the dataset's folder, without suffix where that is enough; or the manifest's id.
    valid : Path, optional
        Mask of the pixels in which the truth can be trusted, above 0 there; None: all of them.
    """

    rainy: Path
    clean: Path | None
    scene: str
    split: str | None
    name: str
    valid: Path | None = None


@dataclass
class Found:
    """What readers found, relative to the root: rows of rainy image, clean image and split, problems, and notes."""

    rows: list[tuple[Relative, Relative | None, str | None]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def pairs(self, root: Path, rainy_base: Relative = ROOT, clean_base: Relative = ROOT) -> list[Pair]:
        """Return the pairs in natural order of their rainy images, named by what is below the bases."""

        def below(path: Relative, base: Relative) -> Relative:
            return path if base == ROOT else path.relative_to(base)

        stems = Counter(rainy.with_suffix("") for rainy, _, _ in self.rows)
        return [
            Pair(
                rainy=root / rainy,
                clean=None if clean is None else root / clean,
                scene=str(below(rainy, rainy_base) if clean is None else below(clean, clean_base)),
                split=split,
                name=str(below(rainy if stems[rainy.with_suffix("")] > 1 else rainy.with_suffix(""), rainy_base)),
            )
            for rainy, clean, split in sorted(self.rows, key=lambda row: natural_key(row[0]))
        ]


class Matched(NamedTuple):
    """Pairs, what is wrong with rainy images that are in none, and clean images that nothing asks for."""

    pairs: list[tuple[Relative, Relative]]
    problems: list[str]
    lonely: list[Relative]


def match(
    rainy: Sequence[Relative],
    clean: Sequence[Relative],
    rainy_base: Relative,
    clean_base: Relative,
    versions: Versions = "none",
) -> Matched:
    """Pair images by their names.

    The closest likeness wins: the same stem; the same but for case; the same without what only says which side it is
    ("rain-", "norain-", "gt", "x2"); the same without leading zeros. Then, if a clean image may have several rainy
    versions, the same without the "_7" at its end ("number"), or without anything after a "_" or "-" ("any").
    Suffixes need not agree, and decide only between clean images of one stem. Subfolders must agree as far as the
    clean side has them.
    """
    index: list[dict[tuple[tuple[str, ...], str], list[Relative]]] = [defaultdict(list) for _ in _LIKENESS]
    for path in clean:
        where = _folders(path, clean_base)
        for level, likeness in enumerate(_LIKENESS):
            index[level][where, likeness(path.stem)].append(path)

    def candidates(path: Relative) -> list[Relative]:
        where = _folders(path, rainy_base)
        for depth in range(len(where), -1, -1):
            for level, likeness in enumerate(_LIKENESS):
                if found := index[level].get((where[:depth], likeness(path.stem))):
                    return found
            for stem in _shorter(path.stem, versions):
                for level, likeness in enumerate(_LIKENESS):
                    if found := index[level].get((where[:depth], likeness(stem))):
                        return found
        return []

    return _paired(rainy, clean, clean_base, candidates)


def match_by(
    patterns: Sequence[re.Pattern[str]],
    rainy: Sequence[Relative],
    clean: Sequence[Relative],
    rainy_base: Relative,
    clean_base: Relative,
) -> Matched:
    """Pair images in whose names patterns find the same, the patterns being tried one after the other.

    A pattern is searched for in the path below the base, without suffix. What it finds are its groups, or all of the
    match where it has none.
    """

    def found_in(pattern: re.Pattern[str], path: Relative, base: Relative) -> tuple[str | None, ...] | None:
        below = path.relative_to(base) if base != ROOT else path
        hit = pattern.search(below.with_suffix("").as_posix())
        return None if hit is None else hit.groups() or (hit[0],)

    index: list[dict[tuple[str | None, ...], list[Relative]]] = [defaultdict(list) for _ in patterns]
    for path in clean:
        for pattern, known in zip(patterns, index, strict=True):
            if (key := found_in(pattern, path, clean_base)) is not None:
                known[key].append(path)

    def candidates(path: Relative) -> list[Relative]:
        for pattern, known in zip(patterns, index, strict=True):
            key = found_in(pattern, path, rainy_base)
            if key is not None and key in known:
                return known[key]
        return []

    return _paired(rainy, clean, clean_base, candidates)


def _paired(
    rainy: Sequence[Relative],
    clean: Sequence[Relative],
    clean_base: Relative,
    candidates: Callable[[Relative], list[Relative]],
) -> Matched:
    pairs, problems, used = [], [], set()
    for path in rainy:
        found = candidates(path)
        used.update(found)
        if len(found) > 1:
            found = [p for p in found if p.suffix.lower() == path.suffix.lower()] or found
        if len(found) == 1:
            pairs.append((path, found[0]))
        elif found:
            names = ", ".join(f"'{p.name}'" for p in found)
            problems.append(f"'{path}' could belong to several clean images in '{clean_base}': {names}")
        else:
            problems.append(f"'{path}' has no clean image in '{clean_base}'")
    return Matched(pairs, problems, [path for path in clean if path not in used])


def _exact(stem: str) -> str:
    return stem


def _folded(stem: str) -> str:
    return unicodedata.normalize("NFC", stem).casefold()


def _core(stem: str) -> str:
    """Return what is left of a stem without what says rainy or clean, or a scale of x2."""
    core = re.sub("(?<=[0-9])x[0-9]$", "", _folded(stem))
    core = re.sub("^(no[-_]?rain|rainy?|clean|gt)([-_ ]+(?=.)|(?=[0-9]))", "", core)
    return re.sub("([-_ ]+|(?<=[0-9]))(no[-_]?rain|rainy?|clean|gt|input|target)$", "", core)


def _number(stem: str) -> str:
    return re.sub("(?<![0-9])0+(?=[0-9])", "", _core(stem))


_LIKENESS: tuple[Callable[[str], str], ...] = (_exact, _folded, _core, _number)


def _shorter(stem: str, versions: Versions) -> Iterator[str]:
    if versions == "number" and (shorter := re.sub("_[0-9]+$", "", stem)) != stem:
        yield shorter
    while versions == "any" and (shorter := re.sub("[-_][^-_]*$", "", stem)) not in ("", stem):
        yield shorter
        stem = shorter


def _folders(path: Relative, base: Relative) -> tuple[str, ...]:
    """Return the folders between base and file; one named X2 says nothing."""
    inner = path.parent.relative_to(base) if base != ROOT else path.parent
    return tuple(name for name in map(_folded, inner.parts) if not re.fullmatch("x[0-9]", name))
