"""What results have to be, whatever was given and accepted."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def in_unit_range(image: Any) -> str | None:
    """Say whether an image leaves [0, 1]."""
    if getattr(getattr(image, "device", None), "type", "cpu") == "meta":
        return None
    if hasattr(image, "detach"):
        image = image.detach().cpu().float().numpy()
    values = np.ma.getdata(np.asarray(image))
    if not values.size:
        return "an empty picture"
    low, high = float(values.min()), float(values.max())
    return None if low >= 0 and high <= 1 else f"values from {low:g} to {high:g} where [0, 1] is promised"


def photo_promise(found: Any) -> str | None:
    """Say what is wrong with a decomposition."""
    wrong = in_unit_range(found.background) or in_unit_range(found.rain)
    if wrong is None and found.angle is not None and not -90 < found.angle <= 90:
        return f"angle {found.angle}"
    return wrong


def solution_promise(found: Any) -> str | None:
    """Say whether the layers of a solution are finite."""
    for layer in (found.background, found.rain):
        values = np.asarray(layer.detach() if hasattr(layer, "detach") else layer)
        if not np.isfinite(values).all():
            return "a layer that is not finite"
    return None


def unit_or_infinite(value: float) -> str | None:
    """Say whether decibels are no number."""
    return "NaN" if math.isnan(value) else None
