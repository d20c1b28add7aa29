"""Whether rainy pictures of one scene without a clean one belong together: a network learns from two of them that what
lies behind their rain is the same.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping

from data_tools.manifest.pictures import Picture
from data_tools.verify.pair_checks import Checked, Finding

# Bits of 64 in which the fingerprint of a frame may differ from what most frames of its scene have. Frames of rendered
# clips, in rain of all presets, differ in 12 at most, and pictures of different places in 28 and more.
UNLIKE = 20


def check_sequences(checked: Iterable[Checked], pictures: Mapping[str, Picture]) -> Iterator[Finding]:
    """Yield what is wrong with the frames of scenes that have no clean picture: other sizes, frames that are there
    twice by what ``pictures``, by the names of the pairs, say of their checksums, and frames of other places.
    """
    scenes: dict[str, list[Checked]] = defaultdict(list)
    for one in checked:
        if one.pair.clean is None:
            scenes[one.pair.scene].append(one)
    for scene, frames in scenes.items():
        if len(frames) > 1:
            yield from _sizes(scene, frames)
            yield from _repeated(frames, pictures)
            yield from _unlike(scene, frames)


def _sizes(scene: str, frames: list[Checked]) -> Iterator[Finding]:
    usual = next(iter(Counter(one.size for one in frames if one.size).most_common(1)), None)
    for one in frames:
        if usual is not None and one.size is not None and one.size != usual[0]:
            here, there = (f"{rows} x {columns}" for rows, columns in (one.size, usual[0]))
            yield Finding("size", one.pair.name, f"is {here} pixels, and most of scene '{scene}' {there}")


def _repeated(frames: list[Checked], pictures: Mapping[str, Picture]) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for one in frames:
        picture = pictures.get(one.pair.name)
        digest = None if picture is None else picture.checksums.get(picture.rainy)
        if digest is not None and seen.setdefault(digest, one.pair.name) != one.pair.name:
            yield Finding("repeated", one.pair.name, f"is the same file as '{seen[digest]}', of the same scene")


def _unlike(scene: str, frames: list[Checked]) -> Iterator[Finding]:
    prints = [one.fingerprint for one in frames if one.fingerprint is not None]
    usual = sum(1 << bit for bit in range(64) if 2 * sum(one >> bit & 1 for one in prints) > len(prints))
    for one in frames:
        if one.fingerprint is not None and (apart := (one.fingerprint ^ usual).bit_count()) > UNLIKE:
            message = f"looks unlike the other frames of scene '{scene}' ({apart} of 64 bits); is it another place?"
            yield Finding("unlike", one.pair.name, message)
