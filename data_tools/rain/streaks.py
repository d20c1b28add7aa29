"""Streaks of rain, and the layer that they make."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from data_tools.rain.haze import check_depth
from data_tools.rain.parts import as_array, checked_shape
from data_tools.rain.spec import Composition, check_composition
from rainopt.kernels import streaks_cpu as _draw

# Others may be anything finite; the profile of a streak is divided by these.
# Of each field, in pixels, degrees or parts; far beyond what rain is, and far within what squares and quotients hold.
_RANGES = {
    **dict.fromkeys(("sigma", "fade", "beat"), (1e-6, 1e9)),
    **dict.fromkeys(("peak", "texture"), (0.0, 1.0)),
}
_FURTHEST = (-1e9, 1e9)
_NOTHING_IN_FRONT = np.empty((1, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Streaks:
    """Streaks of rain, one entry each; all arrays are (N,) float64.

    Attributes
    ----------
    row, column : array
        Midpoints in pixels; pixel (i, j) has its centre at row i, column j. They may lie outside the picture.
    angle : array
        Degrees, 0 vertical, positive moves right going down.
    length : array
        Tip to tip, in pixels.
    sigma : array
        Standard deviation of the Gaussian profile across, in pixels.
    fade : array
        Length of the smooth ramp at each end, in pixels, part of `length`.
    peak : array
        Brightness on the midline, [0, 1].
    distance : array, optional
        How far away, in the unit of `depth`; 0, in front of everything, if left out.
    texture : array, optional
        How much the brightness dips along the streak, [0, 1]; 0 if left out.
    beat, phase : array, optional
        Pixels from one brightest point to the next, and by how many such steps the midpoint is past one; 1 and 0 if
        left out.
    """

    row: NDArray[np.float64]
    column: NDArray[np.float64]
    angle: NDArray[np.float64]
    length: NDArray[np.float64]
    sigma: NDArray[np.float64]
    fade: NDArray[np.float64]
    peak: NDArray[np.float64]
    distance: NDArray[np.float64] | None = None
    texture: NDArray[np.float64] | None = None
    beat: NDArray[np.float64] | None = None
    phase: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for name, value in (("distance", 0.0), ("texture", 0.0), ("beat", 1.0), ("phase", 0.0)):
            if getattr(self, name) is None:
                object.__setattr__(self, name, np.full(np.shape(self.row), value))
        count = np.shape(self.row)
        for field in fields(self):
            values = as_array(field.name, getattr(self, field.name))
            if values.ndim != 1 or values.shape != count:
                raise ValueError(f"`{field.name}` must have one number for each of `row`, {count}, got {values.shape}")
            if values.dtype.kind not in "fiu":
                raise TypeError(f"`{field.name}` must be numbers, got {values.dtype}")
            low, high = _RANGES.get(field.name, _FURTHEST)
            # Comparisons with NaN are false, so this refuses NaN too.
            if not ((values >= low) & (values <= high)).all():
                raise ValueError(f"`{field.name}` must be finite numbers from {low:g} to {high:g}")


def join_streaks(parts: list[Streaks]) -> Streaks:
    """Return the streaks of all parts, one after the other."""
    return Streaks(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Streaks)))


def render_streaks(
    streaks: Streaks,
    shape: tuple[int, int],
    composition: Composition = "screen",
    depth: NDArray[np.float32] | None = None,
) -> NDArray[np.float32]:
    """Render streaks into a rain layer.

    Profiles are Gaussian across and fade smoothly at both ends, evaluated at the pixel centres; those of
    `draw_streaks` are wide enough for a streak to look the same wherever it falls between pixels. Streaks lie over
    each other by the rule of `compose`, so a layer rendered in parts and composed is the layer rendered at once.

    Parameters
    ----------
    streaks : Streaks
        What to draw.
    shape : (H, W)
        Rows and columns of the layer; whatever lies outside is left out.
    composition : {"screen", "additive"}
        How streaks combine where they cross.
    depth : (H, W) float32 array, optional
        Distance of the scene; streaks further away than a pixel's depth do not show there.

    Returns
    -------
    (H, W) float32 array
        Brightness in [0, 1].
    """
    if not isinstance(streaks, Streaks):
        raise TypeError(f"`streaks` must be Streaks, got {type(streaks).__name__}")
    check_composition(composition)
    shape = checked_shape(shape)
    scene = None if depth is None else check_depth(depth, shape)
    canvas = np.zeros(shape, dtype=np.float64)
    columns = {field.name: np.ascontiguousarray(getattr(streaks, field.name), np.float64) for field in fields(Streaks)}
    _draw.draw(
        canvas,
        columns["row"],
        columns["column"],
        np.deg2rad(columns["angle"]),
        columns["length"],
        columns["sigma"],
        columns["fade"],
        columns["peak"],
        columns["distance"],
        columns["texture"],
        columns["beat"],
        columns["phase"],
        _NOTHING_IN_FRONT if scene is None else np.ascontiguousarray(scene),
        scene is not None,
        composition == "screen",
    )
    return np.minimum(canvas, 1.0).astype(np.float32)
