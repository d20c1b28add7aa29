"""Primal-dual iterations of the UDG energy on a CUDA device, the counterpart of `rainopt.kernels.udg_cpu`.

Where a launch takes longer to start than to run, as for small pictures, the launches between two certificates are
recorded as a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from rainopt.kernels import udg_certificate_cuda as certificate
from rainopt.kernels import udg_tiles_cuda as tiles
from rainopt.kernels import udg_variants_cuda
from rainopt.kernels.graphs import Repeated
from rainopt.kernels.launch import SIMULATED, Place, blocks, flat, numpy_dtype, portions
from rainopt.kernels.udg_tiles_cuda import PRIOR, STATE, B, R, Tile

PLAIN = Tile(wide=64, strips=8, strip=4, registers=64)
"""Tile for float32 images of which nothing else is known: two blocks of 16 warps on a multiprocessor of Hopper's."""
WEIGHTED = Tile(wide=32, strips=8, strip=4, registers=80)
"""Tile for float32 images with a prior: three blocks of 8 warps on a multiprocessor, and nothing is spilled."""
INFORMED = Tile(wide=32, strips=8, strip=4, registers=128)
"""Tile for float32 images with what time tells, whose loops need more registers."""
DOUBLE = Tile(wide=32, strips=8, strip=4)
"""Tile for float64 images; a larger one would not fit into 48 KiB of shared memory."""
SIMULATION = Tile(wide=12, strips=2, strip=6)
"""Tile for the simulator, whose threads are the host's."""
DEPTH = 3  # iterations to a pass
RECORDED = 50  # iterations that a graph holds at most
LARGE = 4_000_000  # pixels, of which a launch runs for longer than it takes to start; to record them is not worth it
# Numbers of a solve with the default weights, to time variants with.
TYPICAL = {
    "step_b": 0.8,
    "step_r": 0.5,
    "keep_o": 0.217,
    "keep_r": 0.783,
    "mix_b": 0.556,
    "mix_o": 0.444,
    "shrink": 0.391,
    "low": 0.0,
    "relax": 1.9,
    "dual_b": 0.156,
    "dual_along": 0.375,
    "dual_across": 0.125,
    "tau": 0.005,
    "lambda_x": 0.05,
    "lambda_y": 0.02,
}


