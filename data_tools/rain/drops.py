"""Falling drops: a random population, and the streaks that it leaves in a picture taken at a given time.

Only a numpy `Generator` is drawn from, in this order: for every layer of the spec in turn, one uniform number that
rounds the expected number of streaks n to a whole one, (n, 5) uniform numbers (row, column, length, width, brightness
of each streak), n standard normal numbers (angle); n uniform numbers (which direction) if there are several; n
uniform numbers (where along its wobble) if there is texture. A population is drawn once and then moves by
arithmetic alone.
"""

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from data_tools.rain.parts import RainDirection, RainLayer, checked_shape
from data_tools.rain.spec import RainSpec
from data_tools.rain.streaks import Streaks, join_streaks
from rainopt.kernels import streaks_cpu as _draw

# Of one layer, which takes 0.2 KB a streak: a picture of 250 megapixels in the densest rain of the presets.
MOST_STREAKS = 5_000_000
# Full width at half maximum of a Gaussian with standard deviation 1.
_FWHM = 2.0 * math.sqrt(2.0 * math.log(2.0))
# The narrowest Gaussian, in pixels, that keeps its light to 0.5 % wherever it falls between pixel centres.
_FINEST_SIGMA = 0.6
# The shortest fade, in pixels, that does the same for its ends; together they stay below 1 %.
_SHORTEST_FADE = 2.5
# Brightest points along a streak as long as it is, when it has texture.
_BEATS = 2.5
# Steps by which a drop's place across, width and brightness change each time it has fallen through: irrational, and
# independent of each other over the rationals, so that the values are spread evenly and never return.
_RENEWAL = (math.sqrt(2.0) - 1.0, math.sqrt(3.0) - 1.0, math.sqrt(5.0) - 2.0)


@dataclass(frozen=True, eq=False)
class Drops:
    """The drops around a picture, layer after layer, nearest first.

    A drop moves straight on, by its own streak's length in the time of an exposure. The space that it moves in is the
    picture with a margin as wide as the layer's longest streak reaches, and is closed on itself: what leaves at one
    side enters at the other, unseen. When a drop has crossed it in its main direction it is replaced: it comes back
    at another place across, of another width and brightness, by fixed irrational steps. Where a drop is depends on
    the time alone, so that any moment can be had without the moments before it, and rain is as dense at all times.

    Attributes
    ----------
    shape : (H, W)
        Rows and columns of the picture.
    layers : list
        The drops of each layer.
    """

    shape: tuple[int, int]
    layers: list["_Population"] = field(repr=False)

    @staticmethod
    def draw(shape: tuple[int, int], spec: RainSpec, rng: np.random.Generator) -> "Drops":
        """Draw a population at random; the order of the draws is in the module's description."""
        if not isinstance(spec, RainSpec):
            raise TypeError(f"`spec` must be a RainSpec, got {type(spec).__name__}")
        if not isinstance(rng, np.random.Generator):
            raise TypeError(f"`rng` must be a numpy.random.Generator, got {type(rng).__name__}")
        shape = checked_shape(shape)
        total = math.fsum(layer.share for layer in spec.depth_layers)
        return Drops(
            shape, [_Population.draw(shape, spec, layer, layer.share / total, rng) for layer in spec.depth_layers]
        )

    def streaks(self, time: float = 0.0) -> Streaks:
        """Return the streaks of an exposure whose middle is `time` exposures after the first one's."""
        return join_streaks([population.streaks(time) for population in self.layers])


def draw_streaks(shape: tuple[int, int], spec: RainSpec, rng: np.random.Generator) -> Streaks:
    """Draw a random population of streaks, spread evenly over a picture and as far around it as they reach in.

    Parameters
    ----------
    shape : (H, W)
        Rows and columns of the picture.
    spec : RainSpec
        Distribution of the streaks.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    Streaks
        Layer after layer, nearest first.
    """
    return Drops.draw(shape, spec, rng).streaks()


