"""The network as an ONNX file that onnxruntime runs, on pictures of any size."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.checks import require_whole
from rainopt.geometry.tiles import equal_spans
from rainopt.parallel.threads import num_threads

PACKAGED = Path(__file__).with_name("refine.onnx")
"""The network that ships, as ``rainnet export refine --core -o rainopt/refine/refine.onnx --overwrite`` writes it."""
MISSING = "refining needs onnxruntime, which is not installed: pip install 'rainopt[refine]'"
TILE = 1024
"""Side in pixels of the part of a tile that counts, where none is asked for."""
FEATHER = 8
"""Pixels over which neighbours are blended, so that rounding draws no line."""

Progress = Callable[[float], None]


class Core:
    """A network that takes upright pictures with the solver's layer, and says what is to be removed from them.

    Parameters
    ----------
    path
        A file that ``rainnet export --core`` wrote of a network that begins with the solver's layer.
    threads
        That onnxruntime computes with.

    Attributes
    ----------
    channels
        Of the pictures, without the layer.
    multiple
        Of pixels, on which the network's grid begins anew.

    Raises
    ------
    ModuleNotFoundError
        Without the extra ``refine``.
    ValueError
        If the file is of another kind of network.
    """

    def __init__(self, path: Path, threads: int) -> None:
        runtime = require_runtime()
        options = runtime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that wait for work in a loop would take it from those of the solver.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        said = self._session.get_modelmeta().custom_metadata_map
        inputs = self._session.get_inputs()
        if "reach" not in said or [entry.name for entry in inputs] != ["upright"]:
            raise ValueError(f"'{path}' is not the core of a network that works in tiles, as `rainnet export --core`")
        self.multiple, self._reach = int(said["multiple"]), int(said["reach"])
        self.channels = int(inputs[0].shape[1]) - 1

    def removed(self, planes: np.ndarray, tile: int | None = None, progress: Progress | None = None) -> np.ndarray:
        """Return what is to be removed from an upright picture.

        Parameters
        ----------
        planes
            (C + 1, H, W) float32 in [0, 1], the solver's layer being the last.
        tile
            Side in pixels of the tiles that a large picture is cut into, each with its surroundings, so that the result
            is that of the whole; None: `TILE`; 0: none.
        progress
            Called with the share done, below 1.

        Returns
        -------
        ndarray
            (C, H, W) float32.
        """
        side = TILE if tile is None else tile if tile == 0 else require_whole(tile, "tile")
        height, width = planes.shape[-2:]
        # The last row and column are repeated until the sides are multiples.
        down, right = -height % self.multiple, -width % self.multiple
        padded = np.pad(planes, ((0, 0), (0, down), (0, right)), mode="edge") if down or right else planes
        rows, columns = (equal_spans(length, side, self._reach, FEATHER, self.multiple) for length in padded.shape[-2:])
        total = np.zeros((self.channels, *padded.shape[-2:]), np.float32)
        pieces = [(one, other) for one in rows for other in columns]
        for done, (one, other) in enumerate(pieces):
            piece = np.ascontiguousarray(padded[:, one.pixels, other.pixels])
            (removed,) = self._session.run(["removed"], {"upright": piece[None]})
            total[:, one.pixels, other.pixels] += one.window[:, None] * other.window * removed[0]
            if progress and done + 1 < len(pieces):
                progress((done + 1) / len(pieces))
        return total[:, :height, :width]


def require_runtime() -> Any:
    """Return onnxruntime.

    Raises
    ------
    ModuleNotFoundError
        If it is not installed, with the extra that brings it.
    """
    # Some builds tell their makers of each model that is opened, and note a number of the machine in a temporary file.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING, name=error.name) from error
    return onnxruntime


def core(path: Path = PACKAGED) -> Core:
    """Return a network, opened once in each process and for each number of threads."""
    return _opened(path, num_threads())


@cache
def _opened(path: Path, threads: int) -> Core:
    return Core(path, threads)
