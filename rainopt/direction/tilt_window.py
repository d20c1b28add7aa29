"""The window that TILT turns: sampled from blurred copies of the image at any angle, normalised, and its derivative."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

COARSEST = 24  # samples along the shorter side of a window, at least, in the coarsest level
# A level that blur has robbed of its contrast misleads; this share of the finest level's is enough.
CONTRAST = 0.2
BLUR = 0.7  # pixels of standard deviation for each pixel between samples
DIFFERENCE = 1e-3  # samples that the ends of a window move for a derivative


@dataclass(frozen=True)
class Level:
    """One blurred copy of the image around the window, and where a window samples it.

    ``spline`` holds cubic spline coefficients, ``centre`` is in its pixels, ``rows`` and ``columns`` are distances from
    the centre in pixels, ``spacing`` apart.
    """

    spline: np.ndarray
    centre: tuple[float, float]
    rows: np.ndarray
    columns: np.ndarray
    spacing: float
    transform: str

    def window(self, angle: float, transposed: bool) -> np.ndarray:
        """Return the window in which streaks of ``angle`` stand upright, (h, w)."""
        from scipy import ndimage

        down, across = _axes(angle, self.transform, transposed)
        places = [
            # Clipped, because the edge's value is wanted outside and a mirrored spline has it at the edge.
            np.clip(c + d * self.rows[:, None] + a * self.columns[None, :], 0, n - 1)
            for c, d, a, n in zip(self.centre, down, across, self.spline.shape, strict=True)
        ]
        return ndimage.map_coordinates(self.spline, places, order=3, mode="mirror", prefilter=False)

    @property
    def degrees_a_sample(self) -> float:
        """Turn that moves the farthest samples of a window by one sample."""
        return math.degrees(self.spacing / max(self.rows[-1], self.columns[-1]))

    def linearise(self, angle: float, transposed: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the normalised window and its derivative, a degree."""
        window = self.window(angle, transposed)
        difference = DIFFERENCE * self.degrees_a_sample
        ahead, behind = (self.window(angle + sign * difference, transposed) for sign in (1, -1))
        slope = (ahead - behind) / (2 * difference)
        window, slope = window - window.mean(), slope - slope.mean()
        norm = float(np.linalg.norm(window)) or 1.0
        window, slope = window / norm, slope / norm
        # The derivative of a / ‖a‖: the window stays on the sphere.
        return window, slope - np.vdot(window, slope) * window


def _axes(angle: float, transform: str, transposed: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return where one step down and one to the right in the window lead in the image, (row, column) each."""
    radians = math.radians(angle)
    cos, sin = math.cos(radians), math.sin(radians)
    if transform == "rotation":
        return (cos, sin), (-sin, cos)
    if transposed:
        return (cos / sin, 1.0), (1.0, 0.0)
    return (1.0, sin / cos), (0.0, 1.0)


def pyramid(
    image: np.ndarray,
    centre: tuple[float, float],
    shape: tuple[int, int],
    transform: str,
    start: float,
    blur: float,
) -> list[Level]:
    """Return the levels of a window, coarsest first; none if it is constant."""
    from scipy import ndimage

    spacings = [1]
    while min(shape) / (2 * spacings[-1]) >= COARSEST:
        spacings.append(2 * spacings[-1])
    # Pixels that no turned window sees, and neither the blur nor the spline around it, need no blurring.
    reach = sum(shape) + 4 * spacings[-1] + 12
    low = [max(0, int(c) - reach) for c in centre]
    crop = image[low[0] : int(centre[0]) + reach + 2, low[1] : int(centre[1]) + reach + 2]
    inside = (centre[0] - low[0], centre[1] - low[1])
    span = float(np.ptp(crop))
    if not span > 0:
        return []
    crop = (crop - crop.mean()) / span

    levels: list[Level] = []
    for spacing in spacings:
        sigma = blur if spacing == 1 else BLUR * spacing
        blurred = ndimage.gaussian_filter(crop, sigma, mode="nearest")
        rows, columns = ((np.arange(n) - (n - 1) / 2) * spacing for n in (side // spacing for side in shape))
        level = Level(ndimage.spline_filter(blurred, mode="mirror"), inside, rows, columns, spacing, transform)
        contrast = float(level.window(start, abs(start) > 45).std())
        if spacing == 1:
            finest = contrast
            if not contrast > 1e-9:
                return []
        elif contrast < CONTRAST * finest:
            break
        levels.append(level)
    return levels[::-1]
