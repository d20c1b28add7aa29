"""Rows shifted sideways by fractions of a pixel, on a CUDA device."""

from __future__ import annotations

from functools import cache
from typing import Any

import numba
import numpy as np

from rainopt.kernels.launch import Kernel, Place, blocks, cuda, flat, numpy_dtype, portions, threads, view

# Of a block of threads, whose rows share cache lines where the image is transposed.
COLUMNS, ROWS = threads(32, 4), threads(8, 2)


def shift_rows(image: Any, starts: np.ndarray, weights: np.ndarray, width: int, edge: bool) -> Any:
    """Return ``out[..., i, j] = Σ_k weights[i, k] image[..., i, j + starts[i] + k]``, (..., H, W) to (..., H, width).

    Outside lies the nearest pixel of the row where ``edge`` is set, else 0. ``starts`` (H,) and ``weights`` (H, taps)
    are the host's; they are brought to the device, 4 + 4 taps bytes a row for float32.
    """
    *batch, rows, columns = (int(n) for n in image.shape)
    with Place(image) as place:
        xp, kind = place.xp, numpy_dtype(image)
        dtype = kind if kind in (np.float32, np.float64) else np.dtype(np.float32)
        out = place.empty((*batch, rows, width), dtype)
        if 0 not in out.shape:
            images = xp.reshape(xp.astype(image, getattr(xp, dtype.name), copy=False), (-1, rows, columns))
            table = place.upload(weights.astype(dtype))
            first = place.upload(starts.astype(np.int32))
            kernel = shear(weights.shape[1], dtype == np.float32)
            moved = (images.shape[0] * columns + images.shape[0] * width + weights.shape[1] + 1) * rows * dtype.itemsize
            for image0, depth in portions(images.shape[0]):
                for block0, down in portions(blocks(rows, ROWS)):
                    place.start(
                        kernel,
                        (blocks(width, COLUMNS), down, depth),
                        (COLUMNS, ROWS),
                        view(images),
                        flat(first),
                        flat(table),
                        width,
                        int(edge),
                        image0,
                        block0,
                        flat(out),
                        moved=moved if image0 == block0 == 0 else 0,
                    )
        return xp.astype(out, getattr(xp, kind.name), copy=False)


@cache
def shear(taps: int, single: bool) -> Kernel:
    """Return the kernel of `shift_rows`.

    It takes (images (N, H, W), starts, weights, width, edge, first image, first row of blocks, out); all but the first
    are flat.
    """
    real = numba.float32 if single else numba.float64

    def shift_rows(images, starts, weights, width, edge, first_image, first_block, out):
        rows, columns = images.shape[1], images.shape[2]
        n = cuda.blockIdx.z + first_image
        i = (cuda.blockIdx.y + first_block) * cuda.blockDim.y + cuda.threadIdx.y
        j = cuda.blockIdx.x * cuda.blockDim.x + cuda.threadIdx.x
        if i < rows and j < width:
            first = j + starts[i]
            total = real(0)
            for k in range(taps):
                column = first + k
                inside = min(max(column, 0), columns - 1)
                if edge != 0 or column == inside:
                    total += weights[i * taps + k] * images[n, i, inside]
            out[(n * rows + i) * width + j] = total

    return Kernel(shift_rows)
