"""How TimeLapseNet is trained: by frames of one scene that must agree on what is behind the rain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field, model_validator
from torch import Tensor, nn

from rainnet.losses.rounded import distance
from rainnet.losses.timelapse import background_consistency, cross_similarity, gamma, reconstruction
from rainnet.models.directional import DirectionalGradients
from rainnet.models.timelapsenet import TimeLapseNet
from rainnet.programs.base import Batch, ExampleSpec, LossSettings, Program


class TimeLapseLoss(LossSettings):
    """Weights of the losses of TimeLapseNet; a weight of 0 leaves a loss out.

    Attributes
    ----------
    background
        λb, of the distance of the backgrounds of two frames.
    similarity
        λs, of the distance of one frame from the background of another; times γ.
    gamma_first, gamma_last, gamma_share
        γ falls from the first to the second in this share of the training; see `rainnet.losses.timelapse.gamma`.
    corner, corner_last
        Of the distances of backgrounds, frames and truth; it falls from the first to the second as γ falls. 0: absolute
        ones, as in the paper. See `rainnet.losses.rounded.distance`.
    directions
        λv, of how far gradients of the rain are from a few directions.
    centres
        How many, k.
    printed
        Whether these are compared as the paper prints it; see `rainnet.models.directional`.
    reconstruction
        λr, of what background and rain do not add up to.
    truth
        Of the distance from what the data has for clean: in the paper's control, the mean of the frames of a scene.
        With the other weights 0, training is supervised by it.
    frames
        Of a scene in an example.
    """

    background: float = Field(1.0, ge=0)
    similarity: float = Field(0.1, ge=0)
    gamma_first: float = Field(0.1, ge=0)
    gamma_last: float = Field(1e-4, ge=0)
    gamma_share: float = Field(0.3, gt=0, le=1)
    corner: float = Field(0.0, ge=0, le=1)
    corner_last: float = Field(0.0, ge=0, le=1)
    directions: float = Field(0.01, ge=0)
    centres: int = Field(4, ge=1, le=1024)
    printed: bool = False
    reconstruction: float = Field(0.001, ge=0)
    truth: float = Field(0.0, ge=0)
    frames: int = Field(2, ge=2, le=64)

    @model_validator(mode="after")
    def _something_is_minimised(self) -> Self:
        if not (self.background or self.similarity or self.truth):
            raise ValueError("background, similarity and truth are 0: nothing would teach the network what is not rain")
        return self

    @property
    def pairs_frames(self) -> bool:
        """Whether frames are compared with one another."""
        return bool(self.background or self.similarity)


class TimeLapseProgram(Program):
    """TimeLapseNet, and the directional-gradient network beside it, which is trained by the same loss.

    Parameters
    ----------
    network
        The network.
    loss
        What its losses weigh.

    Notes
    -----
    Source: Cho et al. 2020, Eq. (8).
    """

    Settings = TimeLapseLoss
    Takes = TimeLapseNet
    network: TimeLapseNet
    loss: TimeLapseLoss

    def __init__(self, network: TimeLapseNet, loss: TimeLapseLoss) -> None:
        super().__init__(network, loss)
        self.directions = DirectionalGradients(loss.centres, loss.printed) if loss.directions else None

    @classmethod
    def needs(cls, loss: TimeLapseLoss) -> ExampleSpec:
        """Return what the losses are computed from."""
        return ExampleSpec(frames=loss.frames if loss.pairs_frames else 1, truth=loss.truth > 0)

    def parameters_of(self, turn: str) -> Iterable[nn.Parameter]:
        """Return the parameters of both networks."""
        return [*self.network.parameters(), *(self.directions.parameters() if self.directions else ())]

    def forward(self, batch: Batch, turn: str, progress: float) -> dict[str, Tensor]:
        """Return the weighted losses."""
        loss, frames = self.loss, batch["rainy"]
        O = frames.flatten(0, 1) if frames.ndim == 5 else frames  # (N F, C, H, W)
        layers = self.network.split(O)
        B, S = O - layers.removed.float(), layers.rain.float()
        corner = gamma(progress, loss.corner, loss.corner_last, loss.gamma_share)
        terms: dict[str, Tensor] = {}
        if loss.pairs_frames:
            each = B.view_as(frames)
            if loss.background:
                terms["background"] = loss.background * background_consistency(each, corner)
            if loss.similarity:
                weight = loss.similarity * gamma(progress, loss.gamma_first, loss.gamma_last, loss.gamma_share)
                terms["similarity"] = weight * cross_similarity(frames, each, corner)
        if self.directions is not None:
            terms["directions"] = loss.directions * self.directions(S[:, :1]).mean()
        if loss.reconstruction:
            terms["reconstruction"] = loss.reconstruction * reconstruction(O, B, S)
        if loss.truth:
            terms["truth"] = loss.truth * distance(B - batch["clean"].view_as(B), corner).mean()
        return terms
