"""Step a2: how fast the variants of kernels are, where a kernel offers several; what to make the default.

A module `rainopt.kernels.<operation>_cuda` may have a function ``variants()`` that returns, by name, functions which
take an image (H, W) of the device and do the work of 50 iterations, or of one call.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.gpu.notes import Notes, arguments
from benchmarks.gpu.place import milliseconds, places
from rainopt.arrays import CUDA, KERNELS

SIZES = {"1024 x 2048": (1024, 2048), "3000 x 4000": (3000, 4000), "512 x 512": (512, 512)}
REHEARSED = {"8 x 9": (8, 9)}


def main() -> None:
    """Time what there is."""
    asked = arguments()
    notes = Notes(asked.notes)
    sizes = REHEARSED if asked.rehearse else SIZES
    place = next(places(notes, asked.rehearse))
    for (operation, kind), entry in KERNELS.items():
        variants: Any = getattr(import_module(entry.split(":")[0]), "variants", None) if kind == CUDA else None
        if variants is None:
            continue
        for title, shape in sizes.items():
            image = place.put(np.random.default_rng(1).random(shape).astype(np.float32))
            for variant, function in variants().items():

                def timed(function: Any = function, image: Any = image) -> dict[str, float | int]:
                    few = 1 if asked.rehearse else 5
                    return milliseconds(place, lambda: function(image), repeat=few, warm=1, seconds=0.5)

                notes.attempt(f"{operation}, {variant}, {title}, {place.name}", timed)
    if not notes.found:
        notes.note("none", "no kernel offers variants")


if __name__ == "__main__":
    main()
