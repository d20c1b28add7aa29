"""What a person says of the rain of a photograph, pixel by pixel: here is some, and here is none."""

from __future__ import annotations

from typing import NamedTuple

import array_api_compat

from rainopt.arrays import Array, detached, namespace, native, require_dense
from rainopt.checks import require_finite
from rainopt.host_steps import number


class Marks(NamedTuple):
    """Marks, divided by what they are for; fields are (H, W) float32 in [0, 1], or None where nothing is said.

    Attributes
    ----------
    rainy
        How sure it is that there is rain.
    left
        Share of the rain found that is taken off all the same: 1 where nothing is protected.
    """

    rainy: Array | None = None
    left: Array | None = None


NO_MARKS = Marks()


def marks_of(marks: Array | None, image: Array, height: int, width: int) -> Marks:
    """Return the marks of an image of ``height`` × ``width``, checked; see `rainopt.derain`.

    Raises
    ------
    ValueError
        For another shape, values outside [-1, 1], NaN, or another device.
    TypeError
        For another array library, and dtypes other than int8 and floating point.
    """
    if marks is None:
        return NO_MARKS
    require_dense(marks, "marks")
    xp, marks = namespace(image, marks, names="image, marks"), detached(native(marks))
    if tuple(marks.shape) != (height, width):
        raise ValueError(f"`marks` must be (H, W) as the image, ({height}, {width}), got shape {tuple(marks.shape)}")
    if not (marks.dtype == xp.int8 or xp.isdtype(marks.dtype, "real floating")):
        raise TypeError(f"`marks` must be int8 or floating point in [-1, 1], got {marks.dtype}")
    place, there = (array_api_compat.device(array) for array in (image, marks))
    if place != there:
        raise ValueError(f"`marks` must be on the image's device {place}, got {there}")
    marks = xp.astype(marks, xp.float32)
    require_finite(marks, "marks")
    least, most = (number(end, "range") for end in (xp.min(marks), xp.max(marks)))
    if least < -1 or most > 1:
        raise ValueError(f"`marks` must be in [-1, 1], got values from {least:g} to {most:g}")
    rainy = xp.clip(marks, 0.0, 1.0) if most > 0 else None
    return Marks(rainy, xp.clip(1 + marks, 0.0, 1.0) if least < 0 else None)
