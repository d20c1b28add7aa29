"""How JRGR is trained: both removal networks on pairs first, then all four in two closed loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, Self

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from rainnet.losses.translation import critic_loss, cycle_loss, deceiving_loss, truth_loss
from rainnet.models.base import Network
from rainnet.models.discriminator import Discriminator
from rainnet.models.jrgr import JRGR, Translation
from rainnet.models.pool import Pool
from rainnet.models.unet import UNet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program

WEIGHTS: dict[str, dict[str, float]] = {
    "paper": {},
    "released": {"adversarial_background": 4.0, "adversarial_rainy": 4.0, "cycle": 40.0, "mse": 40.0, "reals": 4},
}
"""Settings by the name of where they are from; those of the paper are the defaults."""

BACKGROUNDS = ("synthetic background", "made real background", "real background", "made synthetic background")
RAINY = ("real", "synthetic")


class JRGRLoss(LossSettings):
    """Weights of the losses of JRGR, the paper's; a weight of 0 leaves a loss out.

    Attributes
    ----------
    part
        What is trained: "synthetic" or "real", one removal network on pairs by the mean of squares alone; "joint", all.
    weights
        "paper", or "released", where weights that are not given are those of the authors' program: 4 for what the
        critics say, 40 for cycles and for the truth, and four clean pictures beside the four backgrounds.
    adversarial_background, adversarial_rainy
        λ_adv, of what the critic of backgrounds says, and of what both critics of rainy pictures say.
    alpha
        α, how much the clean pictures count for the critic of backgrounds, beside four that are found.
    reals
        Clean pictures drawn from the history for each that is new, over which α is shared out.
    cycle
        λ_cyc, of all four cycles.
    mse
        λ_mse, of the distances of what is found in synthetic pictures, and in what is made of them, from the truth.
    pool
        Pictures in each history that the critics are shown; 0: none but those of the step.
    critic_features, critic_stages
        Of the critics, see `rainnet.models.discriminator.Discriminator`.

    Raises
    ------
    ValueError
        If nothing is left to be minimised.
    """

    part: Literal["synthetic", "real", "joint"] = "joint"
    weights: Literal["paper", "released"] = "paper"
    adversarial_background: float = Field(10.0, ge=0)
    adversarial_rainy: float = Field(10.0, ge=0)
    alpha: float = Field(4.0, gt=0)
    reals: int = Field(1, ge=1, le=64)
    cycle: float = Field(1.0, ge=0)
    mse: float = Field(10.0, ge=0)
    pool: int = Field(50, ge=0, le=10_000)
    critic_features: int = Field(64, ge=1, le=1024)
    critic_stages: int = Field(3, ge=1, le=8)

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, values: Any) -> Any:
        # What is wrong with a name is told by the field.
        named = WEIGHTS.get(str(values.get("weights"))) if isinstance(values, Mapping) else None
        return {**named, **values} if named else values

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.adversarial_background or self.adversarial_rainy or self.cycle or self.mse):
            raise ValueError("all weights are 0: there is nothing to minimise")
        return self


class JRGRProgram(Program):
    """JRGR and its critics.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Ye et al. 2021 (CVPR), Eq. (8) and Section 3.3. All four networks learn by one backward pass ("network");
    what differs in their learning rates is said in the recipe. Then the critics ("discriminator") are shown what was
    made in that pass. The truth is that of synthetic pictures, "clean"; real ones, "unpaired_rainy", have none.
    """

    Settings = JRGRLoss
    Takes: ClassVar[type[Network]] = JRGR
    all_turns = ("network", "discriminator")
    network: JRGR
    loss: JRGRLoss

    def __init__(self, network: JRGR, loss: JRGRLoss) -> None:
        super().__init__(network, loss)
        joint = loss.part == "joint"
        judged = (["background"] if loss.adversarial_background else []) + ([*RAINY] if loss.adversarial_rainy else [])
        judged = judged if joint else []
        self.critics = nn.ModuleDict(
            {name: Discriminator(network.channels, loss.critic_features, loss.critic_stages) for name in judged}
        )
        histories = ["clean", *BACKGROUNDS] if "background" in judged else []
        histories += [f"made {name}" for name in RAINY if name in judged]
        self.pools = nn.ModuleDict({name: Pool(loss.pool) for name in histories})
        self.turns = ("network", "discriminator") if judged else ("network",)
        self._made: dict[str, Tensor] | None = None

    @classmethod
    def needs(cls, loss: JRGRLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True, unpaired_rainy=loss.part == "joint")

    @property
    def _part(self) -> UNet | None:
        """The one network that is trained on pairs."""
        parts = {"synthetic": self.network.removal_synthetic, "real": self.network.removal_real}
        return parts.get(self.loss.part)

    @property
    def derains(self) -> bool:
        """Whether the real removal is trained, by which a JRGR derains."""
        return self.loss.part != "synthetic"

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return the parameters of the critics, or of what is trained of the network."""
        part = self.critics if turn == "discriminator" else self._part or self.network
        return part.parameters()

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses of a turn."""
        if turn == "discriminator":
            return self._judged(batch)
        loss, clean = self.loss, batch["clean"]
        if (part := self._part) is not None:
            return {"mse": truth_loss([_found(part, batch["rainy"])], clean)}
        found = self.network.translated(batch["rainy"], batch["unpaired_rainy"])
        real, synthetic = found
        made = self._shown(found)
        self._made = {name: picture.detach() for name, picture in made.items()}
        terms: dict[str, Tensor] = {}
        for name, weight in (
            ("background", loss.adversarial_background),
            *((n, loss.adversarial_rainy) for n in RAINY),
        ):
            if name in self.critics:
                scores = [self._score(name, made[fake]) for fake in _fakes(name)]
                terms[f"adversarial {name}"] = weight * deceiving_loss(scores)
        if loss.cycle:
            terms["cycle"] = loss.cycle * (
                cycle_loss(real.picture, real.again)
                + cycle_loss(synthetic.picture, synthetic.again)
                + cycle_loss(real.background, real.found_background)
                + cycle_loss(synthetic.background, synthetic.found_background)
            )
        if loss.mse:
            terms["mse"] = loss.mse * truth_loss([synthetic.background, synthetic.found_background], clean)
        return terms

    def _judged(self, batch: Batch) -> dict[str, Tensor]:
        """Return what the critics minimise: what the networks have made in this step is shown, and former pictures."""
        made, self._made = self._made, None
        if made is None:
            with torch.no_grad():
                made = self._shown(self.network.translated(batch["rainy"], batch["unpaired_rainy"]))
        terms = {}
        for name in self.critics:
            fakes = [self._score(name, self._former(fake, made[fake])) for fake in _fakes(name)]
            if name == "background":
                drawn = [self._former("clean", batch["clean"]) for _ in range(self.loss.reals)]
                terms["critic background"] = critic_loss(
                    [self._score(name, each) for each in drawn], fakes, self.loss.alpha
                )
            else:
                own = batch["unpaired_rainy" if name == "real" else "rainy"]
                terms[f"critic {name}"] = critic_loss([self._score(name, own)], fakes)
        return terms

    def _shown(self, found: Translation) -> dict[str, Tensor]:
        """Return the pictures that critics judge, by name."""
        pictures = found.pictures()
        return {name: pictures[name] for critic in self.critics for name in _fakes(critic)}

    def _former(self, name: str, new: Tensor) -> Tensor:
        shown: Tensor = self.pools[name].exchanged(new)  # type: ignore[operator]
        return shown

    def _score(self, critic: str, pictures: Tensor) -> Tensor:
        scores: Tensor = self.critics[critic](pictures).float()
        return scores

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return the ten pictures of the loops and the truth; on pairs, what the network that is trained finds."""
        if (part := self._part) is not None:
            shown = {"rainy": batch["rainy"], "background": _found(part, batch["rainy"])}
        else:
            shown = self.network.translated(batch["rainy"], batch["unpaired_rainy"]).pictures()
        return {name: picture.clamp(0, 1) for name, picture in shown.items()} | {"clean": batch["clean"]}


def _fakes(critic: str) -> tuple[str, ...]:
    """Return the names of the made pictures that a critic judges."""
    return BACKGROUNDS if critic == "background" else (f"made {critic}",)


def _found(removal: UNet, rainy: Tensor) -> Tensor:
    """Return the background that a removal network finds in pictures of any size."""
    return rainy - removal.at_any_size(rainy)
