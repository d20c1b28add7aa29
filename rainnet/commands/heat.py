"""Attention maps as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

ATTENTION = "attention"
"""Ending of the name of such a picture."""


def heat(values: np.ndarray) -> np.ndarray:
    """Return (H, W) in [0, 1] as colours, (H, W, 3) uint8: dark blue is 0, green a half, dark red 1.

    Notes
    -----
    Source: Wang et al. 2019, Fig. 7, and the colours of the authors' program (OpenCV's "jet").
    """
    import cv2
    import numpy as np

    levels = np.rint(np.clip(np.asarray(values), 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(cv2.applyColorMap(levels, cv2.COLORMAP_JET)[..., ::-1])
