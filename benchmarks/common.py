"""Clocks, made pictures, tables and the environment, for all benchmarks."""

from __future__ import annotations

import json
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from rainopt.image import luminance, split_channels
from rainopt.parallel.threads import num_threads

PACKAGES: tuple[str, ...] = (
    "rainopt",
    "numpy",
    "scipy",
    "numba",
    "pillow",
    "scikit-image",
    "pylops",
    "pyproximal",
    "cvxpy",
    "clarabel",
)
PACKAGES += ("av", "opencv-python-headless")


@dataclass(frozen=True)
class Timing:
    """Repeated wall times of one task, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median: robust against the odd interruption."""
        return statistics.median(self.seconds)

    def as_dict(self) -> dict[str, Any]:
        """Return median, least and most for a report."""
        return {
            "median_s": self.median,
            "min_s": min(self.seconds),
            "max_s": max(self.seconds),
            "repeats": len(self.seconds),
        }


def timed(function: Callable[[], Any], repeat: int, warm: int = 1) -> tuple[Timing, Any]:
    """Call ``function`` ``warm`` times without and ``repeat`` times with the clock; return times and last result."""
    result = None
    for _ in range(warm):
        result = function()
    seconds = []
    for _ in range(repeat):
        start = time.perf_counter()
        result = function()
        seconds.append(time.perf_counter() - start)
    return Timing(tuple(seconds)), result


def environment() -> dict[str, Any]:
    """Return versions and core counts: what a reader needs to compare, and nothing that names a computer or a day."""
    versions: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": num_threads(),
        "versions": versions,
    }


def photograph(height: int, width: int) -> np.ndarray:
    """Return a natural colour picture (H, W, 3) uint8 of any size, made of three sample photographs of scikit-image.

    The photographs, mirrored up to 512 × 512, are laid out as tiles at their own resolution, so that the detail is that
    of a photograph and not of an enlargement; each row of tiles starts with another photograph. A picture that fits
    into one of them is cut out of its middle.
    """
    from skimage import data

    sources = [data.astronaut(), data.coffee(), data.chelsea()]
    for source in sources[1:]:
        top, left = (source.shape[0] - height) // 2, (source.shape[1] - width) // 2
        if top >= 0 and left >= 0:
            return np.ascontiguousarray(source[top : top + height, left : left + width])
    cells = [_mirrored(source, 512) for source in sources]
    down, right = -(-height // 512), -(-width // 512)
    rows = [np.concatenate([cells[(i + j) % 3] for j in range(right)], axis=1) for i in range(down)]
    return np.ascontiguousarray(np.concatenate(rows, axis=0)[:height, :width])


def large_photograph(height: int, width: int) -> np.ndarray:
    """Return `photograph` of half the size enlarged twice: cameras of many pixels record less detail for each."""
    from PIL import Image

    half = Image.fromarray(photograph(-(-height // 2), -(-width // 2)))
    return np.asarray(half.resize((width, height), Image.Resampling.BICUBIC))


def rainy_photograph(height: int, width: int, angle: float = 0.0, scale: float = 1.0, seed: int = 0) -> np.ndarray:
    """Return a photograph with medium synthetic rain, uint8; ``scale`` enlarges scene and streaks together (1 or 2)."""
    from data_tools import RainSpec, add_rain

    clean = large_photograph(height, width) if scale > 1 else photograph(height, width)
    spec = RainSpec(angle=angle, length=40.0 * scale, width=1.5 * scale, density=5000.0 / scale**2)
    rainy = add_rain(clean, spec, np.random.default_rng(seed)).rainy
    return np.rint(rainy * 255).astype(np.uint8)


def rainy_luminance(height: int, width: int, dtype: Any = np.float32) -> np.ndarray:
    """Return the luminance (H, W) of a photograph with upright synthetic rain, in [0, 1]."""
    colour = split_channels(rainy_photograph(height, width)).colour
    return np.ascontiguousarray(luminance(colour), dtype=dtype)


def _mirrored(image: np.ndarray, side: int) -> np.ndarray:
    image = image[:side, :side]
    return np.pad(image, ((0, side - image.shape[0]), (0, side - image.shape[1]), (0, 0)), mode="symmetric")


def print_table(title: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table: text to the left, numbers to the right."""
    from rich.console import Console
    from rich.table import Table

    texts = [[str(cell) for cell in row] for row in rows]
    table = Table(title=title, title_justify="left")
    for k, name in enumerate(header):
        left = k == 0 or any(row[k] and not _is_number(row[k]) for row in texts)
        table.add_column(name, justify="left" if left else "right", overflow="fold")
    for row in texts:
        table.add_row(*row)
    console = Console()
    # Into a file or a pipe a table is written whole, however wide.
    (console if console.is_terminal else Console(width=160)).print(table)


def _is_number(text: str) -> bool:
    return text[:1] in "+-0123456789"


def finish(results: dict[str, Any], path: Path | None) -> None:
    """Write ``results`` with the environment to ``path``, or print the JSON where no path is given."""
    text = json.dumps({"environment": environment(), **results}, indent=2, allow_nan=False) + "\n"
    if path is None:
        print(text, end="")
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
