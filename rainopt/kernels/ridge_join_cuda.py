"""Crests joined to ridges on a CUDA device, and what each ridge's shape and evidence are computed from.

Threads unite pixels with those before them in a forest of union and find, in which a pixel never points to a later one,
so that the root of a ridge is its first pixel, whoever comes first. What is added up are whole numbers, in units so
small that nothing is lost against double precision: sums of atomic additions are then the same in every order.
"""

from __future__ import annotations

from functools import cache
from math import floor, sqrt

import numba

from rainopt.kernels.launch import Kernel, cuda
from rainopt.kernels.union_cuda import root, unite

# Columns of a row of the table, a ridge. Positions are whole rows and columns from its first pixel, whose sums are
# exact, and parts of a pixel in units of `PART`; of their products in units of `PRODUCT`, as 1.5 million of them must
# fit into 63 bits.
COUNT, ROW, COLUMN, ROW2, COLUMN2, CROSS = range(6)
PART_ROW, PART_COLUMN, PART_ROW2, PART_COLUMN2, PART_CROSS = range(6, 11)
COS2, SIN2, CONTRAST, STEP, CHANNELS = range(11, 16)
PART, PRODUCT = 2.0**-40, 2.0**-35
KIND_BITS = 32  # below these of a row's key is the root; above, scale and sign
ROWS, VOTES, PIECES = range(3)  # what is counted: rows that were wanted, votes, and what may be a piece of a line


@cache
def begin() -> Kernel:
    """Return the kernel that makes each crest pixel a tree of its own: (bright, dark, pixels, parents, sizes)."""

    def ridge_begin(bright, dark, pixels, parents, sizes):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels:
            parents[k] = k if bright[k] or dark[k] else -1
            sizes[k] = 0

    return Kernel(ridge_begin)


@cache
def meet() -> Kernel:
    """Return the kernel that unites neighbours: (bright, cos2, sin2, least cosine, pixels, width, parents)."""
    union = unite()

    def ridge_meet(bright, cos2, sin2, least_cosine, pixels, width, parents):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels and parents[k] >= 0:
            j = k % width
            for n in range(4):
                # The four neighbours that come before: left, and the three above.
                step = -1 if n == 3 else n - 1
                other = k - 1 if n == 3 else k - width + step
                if other < 0 or j + step < 0 or j + step >= width or parents[other] < 0 or bright[other] != bright[k]:
                    continue
                if cos2[k] * cos2[other] + sin2[k] * sin2[other] >= least_cosine:
                    union(parents, k, other)

    return Kernel(ridge_meet)


@cache
def settle() -> Kernel:
    """Return the kernel that points each pixel to its root, and counts a root's pixels: (pixels, parents, sizes)."""
    top = root()

    def ridge_settle(pixels, parents, sizes):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels and parents[k] >= 0:
            first = top(parents, k)
            parents[k] = first
            cuda.atomic.add(sizes, first, 1)

    return Kernel(ridge_settle)


@cache
def number() -> Kernel:
    """Return the kernel that gives each large enough ridge an empty row: (bright, pixels, parents, sizes, fewest, kind,
    table, columns, capacity, counts); the sizes of roots become the numbers of their rows, -1 without.
    """

    def ridge_number(bright, pixels, parents, sizes, fewest, kind, table, columns, capacity, counts):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if k < pixels and parents[k] == k:
            row = -1
            if sizes[k] >= fewest:
                row = cuda.atomic.add(counts, 0, 1)
                if row >= capacity:
                    row = -1
            sizes[k] = row
            if row >= 0:
                at = row * columns
                for c in range(columns - 1):
                    table[at + c] = 0
                mine = kind if bright[k] else kind + 1
                table[at + columns - 1] = (mine << KIND_BITS) + k

    return Kernel(ridge_number)


@cache
def add_up() -> Kernel:
    """Return the kernel that adds pixels to the rows of their ridges: (parents, rows of roots, cos2, sin2, offset,
    luminance, colour, channels, reach, height, width, table, columns).
    """
    parts, products = 1 / PART, 1 / PRODUCT

    @cuda.jit(device=True)
    def nearest(value):
        # Half to even; there are but comparisons behind a product, which no compiler can fuse.
        low = floor(value)
        half = low + 0.5
        up = value > half or (value == half and int(low) % 2 != 0)
        return int(low) + 1 if up else int(low)

    @cuda.jit(device=True)
    def add(table, at, value, units):
        cuda.atomic.add(table, at, numba.int64(floor(value * units + 0.5)))

    def ridge_sums(
        parents, row_of, cos2, sin2, offset, luminance, colour, channels, reach, height, width, table, columns
    ):
        k = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        pixels = height * width
        if k < pixels and parents[k] >= 0:
            first = parents[k]
            row = row_of[first]
            if row >= 0:
                at = row * columns
                i, j = k // width, k % width
                down, across = i - first // width, j - first % width
                # In double precision, as on the CPU: half the angle, in (-90°, 90°].
                twice, beyond = float(cos2[k]), float(offset[k])
                cos, sin = sqrt(max(1.0 + twice, 0.0) / 2), sqrt(max(1.0 - twice, 0.0) / 2)
                sin = sin if sin2[k] >= 0 else -sin
                # The crest lies this much below and to the right of the pixel's centre.
                below, right = -sin * beyond, cos * beyond
                cuda.atomic.add(table, at + COUNT, numba.int64(1))
                cuda.atomic.add(table, at + ROW, numba.int64(down))
                cuda.atomic.add(table, at + COLUMN, numba.int64(across))
                cuda.atomic.add(table, at + ROW2, numba.int64(down * down))
                cuda.atomic.add(table, at + COLUMN2, numba.int64(across * across))
                cuda.atomic.add(table, at + CROSS, numba.int64(down * across))
                add(table, at + PART_ROW, below, parts)
                add(table, at + PART_COLUMN, right, parts)
                add(table, at + PART_ROW2, below * (2 * down + below), products)
                add(table, at + PART_COLUMN2, right * (2 * across + right), products)
                add(table, at + PART_CROSS, down * right + across * below + below * right, products)
                add(table, at + COS2, twice, parts)
                add(table, at + SIN2, float(sin2[k]), parts)
                # One rounding for both, so that neither side is nearer.
                up, aside = nearest(reach * sin), nearest(reach * cos)
                row0, column0 = min(max(i + up, 0), height - 1), min(max(j - aside, 0), width - 1)
                row1, column1 = min(max(i - up, 0), height - 1), min(max(j + aside, 0), width - 1)
                one, other = row0 * width + column0, row1 * width + column1
                add(table, at + CONTRAST, float(luminance[k]) - 0.5 * float(luminance[one] + luminance[other]), parts)
                add(table, at + STEP, float(abs(luminance[one] - luminance[other])), parts)
                for c in range(channels):
                    plane = c * pixels
                    beside = 0.5 * float(colour[plane + one] + colour[plane + other])
                    add(table, at + CHANNELS + c, float(colour[plane + k]) - beside, parts)

    return Kernel(ridge_sums)
