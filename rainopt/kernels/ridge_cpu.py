"""Thin ridges of a picture: curvature, crests, and connected crests measured one by one.

Directions are kept as the cosine and the sine of twice their angle, (cos 2θ, sin 2θ): so a line has one direction and
not two, and no arc tangent is needed.
"""

from __future__ import annotations

from math import sqrt

import numpy as np

from rainopt.kernels.compiler import compiled

# What `measure` adds up for each ridge; the columns after these hold the contrast in each colour channel.
COUNT, ROW, COLUMN, ROW2, COLUMN2, CROSS, COS2, SIN2, CONTRAST, STEP, CHANNELS = range(11)


# Literals would turn float32 into float64 and halve the speed: constants take the type of the image.
@compiled
def curvature(image, taps, first, last, strength, cos2, sin2):
    """Write, for rows ``first`` to ``last``, the curvature of the strongest ridge through each pixel and its direction.

    ``taps`` (3, 2k + 1) are a Gaussian and its first two derivatives. Of the eigenvalues ``mean ± spread`` of the
    Hessian the larger magnitude is the curvature across the ridge; it is written positive for bright ridges and
    negative for dark ones. ``cos2`` and ``sin2`` hold twice the angle along the ridge.
    """
    rows, columns = image.shape
    width = taps.shape[1]
    half = width // 2
    zero, one, two = image.dtype.type(0), image.dtype.type(1), image.dtype.type(2)
    tiny = image.dtype.type(1e-12)
    # Derivatives down the image, padded with their first and last column; then across.
    down = np.empty((3, columns + 2 * half), image.dtype)
    rr, cc, rc = np.empty(columns, image.dtype), np.empty(columns, image.dtype), np.empty(columns, image.dtype)
    for i in range(first, last):
        for d in range(3):
            line = down[d][half : half + columns]
            line[:] = zero
            for k in range(width):
                source, weight = image[min(max(i + k - half, 0), rows - 1)], taps[d, k]
                for j in range(columns):
                    line[j] += weight * source[j]
            down[d, :half] = line[0]
            down[d, half + columns :] = line[columns - 1]
        rr[:], cc[:], rc[:] = zero, zero, zero
        for k in range(width):
            w0, w1, w2 = taps[0, k], taps[1, k], taps[2, k]
            d0, d1, d2 = down[0][k : k + columns], down[1][k : k + columns], down[2][k : k + columns]
            for j in range(columns):
                rr[j] += w0 * d2[j]
                cc[j] += w2 * d0[j]
                rc[j] += w1 * d1[j]
        s, c, n = strength[i], cos2[i], sin2[i]
        for j in range(columns):
            difference, mixed, trace = rr[j] - cc[j], two * rc[j], rr[j] + cc[j]
            twice_spread = sqrt(difference * difference + mixed * mixed)
            sign = one if trace < zero else -one
            s[j] = sign * (twice_spread + abs(trace)) / two
            scale = sign / (twice_spread + tiny)
            c[j] = difference * scale
            n[j] = mixed * scale


