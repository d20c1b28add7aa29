import numpy as np
import pytest

from rainopt.video.lift import empty_bits, lifted, lowered
from rainopt.video.scenes import CutDetector
from rainopt.video.settings import VideoSettings
from rainopt.video.stretches import derained, recalled, stretch_settings
from tests.support.clips import rained, raining, stored, view


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


@pytest.fixture(scope="module")
def in_two_units():
    """Frames in rain that use the range of 16 bits, and the same ones sixteen times darker."""
    bright = [frame.astype(np.uint16) * 257 // 16 * 16 for frame in rained(view("coffee", (96, 128)), "medium", 12)]
    assert max(frame.max() for frame in bright) > 1 << 15
    return bright, [frame >> 4 for frame in bright]


@pytest.mark.parametrize("background", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_dark_frames_lose_their_rain_as_bright_ones_do(in_two_units, background):
    wishes = VideoSettings(background=background, max_iter=20)
    here, there = (stretch_settings(stored(frames), wishes) for frames in in_two_units)
    assert there.scene == here.scene
    assert there.scene.rain
    assert (there.backdrop is None) == (here.backdrop is None)
    bright, dark = (
        list(derained(stored(frames), care)) for frames, care in zip(in_two_units, (here, there), strict=True)
    )
    np.testing.assert_allclose(dark, np.stack(bright) / 16, rtol=0, atol=0.5)
    again = recalled(stored(in_two_units[1]), there.note())
    np.testing.assert_array_equal(list(derained(stored(in_two_units[1]), again)), dark)


def test_cuts_are_found_in_the_dark():
    clip = [frame for name in ("coffee", "chelsea") for frame, _ in zip(raining(view(name)), range(10), strict=False)]
    for dtype in (np.uint16, np.float32):
        scale = 257.0 if dtype == np.uint16 else 1 / 255
        for bits in (0, 4):
            detector = CutDetector()
            # A black beginning says nothing of the unit.
            frames = [np.zeros_like(clip[0]), *clip]
            cuts = [detector.update((frame * scale / 2**bits).astype(dtype)) for frame in frames]
            assert np.flatnonzero(cuts).tolist()[-1] == 11
            assert sum(cuts) <= 2
