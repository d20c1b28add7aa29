"""What rain video is commonly cleaned with in a few lines: medians over time, with and without the motion."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

MEDIAN_REACH, FLOW_REACH = 4, 2  # frames on either side: medians of nine and of five


def temporal_median(frames: np.ndarray, reach: int = MEDIAN_REACH) -> np.ndarray:
    """Return the median of each pixel over the frames around, fewer of them at the ends; (N, H, W, 3) uint8."""
    return np.stack([_median(frames[max(k - reach, 0) : k + reach + 1]) for k in range(len(frames))])


def flow_median(frames: np.ndarray, reach: int = FLOW_REACH) -> np.ndarray:
    """Return the median of each frame and those around it, brought to it by OpenCV's DIS flow of medium quality.

    Flow goes from the luma of the frame to that of its neighbour, which is then read there by cubic interpolation.
    There is no check: where the flow is wrong, the median is.
    """
    import cv2

    # The flow is found in rainy frames; its parameters are those of the preset.
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    luma = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in frames]
    grid = np.indices(luma[0].shape, np.float32)[::-1].transpose(1, 2, 0)
    none = np.empty(0, np.float32)  # the map is whole in one array
    results = []
    for k, frame in enumerate(frames):
        aligned = [frame]
        for other in range(max(k - reach, 0), min(k + reach + 1, len(frames))):
            if other != k:
                way = grid + search.calc(luma[k], luma[other], np.zeros(grid.shape, np.float32))
                aligned.append(cv2.remap(frames[other], way, none, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))
        results.append(_median(aligned))
    return np.stack(results)


def _median(frames: Iterable[np.ndarray]) -> np.ndarray:
    return np.rint(np.median(np.stack(list(frames)), axis=0)).astype(np.uint8)
