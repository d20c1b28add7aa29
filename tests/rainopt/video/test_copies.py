"""Copies are small, of the same proportions, and of small frames the frames themselves."""

import numpy as np
import pytest

from rainopt.video.copies import SMALL, small_copy


def test_small_frames_are_their_own_copies():
    frame = np.zeros((120, SMALL, 3), np.uint8)
    assert small_copy(frame) is frame


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    ("shape", "small"), [((2160, 3840), (540, 960)), ((3000, 1), (960, 1)), ((1000, 2000, 3), (480, 960, 3))]
)
def test_large_ones_are_reduced_by_means_over_areas(dtype, shape, small):
    frame = np.full(shape, 200, dtype)
    got = small_copy(frame)
    assert (got.shape, got.dtype) == (small, dtype)
    assert (got == 200).all()


def test_they_are_as_long_as_is_asked():
    frame = np.zeros((120, 160, 3), np.uint8)
    assert small_copy(frame, 160) is frame
    assert small_copy(frame, 80).shape == (60, 80, 3)


def test_a_movement_is_reduced_with_them():
    one, other = np.zeros((200, 4 * SMALL), np.uint8), np.zeros((200, 4 * SMALL), np.uint8)
    one[80:120, 400:440], other[80:120, 440:480] = 255, 255
    np.testing.assert_array_equal(np.roll(small_copy(one), 10, axis=1), small_copy(other))
