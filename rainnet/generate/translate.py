"""Rain of one domain as if it were of the other, by a network that has learned both."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from rainnet.models.jrgr import JRGR
from rainopt.image import split_channels


def made_real(network: JRGR, rainy: np.ndarray, clean: np.ndarray) -> np.ndarray:
    """Return a clean picture with the rain of a synthetic one, translated into real rain.

    Parameters
    ----------
    network
        In evaluation mode.
    rainy, clean
        A synthetic pair, (H, W) or (H, W, C) each, of one size, uint8, uint16 or float in [0, 1].

    Returns
    -------
    ndarray
        (H, W, 3) float32 in [0, 1].

    Raises
    ------
    ValueError
        If the pictures differ in size.

    Notes
    -----
    Source: Ye et al. 2021 (CVPR), Section 3.1: ``B + G_r(O_s - F_s(O_s))``.
    """
    if rainy.shape[:2] != clean.shape[:2]:
        raise ValueError(
            f"the rainy picture is {rainy.shape[:2]} and the clean one {clean.shape[:2]} pixels; a pair has one size"
        )
    with torch.inference_mode():
        made = network.made_real(_batch(network, rainy), _batch(network, clean))
    return np.ascontiguousarray(made[0].movedim(0, -1).cpu().numpy())


def both_ways(network: JRGR, synthetic: np.ndarray, real: np.ndarray) -> dict[str, np.ndarray]:
    """Return the ten pictures of two rainy ones on their way into the other domain and back, (H, W, 3) each.

    Notes
    -----
    Source: Ye et al. 2021 (CVPR), Fig. 6, (a) to (j).
    """
    with torch.inference_mode():
        found = network.translated(_batch(network, synthetic), _batch(network, real)).pictures()
    return {name: each[0].movedim(0, -1).clamp(0, 1).cpu().numpy() for name, each in found.items()}


def _batch(network: JRGR, picture: np.ndarray) -> Tensor:
    """Return a picture as a batch of one, in colour: (1, 3, H, W)."""
    planes = np.stack([*split_channels(picture, -1).colour])
    planes = np.broadcast_to(planes, (network.channels, *planes.shape[1:]))
    return torch.from_numpy(np.array(planes, dtype=np.float32))[None].to(next(network.parameters()).device)
