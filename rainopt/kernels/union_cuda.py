"""Union and find in a forest that many threads of a CUDA device work on at once.

A forest is an int32 array in which each entry points to its parent, never to a later entry; roots point to themselves.
Links only ever move towards the first entry of a tree, so that what a thread reads late is still on its way to the
root.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from rainopt.kernels.launch import cuda


@cache
def root() -> Any:
    """Return the device function (parents, k) that follows an entry to its root."""

    @cuda.jit(device=True)
    def root_of(parents, k):
        above = parents[k]
        while above != k:
            k = above
            above = parents[k]
        return k

    return root_of


@cache
def unite() -> Any:
    """Return the device function (parents, a, b) that makes the trees of two entries one.

    Notes
    -----
    Source: Playne, Hawick 2018, "A new algorithm for parallel connected-component labelling on GPUs": an atomic
    minimum tells whether the later root was still one; where it was not, its former parent is united instead.
    """
    top = root()

    @cuda.jit(device=True)
    def unite_with(parents, a, b):
        a, b = top(parents, a), top(parents, b)
        while a != b:
            later, first = max(a, b), min(a, b)
            before = cuda.atomic.min(parents, later, first)
            if before == later:
                break
            a, b = top(parents, before), top(parents, first)

    return unite_with
