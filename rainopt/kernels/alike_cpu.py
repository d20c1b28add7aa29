"""Where small pieces of a picture are found again in two others, as far away to the one side as to the other."""

from __future__ import annotations

import numpy as np

from rainopt.kernels.compiler import compiled

# Pixels between two looks at whether any place of a row can still be alike.
AT_ONCE = 12


def alike(
    ahead: np.ndarray,
    back: np.ndarray,
    places: tuple[np.ndarray, np.ndarray],
    values: np.ndarray,
    starts: np.ndarray,
    farthest: np.ndarray,
    most: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shifts by which pieces are most alike in one picture and, the other way, in another.

    Parameters
    ----------
    ahead, back
        (H, W) float32, C-contiguous.
    places
        Rows and columns (N,) int64 in both of the pixels of all pieces, one after the other.
    values
        (N,) float32: what these pixels show.
    starts
        (P + 1,) int64: where each piece begins among its pixels, and their end.
    farthest
        (P,) int64: the rows and columns that a shift of each may have; its pixels are at least as far from the edges.
    most
        (P,): the sum of squared differences from which on nothing is alike; the worse of the two pictures decides.
    count
        Shifts that are asked for.

    Returns
    -------
    tuple
        Rows and columns of the shifts in ``ahead`` (P, count, 2) int64, the most alike first, and how many there are
        (P,) int64.
    """
    misses = np.repeat(np.asarray(most, np.float32)[:, None], count, axis=1)
    shifts, found = np.zeros((len(most), count, 2), np.int64), np.zeros(len(most), np.int64)
    write_alike(ahead, back, *places, values, starts, np.asarray(farthest, np.int64), misses, shifts, found)
    return shifts, found


@compiled
def write_one(ahead, back, rows, columns, values, farthest, misses, shifts):
    """Write `alike` of one piece; return how many shifts there are."""
    count, side, n = misses.size, 2 * farthest + 1, values.size
    one, other = np.empty(side, np.float32), np.empty(side, np.float32)
    found = 0
    for i in range(side):
        # A whole row of shifts at a time, until none of them can be among the best any more.
        one[:] = 0
        other[:] = 0
        near, done = True, 0
        while near and done < n:
            until = min(done + AT_ONCE, n)
            for k in range(done, until):
                there = ahead[rows[k] + i - farthest, columns[k] - farthest : columns[k] + farthest + 1]
                value = values[k]
                for j in range(side):
                    one[j] += (there[j] - value) * (there[j] - value)
            done = until
            near = False
            for j in range(side):
                near |= one[j] < misses[count - 1]
        done = 0
        while near and done < n:
            until = min(done + AT_ONCE, n)
            for k in range(done, until):
                there = back[rows[k] - i + farthest, columns[k] - farthest : columns[k] + farthest + 1]
                value = values[k]
                for j in range(side):
                    other[j] += (there[j] - value) * (there[j] - value)
            done = until
            near = False
            for j in range(side):
                near |= max(one[j], other[side - 1 - j]) < misses[count - 1]
        if not near:
            continue
        for j in range(side):
            miss = max(one[j], other[side - 1 - j])
            if miss >= misses[count - 1]:
                continue
            place = count - 1
            while place > 0 and misses[place - 1] > miss:
                misses[place], shifts[place] = misses[place - 1], shifts[place - 1]
                place -= 1
            misses[place] = miss
            shifts[place, 0], shifts[place, 1] = i - farthest, j - farthest
            found = min(found + 1, count)
    return found


@compiled
def write_alike(ahead, back, rows, columns, values, starts, farthest, misses, shifts, found):
    """Write `alike`, given the largest sums in ``misses`` (P, count) float32."""
    for k in range(farthest.size):
        own = slice(starts[k], starts[k + 1])
        found[k] = write_one(ahead, back, rows[own], columns[own], values[own], farthest[k], misses[k], shifts[k])
