"""The light of the rain of a scene, and how much its drops hide, from several frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rainopt.image import luminance
from rainopt.still.colour import LEAST_COMMON, SOFTNESS, RainLight, cells_behind, colour_votes, common_shares

# How much a drop may be found to hide, and by how many times what one more number explains by chance that must explain
# the votes better than a drop that hides nothing.
STEPS = np.linspace(0, 1, 51)
SURE = 10.0
TINY = 1e-9  # votes of a cell of a frame that has none


def light_of_rain(planes: Sequence[np.ndarray], layers: Sequence[np.ndarray], angles: Sequence[float]) -> RainLight:
    """Find the light of the rain of a scene.

    Votes for the colour of rain, `rainopt.still.colour.colour_votes`, are those of what a frame has more than the mean
    of the frames, in its planes and in its layer: a layer holds some detail of the scene besides the rain, whose colour
    would be taken for that of rain, but where the camera stands still, that is the same in all frames. What moves votes
    as in a frame by itself.

    Drops that hide what is behind them have shares that follow it, see `rainopt.still.colour.shares_over`: a cell with
    the votes V and B behind has ``V_c = V_Y ((1 + ε) l_c - h B_c) / (1 + ε - h B_Y)``. The light l is the one of
    least squares for each h, every cell weighing 1 over its votes, for so the noise of votes grows; and h is the one
    that leaves least. Noise of the votes has no part in what is held against them but through V_Y, so that it makes h
    smaller, not larger. One frame cannot tell rain from detail; then, and where h is not sure, it is 0 and l the colour
    that rain has over all.

    Parameters
    ----------
    planes
        (3, H, W) float32 in [0, 1], of each frame.
    layers
        (H, W) float32, the rain on luminance of each.
    angles
        Degrees in (-90, 90], of all directions of the rain.
    """
    if len(planes) == 1:
        own = colour_votes(planes[0], layers[0], angles)
        return RainLight(_shares(own.sum(axis=(1, 2))))
    usual, rain = (sum(fields) / len(planes) for fields in (planes, layers))
    each = [colour_votes(colour - usual, layer - rain, angles) for colour, layer in zip(planes, layers, strict=True)]
    votes = np.sum(each, axis=0)
    sure = luminance(votes) > LEAST_COMMON
    had = [np.maximum(luminance(own[:, sure]), TINY) for own in each]
    behind = [cells_behind(colour, layer)[:, sure] for colour, layer in zip(planes, layers, strict=True)]
    scene = sum(weight * cells for weight, cells in zip(had, behind, strict=True)) / sum(had)
    seen = [_explained(h, votes[:, sure], scene) for h in STEPS] if sure.any() else []
    left = [rest for _, rest in seen]
    best = int(np.argmin(left)) if left else 0
    if best == 0 or left[0] - left[best] < SURE * left[best] / (2 * np.count_nonzero(sure)):
        return RainLight(_shares(votes.sum(axis=(1, 2))))
    return RainLight(_shares(seen[best][0]), float(STEPS[best]))


def _explained(hides: float, votes: np.ndarray, scene: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the votes (C,) for the light of drops that hide so much, and what it leaves unexplained of the votes
    (C, N) of cells of the colours ``scene`` (C, N).
    """
    weight = luminance(votes)
    per = weight / (1 + SOFTNESS - hides * luminance(scene))
    light = np.sum(per / weight * (votes + hides * per * scene), axis=1)
    found = light / np.sum(np.square(per) / weight)
    rest = votes - per * (found[:, None] - hides * scene)
    return light, float(np.sum(np.square(rest) / weight))


def _shares(votes: np.ndarray) -> tuple[float, ...]:
    return tuple(map(float, common_shares(votes)))
