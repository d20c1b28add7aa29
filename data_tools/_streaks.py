"""The bare loop that draws rain streaks into a picture."""

import math

import numba

# A Gaussian is cut off where it has fallen to 3e-4 of its peak, less than one 8-bit step of any streak.
CUTOFF = 4.0


@numba.njit(cache=True)
def draw(canvas, row, column, angle, length, sigma, fade, peak, screen):
    """Draw streaks one after the other into `canvas`, in place.

    One thread, so that the streaks over a pixel are always combined in the same order; no ``fastmath``, so that the
    compiler may not reorder it either. What remains between machines is the last bit of ``exp``, ``sin`` and ``cos``.

    Parameters
    ----------
    canvas : (H, W) float64 array
        Brightness so far; pixel (i, j) has its centre at row i, column j. float64, so that thousands of overlapping
        tails do not add up rounding.
    row, column : (N,) float64 arrays
        Midpoints, in pixels.
    angle : (N,) float64 array
        Radians; the direction in (row, column) is (cos, sin).
    length, sigma, fade : (N,) float64 arrays
        Tip to tip, standard deviation across, and the part of the length that fades at each end, in pixels.
    peak : (N,) float64 array
        Brightness on the midline.
    screen : bool
        Combine v with brightness a as a + v (1 - a), otherwise as a + v.
    """
    rows, columns = canvas.shape
    for k in range(row.size):
        c = math.cos(angle[k])
        s = math.sin(angle[k])
        half = 0.5 * length[k]
        radius = CUTOFF * sigma[k]
        exponent = -0.5 / (sigma[k] * sigma[k])
        reach = abs(c) * half + abs(s) * radius
        first = max(0, math.ceil(row[k] - reach))
        last = min(rows - 1, math.floor(row[k] + reach))
        for i in range(first, last + 1):
            dy = i - row[k]
            # The columns of this row that lie inside both the band across and the band along the streak.
            low = -half - radius
            high = half + radius
            if abs(c) > 1e-6:
                a = (dy * s - radius) / c
                b = (dy * s + radius) / c
                low = max(low, min(a, b))
                high = min(high, max(a, b))
            if abs(s) > 1e-6:
                a = (-half - dy * c) / s
                b = (half - dy * c) / s
                low = max(low, min(a, b))
                high = min(high, max(a, b))
            start = max(0, math.ceil(column[k] + low))
            stop = min(columns - 1, math.floor(column[k] + high))
            for j in range(start, stop + 1):
                dx = j - column[k]
                across = dx * c - dy * s
                ramp = (half - abs(dx * s + dy * c)) / fade[k]
                if ramp <= 0.0:
                    continue
                value = peak[k] * math.exp(exponent * across * across)
                if ramp < 1.0:
                    value *= ramp * ramp * (3.0 - 2.0 * ramp)
                if screen:
                    canvas[i, j] += value * (1.0 - canvas[i, j])
                else:
                    canvas[i, j] += value
