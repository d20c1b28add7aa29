"""OpenCV's decoders, without what they print of damaged data, which names no file."""

from __future__ import annotations

import threading

import numpy as np

_one_at_a_time = threading.Lock()


def decode(data: bytes | bytearray) -> np.ndarray | None:
    """Decode a file as it is stored, with blue first; None if it cannot be done."""
    import cv2

    logging = cv2.utils.logging
    with _one_at_a_time:
        before = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        finally:
            logging.setLogLevel(before)


def red_first(pixels: np.ndarray) -> np.ndarray:
    """Return three or four channels in the order of RGB."""
    import cv2

    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA)
