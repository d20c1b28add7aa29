"""How JORDER-E is trained: the truth after each pass, where there is rain, and what it adds."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from rainnet.losses.attention import THRESHOLD, rain_mask
from rainnet.losses.masked import per_picture
from rainnet.models.jorder import JORDER
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program


class JORDERLoss(LossSettings):
    """Weights of the losses of JORDER-E; a weight of 0 leaves a loss out.

    Attributes
    ----------
    truth
        Of the mean absolute distance from the truth, after each pass.
    detection
        Of the cross entropy of the last mask, a mean over pixels.
    streaks
        Of the mean absolute distance of the last streaks from truth minus rainy picture.
    threshold
        Difference between rainy and clean picture, in [0, 1], above which there is rain.
    """

    truth: float = Field(1.0, gt=0)
    detection: float = Field(0.13, ge=0)
    streaks: float = Field(0.01, ge=0)
    threshold: float = Field(THRESHOLD, gt=0, lt=1)


class JORDERProgram(Program):
    """JORDER-E and its losses, over the valid pixels of pairs that have a mask.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Yang et al. 2019; the weights are those of the authors' program, of which 0.13 is the 0.001 that multiplies
    a sum over 8 crops of 64 × 64 pixels there, beside distances on [0, 255].

    Departures:

    1. There is rain where rainy and clean picture differ by more than a threshold. The authors' program asks whether
       the clean one is brighter in red, which it is nowhere but by rounding.
    """

    Settings = JORDERLoss
    Takes = JORDER
    network: JORDER
    loss: JORDERLoss

    @classmethod
    def needs(cls, loss: JORDERLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses."""
        loss, O, truth, valid = self.loss, batch["rainy"], batch["clean"], batch.get("valid")
        found = self.network.found(O)
        distances = [per_picture((one.background.float() - truth).abs(), valid) for one in found]
        terms = {"truth": loss.truth * torch.stack(distances).sum()}
        if loss.detection:
            where = rain_mask(O, truth, loss.threshold)[:, 0].long()
            costs = F.cross_entropy(found[-1].mask.float(), where, reduction="none")[:, None]
            terms["detection"] = loss.detection * per_picture(costs, valid)
        if loss.streaks:
            terms["streaks"] = loss.streaks * per_picture((found[-1].streaks.float() - (truth - O)).abs(), valid)
        return terms
