"""How Refine is trained: distance from the truth in luminance, with the solver's layer to begin with."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from rainnet.losses.energy import UDGLoss
from rainnet.losses.rounded import distance
from rainnet.losses.similarity import SimilarityLoss
from rainnet.models.base import padded
from rainnet.models.refine import Refine
from rainnet.models.start import solver_layers
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program
from rainopt.image import luminance
from rainopt.optim.objectives import UDGWeights

EVEN = 33  # pixels on a side of what a local mean is taken over; a streak is a small part of it
EPSILON = 5e-3  # mean distance of a picture at which a tenth less begins to count by its share


class RefineLoss(LossSettings):
    """Weights of the losses of Refine; a weight of 0 leaves a loss out.

    Attributes
    ----------
    truth
        Of the distance from the truth.
    corner
        Of that distance, see `rainnet.losses.rounded`.
    slope
        Of the distance of differences of neighbours within it: a trace along a streak is small, and a step on both
        sides.
    similarity
        Of one minus structural similarity.
    energy
        Of the UDG energy of real rainy pictures of other scenes, which have no truth.
    tau, lambda_x, lambda_y, sparsity
        Weights inside the energy, as `rainopt.UDGWeights`.
    """

    truth: float = Field(1.0, gt=0)
    corner: float = Field(1e-2, ge=0)
    slope: float = Field(0.5, ge=0)
    similarity: float = Field(0.0, ge=0)
    energy: float = Field(0.0, ge=0)
    tau: float = Field(0.005, ge=0)
    lambda_x: float = Field(0.05, ge=0)
    lambda_y: float = Field(0.02, ge=0)
    sparsity: float = Field(0.004, ge=0)


class RefineProgram(Program):
    """Refine and its losses.

    Pictures are compared in luminance, which is all that the network corrects. What is to be left is the truth, and on
    it the even light that the solver has left: its local mean. How much light is added by rain that shows no streaks
    can only be guessed from our rain, and where other rain has less of it, the guess darkens the picture.

    The distance of a picture counts by ``ε log(1 + d / ε)``, as in `rainnet.losses.truth`: a tenth less error is worth
    as much in light rain as in a downpour.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.
    """

    Settings = RefineLoss
    Takes = Refine
    network: Refine
    loss: RefineLoss

    def __init__(self, network: Refine, loss: RefineLoss) -> None:
        super().__init__(network, loss)
        self.similarity = SimilarityLoss()
        self.energy = UDGLoss(UDGWeights(loss.tau, loss.lambda_x, loss.lambda_y, loss.sparsity, bounded=False))

    @classmethod
    def needs(cls, loss: RefineLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(upright=True, truth=True, start=True, unpaired_rainy=loss.energy > 0)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses, over the valid pixels of pairs that have a mask."""
        loss, clean, valid = self.loss, _luminance(batch["clean"]), batch.get("valid")
        B, begun = self._background(batch["rainy"], batch["start"])
        error = B - clean - _even_light(begun - clean, valid)
        cost = _mean(distance(error, loss.corner), valid)
        if loss.slope:
            for axis in (-1, -2):
                step = error.diff(dim=axis)
                length = step.shape[axis]
                both = None if valid is None else valid.narrow(axis, 0, length) * valid.narrow(axis, 1, length)
                cost = cost + loss.slope * _mean(distance(step, loss.corner), both)
        terms = {"truth": loss.truth * EPSILON * torch.log1p(cost / EPSILON).mean()}
        if loss.similarity:
            terms["similarity"] = loss.similarity * self.similarity(B, clean, valid)
        if loss.energy:
            O = batch["unpaired_rainy"]
            B, _ = self._background(O, solver_layers(O, O.new_zeros(len(O))))
            O = _luminance(O)
            terms["energy"] = loss.energy * self.energy(O, B, O - B)
        return terms

    def _background(self, rainy: Tensor, start: Tensor) -> tuple[Tensor, Tensor]:
        """Return the luminance of what the network leaves of rainy pictures, and of what the solver leaves."""
        # The start is subtracted in full precision: in 16 bits the background would lose its levels.
        height, width = rainy.shape[-2:]
        correction = self.network.correction(padded(torch.cat([rainy, start], dim=1), self.network.multiple))
        begun = _luminance(rainy) - start
        return begun - correction[..., :height, :width].float(), begun


def _luminance(pictures: Tensor) -> Tensor:
    """Return the luminance of pictures (N, C, H, W), (N, 1, H, W)."""
    plane: Tensor = luminance(pictures.movedim(1, 0))
    return plane[:, None]


def _even_light(left: Tensor, valid: Tensor | None) -> Tensor:
    """Return the light that the solver has left in the local mean, (N, 1, H, W), over valid pixels alone.

    Where it has taken off too much in the mean, that is no light, and is to come back whole. A mean of what it has left
    too much alone, beside pixels of which it took too much, would teach to be brighter than the solver everywhere.
    """
    if valid is None:
        return _box_mean(left).clamp(min=0)
    return (_box_mean(left * valid) / _box_mean(valid).clamp(min=1e-6)).clamp(min=0)


def _box_mean(field: Tensor) -> Tensor:
    # One axis after the other: a box is as many times faster as it is wide.
    for kernel in ((EVEN, 1), (1, EVEN)):
        padding = (kernel[0] // 2, kernel[1] // 2)
        field = F.avg_pool2d(field, kernel, stride=1, padding=padding, count_include_pad=False)
    return field


def _mean(costs: Tensor, valid: Tensor | None) -> Tensor:
    """Return the mean cost of each picture's valid pixels, (N,)."""
    if valid is None:
        return costs.mean(dim=(1, 2, 3))
    pixels = valid.sum(dim=(1, 2, 3)) * costs.shape[1]
    return (costs * valid).sum(dim=(1, 2, 3)) / pixels.clamp(min=1)
