"""Which split what is made of a video belongs to: drawn by its name, and shared by videos that look alike."""

from __future__ import annotations

import hashlib
from collections.abc import Collection

from data_tools.build.settings import VideoSettings
from data_tools.manifest.record import Split
from data_tools.verify.fingerprints import near_pairs


def leaders(prints: Collection[tuple[str, int]]) -> dict[str, str]:
    """Return for each video the first, by name, of all that look like it, directly or by way of others.

    Parameters
    ----------
    prints
        Names of videos, each with the fingerprint of one of its backgrounds; a video may come several times.
    """
    leader = {name: name for name, _ in prints}

    def first_of(name: str) -> str:
        while leader[name] != name:
            name = leader[name]
        return name

    for (one, _), (other, _), _ in near_pairs(((name, value), value) for name, value in sorted(prints)):
        low, high = sorted((first_of(one), first_of(other)))
        leader[high] = low
    return {name: first_of(name) for name in leader}


def split_of(leader: str, settings: VideoSettings) -> Split:
    """Return the split of a video and of those that look like it, by the name of the first of them."""
    place = draw(settings.seed, leader)
    if place < settings.test_share:
        return "test"
    return "val" if place < settings.test_share + settings.val_share else "train"


def draw(seed: int, name: str) -> float:
    """Return a number in [0, 1) that depends on nothing but seed and name."""
    digest = hashlib.sha256(f"split\0{seed}\0{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64
