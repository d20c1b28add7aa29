"""Ridges weighed on a CUDA device: their shapes, their neighbours, and of those that are like streaks a vote.

What `rainopt.direction.evidence.weigh` does on the host with trees of neighbours, here every ridge asks all others. A
table of a megapixel holds some ten thousand that are worth asking.
"""

from __future__ import annotations

from functools import cache
from math import atan2, cos, exp, floor, hypot, pi, sin, sqrt
from typing import Any, NamedTuple

import numba
import numpy as np

from rainopt.kernels import ridge_join_cuda as sums
from rainopt.kernels.launch import Kernel, cuda
from rainopt.kernels.ridge_join_cuda import PIECES, ROWS, VOTES
from rainopt.kernels.union_cuda import root, unite

WHOLE = 2.0**-32  # pixels; lengths are added in these units, in any order with the same sum
# Planes of the pieces.
KEY, ANGLE, DOWN, ACROSS, LENGTH, ROW, COLUMN, WEIGHT, CONTRAST, ONE_SIDE, OTHER_SIDE, PLANES = range(12)
VOTE = 6  # numbers of a vote


class Likeness(NamedTuple):
    """What a ridge must be like to have a vote; the names of `rainopt.direction.evidence` and ``neighbours``."""

    shortest: float
    longest: float
    piece: float
    length_cap: float
    width: float
    elongation: float
    bend: float
    step: float
    no_chroma: float
    full_chroma: float
    even: float
    of_a_row: float
    parallel: float
    gap: float
    apart: float
    beside: float
    reach: float
    level: float
    least_spacing: float


@cache
def describe() -> Kernel:
    """Return the kernel that finds the shapes of ridges and lists those that may be pieces of a line."""

    @cuda.jit(device=True)
    def turned(degrees):
        return (degrees + 90.0) % 180.0 - 90.0

    @cuda.jit(device=True)
    def line_angle(degrees):
        angle = degrees
        if not (degrees > -90.0 and degrees <= 90.0):
            angle = 90.0 - (90.0 - degrees) % 180.0
        return angle if angle > -90.0 else 90.0

    def ridge_shapes(capacity, table, columns, width, limits, counts, pieces, parents, lengths):
        shortest, longest, piece, length_cap, widest, elongation, bend_at, step_at, no_chroma, full_chroma = limits[:10]
        degrees = 180.0 / pi
        for r in range(cuda.grid(1), min(counts[ROWS], capacity), cuda.gridsize(1)):
            at = r * columns
            count = table[at + sums.COUNT]
            key = table[at + columns - 1]
            first = key & ((1 << sums.KIND_BITS) - 1)
            sign = 1.0 if (key >> sums.KIND_BITS) % 2 == 0 else -1.0
            part, product = sums.PART, sums.PRODUCT
            # Relative to the first pixel.
            row = (table[at + sums.ROW] + table[at + sums.PART_ROW] * part) / count
            column = (table[at + sums.COLUMN] + table[at + sums.PART_COLUMN] * part) / count
            var_row = (table[at + sums.ROW2] + table[at + sums.PART_ROW2] * product) / count - row * row
            var_column = (table[at + sums.COLUMN2] + table[at + sums.PART_COLUMN2] * product) / count - column * column
            covariance = (table[at + sums.CROSS] + table[at + sums.PART_CROSS] * product) / count - row * column
            half_sum = (var_row + var_column) / 2
            half_difference = hypot((var_row - var_column) / 2, covariance)
            length = sqrt(12.0 * (half_sum + half_difference) + 1.0)
            if length >= piece:
                across = sqrt(12.0 * max(half_sum - half_difference, 0.0) + 1.0)
                angle = degrees * (0.5 * atan2(2.0 * covariance, var_row - var_column))
                local = degrees * (0.5 * atan2(float(table[at + sums.SIN2]), float(table[at + sums.COS2])))
                bend = abs(turned(angle - local))
                contrast = sign * (table[at + sums.CONTRAST] * part / count)
                step = table[at + sums.STEP] * part / count
                least, largest = np.inf, -np.inf
                for c in range(columns - 1 - sums.CHANNELS):
                    channel = sign * (table[at + sums.CHANNELS + c] * part / count)
                    least, largest = min(least, channel), max(largest, channel)
                chroma = least / largest if largest > 0.0 else -1.0
                weight = 0.0
                thin = across <= widest and length >= elongation * across
                if length >= shortest and length <= longest and thin and contrast > 0.0:
                    straight = exp(-0.5 * (bend / bend_at) * (bend / bend_at))
                    ratio = step / contrast / step_at
                    grey = min(max((chroma - no_chroma) / (full_chroma - no_chroma), 0.0), 1.0)
                    weight = min(length / length_cap, 1.0) * straight / (1.0 + ratio * ratio) * grey
                angle = line_angle(angle)
                p = cuda.atomic.add(counts, PIECES, 1)
                pieces[KEY * capacity + p] = float(key)
                pieces[ANGLE * capacity + p] = angle
                pieces[DOWN * capacity + p] = cos(angle / degrees)
                pieces[ACROSS * capacity + p] = sin(angle / degrees)
                pieces[LENGTH * capacity + p] = length
                pieces[ROW * capacity + p] = first // width + row
                pieces[COLUMN * capacity + p] = first % width + column
                pieces[WEIGHT * capacity + p] = weight
                pieces[CONTRAST * capacity + p] = contrast
                pieces[ONE_SIDE * capacity + p] = np.inf
                pieces[OTHER_SIDE * capacity + p] = np.inf
                parents[p] = p
                lengths[p] = 0

    return Kernel(ridge_shapes)


