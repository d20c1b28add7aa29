"""How DDN is trained: squared distance from the truth."""

from __future__ import annotations

from pydantic import Field
from torch import Tensor

from rainnet.losses.masked import per_picture
from rainnet.models.ddn import DDN
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program


class DDNLoss(LossSettings):
    """Weight of the loss of DDN.

    Attributes
    ----------
    square
        Of the mean squared distance from the truth.
    """

    square: float = Field(1.0, gt=0)


class DDNProgram(Program):
    """DDN and its loss, over the valid pixels of pairs that have a mask.

    Parameters
    ----------
    network
        The network.
    loss
        What its loss weighs.

    Notes
    -----
    Source: Fu et al. 2017, Eq. (2).
    """

    Settings = DDNLoss
    Takes = DDN
    network: DDN
    loss: DDNLoss

    @classmethod
    def needs(cls, loss: DDNLoss) -> ExampleSpec:
        """Return what the loss is computed from."""
        return ExampleSpec(truth=True)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted loss."""
        B = batch["rainy"] - self.network.layers(batch["rainy"]).removed.float()
        return {"square": self.loss.square * per_picture((B - batch["clean"]).square(), batch.get("valid"))}
