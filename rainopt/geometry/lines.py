"""Directions of lines, which repeat after 180 degrees."""

from __future__ import annotations


def line_angle(degrees: float) -> float:
    """Return the angle in (-90, 90] of the same line."""
    angle = 90 - (90 - degrees) % 180
    # Rounding brings an angle just above 90° to -90°.
    return angle if angle > -90 else 90.0