@dataclass(frozen=True, eq=False)
class _Population:
    """The drops of one layer: random numbers, and what they are spread over."""

    spec: RainSpec
    layer: RainLayer
    margin: float
    space: tuple[float, float]
    uniform: NDArray[np.float64]
    angle: NDArray[np.float64]
    phase: NDArray[np.float64]

    @staticmethod
    def draw(
        shape: tuple[int, int], spec: RainSpec, layer: RainLayer, share: float, rng: np.random.Generator
    ) -> "_Population":
        sigma = layer.width * spec.width / _FWHM
        largest = 1.0 + spec.variation / 2
        reach = layer.length * spec.length / 2 + _draw.CUTOFF * math.hypot(sigma, layer.blur)
        margin = largest * reach + _SHORTEST_FADE
        space = (shape[0] + 2 * margin, shape[1] + 2 * margin)
        expected = spec.density * share * space[0] * space[1] / 1e6
        if not expected <= MOST_STREAKS:
            raise ValueError(
                f"`spec` asks for {expected:.3g} streaks in and around a picture of {shape[0]} x {shape[1]} pixels, "
                f"more than {MOST_STREAKS:,}; choose a smaller `density` (now {spec.density:g}), `length` "
                f"({spec.length:g}) or `width` ({spec.width:g})"
            )
        count = int(expected + rng.random())
        uniform = rng.random((count, 5))
        deviation = rng.standard_normal(count)
        deviation = deviation - _seen_mean(deviation, uniform, margin, space, spec.variation)
        angle = spec.angle + spec.angle_spread * deviation + _turns(spec.directions, count, rng)
        phase = rng.random(count) if spec.texture > 0 else np.zeros(count)
        return _Population(spec, layer, margin, space, uniform, angle, phase)

    def streaks(self, time: float) -> Streaks:
        """Return the streaks `time` exposures after the first ones."""
        spec, u = self.spec, self.uniform
        size = 1.0 + spec.variation * (u[:, 2] - 0.5)
        length = self.layer.length * spec.length * size
        place, falls = self._place(time * length)
        width, brightness = ((u[:, 3 + k] + falls * _RENEWAL[1 + k]) % 1.0 for k in range(2))
        sigma = self.layer.width * spec.width / _FWHM * (1.0 + spec.variation * (width - 0.5))
        peak = spec.intensity * self.layer.intensity * (1.0 - spec.variation * (1.0 - brightness**2))

        # A camera records them defocused, and no finer than its pixels, at unchanged total light.
        seen_sigma = np.maximum(np.hypot(sigma, self.layer.blur), _FINEST_SIGMA)
        fade = np.maximum(0.5 * spec.taper * length, _SHORTEST_FADE)
        seen_length = np.maximum(length, 2.0 * fade)
        return Streaks(
            row=place[0] - self.margin - 0.5,
            column=place[1] - self.margin - 0.5,
            angle=self.angle,
            length=seen_length,
            sigma=seen_sigma,
            fade=fade,
            peak=peak * (sigma / seen_sigma) * (length / seen_length),
            # All drops fall about as fast, so the longer streak is the nearer one.
            distance=self.layer.distance / size,
            texture=np.full(length.shape, spec.texture),
            beat=seen_length / _BEATS,
            # A drop wobbles in time, so the pattern stays where it is while the exposure moves along it.
            phase=self.phase + time * (length / seen_length) * _BEATS,
        )

    def _place(self, way: NDArray[np.float64]) -> tuple[list[NDArray[np.float64]], NDArray[np.float64]]:
        """Return (row, column) in the closed space after `way` pixels, and how often each drop has been replaced."""
        height, width = self.space
        radians = np.deg2rad(self.angle)
        rows = height * self.uniform[:, 0] + way * np.cos(radians)
        columns = width * self.uniform[:, 1] + way * np.sin(radians)
        falling = np.abs(np.cos(radians)) >= np.abs(np.sin(radians))
        falls = np.floor(np.where(falling, rows / height, columns / width))
        across = falls * _RENEWAL[0]
        return [
            (rows + np.where(falling, 0.0, across * height)) % height,
            (columns + np.where(falling, across * width, 0.0)) % width,
        ], falls


def _seen_mean(
    deviation: NDArray[np.float64],
    uniform: NDArray[np.float64],
    margin: float,
    space: tuple[float, float],
    variation: float,
) -> float:
    """Return the mean deviation of the streaks in the picture, by their share in its gradients (length times
    brightness squared).

    Taken off, it makes the angle of a spec the dominant direction of what is seen, and not only that of a
    distribution from which a few streaks of light rain may stray by half a degree."""
    row, column = uniform[:, 0] * space[0], uniform[:, 1] * space[1]
    seen = (row >= margin) & (row < space[0] - margin) & (column >= margin) & (column < space[1] - margin)
    size = 1.0 + variation * (uniform[:, 2] - 0.5)
    brightness = 1.0 - variation * (1.0 - uniform[:, 4] ** 2)
    weight = seen * size * brightness**2
    total = weight.sum()
    return float((weight * deviation).sum() / total) if np.count_nonzero(weight) > 1 else 0.0


def _turns(
    directions: tuple[RainDirection, ...], count: int, rng: np.random.Generator
) -> NDArray[np.float64] | np.float64:
    """Draw the direction of each streak: degrees to add to its angle."""
    if len(directions) == 1:
        return np.float64(directions[0].turn)
    bounds = np.cumsum([direction.share for direction in directions])
    which = np.searchsorted(bounds[:-1], rng.random(count) * bounds[-1], side="right")
    return np.array([direction.turn for direction in directions])[which]
