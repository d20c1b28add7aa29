"""From regions of pictures to the entries of an example."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from rainnet.data.crops import Cut, as_planes, as_tensor
from rainnet.models.start import solver_layers
from rainnet.programs.base import ExampleSpec

CHANNELS = 3
"""Of the pictures of an example: they are in colour."""
PASS = 1 << 24
"""Examples that are one pass through a dataset to those who ask for its length: more than any run has taken."""


class Examples(Dataset[dict[str, Tensor]]):
    """A dataset that has an example for every index, drawn at random but the same each time.

    There is no end to them. The length is for `torch.utils.data.DataLoader`, which goes through a dataset by it; the
    order is as random as any, so that nothing is to be shuffled. `rainnet.data.make_loader` ends where it is told to.
    """

    def __len__(self) -> int:
        return PASS

    def files(self) -> list[Path]:
        """Return the files that examples are drawn from, in the order in which they are drawn."""
        raise NotImplementedError


def entries(
    spec: ExampleSpec,
    cut: Cut,
    rainy: Sequence[np.ndarray],
    clean: np.ndarray | None,
    angles: Sequence[float],
    valid: Sequence[np.ndarray] | None = None,
    starts: Sequence[np.ndarray] | None = None,
) -> dict[str, Tensor]:
    """Return the entries that are made of one scene.

    Parameters
    ----------
    spec
        Which.
    cut
        How regions become crops.
    rainy
        Regions (*cut.shape, 3) of as many rainy pictures as ``spec.frames``.
    clean
        The region of the clean picture of all of them; needed for the truth alone.
    angles
        Degrees of the rain in each rainy picture; needed where ``spec.angle`` says so.
    valid
        Regions (*cut.shape,) bool of the pixels of each rainy picture that can be trusted; None without "valid".
    starts
        Regions (*cut.shape,) of the solver's layer of each rainy picture, where ``spec.start`` asks for it; None: it is
        found in the crop.
    """
    regions = [*rainy, clean] if spec.truth and clean is not None else [*rainy]
    planes = as_planes(*regions)
    upright, count = cut.upright(planes), CHANNELS * len(rainy)
    found = {"rainy": upright[:count]}
    if spec.truth:
        found["clean"] = np.tile(upright[count:], (len(rainy), 1, 1))
    if valid is not None:
        found["valid"] = np.stack([_upright_mask(cut, region) for region in valid])
    if spec.start:
        found["start"] = cut.upright(np.stack(starts)) if starts is not None else _starts_of(found["rainy"])
    if spec.plain:
        found["plain"] = cut.plain(planes[:count])
    if spec.frames > 1:
        found = {name: crops.reshape(spec.frames, -1, *crops.shape[1:]) for name, crops in found.items()}
    if spec.angle:
        found["angle"] = np.asarray(angles if spec.frames > 1 else angles[0])
    return {name: as_tensor(value) for name, value in found.items()}


def _starts_of(rainy: np.ndarray) -> np.ndarray:
    """Return the solver's layers of upright crops (F · 3, s, s), (F, s, s)."""
    crops = rainy.reshape(-1, CHANNELS, *rainy.shape[1:])
    return np.asarray(solver_layers(as_tensor(crops), torch.zeros(len(crops)))[:, 0].numpy())


def _upright_mask(cut: Cut, valid: np.ndarray) -> np.ndarray:
    """Return 1 where a crop is interpolated from valid pixels alone, and 0 elsewhere, (size, size) float32."""
    # Half of the range is left free on either side, so that what overshoots beside an edge is not clipped.
    levels = cut.upright(np.where(valid, np.float32(0.75), np.float32(0.5)))
    return np.asarray(np.abs(levels - 0.75) < 1e-3, np.float32)


class WithRainy(Examples):
    """Examples of a dataset, each with a rainy crop of another dataset beside it as "unpaired_rainy"."""

    def __init__(self, dataset: Examples, rainy: Examples) -> None:
        self.dataset, self.rainy = dataset, rainy

    def files(self) -> list[Path]:
        """Return the files of both."""
        return [*self.dataset.files(), *self.rainy.files()]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return self.dataset[index] | {"unpaired_rainy": self.rainy[index]["rainy"]}
