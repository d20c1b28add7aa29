"""How UDGNet is trained: the UDG energy on its two streams, and what may be added to it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from rainnet.losses.adversarial import AdversarialLoss
from rainnet.losses.distill import SolverLoss
from rainnet.losses.energy import BoundsLoss, UDGLoss
from rainnet.losses.truth import TruthLoss
from rainnet.models.discriminator import Discriminator
from rainnet.models.udgnet import SPAN, UDGNet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program
from rainopt.optim.objectives import UDGWeights

Part = Literal["self", "image", "rain"]


class UDGNetLoss(LossSettings):
    """Weights of the losses of UDGNet; a weight of 0 leaves a loss out.

    Attributes
    ----------
    energy
        Of the UDG energy, a pixel and channel.
    terms
        Which parts of the energy count: "self", "image", "rain".
    tau, lambda_x, lambda_y, sparsity
        Weights inside the energy, as `rainopt.UDGWeights`.
    bounds
        Of what lies outside ``0 ≤ R ≤ O``.
    adversarial
        Of the discriminator's judgement of the background. The paper's μ = 400 stands beside sums over 128 × 128
        pixels and 3 channels; beside means it is 400 / 49152 = 0.008.
    truth
        Of the distance from the truth, where the data have one; over the valid pixels of pairs that have a mask.
    truth_rain
        Of the rain layer within it.
    solver
        Of the distance from the solver's own decomposition.
    solver_iterations
        Of that solver.
    angle
        Of the squared error of the angle network's number in [0, 1] (Eq. 12).
    """

    energy: float = Field(1.0, ge=0)
    terms: tuple[Part, ...] = Field(("self", "image", "rain"), min_length=1)
    tau: float = Field(0.01, ge=0)
    lambda_x: float = Field(1.5, ge=0)
    lambda_y: float = Field(1.0, ge=0)
    sparsity: float = Field(0.0, ge=0)
    bounds: float = Field(0.0, ge=0)
    adversarial: float = Field(0.008, ge=0)
    truth: float = Field(0.0, ge=0)
    truth_rain: float = Field(0.5, ge=0)
    solver: float = Field(0.0, ge=0)
    solver_iterations: int = Field(60, ge=1)
    angle: float = Field(1.0, ge=0)

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.energy or self.bounds or self.adversarial or self.truth or self.solver or self.angle):
            raise ValueError("all weights are 0: there is nothing to minimise")
        return self


class UDGNetProgram(Program):
    """UDGNet, and a discriminator where one is asked for.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (16). The pictures of a batch are upright already, by an angle that is known or was
    estimated, as the paper's are by TILT; only the angle network sees them as they were.
    """

    Settings = UDGNetLoss
    Takes = UDGNet
    all_turns = ("network", "discriminator")
    network: UDGNet
    loss: UDGNetLoss

    def __init__(self, network: UDGNet, loss: UDGNetLoss) -> None:
        super().__init__(network, loss)
        weights = UDGWeights(loss.tau, loss.lambda_x, loss.lambda_y, loss.sparsity, bounded=False)
        self.energy = UDGLoss(weights, loss.terms)
        self.bounds, self.adversarial = BoundsLoss(), AdversarialLoss()
        self.truth, self.solver = TruthLoss(loss.truth_rain), SolverLoss(iterations=loss.solver_iterations)
        self.discriminator = Discriminator(network.channels) if loss.adversarial else None
        self.turns = ("network", "discriminator") if loss.adversarial else ("network",)

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return the parameters of the network or of the discriminator."""
        part = self.network if turn == "network" else self.discriminator
        return part.parameters() if part is not None else ()

    @classmethod
    def needs(cls, loss: UDGNetLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        angle = loss.angle > 0
        return ExampleSpec(upright=True, truth=loss.truth > 0, unpaired=loss.adversarial > 0, angle=angle, plain=angle)

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses of a turn."""
        if turn == "discriminator":
            return self._judge(batch)
        terms = self._layer_terms(batch)
        if self.loss.angle:
            found = self.network.find_angle(batch["plain"]).float()
            terms["angle"] = self.loss.angle * angle_loss(found, batch["angle"])
        return terms

    def _layer_terms(self, batch: Batch) -> dict[str, Tensor]:
        loss, O = self.loss, batch["rainy"]
        terms: dict[str, Tensor] = {}
        if not (loss.energy or loss.bounds or loss.adversarial or loss.truth or loss.solver):
            return terms  # the angle alone is trained
        layers = self.network.layers(O)
        B, R = O - layers.removed.float(), layers.rain.float()
        if loss.energy:
            terms["energy"] = loss.energy * self.energy(O, B, R)
        if loss.bounds:
            terms["bounds"] = loss.bounds * self.bounds(O, R)
        if self.discriminator is not None:
            terms["adversarial"] = loss.adversarial * self.adversarial(self.discriminator(B).float())
        if loss.truth:
            terms["truth"] = loss.truth * self.truth(B, R, batch["clean"], O, batch.get("valid"))
        if loss.solver:
            terms["solver"] = loss.solver * self.solver(O, B, R)
        return terms

    def _judge(self, batch: Batch) -> dict[str, Tensor]:
        if self.discriminator is None:
            raise ValueError("there is no discriminator: `adversarial` is 0")
        O = batch["rainy"]
        with torch.no_grad():
            B = O - self.network.image_stream(O).float()
        real, fake = self.discriminator(batch["unpaired"]), self.discriminator(B)
        return {"discriminator": self.adversarial.discriminator(real.float(), fake.float())}


def angle_loss(found: Tensor, true: Tensor) -> Tensor:
    """Return the squared error in the unit of the labels, a number in [0, 1] for ±45 degrees, mean over the batch.

    Pictures with rain beyond what the network can say do not count.

    Notes
    -----
    Source: Yu et al. 2021, Eq. (12).
    """
    within = (true.abs() <= SPAN).to(found.dtype)
    error = F.mse_loss(found, true, reduction="none") / (2 * SPAN) ** 2
    return (within * error).sum() / within.sum().clamp(min=1)
