"""Times of packets: where the pictures' go on after another recording begins, and where times of decoding lack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from typing import Any

from rainopt.io.video.common import ANEW


def in_decoding_time(packets: Iterable[Any]) -> Iterator[Any]:
    """Yield the packets that hold something; pictures that lack a time of decoding at their beginning get one.

    Matroska stores no such times, and those of the first pictures can only be told from the ones that follow.
    """
    waiting: dict[int, list[Any]] = {}
    for packet in packets:
        if not packet.size:
            continue
        before = waiting.setdefault(packet.stream.index, [])
        if packet.dts is None and packet.pts is not None and packet.stream.type == "video":
            before.append(packet)
            continue
        step = packet.duration or 1
        for number, one in enumerate(before):
            if packet.dts is not None:
                one.dts = min(one.pts, packet.dts - step * (len(before) - number))
            yield one
        before.clear()
        yield packet
    for before in waiting.values():
        yield from before


class Recordings:
    """Which of several recordings in one file packets belong to, and what is added to their times.

    The time stamps of a stream fall where another recording begins. A stream of few packets need not show it; its
    packets then follow in the file where the pictures begin anew.

    Parameters
    ----------
    shifts : sequence of Fraction
        Seconds to be added in each recording, as the pictures' times say.
    """

    def __init__(self, shifts: Sequence[Fraction]) -> None:
        self._shifts = shifts
        self._last: dict[int, Fraction] = {}
        self._number: dict[int, int] = {}
        self._begin: list[int] = []

    def shift(self, packet: Any, pictures: bool = False) -> Fraction:
        """Return the seconds to be added to the times of the next packet of its stream."""
        index, place = packet.stream.index, packet.pos
        time = packet.dts * Fraction(packet.time_base)
        number = self._number.get(index, 0)
        if index in self._last and self._last[index] - time > ANEW:
            number += 1
            if pictures and place is not None:
                self._begin.append(place)
        if not pictures and place is not None:
            number = max(number, sum(begin <= place for begin in self._begin))
        self._last[index] = time
        self._number[index] = number = min(number, len(self._shifts) - 1)
        return self._shifts[number]
