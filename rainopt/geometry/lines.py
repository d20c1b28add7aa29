"""Directions of lines, which repeat after 180 degrees."""

from __future__ import annotations

from typing import overload

import numpy as np


@overload
def line_angle(degrees: float) -> float: ...


@overload
def line_angle(degrees: np.ndarray) -> np.ndarray: ...


def line_angle(degrees: float | np.ndarray) -> float | np.ndarray:
    """Return the angle in (-90, 90] of the same line, for one angle in degrees or an array of them.

    Angles that are in the range already keep every bit.
    """
    if isinstance(degrees, np.ndarray):
        angles = np.where((degrees > -90) & (degrees <= 90), degrees, 90 - (90 - degrees) % 180)
        return np.where(angles > -90, angles, 90.0)
    if -90 < degrees <= 90:
        return float(degrees)
    angle = 90 - (90 - degrees) % 180
    # Rounding brings an angle just above 90° to -90°.
    return angle if angle > -90 else 90.0
