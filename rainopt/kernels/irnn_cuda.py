"""The recurrence of spatial attention in four directions on a CUDA device, and its gradient: a thread for each line.

In a sweep down or up neighbouring threads have neighbouring columns, and read whole lines of the cache; some rows are
asked for before the first of them is needed, since each takes long to come. In a sweep to the right or to the left a
block brings squares of pixels into shared memory, where its first threads have a row each, and takes them out again.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.irnn_cpu import DOWN, LEFT, RIGHT, UP
from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads

SIDE, DEPTH = threads(32, 3), threads(8, 2)  # of a square, and the threads that bring a column of it
COLUMNS = threads(64, 4)  # of a block that goes down or up
AHEAD = 4  # rows that are asked for at a time


def irnn(x: Any, alpha: Any, beta: Any) -> Any:
    """Return what `rainopt.kernels.irnn_cpu.irnn` does: (N, C, H, W) to (N, 4 C, H, W)."""
    images, channels, height, width = (int(n) for n in x.shape)
    with Place(x) as place:
        kind = numpy_dtype(x)
        out = place.empty((images, 4 * channels, height, width), kind)
        if 0 not in out.shape:
            arguments = (flat(x), flat(alpha), flat(beta), flat(out), channels, height, width)
            _start(place, (down_kernel, across_kernel), kind, images * channels, (height, width), arguments, planes=2)
    return out


def irnn_backward(grad: Any, h: Any, alpha: Any) -> tuple[Any, Any, Any]:
    """Return what `rainopt.kernels.irnn_cpu.irnn_backward` does."""
    images, four, height, width = (int(n) for n in h.shape)
    channels = four // 4
    with Place(h) as place:
        xp, kind = place.xp, numpy_dtype(h)
        of_x = place.zeros((images, channels, height, width), kind)
        # A place for each line, so that the order of additions is always the same.
        sums = place.zeros((2, 4, images, channels, max(height, width)), np.float64)
        if 0 not in of_x.shape and 0 not in h.shape:
            arrays = (flat(grad), flat(h), flat(alpha), flat(of_x), flat(sums))
            arguments = (*arrays, images, channels, height, width)
            kernels = (down_back_kernel, across_back_kernel)
            _start(place, kernels, kind, images * channels, (height, width), arguments, planes=4)
        # Over one axis at a time, as all namespaces can.
        total = xp.astype(xp.sum(xp.sum(sums, axis=4), axis=2), getattr(xp, kind.name))
        return of_x, total[0, ...], total[1, ...]


def _start(
    place: Place,
    kernels: tuple[Callable[[bool], Kernel], Callable[[bool], Kernel]],
    kind: np.dtype,
    count: int,
    size: tuple[int, int],
    arguments: tuple[Any, ...],
    planes: int,
) -> None:
    """Start the kernels of sweeps down and across, a direction after the other, since all may add to the same pixels.

    ``count`` planes of this size are swept, and each launch reads and writes as many bytes as ``planes`` times all of
    them have.
    """
    (down, across), (height, width) = kernels, size
    moved = planes * count * height * width * kind.itemsize
    for direction in (UP, RIGHT, DOWN, LEFT):
        block: tuple[int, ...]
        if direction in (UP, DOWN):
            kernel, lines, block = down(kind == np.float32), blocks(width, COLUMNS), (COLUMNS,)
        else:
            kernel, lines, block = across(kind == np.float32), blocks(height, SIDE), (SIDE, DEPTH)
        for first, some in portions(count):
            begun = moved if first == 0 else 0
            place.start(kernel, (lines, some), block, *arguments, direction, first, moved=begun)


@cache
def down_kernel(single: bool) -> Kernel:
    """Return the kernel of sweeps down and up: (x, alpha, beta, out, C, H, W, direction, first plane), arrays flat."""
    zero: Any = (np.float32 if single else np.float64)(0)

    def irnn_down(x, alpha, beta, out, channels, height, width, direction, first):
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        plane = cuda.blockIdx.y + first
        if j < width:
            n, c = plane // channels, plane % channels
            a, b = alpha[direction * channels + c], beta[direction * channels + c]
            step = width if direction == DOWN else -width
            start = j if direction == DOWN else (height - 1) * width + j
            source = plane * height * width + start
            target = (n * 4 * channels + direction * channels + c) * height * width + start
            # Of the first pixel neither term counts.
            h = x[source]
            h = zero if h <= zero else h
            out[target] = h
            k = 1
            while k + AHEAD <= height:
                x0 = x[source + k * step]
                x1 = x[source + (k + 1) * step]
                x2 = x[source + (k + 2) * step]
                x3 = x[source + (k + 3) * step]
                h = a * h + (b + x0)
                h = zero if h <= zero else h
                out[target + k * step] = h
                h = a * h + (b + x1)
                h = zero if h <= zero else h
                out[target + (k + 1) * step] = h
                h = a * h + (b + x2)
                h = zero if h <= zero else h
                out[target + (k + 2) * step] = h
                h = a * h + (b + x3)
                h = zero if h <= zero else h
                out[target + (k + 3) * step] = h
                k += AHEAD
            while k < height:
                h = a * h + (b + x[source + k * step])
                h = zero if h <= zero else h
                out[target + k * step] = h
                k += 1

    return Kernel(irnn_down)


@cache
def across_kernel(single: bool) -> Kernel:
    """Return the kernel of sweeps to the right and to the left, with the arguments of `down_kernel`."""
    real, side, wide = (numba.float32 if single else numba.float64), SIDE, SIDE + 1
    zero: Any = (np.float32 if single else np.float64)(0)

    def irnn_across(x, alpha, beta, out, channels, height, width, direction, first):
        # One more in a row, or the threads of a column would ask for the same bank.
        square = cuda.shared.array((side, wide), real)
        plane, top = cuda.blockIdx.y + first, cuda.blockIdx.x * side
        column, lane = cuda.threadIdx.x, cuda.threadIdx.y
        n, c = plane // channels, plane % channels
        a, b = alpha[direction * channels + c], beta[direction * channels + c]
        source = plane * height * width
        target = (n * 4 * channels + direction * channels + c) * height * width
        squares = (width + side - 1) // side
        h = zero
        for k in range(squares):
            left = (k if direction == RIGHT else squares - 1 - k) * side
            for i in range(lane, side, cuda.blockDim.y):
                if top + i < height and left + column < width:
                    square[i, column] = x[source + (top + i) * width + left + column]
            cuda.syncthreads()
            if lane == 0 and top + column < height:
                many = min(side, width - left)
                for m in range(many):
                    j = m if direction == RIGHT else many - 1 - m
                    value = square[column, j]
                    if k > 0 or m > 0:
                        value = a * h + (b + value)
                    h = zero if value <= zero else value
                    square[column, j] = h
            cuda.syncthreads()
            for i in range(lane, side, cuda.blockDim.y):
                if top + i < height and left + column < width:
                    out[target + (top + i) * width + left + column] = square[i, column]
            cuda.syncthreads()

    return Kernel(irnn_across)


@cache
def down_back_kernel(single: bool) -> Kernel:
    """Return the kernel of the gradient of sweeps down and up.

    It takes (grad, h, alpha, gradient of x, sums, N, C, H, W, direction, first plane), the arrays flat.
    """
    zero: Any = (np.float32 if single else np.float64)(0)

    def irnn_down_back(grad, h, alpha, of_x, sums, images, channels, height, width, direction, first):
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        plane = cuda.blockIdx.y + first
        if j < width:
            n, c = plane // channels, plane % channels
            a = alpha[direction * channels + c]
            # Against the sweep.
            step = -width if direction == DOWN else width
            start = (height - 1) * width + j if direction == DOWN else j
            target = plane * height * width + start
            source = (n * 4 * channels + direction * channels + c) * height * width + start
            value = grad[source]
            value = zero if h[source] <= zero else value
            of_x[target] += value
            of_alpha, of_beta = 0.0, 0.0
            for k in range(1, height):
                place = source + k * step
                reached = h[place]
                of_alpha += value * reached
                of_beta += value
                value = grad[place] + a * value
                value = zero if reached <= zero else value
                of_x[target + k * step] += value
            lines = max(height, width)
            at = ((direction * images + n) * channels + c) * lines + j
            sums[at] = of_alpha
            sums[at + 4 * images * channels * lines] = of_beta

    return Kernel(irnn_down_back)


@cache
def across_back_kernel(single: bool) -> Kernel:
    """Return the kernel of the gradient of sweeps to the right and to the left, with `down_back_kernel`'s arguments."""
    real, side, wide = (numba.float32 if single else numba.float64), SIDE, SIDE + 1
    zero: Any = (np.float32 if single else np.float64)(0)

    def irnn_across_back(grad, h, alpha, of_x, sums, images, channels, height, width, direction, first):
        square = cuda.shared.array((side, wide), real)
        reached = cuda.shared.array((side, wide), real)
        plane, top = cuda.blockIdx.y + first, cuda.blockIdx.x * side
        column, lane = cuda.threadIdx.x, cuda.threadIdx.y
        n, c = plane // channels, plane % channels
        a = alpha[direction * channels + c]
        target = plane * height * width
        source = (n * 4 * channels + direction * channels + c) * height * width
        squares = (width + side - 1) // side
        value, of_alpha, of_beta = zero, 0.0, 0.0
        for k in range(squares):
            # Against the sweep.
            left = (squares - 1 - k if direction == RIGHT else k) * side
            for i in range(lane, side, cuda.blockDim.y):
                if top + i < height and left + column < width:
                    place = source + (top + i) * width + left + column
                    square[i, column] = grad[place]
                    reached[i, column] = h[place]
            cuda.syncthreads()
            if lane == 0 and top + column < height:
                many = min(side, width - left)
                for m in range(many):
                    j = many - 1 - m if direction == RIGHT else m
                    before, arrived = reached[column, j], square[column, j]
                    if k > 0 or m > 0:
                        of_alpha += value * before
                        of_beta += value
                        arrived = arrived + a * value
                    value = zero if before <= zero else arrived
                    square[column, j] = value
            cuda.syncthreads()
            for i in range(lane, side, cuda.blockDim.y):
                if top + i < height and left + column < width:
                    of_x[target + (top + i) * width + left + column] += square[i, column]
            cuda.syncthreads()
        if lane == 0 and top + column < height:
            lines = max(height, width)
            at = ((direction * images + n) * channels + c) * lines + top + column
            sums[at] = of_alpha
            sums[at + 4 * images * channels * lines] = of_beta

    return Kernel(irnn_across_back)
