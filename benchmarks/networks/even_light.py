"""How much of what is missing on pairs is light that has no edges: a veil, or a picture that is brighter as a whole.

Pairs differ in more than streaks. Where a set was rendered with a veil, or over a brightened picture, the error of a
method that takes streaks off is that light, which can only be guessed from how a set was made. For each set of
DIR/pairs, as means over pictures: PSNR (y_matlab); how much brighter than the truth the result is, in thousandths of
white; and PSNR when the local mean of the error, over 33 × 33 pixels, is forgiven.

  python -m benchmarks.networks.even_light --data DIR --model refine --model udgnet-small --json results.json
"""

from __future__ import annotations

import math
from typing import Annotated, Any

import numpy as np
import typer
from scipy import ndimage

from benchmarks.common import finish, print_table
from benchmarks.networks.scores import UNTOUCHED
from benchmarks.options import MODEL, Data, Json, Limit, benchmark
from benchmarks.pictures import grey, pairs, sets_of_pairs, to_bytes
from rainnet.evaluate.methods import find_methods

WINDOW = 33  # pixels; a streak is a small part of it
FOOTROOM = 219 / 255  # of full scale, that luma of MATLAB spans

Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A file, or a network that ships; may be given several times."),
]


def measured(result: np.ndarray, clean: np.ndarray) -> tuple[float, float, float]:
    """Return PSNR in dB, brightness over the truth's in thousandths, and PSNR but for the local mean of the error."""
    error = FOOTROOM * (grey(result) - grey(clean)).astype(np.float64)
    rest = error - ndimage.uniform_filter(error, WINDOW, mode="nearest")
    return decibels(error), 1e3 * float(error.mean()) / FOOTROOM, decibels(rest)


def decibels(error: np.ndarray) -> float:
    """Return the PSNR that an error in units of full scale makes."""
    square = float(np.mean(error**2))
    return min(-10 * math.log10(square), UNTOUCHED) if square > 0 else UNTOUCHED


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, model: Models = None, target: Json = None) -> None:
    """Measure on all sets of pairs."""
    folders = sets_of_pairs(data)
    if not folders:
        raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")
    methods: list[Any] = list(find_methods(["input", "rainopt", *(model or [MODEL])], device="cpu"))
    sets: dict[str, Any] = {}
    rows = []
    for folder in folders:
        scores: dict[str, list[tuple[float, float, float]]] = {method.name: [] for method in methods}
        for _, rainy, clean in pairs(folder, limit):
            for method in methods:
                result = np.asarray(method(rainy))
                result = result if result.dtype == np.uint8 else to_bytes(result)
                scores[method.name].append(measured(result, clean))
        sets[folder.name] = {}
        for name, each in scores.items():
            psnr, brighter, rest = (float(np.mean(column)) for column in zip(*each, strict=True))
            sets[folder.name][name] = {"psnr": psnr, "brighter": brighter, "psnr_without_even_light": rest}
            rows.append((folder.name, name, f"{psnr:.2f}", f"{brighter:.1f}", f"{rest:.2f}"))
    print_table("Error that is even light", ("set", "method", "PSNR", "brighter, 1/1000", "PSNR without it"), rows)
    finish({"benchmark": "even_light", "window": WINDOW, "sets": sets}, target)


if __name__ == "__main__":
    main()
