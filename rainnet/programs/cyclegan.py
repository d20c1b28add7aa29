"""How CycleGAN is trained: two translations that undo each other, and a critic of each domain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from rainnet.losses.translation import critic_loss, cycle_loss, deceiving_loss
from rainnet.models.base import Network
from rainnet.models.cyclegan import CycleGAN
from rainnet.models.discriminator import Discriminator
from rainnet.models.pool import Pool
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program

DOMAINS = ("clean", "rainy")


class CycleGANLoss(LossSettings):
    """Weights of the losses of CycleGAN; a weight of 0 leaves a loss out.

    Attributes
    ----------
    adversarial
        Of what both critics say.
    cycle
        λ, of what pictures have become again.
    identity
        Of what becomes of pictures that are of the other domain already; half of λ in the paper's Section 5.2.
    pool
        Pictures in each history that the critics are shown; 0: none but those of the step.
    critic_features, critic_stages
        Of the critics, see `rainnet.models.discriminator.Discriminator`.
    """

    adversarial: float = Field(1.0, gt=0)
    cycle: float = Field(10.0, ge=0)
    identity: float = Field(5.0, ge=0)
    pool: int = Field(50, ge=0, le=10_000)
    critic_features: int = Field(64, ge=1, le=1024)
    critic_stages: int = Field(3, ge=1, le=8)


class CycleGANProgram(Program):
    """CycleGAN and its critics.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Zhu et al. 2017, Eqs. (1) to (3) and Section 5.2. Clean pictures are the truth of the data, and rainy ones
    are of other scenes: no pair is compared. Departure: logistic losses, as of JRGR's critics, in place of squares.
    """

    Settings = CycleGANLoss
    Takes: ClassVar[type[Network]] = CycleGAN
    all_turns = ("network", "discriminator")
    network: CycleGAN
    loss: CycleGANLoss

    def __init__(self, network: CycleGAN, loss: CycleGANLoss) -> None:
        super().__init__(network, loss)
        self.critics = nn.ModuleDict(
            {name: Discriminator(network.channels, loss.critic_features, loss.critic_stages) for name in DOMAINS}
        )
        self.pools = nn.ModuleDict({name: Pool(loss.pool) for name in DOMAINS})
        self._made: dict[str, Tensor] | None = None

    @classmethod
    def needs(cls, loss: CycleGANLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True, unpaired_rainy=True)

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return the parameters of both networks or of both critics."""
        return (self.network if turn == "network" else self.critics).parameters()

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses of a turn."""
        clean, rainy = batch["clean"], batch["unpaired_rainy"]
        if turn == "discriminator":
            return self._judged({"clean": clean, "rainy": rainy})
        loss, found = self.loss, self.network.cycles(rainy, clean)
        made = {"clean": found.made_clean, "rainy": found.made_rainy}
        self._made = {name: picture.detach() for name, picture in made.items()}
        terms = {
            f"adversarial {name}": loss.adversarial * deceiving_loss([self._score(name, made[name])])
            for name in DOMAINS
        }
        if loss.cycle:
            back = cycle_loss(rainy, found.rainy_again) + cycle_loss(clean, found.clean_again)
            terms["cycle"] = loss.cycle * back
        if loss.identity:
            same = cycle_loss(clean, self.network.cleaned(clean)) + cycle_loss(rainy, self.network.rained(rainy))
            terms["identity"] = loss.identity * same
        return terms

    def _judged(self, real: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return what the critics minimise: what the networks have made in this step is shown, and former pictures."""
        made, self._made = self._made, None
        if made is None:
            with torch.no_grad():
                made = {"clean": self.network.cleaned(real["rainy"]), "rainy": self.network.rained(real["clean"])}
        terms = {}
        for name in DOMAINS:
            former: Tensor = self.pools[name].exchanged(made[name])  # type: ignore[operator]
            terms[f"critic {name}"] = critic_loss([self._score(name, real[name])], [self._score(name, former)])
        return terms

    def _score(self, critic: str, pictures: Tensor) -> Tensor:
        scores: Tensor = self.critics[critic](pictures).float()
        return scores

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return pictures of both domains, and what they become and become again."""
        found = self.network.cycles(batch["unpaired_rainy"], batch["clean"])
        shown = {"rainy": batch["unpaired_rainy"], "made clean": found.made_clean, "rainy again": found.rainy_again}
        shown |= {"clean": batch["clean"], "made rainy": found.made_rainy, "clean again": found.clean_again}
        return {name: picture.clamp(0, 1) for name, picture in shown.items()}
