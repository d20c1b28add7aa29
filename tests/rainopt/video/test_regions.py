"""Parts of a frame hold all that is asked for, once, and are what they are in the whole."""

import cv2
import numpy as np
import pytest

from rainopt.video.regions import MOST, regions_of, whole

SHAPES = [((36, 64), (108, 192)), ((90, 160), (180, 320)), ((71, 64), (213, 191)), ((40, 90), (40, 90))]


def specks(rng, shape, count=4):
    mask = np.zeros(shape, bool)
    for _ in range(count):
        y, x = rng.integers(0, shape[0] - 3), rng.integers(0, shape[1] - 3)
        mask[y : y + rng.integers(1, 4), x : x + rng.integers(1, 4)] = True
    return mask


@pytest.mark.parametrize(("small", "large"), SHAPES)
def test_parts_hold_all_of_a_mask_once(rng, small, large):
    mask = specks(rng, small)
    full = cv2.resize(mask.view(np.uint8), large[::-1], interpolation=cv2.INTER_NEAREST).view(bool)
    held = np.zeros(large, int)
    for part in regions_of(mask, (*large, 3), 9):
        held[part.box] += 1
        np.testing.assert_array_equal(part.mask(mask[part.small]), full[part.around])
        np.testing.assert_array_equal(full[part.around][part.within], full[part.box])
        for inner, outer, side in zip(part.box, part.around, large, strict=True):
            assert outer.start == max(inner.start - 9, 0)
            assert outer.stop == min(inner.stop + 9, side)
    assert held.max() == 1
    assert np.all(held[full] == 1)


@pytest.mark.parametrize(("small", "large"), SHAPES)
def test_a_flow_is_enlarged_in_parts_as_in_the_whole(rng, small, large):
    flow = cv2.blur(rng.normal(0, 3, (*small, 2)).astype(np.float32), (5, 5))
    all_of_it = whole(large, small)
    assert all_of_it.box == all_of_it.around == (slice(0, large[0]), slice(0, large[1]))
    scale = np.float32([large[1] / small[1], large[0] / small[0]])
    full = cv2.resize(flow, large[::-1]) * scale
    np.testing.assert_allclose(all_of_it.flow(flow), full)
    for part in regions_of(specks(rng, small), large, 5):
        # OpenCV looks places up to a 32nd of a pixel.
        np.testing.assert_allclose(part.flow(flow[part.small]), full[part.around], rtol=0, atol=0.2)
    np.testing.assert_array_equal(regions_of(np.ones(small, bool), large, 3)[0].flow(flow), all_of_it.flow(flow))


def test_much_is_the_whole_and_nothing_no_part():
    nothing = np.zeros((80, 90), bool)
    assert regions_of(nothing, (160, 180), 5) == []
    much = nothing.copy()
    much[: int(MOST * 80) + 16] = True
    (part,) = regions_of(much, (160, 180, 3), 5)
    assert part == whole((160, 180), (80, 90))


def test_boxes_that_overlap_are_one():
    """Of an angle, and something within the box around it."""
    mask = np.zeros((160, 160), bool)
    mask[8, 8:100] = mask[8:100, 8] = mask[60, 60] = True
    assert len(regions_of(mask, mask.shape, 2)) == 1
    mask[60, 60], mask[150, 150] = False, True
    assert len(regions_of(mask, mask.shape, 2)) == 2
