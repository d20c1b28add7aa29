"""Random inputs for each operation that has a kernel: the same call for the CPU's kernel and the device's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import gaussian_filter

from benchmarks.gpu import host_ridges
from rainopt.arrays import namespace
from rainopt.direction.evidence import LIKENESS
from rainopt.direction.ridges import BLOCK, FAINTEST, FEWEST, LOCAL, SAMPLE, STRONGEST, gaussian_derivatives
from rainopt.geometry.warp import TAPS, lanczos_weights
from rainopt.kernels import ridge_cpu
from rainopt.optim.fused import constants
from rainopt.optim.objectives import UDGWeights
from rainopt.optim.primal_dual import StepLengths

Put = Callable[[np.ndarray], Any]


@dataclass(frozen=True)
class Case:
    """One call of a kernel.

    Attributes
    ----------
    operation, title
        What is computed, and on what.
    call
        Called with a kernel and with what puts a host array on its device; returns its results, an array or several.
    """

    operation: str
    title: str
    call: Callable[[Callable[..., Any], Put], Any]


def cases(rng: np.random.Generator, tiny: bool) -> Iterator[Case]:
    """Yield all cases; ``tiny`` ones are for a simulator that takes a millisecond a pixel."""
    sides = [(9, 14)] if tiny else [(517, 333), (64, 64), (3000, 131)]
    for height, width in sides:
        title = f"{height} x {width}"
        yield from _still(rng, height, width, title)
        yield from _ridges(rng, height, width, title)
    for exact in (np.float64,) if tiny else (np.float32, np.float64):
        yield from _solver(rng, (9, 11) if tiny else (301, 517), exact, 4 if tiny else 60)
    if not tiny:
        yield from _solver(rng, (5, 128, 200), np.float32, 60)
    for layers in [(1, 2, 5, 7)] if tiny else [(2, 5, 131, 97), (1, 32, 512, 512)]:
        yield from _recurrence(rng, layers)
    for dtype in (np.uint8, np.uint16):
        for shape in [(5, 6, 7), (4, 5, 6, 3)] if tiny else [(7, 33, 65), (100, 135, 240, 3), (31, 64, 50, 3)]:
            yield from _frames(rng, shape, dtype)


def _still(rng: np.random.Generator, height: int, width: int, title: str) -> Iterator[Case]:
    plane = rng.random((height, width)).astype(np.float32)
    for length, axis in ((15, -1), (27, -2), (12, -2)):

        def mean(kernel: Any, put: Put, length: int = length, axis: int = axis) -> Any:
            return kernel(put(plane), length, axis)

        yield Case("box_mean", f"{title}, {length} along {axis}", mean)
    pixels = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    for values, scale, high in ((pixels, 1 / 255, 255.0), (pixels.astype(np.float32) / 255, 1.0, 1.0001)):

        def blocks(kernel: Any, put: Put, values: np.ndarray = values, scale: float = scale, high: float = high) -> Any:
            return kernel(put(values), 3, 3, scale, -high * (values.dtype.kind == "f") * 1e-4, high)

        yield Case("block_mean", f"{title} {values.dtype}", blocks)
    for slope, edge in ((0.37, True), (-0.9, False), (0.0, True)):
        offsets = slope * (np.arange(height) - (height - 1) / 2) - 7
        whole = np.floor(offsets)
        weights, starts = lanczos_weights(offsets - whole), whole.astype(np.int64) - (TAPS // 2 - 1)

        def shear(kernel: Any, put: Put, starts: Any = starts, weights: Any = weights, edge: bool = edge) -> Any:
            return kernel(put(plane), starts, weights, width + 14, edge)

        yield Case("shear", f"{title}, slope {slope}, {'edge' if edge else 'zero'}", shear)
    taps = gaussian_derivatives(1.0)

    def curvature(kernel: Any, put: Put) -> Any:
        found = [put(np.zeros((height, width), np.float32)) for _ in range(3)]
        kernel(put(plane), taps, 0, height, *found)
        # The direction of what is hardly curved is anybody's.
        return found[0], found[0] * found[1], found[0] * found[2]

    yield Case("ridge_curvature", title, curvature)
    for operation in ("dct2", "idct2"):
        yield Case(operation, title, lambda kernel, put: kernel(put(plane)))


def _ridges(rng: np.random.Generator, height: int, width: int, title: str) -> Iterator[Case]:
    # Smoothed noise has ridges of all lengths and directions; crests are the host's, as a hair decides about them.
    planes = gaussian_filter(rng.random((3, height, width)), (0, 2.5, 0.8), mode="nearest").astype(np.float32)
    plane = np.ascontiguousarray(planes.mean(axis=0))
    strength, cos2, sin2, offset = (np.zeros_like(plane) for _ in range(4))
    ridge_cpu.curvature(plane, gaussian_derivatives(1.0), 0, height, strength, cos2, sin2)
    samples = np.sort(strength[::SAMPLE, ::SAMPLE], axis=None)
    choice = BLOCK, SAMPLE, FAINTEST, 1 - STRONGEST, LOCAL

    def choose(kernel: Any, put: Put) -> Any:
        return kernel(put(strength), put(samples), put(np.sort(strength, axis=None)), *choice)

    yield Case("ridge_thresholds", title, choose)
    limits, _ = host_ridges.thresholds(strength, samples, *choice)
    crests = [np.zeros(plane.shape, np.bool_) for _ in range(2)]
    for sign, limit, crest in zip((1.0, -1.0), limits, crests, strict=True):
        ridge_cpu.crests(strength, cos2, sin2, np.float32(sign), limit, BLOCK, 0, height, crest, offset)

    def weigh(kernel: Any, put: Put) -> Any:
        table = kernel(put(plane), put(planes), plane.size)
        for kind in (0, 2):
            table.join(*map(put, (*crests, cos2, sin2, offset)), np.float32(0.77), 2.5 + kind, FEWEST, kind)
        found = table.votes(LIKENESS, (0.5, 1.0))[: int(table.counts[1]), :]
        # They come in any order.
        xp = namespace(found)
        return xp.take(found, xp.argsort(found[:, 0]), axis=0)

    yield Case("ridge_table", title, weigh)


def _solver(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any, steps: int) -> Iterator[Case]:
    O = rng.random(shape).astype(dtype)
    factors, trust = (rng.uniform(0, 2, shape).astype(dtype) for _ in range(2))
    ceiling, excess, start = ((O * rng.random(shape)).astype(dtype) for _ in range(3))
    fields: dict[str, dict[str, np.ndarray]] = {
        "plain": {},
        "factors and ceiling": {"factors": factors, "ceiling": ceiling},
        "time": {"excess": excess, "trust": trust, "start": start},
        "all": {"factors": factors, "ceiling": ceiling, "excess": np.minimum(excess, ceiling), "trust": trust},
    }
    for name, given in fields.items():
        for bounded in (True, False) if "ceiling" not in given else (True,):
            weights = UDGWeights(bounded=bounded)

            def solve(kernel: Any, put: Put, given: Any = given, weights: UDGWeights = weights) -> Any:
                solver = kernel(
                    put(O),
                    constants(weights, StepLengths.for_weights(weights)),
                    bounded=weights.bounded,
                    sparsity=weights.sparsity,
                    **{field: put(value) for field, value in given.items()},
                )
                solver.advance(steps)
                energy, gap = solver.certify()
                return (*solver.result(), energy, gap)

            shown = " x ".join(map(str, shape))
            title = f"{shown} {np.dtype(dtype).name}, {name}{'' if bounded else ', unbounded'}, {steps} steps"
            yield Case("udg", title, solve)


def _frames(rng: np.random.Generator, shape: tuple[int, ...], dtype: Any) -> Iterator[Case]:
    most = np.iinfo(dtype).max
    # A still scene with noise, and rain over a tenth of it: what percentiles over time are for.
    scene = rng.uniform(0.1, 0.8, shape[1:])
    moving = scene + 0.01 * rng.standard_normal(shape) + 0.4 * (rng.random(shape) < 0.1)
    frames = np.rint(np.clip(moving, 0, 1) * most).astype(dtype)
    image = np.median(frames, axis=0).astype(np.float32) / np.float32(most)
    title = f"{' x '.join(map(str, shape))} {frames.dtype}"
    yield Case("percentile_vote", title, lambda kernel, put: kernel(put(frames), 250))
    rank, rest = divmod(37 * (shape[0] - 1), 100)
    yield Case("percentile", title, lambda kernel, put: kernel(put(frames), rank, rest, 8 / 255))
    yield Case("off_centre", title, lambda kernel, put: kernel(put(frames), put(image), 8 / 255))


def _recurrence(rng: np.random.Generator, shape: tuple[int, ...]) -> Iterator[Case]:
    title = " x ".join(map(str, shape))
    x, channels = rng.standard_normal(shape).astype(np.float32), shape[1]
    alpha, beta = (rng.uniform(-0.5, 0.9, (4, channels)).astype(np.float32) for _ in range(2))
    yield Case("irnn", title, lambda kernel, put: kernel(put(x), put(alpha), put(beta)))
    grad, h = (rng.random((shape[0], 4 * channels, *shape[2:])).astype(np.float32) for _ in range(2))
    # Zeros are what stops a gradient.
    h[h < 0.5] = 0
    yield Case("irnn_backward", title, lambda kernel, put: kernel(put(grad), put(h), put(alpha)))
