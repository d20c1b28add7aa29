"""Compile the kernels for this processor now, where they can be kept, so that the first picture need not wait for it.

``python -m rainopt.kernels`` after an installation; what is there already is not compiled again.
"""

from __future__ import annotations

import time

import numpy as np

from rainopt.kernels import (
    alike_cpu,
    block_mean_cpu,
    colour_votes_cpu,
    doubt_cpu,
    irnn_cpu,
    irnn_last_cpu,
    percentile_cpu,
    raise_layer_cpu,
    remove_layer_cpu,
    ridge_cpu,
    shear_cpu,
    streaks_cpu,
    udg_cpu,
    way_back_cpu,
)
from rainopt.kernels.announce import on_compile
from rainopt.kernels.udg_rows_cpu import Constants

SIDE = 16


def main() -> None:
    """Call every kernel with the types that photographs and videos of 8 bits have, and say what was compiled."""
    start, compiled = time.perf_counter(), list[str]()
    forget = on_compile(compiled.append)
    for call in (_solver, _ridges, _shear, _blocks, _colour, _percentiles, _streaks, _alike, _flows, _recurrence):
        call()
    forget()
    taken = f"compiled {len(compiled)} kernels in {time.perf_counter() - start:.1f} s" if compiled else "nothing to do"
    print(f"rainopt: {taken}")


def _solver() -> None:
    image = np.zeros((SIDE, SIDE), np.float32)
    constants = {name: 1.0 for name in Constants._fields if name != "bounded"}
    # Photographs know nothing of other moments, and videos do.
    for excess in (None, image):
        bands = udg_cpu.Bands(image, constants, bounded=True, sparsity=1.0, excess=excess, trust=excess)
        bands.advance(1)
        bands.certify()
    raise_layer_cpu.raise_layer(image, image, image, (1, 2))
    doubt_cpu.doubt(image, image, (3, 3, 3, 3), (1, 2), (1.0, 1.0, 1.0, 1.0, 1.0))


def _ridges() -> None:
    plane, colour, taps = (np.zeros(shape, np.float32) for shape in ((SIDE, SIDE), (3, SIDE, SIDE), (3, 7)))
    crest, owner = np.zeros(plane.shape, np.bool_), np.zeros(plane.shape, np.int32)
    ridge_cpu.curvature(plane, taps, 0, SIDE, plane.copy(), plane.copy(), plane.copy())
    ridge_cpu.crests(plane, plane, plane, np.float32(1), plane[:1, :1].copy(), SIDE, 0, SIDE, crest, plane)
    count = ridge_cpu.link(crest, plane, plane, np.float32(1), owner)
    ridge_cpu.measure(owner, plane, plane, plane, plane, colour, 1.0, np.zeros((count, ridge_cpu.CHANNELS + 3)))


def _shear() -> None:
    shear_cpu.shift_rows(np.zeros((SIDE, SIDE), np.float32), np.zeros(SIDE, np.int64), np.ones((SIDE, 6)), SIDE, True)


def _blocks() -> None:
    # More rows than a thread takes at a time, as in every picture that is reduced.
    pixels = np.zeros((4 * block_mean_cpu.BAND_ROWS, SIDE, 3), np.uint8)
    block_mean_cpu.block_mean(pixels, 3, 2, 1 / 255, 0.0, 255.0)


def _colour() -> None:
    pixels, rain = np.zeros((SIDE, SIDE, 3), np.uint8), np.zeros((SIDE, SIDE), np.float32)
    planes, shares = np.moveaxis(pixels, -1, 0), np.ones((3, 2, 2), np.float32)
    colour_votes_cpu.colour_votes(planes, rain, np.ones((1, 2), np.int64), 1 / 255, 0.01, 8)
    remove_layer_cpu.remove_layer(planes.astype(np.float32), rain, shares, 8, 0, 0.0, (1.0, 1.0, 1.0))


def _percentiles() -> None:
    frames = np.zeros((2, SIDE, SIDE, 3), np.uint8)
    percentile_cpu.vote(frames, 250)
    image = percentile_cpu.percentile(frames, 0, 50, 0.03)[0]
    percentile_cpu.off_centre(frames, image, 0.03)


def _alike() -> None:
    picture, middle = np.zeros((SIDE, SIDE), np.float32), np.full(1, SIDE // 2)
    alike_cpu.alike(picture, picture, (middle, middle), picture[0, :1], np.arange(2), np.ones(1), np.ones(1), 1)


def _flows() -> None:
    flow = np.zeros((SIDE, SIDE, 2), np.float32)
    way_back_cpu.leads_home(flow, flow, 1, 0)


def _streaks() -> None:
    # Row, column, angle, length, σ, fade, peak, distance, texture, beat and phase of one streak.
    numbers, depth = [np.ones(1) for _ in range(11)], np.zeros((1, 1), np.float32)
    streaks_cpu.draw(np.zeros((SIDE, SIDE)), *numbers, depth, False, True)


def _recurrence() -> None:
    x, weights = np.zeros((1, 1, SIDE, SIDE), np.float32), np.zeros((4, 1), np.float32)
    h = irnn_cpu.irnn(x, weights, weights)
    irnn_cpu.irnn_backward(h, h, weights)
    irnn_last_cpu.irnn_last(x[:, 0, :, :, None], weights, weights)


if __name__ == "__main__":
    main()