@cache
def pairs() -> Any:
    """Return the device function (pieces, capacity, i, j, parallel) that tells whether two pieces are of one kind and
    have directions that differ by so many degrees at most.
    """

    @cuda.jit(device=True)
    def alike(pieces, capacity, i, j, parallel):
        kinds = 1.0 / (1 << sums.KIND_BITS)
        if floor(pieces[KEY * capacity + i] * kinds) != floor(pieces[KEY * capacity + j] * kinds):
            return False
        turn = pieces[ANGLE * capacity + i] - pieces[ANGLE * capacity + j]
        return abs((turn + 90.0) % 180.0 - 90.0) <= parallel

    return alike


@cache
def unite_pieces() -> Kernel:
    """Return the kernel that unites the pieces of one line, see `rainopt.direction.neighbours.line_lengths`."""
    union, alike = unite(), pairs()

    def ridge_lines(capacity, limits, counts, pieces, parents):
        parallel, gap, apart, beside = limits[12:16]
        number = counts[PIECES]
        chunk = (number + cuda.gridDim.y - 1) // cuda.gridDim.y
        begin = cuda.blockIdx.y * chunk
        first = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        for i in range(first, number, cuda.gridDim.x * cuda.blockDim.x):
            row, column = pieces[ROW * capacity + i], pieces[COLUMN * capacity + i]
            half = pieces[LENGTH * capacity + i] / 2
            down, across = pieces[DOWN * capacity + i], pieces[ACROSS * capacity + i]
            for j in range(begin, min(begin + chunk, i)):
                rows, columns = pieces[ROW * capacity + j] - row, pieces[COLUMN * capacity + j] - column
                other = pieces[LENGTH * capacity + j] / 2
                distance = sqrt(rows * rows + columns * columns)
                if distance > half + other + gap + 1.0 or distance < apart * (half + other):
                    continue
                down2, across2 = pieces[DOWN * capacity + j], pieces[ACROSS * capacity + j]
                if abs(columns * down - rows * across) > beside or abs(columns * down2 - rows * across2) > beside:
                    continue
                if not alike(pieces, capacity, i, j, parallel):
                    continue
                near = False
                for ends in range(4):
                    mine, theirs = half if ends < 2 else -half, other if ends % 2 == 0 else -other
                    y = rows + theirs * down2 - mine * down
                    x = columns + theirs * across2 - mine * across
                    near = near or y * y + x * x <= gap * gap
                if near:
                    union(parents, i, j)

    return Kernel(ridge_lines)


