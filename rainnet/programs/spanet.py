"""How SPANet is trained: the distance from the truth, its structure, and where there is rain."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator
from torch import Tensor

from rainnet.losses.attention import THRESHOLD, AttentionLoss
from rainnet.losses.masked import per_picture
from rainnet.losses.similarity import SimilarityLoss
from rainnet.models.spanet import SPANet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program


class SPANetLoss(LossSettings):
    """Weights of the losses of SPANet; a weight of 0 leaves a loss out.

    Attributes
    ----------
    truth
        Of the mean absolute distance from the truth.
    similarity
        Of one minus structural similarity.
    attention
        Of the squared distance of the first attention map from where there is rain; left out for a network that has no
        map.
    threshold
        Difference between rainy and clean picture, in [0, 1], above which there is rain; `rainnet.losses.attention`
        says where it comes from.
    """

    truth: float = Field(1.0, ge=0)
    similarity: float = Field(1.0, ge=0)
    attention: float = Field(1.0, ge=0)
    threshold: float = Field(THRESHOLD, gt=0, lt=1)

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.truth or self.similarity):
            raise ValueError("truth and similarity are 0: nothing would teach the network what is behind the rain")
        return self


class SPANetProgram(Program):
    """SPANet and its losses, over the valid pixels of pairs that have a mask.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Wang et al. 2019, Eqs. (6) and (7).
    """

    Settings = SPANetLoss
    Takes = SPANet
    network: SPANet
    loss: SPANetLoss

    def __init__(self, network: SPANet, loss: SPANetLoss) -> None:
        super().__init__(network, loss)
        self.similarity, self.attention = SimilarityLoss(), AttentionLoss(loss.threshold)

    @classmethod
    def needs(cls, loss: SPANetLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses."""
        loss, O, truth, valid = self.loss, batch["rainy"], batch["clean"], batch.get("valid")
        layers = self.network.layers(O)
        B = O - layers.removed.float()
        terms: dict[str, Tensor] = {}
        if loss.truth:
            terms["truth"] = loss.truth * per_picture((B - truth).abs(), valid)
        if loss.similarity:
            terms["similarity"] = loss.similarity * self.similarity(B, truth, valid)
        if loss.attention and layers.attention is not None:
            terms["attention"] = loss.attention * self.attention(layers.attention.float(), O, truth, valid)
        return terms
