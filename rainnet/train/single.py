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

WORTH = 0.5
"""Share of dense rain below which `rainopt.derain` does better than a network that sees the one photograph."""


def with_weights(recipe: Recipe) -> tuple[Recipe, str]:
    """Return a recipe for one photograph with the weights that suit it, as far as the recipe does not say them; and
    what speaks against training on it, or "".

    Raises
    ------
    ImageFileError
        If the photograph cannot be read.
    """
    if len(recipe.data.train) != 1:
        return recipe, ""  # what is wrong with that is told where the data are read
    dense = density_of(read_image(recipe.data.train[0]))
    return recipe.model_copy(update={"loss": weights_for(dense) | recipe.loss}), advice(dense)


def advice(dense: float | None) -> str:
    """Return what speaks against training on a photograph whose rain is so dense, or ""."""
    if dense is not None and dense >= WORTH:
        return ""
    seen = "no rain is seen in it" if dense is None else "its rain is sparse"
    return f"{seen}: `rainopt derain` takes a second, and leaves less of such rain than a network of one photograph"


def weights_for(dense: float | None) -> dict[str, float]:
    """Return λs and λy, as keys of `rainnet.programs.udgnet.UDGNetLoss`, that suit the rain of a photograph.

    Few streaks and streaks that overlap everywhere are two problems (see `rainopt.still.adaptive`). Between the weights
    of `UDGWeights`, which suit few streaks where no pixel has a weight of its own, and those of `MANY`, the share of
    dense rain, as `density_of` gives it, is mixed in. A photograph without rain gets those for few.
    """
    dense, few = dense or 0.0, UDGWeights()
    return {
        "sparsity": few.sparsity ** (1 - dense) * MANY.sparsity**dense,
        "lambda_y": few.lambda_y ** (1 - dense) * MANY.lambda_y**dense,
    }


def density_of(pixels: np.ndarray) -> float | None:
    """Return how far the rain of a photograph is dense, 0 to 1, as the solver's first layer tells; None without rain.

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
    if not rain:
        return None
    return (rain[0].removal.dense if rain[0].removal is not None else None) or 0.0
