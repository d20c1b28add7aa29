"""Training on one photograph alone: the weights of the energy that suit its rain."""

from __future__ import annotations

import numpy as np

from rainnet.recipes.recipe import Recipe
from rainopt.image import join_channels, quantise, split_channels
from rainopt.io import read_image
from rainopt.optim.objectives import UDGWeights
from rainopt.still.adaptive import MANY
from rainopt.still.settings import DerainSettings
from rainopt.video.settings import scene_settings


def with_weights(recipe: Recipe) -> Recipe:
    """Return a recipe for one photograph with the weights that suit it, as far as the recipe does not say them.

    Raises
    ------
    ImageFileError
        If the photograph cannot be read.
    """
    if len(recipe.data.train) != 1:
        return recipe  # what is wrong with that is told where the data are read
    chosen = weights_for(read_image(recipe.data.train[0]))
    return recipe.model_copy(update={"loss": chosen | recipe.loss})


def weights_for(pixels: np.ndarray) -> dict[str, float]:
    """Return λs and λy, as keys of `rainnet.programs.udgnet.UDGNetLoss`, that suit the rain of a photograph.

    Few streaks and streaks that overlap everywhere are two problems (see `rainopt.still.adaptive`); which of them it
    is, the solver's first layer tells. Between the weights of `UDGWeights`, which suit few streaks where no pixel has a
    weight of its own, and those of `MANY`, the share of dense rain is mixed in. A photograph without rain gets those
    for few.

    Parameters
    ----------
    pixels
        (H, W) or (H, W, C), uint8, uint16 or float in [0, 1].

    Raises
    ------
    ValueError, TypeError
        For arrays that are no image.
    """
    channels = split_channels(pixels)
    colour = np.broadcast_to(channels.colour, (3, *channels.colour.shape[-2:]))
    picture = np.asarray(quantise(join_channels(colour, channels._replace(alpha=None, axis=2)), np.uint8))
    rain = scene_settings([picture], DerainSettings()).rain
    found = rain[0].removal.dense if rain and rain[0].removal is not None else None
    dense, few = found or 0.0, UDGWeights()
    return {
        "sparsity": few.sparsity ** (1 - dense) * MANY.sparsity**dense,
        "lambda_y": few.lambda_y ** (1 - dense) * MANY.lambda_y**dense,
    }
