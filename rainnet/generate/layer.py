"""A rain layer of any size from a network that has learned rain, as it is asked for."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from rainnet.generate.controls import RainControls, brightened, thinned
from rainnet.generate.measure import SEEN, runs
from rainnet.models.rainfield import RainField, draw_field
from rainopt.direction.estimate import estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright

MOST_LAYERS = 24  # laid over one another for density
ROUNDS = 8  # at most, in which the length is found
NEAR, TOO_FAR = 0.03, 0.15  # shares of the length that is asked for: near enough, and not what was asked
ASTRAY = 10.0  # degrees by which the direction of short streaks may seem to be another
STRETCH = (1 / 8, 8.0)  # within which streaks are shortened or lengthened
SPREAD = 30.0  # degrees around the vertical from which a direction is drawn where none is asked for, as in our presets


def rain_layer(
    network: RainField, height: int, width: int, controls: RainControls | None = None, seed: int = 0
) -> np.ndarray:
    """Return a layer of rain.

    Rain is made upright and sheared into its direction, stretched along it to its length, laid over itself or thinned
    to its density, and brightened to its intensity; what comes out is measured at each step.

    Parameters
    ----------
    network
        On the CPU or a GPU, in evaluation mode.
    height, width
        Of the layer, in pixels.
    controls
        What is asked for; None: nothing.
    seed
        The same seed makes the same layer, on one kind of device.

    Returns
    -------
    ndarray
        (H, W) float32 in [0, 1].

    Raises
    ------
    ValueError
        If the network makes no rain that is seen, or none as long as is asked.
    """
    controls = controls or RainControls()
    drawn = float(np.random.default_rng(seed).uniform(-SPREAD, SPREAD))
    angle = drawn if controls.angle is None else controls.angle
    source = _Source(network, Upright(angle, height, width), seed)
    if controls.length is None:
        layer = source.dense(1.0, controls.density)
    else:
        layer = _as_long(source, controls.length, controls.density)
    if controls.intensity is not None:
        layer = brightened(layer, controls.intensity)
    return layer


def _as_long(source: _Source, wanted: float, density: float | None) -> np.ndarray:
    """Return a layer whose streaks have a length in pixels."""
    (rows, columns), (low, high) = source.way.shape, np.log(STRETCH)
    # Of rain as it comes first; what is found there tells where to look next, and each look halves what is left.
    stretch, best, found = 0.0, None, 0.0
    for _ in range(ROUNDS):
        layer = source.dense(float(np.exp(stretch)), density)
        length = runs(layer, source.way.angle)[0]
        if best is None or abs(length - wanted) < abs(found - wanted):
            best, found = layer, length
        if abs(length / wanted - 1) <= NEAR:
            break
        low, high = (stretch, high) if length < wanted else (low, stretch)
        step = stretch + np.log(wanted / max(length, 1.0))
        stretch = step if low < step < high else (low + high) / 2
    if best is None or abs(found / wanted - 1) > TOO_FAR:
        if wanted > max(rows, columns):
            height, width = layer.shape
            raise ValueError(f"`length` {wanted:g} cannot be had in a picture of {height} x {width} pixels")
        raise ValueError(
            f"`length` {wanted:g} cannot be had: stretched as far as it can be, the rain of this network is "
            f"{found:.0f} pixels long at this density; ask for another length, or for less dense rain"
        )
    # What is hardly longer than it is wide has no direction that could be seen, and would be measured as another.
    seen = float(estimate_angle(best).angle)
    if abs(line_angle(seen - source.way.angle)) > ASTRAY:
        raise ValueError(
            f"`length` {wanted:g} cannot be had: streaks so short are spots, whose direction would be seen as "
            f"{seen:.0f} degrees and not as {source.way.angle:.0f}; ask for longer ones"
        )
    return best


class _Source:
    """Layers of a network under one way into the picture, numbered."""

    def __init__(self, network: RainField, way: Upright, seed: int) -> None:
        self.network, self.way, self.seed = network, way, seed
        # Layers that are laid over one another are one rain.
        generator = torch.Generator().manual_seed((seed << 16) + MOST_LAYERS)
        self.common = torch.randn(network.config.common, generator=generator)

    def one(self, number: int, stretch: float) -> np.ndarray:
        """Return a layer (H, W) whose streaks are stretched along their direction."""
        rows, columns = self.way.shape
        made = max(round(rows / stretch), 1)
        generator = torch.Generator().manual_seed((self.seed << 16) + number)
        parameter = next(self.network.parameters())
        field = draw_field(self.network.config, made, columns, generator, self.common)
        # Convolutions of so few features take half the time when these lie beside one another.
        field = field.to(parameter.device, parameter.dtype, memory_format=torch.channels_last)
        with torch.inference_mode():
            rain = self.network.rain_of_field(field)[0, :, :made, :columns].float().cpu()
        grey = rain[0]  # as all the others
        if made != rows:
            grey = F.interpolate(
                grey[None, None], size=(rows, columns), mode="bilinear", align_corners=False, antialias=made > rows
            )[0, 0]
        back = np.asarray(self.way.back(grey.numpy()))
        return np.clip(back, 0, 1).astype(np.float32, copy=False)

    def dense(self, stretch: float, density: float | None) -> np.ndarray:
        """Return a layer of a given density, or of what it has."""
        layer = self.one(0, stretch)
        if density is None:
            return layer
        for number in range(1, MOST_LAYERS):
            if _density(layer) >= density:
                break
            # The brighter of two streaks that cross is what is seen.
            layer = np.maximum(layer, self.one(number, stretch))
        else:
            if _density(layer) < (1 - TOO_FAR) * density:
                raise ValueError(
                    f"`density` {density:g} cannot be had: the network makes too little rain that is seen; train it "
                    "for longer, or on denser rain"
                )
        return thinned(layer, density, np.random.default_rng([self.seed, 1]))


def _density(layer: np.ndarray) -> float:
    """Return the share of rainy pixels."""
    return float((layer > SEEN).mean())