@compiled
def crests(strength, cos2, sin2, sign, thresholds, block, first, last, crest, offset):
    """Mark, in rows ``first`` to ``last``, where ``sign × strength`` reaches its threshold and is largest across its
    ridge.

    ``thresholds`` holds one for each block of ``block`` × ``block`` pixels. Neighbours are interpolated one pixel to
    either side; ``offset`` is where between them the crest of a parabola lies, in [-½, ½] pixel across.
    """
    for i in range(first, last):
        for j in range(strength.shape[1]):
            value = sign * strength[i, j]
            crest[i, j] = False
            if not value >= thresholds[i // block, j // block]:
                continue
            cos, sin = _half(cos2[i, j], sin2[i, j])
            before = _strength_at(strength, sign, i + sin, j - cos)
            after = _strength_at(strength, sign, i - sin, j + cos)
            if value >= before and value >= after:
                crest[i, j] = True
                bend = before - value + after - value
                offset[i, j] = (before - after) / (bend + bend) if bend < 0 else 0


@compiled
def _half(cos2, sin2):
    """Return cosine and sine of half the angle, in (-90°, 90°]."""
    cos, sin = sqrt(max(1 + cos2, 0) / 2), sqrt(max(1 - cos2, 0) / 2)
    return cos, (sin if sin2 >= 0 else -sin)


@compiled
def _strength_at(strength, sign, row, column):
    rows, columns = strength.shape
    row, column = min(max(row, 0.0), rows - 1.0), min(max(column, 0.0), columns - 1.0)
    i, j = int(row), int(column)
    low, right = min(i + 1, rows - 1), min(j + 1, columns - 1)
    down, across = row - i, column - j
    above = max(sign * strength[i, j], 0) * (1 - across) + max(sign * strength[i, right], 0) * across
    below = max(sign * strength[low, j], 0) * (1 - across) + max(sign * strength[low, right], 0) * across
    return above * (1 - down) + below * down


@compiled
def link(crest, cos2, sin2, least_cosine, owner):
    """Join neighbouring crest pixels (8 neighbours) whose directions agree, and return the number of ridges.

    Two agree where the cosine of twice the angle between them is at least ``least_cosine``, so that streaks that
    cross, or touch something else, stay apart. ``owner`` becomes the number of each pixel's ridge, in the order of
    their first pixels, and -1 elsewhere.
    """
    rows, columns = crest.shape
    count = np.int64(0)
    for i in range(rows):
        for j in range(columns):
            count += crest[i, j]
    parent = np.empty(count, np.int64)
    count = np.int64(0)
    for i in range(rows):
        for j in range(columns):
            owner[i, j] = -1
            if not crest[i, j]:
                continue
            parent[count] = count
            for k in range(4):
                # The four neighbours that come before: left, and the three above.
                above, beside = (i, j - 1) if k == 3 else (i - 1, j + k - 1)
                if above < 0 or beside < 0 or beside >= columns or owner[above, beside] < 0:
                    continue
                if cos2[i, j] * cos2[above, beside] + sin2[i, j] * sin2[above, beside] >= least_cosine:
                    a, b = _root(parent, count), _root(parent, np.int64(owner[above, beside]))
                    parent[max(a, b)] = min(a, b)
            owner[i, j] = count
            count += 1
    # A root is the first pixel of its ridge, so it has its number before any other asks for it.
    number = np.empty(count, np.int32)
    ridges = 0
    for k in range(count):
        root = _root(parent, np.int64(k))
        if root == k:
            number[k] = ridges
            ridges += 1
        else:
            number[k] = number[root]
    for i in range(rows):
        for j in range(columns):
            if owner[i, j] >= 0:
                owner[i, j] = number[owner[i, j]]
    return ridges


@compiled
def _root(parent, k):
    while parent[k] != k:
        parent[k] = parent[parent[k]]
        k = parent[k]
    return k


@compiled
def measure(owner, cos2, sin2, offset, luminance, colour, reach, sums):
    """Add up, for each ridge, what its shape and its evidence are computed from; see the names of the columns.

    A ridge is compared with what lies ``reach`` pixels to either side: its contrast is its height over the mean of both
    sides, its step the difference between them.
    """
    rows, columns = owner.shape
    for i in range(rows):
        for j in range(columns):
            if owner[i, j] < 0:
                continue
            cos, sin = _half(cos2[i, j], sin2[i, j])
            row, column = i - sin * offset[i, j], j + cos * offset[i, j]
            # One rounding for both, so that neither side is nearer.
            up, right = int(np.rint(reach * sin)), int(np.rint(reach * cos))
            i0, j0 = _inside(i + up, rows), _inside(j - right, columns)
            i1, j1 = _inside(i - up, rows), _inside(j + right, columns)
            total = sums[owner[i, j]]
            total[COUNT] += 1
            total[ROW] += row
            total[COLUMN] += column
            total[ROW2] += row * row
            total[COLUMN2] += column * column
            total[CROSS] += row * column
            total[COS2] += cos2[i, j]
            total[SIN2] += sin2[i, j]
            total[CONTRAST] += luminance[i, j] - 0.5 * (luminance[i0, j0] + luminance[i1, j1])
            total[STEP] += abs(luminance[i0, j0] - luminance[i1, j1])
            for k in range(colour.shape[0]):
                total[CHANNELS + k] += colour[k, i, j] - 0.5 * (colour[k, i0, j0] + colour[k, i1, j1])


@compiled
def _inside(position, count):
    return min(max(position, 0), count - 1)
