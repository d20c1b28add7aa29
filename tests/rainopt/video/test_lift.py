import numpy as np
import pytest

from rainopt import percentile_background
from rainopt.video.lift import empty_bits, lifted, lowered


def test_the_bits_are_those_that_no_frame_uses(rng):
    frames = rng.integers(0, 4096, (5, 8, 9, 3)).astype(np.uint16)
    frames[3, 2, 2] = 4095
    assert empty_bits(frames) == 4
    assert empty_bits(frames // 64) == 8  # and no more
    frames[4, 0, 0, 0] = 32769
    assert empty_bits(frames) == 0
    # The noise of 8 bits is one of levels.
    assert empty_bits(frames.astype(np.uint8) // 8) == 0
    assert empty_bits(np.zeros((2, 3, 3), np.uint16)) == 0


@pytest.mark.parametrize("bits", [0, 1, 4])
def test_what_is_taken_off_a_lifted_frame_is_taken_off_the_frame(rng, bits):
    frame = rng.integers(0, (65535 >> bits) + 2, (8, 9, 3)).clip(0, 65535).astype(np.uint16)
    frame[0, 0] = 65535  # a light that no other frame shows
    up = lifted(frame, bits)
    np.testing.assert_array_equal(lowered(frame, up, bits), frame)
    taken = rng.integers(0, (up >> bits).astype(np.int64) + 1)
    np.testing.assert_array_equal(lowered(frame, (up - (taken << bits)).astype(np.uint16), bits), frame - taken)


def test_a_background_in_another_unit_is_the_same_in_that_unit(xp, rng):
    frames = (rng.integers(0, 256, (9, 12, 11, 3)) // 32 * 32 * 257 + rng.integers(0, 512, (9, 12, 11, 3))).clip(
        0, 65535
    )
    frames = (frames // 16 * 16).astype(np.uint16)
    frames[0, 0, 0] = 65520
    here, there = (percentile_background(xp.asarray(stack)) for stack in (frames, frames // 16))
    streamed = percentile_background(iter(frames // 16))
    assert here.percentile == there.percentile == streamed.percentile
    for name in ("image", "mode", "spread"):
        np.testing.assert_allclose(np.asarray(getattr(there, name)), np.asarray(getattr(here, name)) / 16, atol=1e-6)
        np.testing.assert_array_equal(np.asarray(getattr(there, name)), getattr(streamed, name))
    for name in ("seen", "darker", "votes"):
        np.testing.assert_array_equal(np.asarray(getattr(there, name)), np.asarray(getattr(here, name)))