@cache
def add_lengths() -> Kernel:
    """Return the kernel that adds the lengths of a line's pieces at its root."""
    top = root()
    units = 1 / WHOLE

    def ridge_lengths(capacity, counts, pieces, parents, lengths):
        for p in range(cuda.grid(1), counts[PIECES], cuda.gridsize(1)):
            length = numba.int64(floor(pieces[LENGTH * capacity + p] * units + 0.5))
            cuda.atomic.add(lengths, top(parents, p), length)

    return Kernel(ridge_lengths)


@cache
def drop_long() -> Kernel:
    """Return the kernel that takes the vote of pieces of long lines."""
    top = root()

    def ridge_drop(capacity, limits, counts, pieces, parents, lengths):
        longest = limits[1]
        for p in range(cuda.grid(1), counts[PIECES], cuda.gridsize(1)):
            if lengths[top(parents, p)] * WHOLE > longest:
                pieces[WEIGHT * capacity + p] = 0.0

    return Kernel(ridge_drop)


@cache
def look_beside() -> Kernel:
    """Return the kernel that finds how far the parallel neighbours to both sides of each vote are, see
    `rainopt.direction.neighbours.spacing_evenness`.
    """
    alike = pairs()

    def ridge_beside(capacity, limits, counts, pieces):
        parallel, reach, level, least_spacing = limits[12], limits[16], limits[17], limits[18]
        number = counts[PIECES]
        chunk = (number + cuda.gridDim.y - 1) // cuda.gridDim.y
        begin = cuda.blockIdx.y * chunk
        first = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        for i in range(first, number, cuda.gridDim.x * cuda.blockDim.x):
            if pieces[WEIGHT * capacity + i] > 0.0:
                row, column = pieces[ROW * capacity + i], pieces[COLUMN * capacity + i]
                down, across = pieces[DOWN * capacity + i], pieces[ACROSS * capacity + i]
                length = pieces[LENGTH * capacity + i]
                for j in range(begin, min(begin + chunk, number)):
                    rows, columns = pieces[ROW * capacity + j] - row, pieces[COLUMN * capacity + j] - column
                    if j == i or rows * rows + columns * columns > reach * reach:
                        continue
                    if pieces[WEIGHT * capacity + j] <= 0.0:
                        continue
                    longer = max(length, pieces[LENGTH * capacity + j])
                    if abs(rows * down + columns * across) > level * longer:
                        continue
                    aside = columns * down - rows * across
                    if abs(aside) > least_spacing and alike(pieces, capacity, i, j, parallel):
                        side = ONE_SIDE if aside > 0.0 else OTHER_SIDE
                        cuda.atomic.min(pieces, side * capacity + i, abs(aside))

    return Kernel(ridge_beside)


@cache
def cast() -> Kernel:
    """Return the kernel that writes the votes."""

    def ridge_cast(capacity, limits, factors, counts, pieces, found):
        even, of_a_row = limits[10], limits[11]
        low, high = factors
        for p in range(cuda.grid(1), counts[PIECES], cuda.gridsize(1)):
            weight = pieces[WEIGHT * capacity + p]
            one, other = pieces[ONE_SIDE * capacity + p], pieces[OTHER_SIDE * capacity + p]
            farther, nearer = max(one, other), min(one, other)
            if farther < np.inf and nearer / farther > even:
                weight = of_a_row * weight
            key = pieces[KEY * capacity + p]
            weight = weight * (low if key < 2.0 * (1 << sums.KIND_BITS) else high)
            if weight > 0.0:
                at = cuda.atomic.add(counts, VOTES, 1) * VOTE
                found[at] = key
                found[at + 1] = pieces[ANGLE * capacity + p]
                found[at + 2] = weight
                found[at + 3] = pieces[ROW * capacity + p]
                found[at + 4] = pieces[COLUMN * capacity + p]
                found[at + 5] = pieces[CONTRAST * capacity + p]

    return Kernel(ridge_cast)
