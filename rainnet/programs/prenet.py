"""How PReNet is trained: structural similarity with the truth, of the last stage or of all."""

from __future__ import annotations

from typing import Self

import torch
from pydantic import Field, model_validator
from torch import Tensor

from rainnet.losses.masked import per_picture
from rainnet.losses.similarity import SimilarityLoss
from rainnet.models.prenet import PReNet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program


class PReNetLoss(LossSettings):
    """Weights of the losses of PReNet; a weight of 0 leaves a loss out.

    Attributes
    ----------
    similarity
        Of one minus structural similarity with the truth.
    square
        Of the mean squared distance from the truth.
    truth
        Of the mean absolute distance from the truth.
    earlier, last
        What these count of each stage but the last, and of the last. The paper's recursive supervision is 0.5 and 1.5.
    """

    similarity: float = Field(1.0, ge=0)
    square: float = Field(0.0, ge=0)
    truth: float = Field(0.0, ge=0)
    earlier: float = Field(0.0, ge=0)
    last: float = Field(1.0, gt=0)

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.similarity or self.square or self.truth):
            raise ValueError("similarity, square and truth are 0: there is nothing to minimise")
        return self


class PReNetProgram(Program):
    """PReNet and its losses, over the valid pixels of pairs that have a mask.

    Parameters
    ----------
    network
        The network, one without a head for the variance, which no loss here would teach.
    loss
        What its losses weigh.

    Raises
    ------
    TypeError, ValueError
        For another network, or one with such a head.

    Notes
    -----
    Source: Ren et al. 2019, Section 3.4: Eq. (5) with negative SSIM, which the paper recommends, or squares; Eq. (6),
    supervision of all stages. Their negative SSIM differs from ours by one, which teaches nothing.
    """

    Settings = PReNetLoss
    Takes = PReNet
    network: PReNet
    loss: PReNetLoss

    def __init__(self, network: PReNet, loss: PReNetLoss) -> None:
        super().__init__(network, loss)
        if network.config.variance != "none":
            raise ValueError("`network` has a head for the variance, which no loss of this recipe would teach")
        self.similarity = SimilarityLoss()

    @classmethod
    def needs(cls, loss: PReNetLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses, each summed over stages."""
        loss, truth, valid = self.loss, batch["clean"], batch.get("valid")
        stages = self.network.backgrounds(batch["rainy"]).stages
        counts = [*(loss.earlier for _ in stages[:-1]), loss.last]
        terms: dict[str, Tensor] = {}
        for count, stage in zip(counts, stages, strict=True):
            if not count:
                continue
            B = stage.float()
            for name, weight, cost in (
                ("similarity", loss.similarity, lambda B: self.similarity(B, truth, valid)),
                ("square", loss.square, lambda B: per_picture((B - truth).square(), valid)),
                ("truth", loss.truth, lambda B: per_picture((B - truth).abs(), valid)),
            ):
                if weight:
                    terms[name] = terms.get(name, torch.zeros((), device=B.device)) + count * weight * cost(B)
        return terms
