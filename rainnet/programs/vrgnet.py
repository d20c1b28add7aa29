"""How VRGNet is trained: two divergences from what is known, and a critic that is shown real and made rain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from rainnet.losses.rounded import distance
from rainnet.losses.variational import bounded, kl_around, kl_standard
from rainnet.losses.wasserstein import critic_loss, generator_loss, gradient_penalty
from rainnet.models.base import Network
from rainnet.models.critic import Critic
from rainnet.models.rainfield import RainField
from rainnet.models.vrgnet import VRGNet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program

CORNER = 0.1
"""Of the distance of rain from rain, which is 0 in most places: black would be the best guess at its median."""


class VRGNetLoss(LossSettings):
    """Weights of the losses of VRGNet.

    Attributes
    ----------
    adversarial
        γ of Eq. (17): 1 for rendered rain, 0.01 for pairs of real rain.
    code, background
        Of the divergences of the code and of the background.
    own
        Of the distance of the rain that a picture's own code makes from the picture's rain. In the paper nothing but
        the critic asks for codes, and these soon tell nothing of pictures. With it, codes of the critic's made rain are
        drawn from the prior, as they are when rain is made later; for pairs whose clean picture is exact.
    reduction
        What a divergence of many numbers is: "mean", as in the authors' program, or "sum", a mean over pictures, as the
        paper writes it.
    variance
        ε² of Eq. (4): how far the background may be from the clean picture.
    penalty
        Of slopes of the critic.
    critic_steps
        Steps of the critic for one of the others.
    critic_features
        Of the critic's first map.
    critic_spectral
        Whether its convolutions have a norm of one, as in the paper; the penalty keeps slopes bounded without it, too.
    critic_sees
        "picture": rainy pictures, and backgrounds with made rain, as in the paper. "rain": what rainy and clean picture
        differ by, and made rain by itself; for pairs whose clean picture is exact. The critic need not look past the
        scene then, and a hundredth of the steps will do.
    """

    adversarial: float = Field(1.0, ge=0)
    code: float = Field(1.0, ge=0)
    background: float = Field(1.0, gt=0)
    own: float = Field(0.0, ge=0)
    reduction: Literal["mean", "sum"] = "mean"
    variance: float = Field(1e-6, gt=0)
    penalty: float = Field(10.0, ge=0)
    critic_steps: int = Field(5, ge=1)
    critic_features: int = Field(64, ge=1, le=1024)
    critic_spectral: bool = True
    critic_sees: Literal["picture", "rain"] = "picture"


class VRGNetProgram(Program):
    """VRGNet and its critic.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Eqs. (14), (16), (17) and Algorithm 1: the critic steps ``critic_steps`` times,
    then BNet ("network"), then RNet and G ("generator").

    Departure, as in the authors' program: the fake picture holds the mean of the background, and only the code is
    drawn. The background's deviation is that of the prior in the end, 0.1 % of the range, which is nothing to see.
    """

    Settings = VRGNetLoss
    Takes: ClassVar[type[Network]] = VRGNet
    all_turns = ("critic", "network", "generator")
    network: VRGNet
    loss: VRGNetLoss

    def __init__(self, network: VRGNet, loss: VRGNetLoss) -> None:
        super().__init__(network, loss)
        channels = 1 if self._grey else network.channels
        self.critic = Critic(network.config.side, channels, loss.critic_features, loss.critic_spectral)
        self.pattern = [*["critic"] * (loss.critic_steps - 1), self.all_turns]

    @property
    def _grey(self) -> bool:
        """Whether the critic sees rain that has no colour to be judged."""
        return isinstance(self.network, RainField) and self.loss.critic_sees == "rain"

    @classmethod
    def needs(cls, loss: VRGNetLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True)

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return the parameters of the critic, of BNet, or of RNet and G."""
        parts: dict[str, list[nn.Module]] = {
            "critic": [self.critic],
            "network": [self.network.background],
            "generator": [self.network.encoder, self.network.generator],
        }
        return (parameter for part in parts[turn] for parameter in part.parameters())

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses of a turn."""
        loss, O, clean = self.loss, batch["rainy"], batch["clean"]
        pictures = loss.critic_sees == "picture"
        if turn == "critic":
            with torch.no_grad():
                rain = self.network.rain(self._of_fakes(self._drawn(O)[0])).float()
                fake = self.network.backgrounds(O).stages[-1].float() + rain if pictures else rain
            return self._judged(self._seen(O if pictures else O - clean), self._seen(fake))
        if turn == "network":
            found = self.network.backgrounds(O)
            B, log_variance = found.stages[-1].float(), found.log_variance
            if log_variance is None:
                raise ValueError("the derainer of a VRGNet must find a variance")
            costs = kl_around(B, bounded(log_variance.float()), clean, loss.variance)
            terms = {"background": loss.background * self._reduced(costs)}
            if loss.adversarial and pictures:
                with torch.no_grad():
                    rain = self.network.rain(self._of_fakes(self._drawn(O)[0])).float()
                terms["adversarial b"] = loss.adversarial * generator_loss(self._score(B + rain))
            return terms
        codes, log_variance, mean = self._drawn(O)
        terms = {"code": loss.code * self._reduced(kl_standard(mean, log_variance))}
        if loss.own:
            apart = self._seen(self.network.rain(codes).float()) - self._seen(O - clean)
            terms["own"] = loss.own * distance(apart, CORNER).mean()
        if loss.adversarial:
            rain = self.network.rain(self._of_fakes(codes)).float()
            if pictures:
                with torch.no_grad():
                    B = self.network.backgrounds(O).stages[-1].float()
                rain = B + rain
            terms["adversarial"] = loss.adversarial * generator_loss(self._score(self._seen(rain)))
        return terms

    def _drawn(self, O: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return codes that are drawn, and the logarithms of variances and means that they are drawn from."""
        codes = self.network.codes(O)
        codes = codes._replace(mean=codes.mean.float(), log_variance=bounded(codes.log_variance.float()))
        return codes.draw(), codes.log_variance, codes.mean

    def _of_fakes(self, codes: Tensor) -> Tensor:
        """Return the codes of the rain that the critic is shown."""
        return self.network.draw_codes(len(codes)).to(codes) if self.loss.own else codes

    def _seen(self, pictures: Tensor) -> Tensor:
        """Return what the critic sees of pictures or of rain, (N, C, H, W) or grey."""
        return pictures.mean(1, keepdim=True) if self._grey else pictures

    def _score(self, pictures: Tensor) -> Tensor:
        scores: Tensor = self.critic(pictures).float()
        return scores

    def _judged(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        terms = {"critic": critic_loss(self._score(real), self._score(fake))}
        if self.loss.penalty:
            # Slopes in 16 bits would be rounding.
            with torch.autocast(real.device.type, enabled=False):
                terms["penalty"] = self.loss.penalty * gradient_penalty(self.critic, real, fake)
        return terms

    def _reduced(self, costs: Tensor) -> Tensor:
        return costs.mean() if self.loss.reduction == "mean" else costs.sum() / len(costs)

    @torch.no_grad()
    def pictures(self, batch: Batch) -> dict[str, Tensor]:
        """Return what every program shows, and the backgrounds with rain of codes of their own, and of others."""
        shown = super().pictures(batch)
        codes = self._drawn(shown["rainy"])[0]
        clean = shown.get("clean", shown["background"])
        for name, drawn in (("its rain", codes), ("new rain", self.network.draw_codes(len(codes)).to(codes))):
            shown[name] = (clean + self.network.rain(drawn).float()).clamp(0, 1)
        return shown


class RainFieldProgram(VRGNetProgram):
    """VRGNet of upright rain and its critic; see `rainnet.models.rainfield`."""

    Takes = RainField

    @classmethod
    def needs(cls, loss: VRGNetLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(truth=True, upright=True)
