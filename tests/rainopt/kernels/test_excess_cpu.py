"""What a frame holds above what lies behind its rain, against numpy and OpenCV."""

import cv2
import numpy as np
import pytest

from rainopt.image import LUMA
from rainopt.kernels.excess_cpu import excess, line_mean
from rainopt.video.time_bound import AGAINST, HIGH, HIGHEST, LEAST, LINE, MOST, NOISE, rain_share, streak

WEIGHTS = np.array(LUMA, np.float32)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("floating", [False, True])
def test_an_excess_is_of_luminance_or_of_the_darkest_channel(rng, dtype, floating):
    full, near = np.iinfo(dtype).max, 0.2
    frame, behind = (rng.integers(0, full + 1, (13, 17, 3)).astype(dtype) for _ in range(2))
    if floating:
        behind = (behind / full).astype(np.float32)
    apart = frame / full - (behind if floating else behind / full)
    lowest = apart.min(axis=-1)
    expected = np.where(lowest < -near, lowest, apart @ np.array(LUMA))
    np.testing.assert_allclose(excess(frame, behind, WEIGHTS, near), expected, rtol=0, atol=1e-6)
    # Parts of pictures, whose rows lie apart.
    part = slice(2, 9), slice(5, 16)
    np.testing.assert_array_equal(
        excess(frame[part], behind[part], WEIGHTS, near), excess(frame, behind, WEIGHTS, near)[part]
    )


@pytest.mark.parametrize("angle", [0, 90, -24.7, 60])
@pytest.mark.parametrize("shape", [(40, 50), (9, 64), (12, 7)])
def test_a_mean_along_a_line_is_that_of_opencv(rng, angle, shape):
    picture, kernel = rng.normal(size=shape).astype(np.float32), streak(angle, 11)
    np.testing.assert_allclose(line_mean(picture, kernel), cv2.filter2D(picture, -1, kernel), rtol=0, atol=1e-6)


def test_the_share_of_rain_is_that_of_whole_arrays(rng):
    """The same in numpy and OpenCV, one array after the other."""
    picture = cv2.blur(rng.normal(0, 0.2, (60, 70)).astype(np.float32), (3, 3))
    height, angles, sides = 0.3, (10.0, -40.0), [(3, 3), (3, 3)]
    lack = cv2.blur(np.maximum(-picture, 0), sides[0])
    part = np.clip(picture, LEAST, MOST)
    errors = AGAINST * cv2.blur(np.maximum(-part, 0), sides[1])
    line = np.maximum(*(cv2.filter2D(part, -1, streak(angle, 11 * 60 / 480)) for angle in angles))
    expected = np.clip((picture - AGAINST * lack) / (2 * NOISE) - 0.5, 0, 1)
    expected *= np.clip((line - errors) / (2 * LINE) - 0.5, 0, 1)
    expected *= np.clip((HIGHEST - picture / height) / (HIGHEST - HIGH), 0, 1)
    assert expected.max() == 1
    np.testing.assert_allclose(rain_share(picture, angles, height), expected, rtol=0, atol=1e-4)
    # Of a part of a picture of 480 rows, the sides are those of the picture.
    assert not np.array_equal(rain_share(picture, angles, height, rows=480), rain_share(picture, angles, height))
    assert not rain_share(picture, ()).any()
