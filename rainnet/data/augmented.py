"""Training examples of which some have rain that a generator makes, in place of their own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rainnet.data.crops import as_tensor, at_least
from rainnet.data.examples import Examples
from rainnet.data.pictures import DataError
from rainnet.generate.controls import RainControls
from rainnet.generate.layer import rain_layer
from rainnet.models.base import Network
from rainnet.models.rainfield import RainField
from rainnet.models.vrgnet import VRGNet
from rainnet.programs.base import ExampleSpec
from rainnet.weights.checkpoint import load, resolve

DRAWN = 0x7261696E  # keeps what is drawn here apart from what the examples draw


class Augmented(Examples):
    """Examples of a dataset; in some, the rain is that of a generator over the clean crop.

    Of a batch, the share ``ratio / (1 + ratio)`` is drawn with made rain, so that there are ``ratio`` made examples to
    each of the dataset. Made rain is added and clipped at white, and valid everywhere.

    Parameters
    ----------
    dataset
        Examples with the truth.
    spec
        What they hold.
    size
        Side of the crops in pixels.
    generator
        File or training run of a `RainField`, or of a `VRGNet` whose patches are as large as the crops.
    ratio
        Made examples for each of the dataset, at least 0.
    seed
        Example k depends on it and on k alone.

    Raises
    ------
    DataError
        If the examples hold what made rain cannot give, several frames or an angle; or the generator is none, or makes
        patches of another size.

    Notes
    -----
    Source: Wang et al. 2021 (CVPR), Section 6, and the authors' program, which adds rain and clips.
    """

    def __init__(
        self, dataset: Examples, spec: ExampleSpec, size: int, generator: Path, ratio: float, seed: int = 0
    ) -> None:
        if not spec.truth or spec.frames > 1 or spec.angle or spec.plain or spec.start:
            raise DataError(
                "'data.augment' makes one rainy picture of the truth, and the losses need something else: several "
                "frames, an angle, the solver's layer, or no truth; leave those losses out, or data.augment"
            )
        self.network = _generator(generator)
        if not isinstance(self.network, RainField):
            side = self.network.config.side
            if side != size or spec.upright:
                raise DataError(
                    f"'data.augment': '{generator}' makes patches of {side} pixels as they lie; crops must be so, too "
                    f"(data.size={side}), or be made by a rainfield, whose rain has any size"
                )
        self.dataset, self.spec, self.size = dataset, spec, size
        self.path, self.ratio, self.seed = generator, ratio, at_least("seed", seed, 0)

    def files(self) -> list[Path]:
        """Return the files of the dataset, and that of the generator: another one makes other examples."""
        return [*self.dataset.files(), resolve(self.path)]

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        example = self.dataset[index]
        rng = np.random.default_rng([DRAWN, self.seed, index])
        if rng.random() >= self.ratio / (1 + self.ratio):
            return example
        rain = self._rain(int(rng.integers(1 << 31)), example["clean"])
        made = example | {"rainy": (example["clean"] + rain).clamp(max=1)}
        if "valid" in made:
            made["valid"] = torch.ones_like(made["valid"])
        return made

    def _rain(self, seed: int, clean: Tensor) -> Tensor:
        """Return rain for a crop (C, s, s), or one plane of it for all channels."""
        if isinstance(self.network, RainField):
            angle = 0.0 if self.spec.upright else None
            return as_tensor(rain_layer(self.network, self.size, self.size, RainControls(angle=angle), seed))[None]
        code = self.network.draw_codes(1, torch.Generator().manual_seed(seed))
        with torch.inference_mode():
            return self.network.rain(code)[0].clone()


def _generator(path: Path) -> VRGNet:
    # A name alone may be that of a network that ships.
    network: Network = load(path if path.exists() else str(path))
    if not isinstance(network, VRGNet):
        raise DataError(
            f"'data.augment': '{path}' is a {network.name}, which makes no rain; name a rainfield or vrgnet"
        )
    return network