class Tiles:
    """The iteration of `rainopt.optim.primal_dual.PrimalDual` on arrays of a CUDA device.

    Parameters
    ----------
    O
        (..., H, W) float32 or float64 of cupy or torch; the axes before the last two are a batch.
    constants
        Numbers by the names of `rainopt.kernels.udg_rows_cpu.Constants`.
    bounded
        Whether 0 ≤ R ≤ the ceiling.
    sparsity
        λs.
    factors, ceiling, start
        Shaped as O, or None: factors on the sparsity, the upper bound of R where it is not O itself, and the rain to
        begin with.
    excess, trust
        Shaped as O, or both None: the rain that other moments tell, and the price of leaving it.
    threads, empty
        Of no meaning here; `rainopt.kernels.udg_cpu.Bands` has them.
    tile, depth
        How the work is cut, see `rainopt.kernels.udg_tiles_cuda`; None for what is best on Hopper.
    """

    def __init__(
        self,
        O: Any,
        constants: Mapping[str, float],
        *,
        bounded: bool,
        sparsity: float,
        factors: Any | None = None,
        ceiling: Any | None = None,
        start: Any | None = None,
        excess: Any | None = None,
        trust: Any | None = None,
        threads: int | None = None,
        empty: Callable[..., Any] | None = None,
        tile: Tile | None = None,
        depth: int | None = None,
    ) -> None:
        self.shape = tuple(O.shape)
        *batch, self.height, self.width = self.shape
        self.images = int(np.prod(batch, dtype=np.int64))
        self.size = self.images * self.height * self.width
        self.bounded = bounded
        self.dtype = numpy_dtype(O)
        # One row where nothing is known that differs from pixel to pixel.
        self.prior, self.time = factors is not None or ceiling is not None, trust is not None
        self.scalars = {name: self.dtype.type(value) for name, value in constants.items()}
        self.scalars["sparsity"] = self.dtype.type(sparsity)
        self.scalars["top"] = self.dtype.type(-np.inf if bounded else np.inf)
        single = self.dtype == np.float32
        if tile is None:
            tile = DOUBLE if not single else INFORMED if self.time else WEIGHTED if self.prior else PLAIN
            tile = SIMULATION if SIMULATED else tile
        self.tile, self.depth = tile, min(DEPTH if depth is None else depth, tile.deepest)
        self._advance = tiles.advance(tile, single, self.prior, self.time)
        self._certify = certificate.certify(certificate.THREADS, single, self.prior, self.time, bounded)
        self._ceiling = ceiling
        self._O = O
        self._old = 0  # first plane of the state
        self._repeated: dict[tuple[int, int], Repeated] = {}
        with Place(O) as place:
            self._fill(place, factors, ceiling, start, excess, trust)

    def _fill(self, place: Place, factors: Any, ceiling: Any, start: Any, excess: Any, trust: Any) -> None:
        xp = place.xp
        planes = PRIOR + 2 * self.prior + 2 * self.time
        pool = place.empty((planes, *self.shape), self.dtype)
        pool[:STATE] = 0
        pool[B] = self._O
        if start is not None:
            pool[R] = start
            pool[B] -= start
        if self.prior:
            sparsity = float(self.scalars["sparsity"])
            pool[PRIOR] = sparsity
            if factors is not None:
                pool[PRIOR] *= factors
            pool[PRIOR + 1] = np.inf if not self.bounded else self._O if ceiling is None else ceiling
        if self.time:
            pool[planes - 2], pool[planes - 1] = excess, trust
        self._pool = pool
        self._flat_pool = flat(pool)
        # A copy, if O has gaps, must live as long as its view.
        self._row = xp.reshape(self._O, (-1,))
        self._flat_O = flat(self._row)

    def advance(self, iterations: int) -> None:
        """Run ``iterations`` steps."""
        if self.size == 0:
            return
        with Place(self._O) as place:
            while iterations > 0:
                together = min(iterations, RECORDED)
                iterations -= together
                depths = self._depths(together)
                key = (together, self._old)
                if self.size >= LARGE:
                    self._launches(depths, self._old)(place)
                else:
                    if key not in self._repeated:
                        self._repeated[key] = Repeated(self._launches(depths, self._old))
                    self._repeated[key](place)
                if len(depths) % 2:
                    self._old = STATE - self._old

    def _depths(self, iterations: int) -> list[int]:
        """Divide iterations among passes evenly, and into an even number if possible: then the state is again where it
        was, and the same launches can be repeated.
        """
        passes = blocks(iterations, self.depth)
        if passes % 2 and iterations > passes:
            passes += 1
        return [(iterations + k) // passes for k in range(passes)]

    def _launches(self, depths: list[int], old: int) -> Callable[[Place], None]:
        scalars = tuple(self.scalars[name] for name in tiles.SCALARS)

        def run(place: Place) -> None:
            at = old
            for depth in depths:
                self._pass(place, at, depth, scalars)
                at = STATE - at

        return run

    def _pass(self, place: Place, old: int, depth: int, scalars: tuple[np.floating, ...]) -> None:
        tile = self.tile
        across, down = blocks(self.width, tile.wide - 2 * depth), blocks(self.height, tile.high - 2 * depth)
        read = (STATE + 1) * self.images * _covered(self.width, tile.wide, depth)
        read *= _covered(self.height, tile.high, depth)
        moved = read + STATE * self.size + (self._pool.shape[0] - PRIOR) * self.size
        for first_image, images in portions(self.images):
            for first_tile, rows in portions(down):
                place.start(
                    self._advance,
                    (across, rows, images),
                    (tile.wide, tile.strips),
                    self._flat_pool,
                    self._flat_O,
                    old,
                    STATE - old,
                    self.size,
                    self.width,
                    self.height,
                    first_image,
                    first_tile,
                    depth,
                    scalars,
                    moved=moved * self.dtype.itemsize if first_image == first_tile == 0 else 0,
                )

    def certify(self) -> tuple[Any, Any]:
        """Return energy and duality gap of each image, shape ``O.shape[:-2]``, float64, on the device."""
        batch = self.shape[:-2]
        with Place(self._O) as place:
            xp = place.xp
            if self.size == 0:
                return place.zeros(batch, np.float64), place.zeros(batch, np.float64)
            pixels = self.height * self.width
            count = min(blocks(pixels, certificate.THREADS * certificate.PIXELS), certificate.MOST_PARTS)
            parts = place.empty((self.images, count, 2), np.float64)
            radius = self._flat_O
            if not self.bounded:
                peaks = [
                    xp.max(xp.abs(xp.reshape(field, (self.images, pixels))), axis=-1)
                    for field in (self._row, self._pool[self._old + R])
                ]
                largest = xp.maximum(*peaks)
                radius = flat(largest)
            scalars = tuple(self.scalars[name] for name in certificate.SCALARS)
            fields = STATE + 1 + self._pool.shape[0] - PRIOR
            for first_image, images in portions(self.images):
                place.start(
                    self._certify,
                    (count, images),
                    certificate.THREADS,
                    self._flat_pool,
                    self._flat_O,
                    self._old,
                    self.size,
                    self.width,
                    self.height,
                    first_image,
                    radius,
                    flat(parts),
                    scalars,
                    moved=fields * images * pixels * self.dtype.itemsize,
                )
            sums = xp.sum(parts, axis=1)
            energy, bound = (xp.reshape(sums[:, k], batch) for k in range(2))
            return energy, energy - bound

    def result(self) -> tuple[Any, Any]:
        """Return (B, R), R inside its box."""
        with Place(self._O) as place:
            xp = place.xp
            background = xp.asarray(self._pool[self._old + B], copy=True)
            rain = self._pool[self._old + R]
            if not self.bounded:
                return background, xp.asarray(rain, copy=True)
            rain = xp.where(rain < 0, xp.zeros_like(rain), rain)
            return background, xp.minimum(rain, self._O if self._ceiling is None else self._ceiling)


@lru_cache(maxsize=256)
def _covered(length: int, side: int, depth: int) -> int:
    """Return how many pixels of an axis all tiles together read, those outside left out."""
    step = side - 2 * depth
    return sum(min(first + side - depth, length) - max(first - depth, 0) for first in range(0, length, step))


def variants() -> dict[str, Callable[[Any], Any]]:
    """Return, by name, functions that run 50 iterations on an image (H, W) in one of several ways, to be timed."""

    def solver(image: Any, tile: Tile, depth: int) -> Tiles:
        return Tiles(image, TYPICAL, bounded=True, sparsity=0.005, tile=tile, depth=depth)

    return udg_variants_cuda.named(solver)
