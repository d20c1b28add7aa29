"""Recordings put together in one file: sound and subtitles go on where the pictures do."""

from fractions import Fraction
from types import SimpleNamespace

import av
import pytest

from rainopt.io.video.anew import Recordings
from rainopt.io.video.read import open_video
from rainopt.io.video.write import join_parts
from tests.support.clips import blocks, coded, save
from tests.support.tracks import packets_of


def packet(index, seconds, place=None):
    return SimpleNamespace(
        stream=SimpleNamespace(index=index), dts=round(1000 * seconds), time_base=Fraction(1, 1000), pos=place
    )


@pytest.mark.parametrize(("count", "suffix"), [(2, ".mp4"), (3, ".mkv"), (3, ".nut")])
def test_sound_goes_on_with_the_pictures(tmp_path, count, suffix):
    """In each recording, a packet of sound is shown as long after the first picture as in the recording alone."""
    one = coded(tmp_path / "one.ts", blocks(50), sound=True, begin=9)
    source, target = tmp_path / "a.ts", tmp_path / f"b{suffix}"
    source.write_bytes(count * one.read_bytes())
    video = open_video(source)
    times = [frame.time for frame in video.frames()]
    assert len(video.shifts) == count
    part = save(tmp_path / "part.nut", blocks(len(times)), times)
    join_parts([part], target, rest_from=source, shifts=video.shifts)
    alone = [time for time, _ in packets_of(one, "audio")]
    start = open_video(one).time_base and _start(one)
    wanted = [time - start + times[50 * k] - times[0] for k in range(count) for time in alone]
    got = [time for time, _ in packets_of(target, "audio")]
    assert len(got) >= len(wanted) - count  # where one ends when the next has begun, a packet gives way
    assert all(min(abs(time - other) for other in wanted) <= Fraction(1, 1000) for time in got)


def _start(path):
    with av.open(str(path)) as container:
        return Fraction(container.start_time, av.time_base)


def test_a_stream_of_few_packets_follows_its_place_in_the_file():
    shifts = [Fraction(0), Fraction(10), Fraction(20)]
    recordings = Recordings(shifts)
    assert recordings.shift(packet(0, 0, 0), pictures=True) == 0
    assert recordings.shift(packet(1, 0.5, 100)) == 0
    assert recordings.shift(packet(0, 9, 1000), pictures=True) == 0
    assert recordings.shift(packet(0, 0, 2000), pictures=True) == 10
    # Its time has not fallen; it lies behind the place where the pictures began anew.
    assert recordings.shift(packet(1, 0.7, 2100)) == 10
    # Of sound the last packet of a recording may come later than the first pictures of the next.
    assert recordings.shift(packet(2, 9.1, 1900)) == 0
    assert recordings.shift(packet(2, 0.1, 2050)) == 10
    # There are no more recordings than the pictures say.
    for seconds in (9, 0, 9, 0, 9, 0):
        last = recordings.shift(packet(2, seconds))
    assert last == 20


def test_times_that_only_stumble_begin_nothing_anew():
    recordings = Recordings([Fraction(0), Fraction(10)])
    assert [recordings.shift(packet(0, seconds), pictures=True) for seconds in (5, 4.5, 6)] == [0, 0, 0]
