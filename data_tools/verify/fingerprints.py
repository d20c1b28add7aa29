"""Fingerprints of pictures, and which of many are nearly the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator
from typing import TypeVar

import numpy as np

Key = TypeVar("Key", bound=Hashable)

# Bits of 64 in which the fingerprints of one picture, re-encoded or slightly changed, differ at most.
NEAR = 4
# Standard deviation of luminance below which a picture shows nothing.
FLAT = 1 / 255


def fingerprint(grey: np.ndarray) -> int | None:
    """Return a 64-bit perceptual hash (DCT, imagehash), None for a picture that shows nothing."""
    if grey.std() < FLAT:
        return None
    import imagehash
    from PIL import Image

    levels = np.rint(grey * 255).astype(np.uint8)
    bits = imagehash.phash(Image.fromarray(levels)).hash.ravel()
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def near_pairs(prints: Iterable[tuple[Key, int]]) -> Iterator[tuple[Key, Key, int]]:
    """Yield (earlier, later, bits apart) for every two fingerprints that differ in at most `NEAR` bits, each pair once.

    Two such fingerprints agree in at least one of NEAR + 1 pieces, so only those that share a piece are compared.
    """
    width = -(-64 // (NEAR + 1))
    pieces: dict[tuple[int, int], list[tuple[Key, int]]] = defaultdict(list)
    for key, value in prints:
        seen = set[Key]()
        for piece in range(NEAR + 1):
            alike = pieces[piece, value >> (piece * width) & ((1 << width) - 1)]
            for other, its in alike:
                apart = (value ^ its).bit_count()
                if apart <= NEAR and other not in seen:
                    seen.add(other)
                    yield other, key, apart
            alike.append((key, value))
