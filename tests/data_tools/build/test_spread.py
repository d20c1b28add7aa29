"""Frames spread over a stretch whose length is not known before its end."""

from dataclasses import replace

import numpy as np
import pytest

from data_tools.build.spread import SpreadFrames
from tests.support.clips import numbered


def levels(count):
    return numbered(np.full((2, 3, 3), k % 256, np.uint8) for k in range(count))


@pytest.mark.parametrize("count", [0, 1, 9, 10, 11, 20, 21, 39, 40, 41, 500])
def test_frames_lie_evenly_over_all_of_it_and_are_more_than_half_of_the_most(count):
    with SpreadFrames(levels(count), 10) as spread:
        steps = set(np.diff(spread.numbers).tolist())
        assert len(steps) == (count > 1)
        assert spread.read == count - 1
        assert min(count, 6) <= len(spread.store) <= 10 or count == 10
        if count:
            assert spread.numbers[0] == 0
            assert count - 1 - spread.numbers[-1] < max(steps, default=1)
        for place, number in enumerate(spread.numbers):
            np.testing.assert_array_equal(spread.store[place], number % 256)
        assert [25 * time for time in spread.times] == spread.numbers


def test_frames_that_the_decoder_has_patched_do_not_count():
    frames = [replace(frame, patched=frame.index % 3 == 1) for frame in levels(20)]
    with SpreadFrames(frames, 10) as spread:
        assert spread.numbers == [0, 3, 6, 9, 12, 15, 18]
