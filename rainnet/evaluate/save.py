"""The results of a comparison as files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from data_tools.layouts.read import Pair
from rainnet.evaluate.compare import Compared
from rainopt.io import ImageFileError, write_image


class Saver:
    """Writes what methods made of each picture to ``folder/METHOD/NAME.png``, at the depth that was scored.

    Floats are written with 16 bits. The folder of a method is one that it can be compared from again.

    Parameters
    ----------
    folder
        Where to; made where it is not there.
    methods
        Names of those whose results are written.
    overwrite
        Whether files that are there are replaced.

    Attributes
    ----------
    failures
        A sentence for each file that could not be written.

    Raises
    ------
    ValueError
        If two methods would share a folder.
    """

    def __init__(self, folder: Path, methods: Sequence[str], *, overwrite: bool = False) -> None:
        self.overwrite = overwrite
        self.failures: list[str] = []
        self._folders = {name: folder / _plain(name) for name in methods}
        if len(set(self._folders.values())) < len(methods):
            raise ValueError(f"`methods` would share a folder in '{folder}': {', '.join(methods)}; rename one")

    def places(self, pairs: Sequence[Pair]) -> Iterator[Path]:
        """Yield all files that would be written for pairs."""
        for name in self._folders:
            yield from (self._place(name, pair) for pair in pairs)

    def __call__(self, compared: Compared) -> None:
        """Write the results of one picture."""
        for name in self._folders:
            if name not in compared.results:
                continue
            result, place = compared.results[name], self._place(name, compared.pair)
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                bits = 16 if result.dtype.kind == "f" else None
                write_image(place, result, bits=bits, overwrite=self.overwrite)
            except ImageFileError as error:
                self.failures.append(str(error))
            except OSError as error:
                self.failures.append(f"'{place}' cannot be written ({error.strerror or error}); check its folder")

    def _place(self, name: str, pair: Pair) -> Path:
        # The name may be an id of a manifest, and what is in an id must not lead out of the folder.
        parts = [part for part in PurePosixPath(pair.name).parts if part not in ("/", "..")]
        return self._folders[name].joinpath(*parts[:-1], f"{parts[-1] if parts else '_'}.png")


def _plain(name: str) -> str:
    """Return the name of a method, which may be a path, as that of a folder."""
    return re.sub(r"[^\w+-]+", "_", name.removesuffix(".safetensors")).strip("_") or "_"
