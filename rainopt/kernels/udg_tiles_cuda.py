"""Primal-dual iterations of the UDG energy on tiles of a picture, several iterations to one pass over device memory.

A block of threads loads a tile with a halo as many pixels wide as it runs iterations: each iteration spoils one pixel
more at each side, and what is then still right is stored. A thread owns a strip of neighbouring rows of one column,
whose fields stay in registers; what its neighbours need goes through shared memory.

The fields lie in one flat array, the pool, plane after plane, each (images, height, width): `B` to `RY` of the state,
`B` to `RY` of the state that the next launch writes, then `SPARSITY` and `CEILING`, then `EXCESS` and `TRUST`, as far
as they are needed. `rainopt.kernels.udg_rows_cpu` runs the same iteration, and its names are used here.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numba

from rainopt.kernels.launch import Kernel, cuda

B, R, BX, BY, RX, RY = range(6)
STATE = 6  # planes of one state
PRIOR = 2 * STATE  # the plane SPARSITY; CEILING follows, then what time tells
SCALARS = (
    "step_b",
    "step_r",
    "keep_o",
    "keep_r",
    "mix_b",
    "mix_o",
    "shrink",
    "low",
    "relax",
    "dual_b",
    "dual_along",
    "dual_across",
    "tau",
    "lambda_x",
    "lambda_y",
    "sparsity",
    "top",
)
"""The numbers that `advance` takes, all of the dtype of the fields: those of `rainopt.optim.fused.constants`, λs, and
what R stays below where neither O nor a ceiling bounds it: -∞ in the bounded model, whose bound is O, else ∞."""


class Tile(NamedTuple):
    """How a block of threads is laid out.

    Attributes
    ----------
    wide
        Columns of a tile, its halo included, and threads side by side.
    strips
        Strips one below the other, a row of threads each.
    strip
        Rows of a strip, held in registers by one thread.
    registers
        The most that a thread may use, so that a multiprocessor holds several blocks; None leaves it to the compiler.
    """

    wide: int
    strips: int
    strip: int
    registers: int | None = None

    @property
    def high(self) -> int:
        """Rows of a tile, its halo included."""
        return self.strips * self.strip

    @property
    def deepest(self) -> int:
        """Most iterations in a pass that leave something of a tile."""
        return (min(self.wide, self.high) - 1) // 2


@cache
def advance(tile: Tile, single: bool, prior: bool, time: bool) -> Kernel:
    """Return the kernel of a tile, for float32 (``single``) or float64, with planes of a prior or time or without.

    It takes (pool, O, old, new, size, width, height, first image, first row of tiles, depth, scalars): ``old`` and
    ``new`` are the first planes of the states that are read and written, ``size`` the elements of a plane, and
    ``depth`` the iterations. O is flat, the grid (tiles across, tiles down, images).
    """
    wide, strips, strip, registers = tile
    high = tile.high
    last, bottom, right = strip - 1, strips - 1, wide - 1
    real = numba.float32 if single else numba.float64
    # CEILING and TRUST lie behind these.
    sparsity_plane, excess_plane = PRIOR, PRIOR + 2 if prior else PRIOR
    # Unsigned: of a signed place each access asks whether it is negative, a quarter of all instructions.
    place = numba.uint64

    # Arrays that only constants index after the loops over a strip are unrolled are registers.
    def udg_advance(pool, O, old, new, size, width, height, first_image, first_tile, depth, scalars):
        step_b, step_r, keep_o, keep_r, mix_b, mix_o, shrink, low, relax = scalars[:9]
        dual_b, dual_along, dual_across, tau, lambda_x, lambda_y, sparsity, top = scalars[9:]
        shared_b = cuda.shared.array((high, wide), real)
        shared_d = cuda.shared.array((high, wide), real)
        shared_by = cuda.shared.array((high, wide), real)
        shared_ry = cuda.shared.array((high, wide), real)
        first_r = cuda.shared.array((strips, wide), real)
        last_bx = cuda.shared.array((strips, wide), real)
        last_rx = cuda.shared.array((strips, wide), real)
        o = cuda.local.array(strip, real)
        b = cuda.local.array(strip, real)
        r = cuda.local.array(strip, real)
        bx = cuda.local.array(strip, real)
        by = cuda.local.array(strip, real)
        rx = cuda.local.array(strip, real)
        ry = cuda.local.array(strip, real)
        bar_b = cuda.local.array(strip, real)
        bar_r = cuda.local.array(strip, real)
        prices = cuda.local.array(strip if prior else 1, real)
        ceilings = cuda.local.array(strip if prior else 1, real)
        x, y = cuda.threadIdx.x, cuda.threadIdx.y
        zero = real(0)
        begin = y * strip
        column = cuda.blockIdx.x * (wide - 2 * depth) - depth + x
        first = (cuda.blockIdx.y + first_tile) * (high - 2 * depth) - depth + begin
        start = ((cuda.blockIdx.z + first_image) * height + first) * width + column
        plane, read, written = place(size), place(old * size), place(new * size)
        weighed, timed = place(sparsity_plane * size), place(excess_plane * size)
        here = column >= 0 and column < width
        across = here and column + 1 < width and x < right
        for p in range(strip):
            o[p] = b[p] = r[p] = bx[p] = by[p] = rx[p] = ry[p] = zero
            if prior:
                prices[p], ceilings[p] = sparsity, zero if zero > top else top
            if here and first + p >= 0 and first + p < height:
                at = place(start + p * width)
                o[p] = O[at]
                if prior:
                    # They are asked for in every iteration, and nothing else then waits for the memory.
                    prices[p] = pool[at + weighed]
                    ceilings[p] = pool[at + weighed + plane]
                at += read
                b[p] = pool[at]
                at += plane
                r[p] = pool[at]
                at += plane
                bx[p] = pool[at]
                at += plane
                by[p] = pool[at]
                at += plane
                rx[p] = pool[at]
                at += plane
                ry[p] = pool[at]
            shared_by[begin + p, x] = by[p]
            shared_ry[begin + p, x] = ry[p]
        last_bx[y, x] = bx[last]
        last_rx[y, x] = rx[last]
        cuda.syncthreads()
        for _ in range(depth):
            for p in range(strip):
                row = begin + p
                above_b, above_r, left_b, left_r = zero, zero, zero, zero
                if p > 0:
                    above_b, above_r = bx[p - 1], rx[p - 1]
                elif y > 0:
                    above_b, above_r = last_bx[y - 1, x], last_rx[y - 1, x]
                if x > 0:
                    left_b, left_r = shared_by[row, x - 1], shared_ry[row, x - 1]
                b_hat = b[p] - step_b * (above_b - bx[p] + left_b - by[p])
                r_hat = r[p] - step_r * (above_r - rx[p] + left_r - ry[p])
                mean = keep_o * (o[p] - b_hat) + keep_r * r_hat
                price, ceiling = sparsity, o[p] if o[p] > top else top
                if prior:
                    price, ceiling = prices[p], ceilings[p]
                excess, pull = zero, zero
                if time and here and first + p >= 0 and first + p < height:
                    at = place(start + p * width) + timed
                    excess = pool[at]
                    pull = pool[at + plane] * shrink
                over, under = mean - price * shrink, mean + price * shrink
                if time:
                    lower, middle, upper = under + pull, over + pull, over - pull
                    rain = lower if lower < zero else zero
                    middle = middle if middle < excess else excess
                    rain = middle if middle > rain else rain
                    rain = upper if upper > rain else rain
                else:
                    rain = (over if over > zero else zero) + (under if under < zero else zero)
                rain = rain if rain > low else low
                rain = rain if rain < ceiling else ceiling
                gain_b = mix_b * b_hat + mix_o * (o[p] - rain) - b[p]
                gain_r = rain - r[p]
                bar_b[p] = b[p] + gain_b + gain_b
                bar_r[p] = r[p] + gain_r + gain_r
                b[p] += relax * gain_b
                r[p] += relax * gain_r
                shared_b[row, x] = bar_b[p]
                shared_d[row, x] = bar_r[p] - o[p]
            first_r[y, x] = bar_r[0]
            cuda.syncthreads()
            for p in range(strip):
                row = begin + p
                # A field whose difference would leave the picture stays zero, and so does what lies outside.
                if first + p >= 0 and first + p + 1 < height:
                    below_b, below_r = bar_b[p], bar_r[p]
                    if p < last:
                        below_b, below_r = bar_b[p + 1], bar_r[p + 1]
                    elif y < bottom:
                        below_b, below_r = shared_b[row + 1, x], first_r[y + 1, x]
                    v = bx[p] + dual_b * (below_b - bar_b[p])
                    v = v if v > -tau else -tau
                    v = v if v < tau else tau
                    bx[p] += relax * (v - bx[p])
                    v = rx[p] + dual_along * (below_r - bar_r[p])
                    v = v if v > -lambda_x else -lambda_x
                    v = v if v < lambda_x else lambda_x
                    rx[p] += relax * (v - rx[p])
                if across:
                    v = by[p] + dual_b * (shared_b[row, x + 1] - bar_b[p])
                    v = v if v > -tau else -tau
                    v = v if v < tau else tau
                    by[p] += relax * (v - by[p])
                    v = ry[p] + dual_across * (shared_d[row, x + 1] - (bar_r[p] - o[p]))
                    v = v if v > -lambda_y else -lambda_y
                    v = v if v < lambda_y else lambda_y
                    ry[p] += relax * (v - ry[p])
                    shared_by[row, x] = by[p]
                    shared_ry[row, x] = ry[p]
            last_bx[y, x] = bx[last]
            last_rx[y, x] = rx[last]
            cuda.syncthreads()
        if here and x >= depth and x < wide - depth:
            for p in range(strip):
                row = begin + p
                if row >= depth and row < high - depth and first + p < height:
                    at = place(start + p * width) + written
                    pool[at] = b[p]
                    at += plane
                    pool[at] = r[p]
                    at += plane
                    pool[at] = bx[p]
                    at += plane
                    pool[at] = by[p]
                    at += plane
                    pool[at] = rx[p]
                    at += plane
                    pool[at] = ry[p]

    return Kernel(udg_advance, registers)
