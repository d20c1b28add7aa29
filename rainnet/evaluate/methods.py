"""What can be compared: functions from picture to picture, networks, and results that lie in a folder."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from data_tools.layouts.read import Pair
from rainopt.io import READABLE_SUFFIXES

if TYPE_CHECKING:
    from rainnet.models.base import Network

NAMES = ("input", "rainopt")
"""Methods that need no file."""


class MethodError(ValueError):
    """A method that was asked for is not there."""


class Method(Protocol):
    """What removes rain from one picture at a time."""

    @property
    def name(self) -> str:
        """What the report calls it."""

    def __call__(self, rainy: np.ndarray) -> np.ndarray:
        """Return a picture without its rain.

        Parameters
        ----------
        rainy
            (H, W) or (H, W, C) as `rainopt.read_image` returns it: uint8, uint16, or float32 in [0, 1].

        Returns
        -------
        ndarray
            As high and wide; uint8, uint16, or floats in [0, 1].
        """


@dataclass(frozen=True)
class Function:
    """A `Method` made of a name and a function."""

    name: str
    function: Callable[[np.ndarray], np.ndarray]

    def __call__(self, rainy: np.ndarray) -> np.ndarray:
        """Call the function."""
        return self.function(rainy)


@dataclass(frozen=True, eq=False)
class NetworkMethod:
    """A `Method` that is a network.

    Attributes
    ----------
    options
        Keyword arguments of `rainnet.derain`.
    converted
        Whether it was converted from a file of another program.
    """

    name: str
    net: Network
    options: dict[str, Any] = field(default_factory=dict)
    converted: bool = False

    def __call__(self, rainy: np.ndarray) -> np.ndarray:
        """Derain the picture."""
        from rainnet.infer.derain import derain

        background: np.ndarray = derain(self.net, rainy, **self.options).background
        return background


@dataclass(frozen=True)
class Results:
    """Results that a program has left in a folder, with any folders in it."""

    name: str
    folder: Path

    def match(self, pairs: Sequence[Pair], root: Path) -> dict[Path, Path | str]:
        """Return the result of each rainy picture, or a sentence that says why there is none.

        Suffixes need not agree. The name that a pair has in its dataset is looked for first, then its place below
        ``root`` with fewer and fewer of the outer folders, then its own name in any folder. A file that would be the
        result of several pictures is that of none.
        """
        places, stems = defaultdict(list), defaultdict(list)
        for file in pictures_in(self.folder):
            places[file.relative_to(self.folder).with_suffix("").as_posix()].append(file)
            stems[file.stem].append(file)
        found: dict[Path, Path | str] = {}
        for pair in pairs:
            candidates = next((places[key] for key in _places(pair, root) if key in places), stems[pair.rainy.stem])
            if len(candidates) > 1:
                candidates = [file for file in candidates if file.suffix == pair.rainy.suffix] or candidates
            if len(candidates) == 1:
                found[pair.rainy] = candidates[0]
            elif candidates:
                several = " and ".join(f"'{file}'" for file in candidates[:2])
                found[pair.rainy] = f"several results could be its own: {several}"
            else:
                found[pair.rainy] = f"has no result in '{self.folder}'"
        taken = Counter(place for place in found.values() if isinstance(place, Path))
        for rainy, place in found.items():
            if isinstance(place, Path) and taken[place] > 1:
                found[rainy] = (
                    f"shares the result '{place}' with {taken[place] - 1} more; put results into folders, as the rainy "
                    "pictures are"
                )
        return found


def _places(pair: Pair, root: Path) -> list[str]:
    """Return where a result may lie, without suffix, the likeliest first."""
    try:
        parts = pair.rainy.relative_to(root).with_suffix("").parts
    except ValueError:  # a manifest's picture elsewhere
        parts = (pair.rainy.stem,)
    return [pair.name, *("/".join(parts[k:]) for k in range(len(parts)))]


def find_methods(
    words: Sequence[str], *, angle: float | str | None = None, device: str = "auto", ensemble: int = 1
) -> list[Method | Results]:
    """Return the methods that words name; each is called as it was written.

    Parameters
    ----------
    words
        "input", the rainy picture as it is; "rainopt", which needs no training; a file of a network, a folder with
        one, or a network that ships; or a folder of results. A file called "input" is "./input".
    angle
        Direction of the rain in all pictures, in degrees; or "network" or "solver", which finds it where a network
        needs one. None: as `rainnet.derain` and `rainopt.derain` do without being told.
    device
        Where networks run: auto, cpu or cuda:N.
    ensemble
        Of how many mirror images networks take the mean, see `rainnet.derain`.

    Raises
    ------
    MethodError
        If a word names nothing, or a folder holds neither network nor picture.
    ValueError
        If a file is no network.
    """
    return [_find(word, angle, device, ensemble) for word in words]


def _find(word: str, angle: float | str | None, device: str, ensemble: int) -> Method | Results:
    if word == "input":
        return Function(word, _untouched)
    if word == "rainopt":
        return Function(word, _solver(None if isinstance(angle, str) else angle))
    # torch and what needs it only for networks.
    from rainnet.weights.checkpoint import shipped
    from rainnet.zoo import known

    path, ours = Path(word), shipped()
    if word not in ours and path.is_dir() and not any(path.glob("*.safetensors")):
        if not pictures_in(path):
            raise MethodError(f"'{word}' holds neither a network (.safetensors) nor pictures; name another folder")
        return Results(word, path)
    if word not in ours and not path.exists():
        try:
            known(word, [*NAMES, *ours], "method")
        except ValueError as error:
            raise MethodError(f"there is no file or folder '{word}', and {error}") from None
    return _network(word, {"angle": angle, "device": device, "ensemble": ensemble})


def pictures_in(folder: Path) -> list[Path]:
    """Return the picture files in a folder and the folders in it, sorted; hidden ones do not count."""
    return [
        file
        for file in sorted(folder.rglob("*"))
        if file.suffix.lower() in READABLE_SUFFIXES
        and file.is_file()
        and not any(part.startswith(".") for part in file.relative_to(folder).parts)
    ]


def _untouched(rainy: np.ndarray) -> np.ndarray:
    return rainy


def _solver(angle: float | None) -> Callable[[np.ndarray], np.ndarray]:
    """Return `rainopt.derain` as a function of the picture alone."""
    from rainopt import derain

    return lambda rainy: derain(rainy, angle=angle).background


def _network(word: str, options: dict[str, Any]) -> NetworkMethod:
    from rainnet.weights.checkpoint import facts_of, load

    return NetworkMethod(word, load(word), options, "converted_from" in facts_of(word))
