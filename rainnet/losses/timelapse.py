"""What frames of one scene must agree on: losses of pairs of frames, none of which needs a clean picture.

Frames are (N, F, C, H, W): F frames of each of N scenes, seen from one place, in each of which it rains differently.
Means over all values stand for the sums of the paper.

Source: Cho et al. 2020, Section III.B.
"""

from __future__ import annotations

from itertools import combinations, permutations

import torch
from torch import Tensor

from rainnet.losses.rounded import distance


def background_consistency(B: Tensor, corner: float = 0.0) -> Tensor:
    """Return the mean over pairs of frames of ``|B_m - B_n|``.

    Parameters
    ----------
    B
        Backgrounds (N, F, C, H, W), F at least 2.
    corner
        See `distance`.

    Notes
    -----
    Source: Eq. (2).
    """
    return torch.stack(
        [distance(B[:, m] - B[:, n], corner).mean() for m, n in combinations(range(_frames(B)), 2)]
    ).mean()


def cross_similarity(O: Tensor, B: Tensor, corner: float = 0.0) -> Tensor:
    """Return the mean over ordered pairs of different frames of ``|O_m - B_n|``.

    A frame never teaches its own background: that would be the frame itself. Where it rains in less than half of the
    frames, the background that costs least is the one without rain.

    Parameters
    ----------
    O, B
        Rainy frames and backgrounds, (N, F, C, H, W), F at least 2.
    corner
        See `distance`.

    Notes
    -----
    Source: Eq. (3), without its γ; see `gamma`.
    """
    return torch.stack(
        [distance(O[:, m] - B[:, n], corner).mean() for m, n in permutations(range(_frames(B)), 2)]
    ).mean()


def reconstruction(O: Tensor, B: Tensor, S: Tensor) -> Tensor:
    """Return the mean of ``|O - (B + S)|``: what the clipping of B has taken away.

    Parameters
    ----------
    O, B, S
        Rainy pictures, backgrounds and rain of one shape.

    Notes
    -----
    Source: Eq. (7).
    """
    return (O - (B + S)).abs().mean()


def gamma(progress: float, first: float = 0.1, last: float = 1e-4, share: float = 0.3) -> float:
    """Return the weight γ of Eq. (3), which falls linearly from ``first`` to ``last`` and stays there.

    Parameters
    ----------
    progress
        Share of the training that is done, in [0, 1].
    first, last
        Weights.
    share
        Of the training, in (0, 1], after which the weight no longer falls.
    """
    return last + (first - last) * max(1 - progress / share, 0.0)


def _frames(B: Tensor) -> int:
    if B.ndim != 5 or B.shape[1] < 2:
        raise ValueError(f"frames must be (N, F, C, H, W) with F of at least 2, got shape {tuple(B.shape)}")
    return int(B.shape[1])
