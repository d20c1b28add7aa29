"""Bytes changed without any knowledge of what they mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

NUMBERS: tuple[int, ...] = (
    0,
    1,
    2,
    7,
    8,
    16,
    127,
    128,
    255,
    256,
    4096,
    32767,
    32768,
    65535,
    65536,
    2**24,
    2**31 - 1,
    2**31,
)
NUMBERS += (2**32 - 1, 2**32, 2**63 - 1, 2**64 - 1)
"""Numbers at the edges of what fields hold."""

Change = Callable[[bytearray, Random], None]


def mutated(data: bytes, random: Random, others: Sequence[bytes] = ()) -> bytes:
    """Return bytes with one to four changes; ``others`` are files whose parts may be put in."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 2, 4))):
        if others and random.random() < 0.08:
            changed = _spliced(changed, bytearray(random.choice(others)), random)
        elif changed:
            random.choice(CHANGES)(changed, random)
    return bytes(changed)


def field_changed(data: bytes, random: Random) -> bytes:
    """Return bytes with one number in them replaced by one at the edge of what fields hold."""
    changed = bytearray(data)
    if changed:
        _number(changed, random)
    return bytes(changed)


def _at(data: bytearray, random: Random) -> int:
    # Headers decide more than what follows.
    end = min(len(data), 256) if random.random() < 0.5 else len(data)
    return random.randrange(max(end, 1))


def _length(data: bytearray, random: Random) -> int:
    return min(len(data), random.choice((1, 2, 4, 16, 64, 256, 1024)))


def _flip(data: bytearray, random: Random) -> None:
    for _ in range(random.choice((1, 1, 2, 8))):
        data[_at(data, random)] ^= 1 << random.randrange(8)


def _set(data: bytearray, random: Random) -> None:
    data[_at(data, random)] = random.choice((0, 1, 127, 128, 255, random.randrange(256)))


def _number(data: bytearray, random: Random) -> None:
    width = random.choice((1, 2, 2, 4, 4, 4, 8))
    value = random.choice(NUMBERS) % 2 ** (8 * width)
    at = _at(data, random)
    data[at : at + width] = value.to_bytes(width, random.choice(("little", "big")))[: len(data) - at]


def _cut(data: bytearray, random: Random) -> None:
    del data[random.randrange(len(data)) :]


def _remove(data: bytearray, random: Random) -> None:
    at = _at(data, random)
    del data[at : at + _length(data, random)]


def _erase(data: bytearray, random: Random) -> None:
    at, length = _at(data, random), _length(data, random)
    data[at : at + length] = bytes(min(length, len(data) - at))


def _double(data: bytearray, random: Random) -> None:
    at = _at(data, random)
    data[at:at] = data[at : at + _length(data, random)]


def _insert(data: bytearray, random: Random) -> None:
    at = _at(data, random)
    data[at:at] = random.randbytes(random.choice((1, 2, 3, 4, 17, 300)))


def _move(data: bytearray, random: Random) -> None:
    start, length = _at(data, random), _length(data, random)
    block = data[start : start + length]
    del data[start : start + length]
    at = random.randrange(len(data) + 1)
    data[at:at] = block


def _spliced(data: bytearray, other: bytearray, random: Random) -> bytearray:
    """Return the beginning of one file and the end of another."""
    return data[: _at(data, random) + 1] + other[random.randrange(len(other)) if other else 0 :]


CHANGES: tuple[Change, ...] = (_flip, _flip, _set, _number, _number, _cut, _remove, _erase, _double, _insert, _move)
