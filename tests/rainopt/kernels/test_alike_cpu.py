"""The shifts by which pieces are alike in two pictures, against OpenCV's matching of masked templates."""

import cv2
import numpy as np
import pytest

from rainopt.kernels.alike_cpu import alike

FARTHEST, COUNT = 5, 3


def sums_of(picture, here, top, left, mask):
    """Sums of squared differences by shift, (11, 11)."""
    height, width = mask.shape
    rows, columns = (slice(first - FARTHEST, first + n + FARTHEST) for first, n in ((top, height), (left, width)))
    template = here[top : top + height, left : left + width].copy()
    return cv2.matchTemplate(picture[rows, columns], template, cv2.TM_SQDIFF, mask=mask.astype(np.float32))


@pytest.fixture
def pictures(rng):
    return rng.random((3, 40, 50), np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (4, 3), (9, 8)])
def test_the_best_shifts_are_those_of_matched_templates(rng, pictures, shape):
    here, ahead, back = pictures
    corners, masks = [(8, 9), (20, 30)], [rng.random(shape) < 0.8 for _ in range(2)]
    for mask in masks:
        mask[0, 0] = True
    places = [np.nonzero(mask) for mask in masks]
    rows, columns = (
        np.concatenate([place[axis] + corner[axis] for place, corner in zip(places, corners, strict=True)])
        for axis in (0, 1)
    )
    starts = np.cumsum([0, *(len(place[0]) for place in places)])
    shifts, found = alike(
        ahead, back, (rows, columns), here[rows, columns], starts, np.full(2, FARTHEST), np.full(2, 1e9), COUNT
    )
    np.testing.assert_array_equal(found, COUNT)
    for (top, left), mask, got in zip(corners, masks, shifts, strict=True):
        misses = np.maximum(sums_of(ahead, here, top, left, mask), sums_of(back, here, top, left, mask)[::-1, ::-1])
        expected = np.argsort(misses, axis=None)[:COUNT]
        np.testing.assert_array_equal(got, np.stack(np.unravel_index(expected, misses.shape), axis=1) - FARTHEST)


def test_what_has_moved_is_found_and_what_is_unlike_is_not(pictures):
    here = pictures[0]
    ahead, back = (np.roll(here, shift, (0, 1)) for shift in ((2, -4), (-2, 4)))
    rows, columns = (field.ravel() for field in np.mgrid[20:23, 20:24])
    starts, farthest = np.array([0, rows.size]), np.array([FARTHEST])
    values = here[rows, columns]
    shifts, found = alike(ahead, back, (rows, columns), values, starts, farthest, np.array([1e-6]), COUNT)
    assert found.tolist() == [1]
    assert shifts[0, 0].tolist() == [2, -4]
    unlike = alike(ahead, ahead, (rows, columns), values, starts, farthest, np.array([1e-6]), COUNT)[1]
    assert unlike.tolist() == [0]
    nothing = np.zeros(0, np.int64)
    none = alike(ahead, back, (nothing, nothing), values[:0], np.zeros(1, np.int64), nothing, np.zeros(0), COUNT)
    assert none[1].size == 0
