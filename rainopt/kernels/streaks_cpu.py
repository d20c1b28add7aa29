"""The bare loop that draws rain streaks into a picture."""

import math

from rainopt.kernels.compiler import compiled

# A Gaussian is cut off where it has fallen to 3e-4 of its peak, less than one 8-bit step of any streak.
CUTOFF = 4.0


@compiled
def draw(
    canvas, row, column, angle, length, sigma, fade, peak, distance, texture, beat, phase, depth, occluded, screen
):
    """Draw streaks one after the other into `canvas`, in place.

    It runs in one thread, so that the streaks over a pixel are always combined in the same order, and without
    ``fastmath``, so that the compiler may not reorder them either. Machines then differ only in the last bit of
    ``exp``, ``sin`` and ``cos``.

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
    distance : (N,) float64 array
        Streaks are hidden where `depth` is less.
    texture, beat, phase : (N,) float64 arrays
        How much the brightness dips along the streak, over how many pixels, and how far on (in dips) the midpoint is.
    depth : (H, W) float32 array
        Distance of the scene; ignored, and of any size, unless `occluded`.
    occluded, screen : bool
        Whether there is a depth; combine v with brightness a as a + v (1 - a) if `screen`, otherwise as a + v.
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
                if occluded and depth[i, j] < distance[k]:
                    continue
                dx = j - column[k]
                across = dx * c - dy * s
                along = dx * s + dy * c
                ramp = (half - abs(along)) / fade[k]
                if ramp <= 0.0:
                    continue
                value = peak[k] * math.exp(exponent * across * across)
                if ramp < 1.0:
                    value *= ramp * ramp * (3.0 - 2.0 * ramp)
                if texture[k] > 0.0:
                    turn = along / beat[k] + phase[k]
                    dip = abs(2.0 * (turn - math.floor(turn)) - 1.0)
                    value *= 1.0 - texture[k] * (dip * dip * (3.0 - 2.0 * dip))
                if screen:
                    canvas[i, j] += value * (1.0 - canvas[i, j])
                else:
                    canvas[i, j] += value
