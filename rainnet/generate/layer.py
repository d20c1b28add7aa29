"""A rain layer of any size from a network that has learned rain, as it is asked for."""

from __future__ import annotations

import numpy as np
import torch
from torch.nn import functional as F

from rainnet.generate.controls import RainControls, brightened, thinned
from rainnet.generate.measure import measure, runs
from rainnet.models.rainfield import RainField, draw_field
from rainopt.geometry.warp import Upright
from rainopt.image import LUMA

MOST_LAYERS = 24  # laid over one another for density
ROUNDS = 4  # in which the length is found
NEAR = 0.04  # of the length that is asked for is near enough
STRETCH = (1 / 8, 8.0)  # within which streaks are shortened or lengthened
SPREAD = 20.0  # degrees around the vertical from which a direction is drawn where none is asked for


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
    rng = np.random.default_rng([seed, 0])
    angle = float(rng.uniform(-SPREAD, SPREAD)) if controls.angle is None else controls.angle
    source = _Source(network, Upright(angle, height, width), seed)
    stretch, layer = 1.0, source.dense(1.0, controls.density, rng)
    if controls.length is not None:
        for _ in range(ROUNDS):
            found = runs(layer, angle)[0]
            if found and abs(found / controls.length - 1) <= NEAR:
                break
            stretch = float(np.clip(stretch * controls.length / max(found, 1.0), *STRETCH))
            layer = source.dense(stretch, controls.density, rng)
        _require_length(runs(layer, angle)[0], controls.length)
    if controls.intensity is not None:
        layer = brightened(layer, controls.intensity)
    return layer


def _require_length(found: float, wanted: float) -> None:
    if abs(found / wanted - 1) > 0.25:
        raise ValueError(
            f"`length` {wanted:g} cannot be had: stretched as far as it can be, the rain of this network is "
            f"{found:.0f} pixels long at this density; ask for another length, or for less dense rain"
        )


class _Source:
    """Layers of a network under one way into the picture, numbered."""

    def __init__(self, network: RainField, way: Upright, seed: int) -> None:
        self.network, self.way, self.seed = network, way, seed

    def one(self, number: int, stretch: float) -> np.ndarray:
        """Return a layer (H, W) whose streaks are stretched along their direction."""
        rows, columns = self.way.shape
        made = max(round(rows / stretch), 1)
        generator = torch.Generator().manual_seed((self.seed << 16) + number)
        parameter = next(self.network.parameters())
        field = draw_field(self.network.config, made, columns, generator).to(parameter.device, parameter.dtype)
        with torch.inference_mode():
            rain = self.network.rain_of_field(field)[0, :, :made, :columns].float().cpu()
        weights = torch.tensor(LUMA) if len(rain) == 3 else torch.full((len(rain),), 1 / len(rain))
        grey = torch.einsum("chw,c->hw", rain, weights.to(rain.dtype))
        if made != rows:
            grey = F.interpolate(
                grey[None, None], size=(rows, columns), mode="bilinear", align_corners=False, antialias=made > rows
            )[0, 0]
        back = np.asarray(self.way.back(grey.numpy()))
        return np.clip(back, 0, 1).astype(np.float32, copy=False)

    def dense(self, stretch: float, density: float | None, rng: np.random.Generator) -> np.ndarray:
        """Return a layer of a given density, or of what it has."""
        layer = self.one(0, stretch)
        if density is None:
            return layer
        for number in range(1, MOST_LAYERS):
            if measure(layer, self.way.angle).density >= density:
                break
            # The brighter of two streaks that cross is what is seen.
            layer = np.maximum(layer, self.one(number, stretch))
        else:
            if measure(layer, self.way.angle).density < 0.85 * density:
                raise ValueError(
                    f"`density` {density:g} cannot be had: the network makes too little rain that is seen; train it "
                    "for longer, or on denser rain"
                )
        return thinned(layer, density, rng)
