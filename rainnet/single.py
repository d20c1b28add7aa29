"""Training on one photograph alone: the weights of the energy that suit its rain."""

from __future__ import annotations

import numpy as np

from rainopt.adaptive import mixed
from rainopt.image import join_channels, quantise, split_channels
from rainopt.treatment import treatment_of


def weights_for(pixels: np.ndarray) -> dict[str, float]:
    """Return λs, λy and how far λs is reweighted, as keys of `rainnet.programs.udgnet.UDGNetLoss`, chosen from a
    photograph as `rainopt` does.

    Few streaks and streaks that overlap everywhere are two problems (see `rainopt.adaptive`); which of them it is, the
    solver's first layer tells. A photograph in which no rain is seen gets the weights for few.

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
    removals = treatment_of([picture]).removals
    found = removals[0].dense if removals and removals[0] is not None else None
    dense = found or 0.0
    recipe = mixed(dense, 1.0)
    return {"sparsity": recipe.sparsity, "lambda_y": recipe.lambda_y, "reweight": 1.0 - dense}
