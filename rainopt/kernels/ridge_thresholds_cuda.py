"""Thresholds of ridges on a CUDA device: in each block of a picture the strength that only its strongest exceed.

What `rainopt.direction.ridges.thresholds_from` does on the host, for bright and dark ridges at once and with the same
order statistics.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, threads

THREADS = threads(256, 3)


def thresholds(
    strength: Any, sampled: Any, otherwise: Any, block: int, step: int, faintest: float, share: float, local: float
) -> tuple[Any, Any]:
    """Return the thresholds of all blocks, (2, rows, columns) float32, those of bright ridges first, and how many of
    the sampled pixels are ridges, (2,) int32.

    Parameters
    ----------
    strength
        (H, W) float32, curvature, negative on dark ridges.
    sampled, otherwise
        (n,) and (m,) float32, ascending: the curvature that the threshold of the whole picture is found from, and the
        one that it is found from where no pixel of the first is a ridge.
    block, step
        Pixels: the side of a block, and from one pixel of a block that is looked at to the next.
    faintest
        What the curvature of a ridge exceeds.
    share
        Share of the ridge pixels below the threshold.
    local
        Least threshold of a block, as a share of that of the whole picture.
    """
    rows, columns = (int(n) for n in strength.shape)
    down, across = blocks(rows, block), blocks(columns, block)
    with Place(strength) as place:
        table, present = place.empty((2, down, across), np.float32), place.empty((2,), np.int32)
        place.start(
            choose(block, step, THREADS),
            (across, down, 2),
            THREADS,
            flat(strength),
            rows,
            columns,
            flat(sampled),
            int(sampled.shape[0]),
            flat(otherwise),
            int(otherwise.shape[0]),
            np.float32(faintest),
            float(share),
            np.float32(local),
            flat(table),
            flat(present),
            moved=2 * 4 * blocks(rows, step) * blocks(columns, step),
        )
    return table, present


@cache
def choose(block: int, step: int, together: int) -> Kernel:
    """Return the kernel of `thresholds` for blocks of ``together`` threads; its arrays are flat."""
    side = blocks(block, step)
    most = side * side

    @cuda.jit(device=True)
    def rank_of(count, share):
        # Python's rounding of the product, half to even. There are but comparisons, which no compiler can fuse.
        exact = share * (count - 1)
        low = int(exact)
        half = low + 0.5
        return low + 1 if exact > half or (exact == half and low % 2 == 1) else low

    @cuda.jit(device=True)
    def first_beyond(ordered, count, bound):
        # The first place with a value above the bound.
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if ordered[middle] > bound:
                high = middle
            else:
                low = middle + 1
        return low

    @cuda.jit(device=True)
    def first_not_below(ordered, count, bound):
        low, high = 0, count
        while low < high:
            middle = (low + high) // 2
            if ordered[middle] < bound:
                low = middle + 1
            else:
                high = middle
        return low

    @cuda.jit(device=True)
    def present_in(ordered, count, faintest, dark):
        return first_not_below(ordered, count, -faintest) if dark else count - first_beyond(ordered, count, faintest)

    @cuda.jit(device=True)
    def chosen_of(ordered, count, present, share, dark):
        rank = rank_of(present, share)
        return -ordered[present - 1 - rank] if dark else ordered[count - present + rank]

    def ridge_thresholds(
        strength, rows, columns, sampled, samples, otherwise, others, faintest, share, local, table, present
    ):
        values = cuda.shared.array(most, numba.float32)
        chosen = cuda.shared.array(1, numba.float32)
        found = cuda.shared.array(1, numba.int32)
        t = cuda.threadIdx.x
        dark = cuda.blockIdx.z == 1
        top, left = cuda.blockIdx.y * block, cuda.blockIdx.x * block
        down = (min(block, rows - top) + step - 1) // step
        across = (min(block, columns - left) + step - 1) // step
        if t == 0:
            found[0] = 0
            chosen[0] = np.inf
        cuda.syncthreads()
        for s in range(t, down * across, together):
            value = strength[(top + s // across * step) * columns + left + s % across * step]
            if dark:
                value = -value
            if value > faintest:
                values[cuda.atomic.add(found, 0, 1)] = value
        cuda.syncthreads()
        count = found[0]
        if count > 0:
            rank = rank_of(count, share)
            for s in range(t, count, together):
                value = values[s]
                below, equal = 0, 0
                for other in range(count):
                    if values[other] < value:
                        below += 1
                    elif values[other] == value:
                        equal += 1
                # Whoever it is, equal ones write the same.
                if below <= rank and rank < below + equal:
                    chosen[0] = value
        cuda.syncthreads()
        if t == 0:
            everywhere = numba.float32(np.inf)
            number = present_in(sampled, samples, faintest, dark)
            if number > 0:
                everywhere = chosen_of(sampled, samples, number, share, dark)
            else:
                # A single line may lie between the samples.
                rest = present_in(otherwise, others, faintest, dark)
                if rest > 0:
                    everywhere = chosen_of(otherwise, others, rest, share, dark)
            if cuda.blockIdx.x == 0 and cuda.blockIdx.y == 0:
                present[cuda.blockIdx.z] = number
            least = local * everywhere
            value = chosen[0] if chosen[0] > least else least
            at = (cuda.blockIdx.z * cuda.gridDim.y + cuda.blockIdx.y) * cuda.gridDim.x + cuda.blockIdx.x
            table[at] = value if value < everywhere else everywhere

    return Kernel(ridge_thresholds)
