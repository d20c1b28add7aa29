"""Small datasets of pairs of smooth pictures and rain over them."""

import numpy as np

from data_tools import RainSpec, add_rain
from data_tools.manifest.file import write_manifest
from data_tools.manifest.record import PairRecord
from tests.support.datasets import put, waves

SIZE = (40, 56)


def clean(seed, size=SIZE):
    """A smooth coloured picture, uint8."""
    return np.rint(waves(size, seed) * 255).astype(np.uint8)


def rainy(seed, size=SIZE):
    """Rain at 10 degrees over it."""
    wet = add_rain(clean(seed, size), RainSpec(angle=10.0, length=12.0), np.random.default_rng(seed)).rainy
    return np.rint(wet * 255).astype(np.uint8)


def rain100(root, numbers=(1, 2, 10)):
    """Write pairs as Rain100L has them."""
    for k in numbers:
        put(root / "rain" / f"rain-{k:03}.png", rainy(k))
        put(root / "norain" / f"norain-{k:03}.png", clean(k))
    return root


def with_manifest(root):
    """Write three pairs of two splits, named by a manifest."""
    records = []
    for k, split in ((1, "train"), (2, "val"), (3, "val")):
        put(root / "wet" / f"{k}.png", rainy(k))
        put(root / "dry" / f"{k}.png", clean(k))
        records.append(PairRecord(id=f"scene{k}", rainy=f"wet/{k}.png", clean=f"dry/{k}.png", split=split))
    write_manifest(root, records)
    return root
