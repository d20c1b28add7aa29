"""Validation while training: whole pictures, a named protocol."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from data_tools.layouts.halves import read_picture
from data_tools.layouts.read import Pair, read_dataset
from data_tools.layouts.two_folders import read_two_folders
from rainnet.data.pictures import as_rgb
from rainnet.models.base import Network
from rainnet.recipes.sections import ValidationSection
from rainopt.metrics.fidelity import psnr, ssim

LEAST = 11  # pixels on each side, for SSIM


class Validator:
    """Derains pairs with a network and scores it.

    Parameters
    ----------
    pairs
        Rainy and clean pictures.
    masks
        Of each pair, (H, W) bool where its clean picture can be trusted; None: everywhere, and for all.
    protocol
        As in `rainopt.metrics.fidelity`.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[np.ndarray, np.ndarray]],
        protocol: str,
        masks: Sequence[np.ndarray | None] | None = None,
    ) -> None:
        if not pairs:
            raise ValueError("`pairs` must hold at least one pair to validate on")
        self.masks = [None] * len(pairs) if masks is None else masks
        self.pairs, self.protocol = pairs, protocol
        self.leading = f"psnr_{protocol}"

    @classmethod
    def of_section(cls, section: ValidationSection) -> Validator | None:
        """Read the pairs of a recipe's section, at most its limit of each dataset; None where it names none.

        Datasets are of any layout; of one with splits, it is the pairs of "val", or else of "test".

        Raises
        ------
        LayoutError, ImageFileError
            If a dataset or a picture cannot be read.
        ValueError
            If there is no pair, or one that cannot be scored; the message names it.
        """
        datasets = [(str(folder), read_dataset(folder)) for folder in section.data]
        if section.rainy is not None and section.clean is not None:
            sides = read_two_folders(section.rainy, section.clean, section.match)
            datasets.append((str(section.rainy), sides))
        pairs, masks = [], []
        for name, dataset in datasets:
            whole = [pair for pair in dataset if pair.clean is not None]
            if dataset and not whole:
                raise ValueError(f"'{name}' cannot be validated on: none of its rainy pictures has a clean one")
            parts = [[pair for pair in whole if pair.split == name] for name in ("val", "test")]
            chosen = next(filter(None, parts), whole)
            for pair in chosen[: section.limit]:
                if pair.clean is not None:
                    pairs.append(_read_pair(pair.rainy, pair.clean))
                    masks.append(_read_mask(pair, pairs[-1][0].shape[:2]))
        return cls(pairs, section.protocol, masks) if datasets else None

    def __call__(self, network: Network) -> dict[str, float]:
        """Return means over the pairs, results rounded to 8 bits, over the valid pixels of pairs that have a mask."""
        from rainnet.infer.angle import SOLVER
        from rainnet.infer.derain import derain

        device = next(network.parameters()).device
        # Named, because a picture in which the solver sees no rain would be left alone, and is to be judged as well.
        angle = SOLVER if network.directional else None
        results = [
            np.rint(np.asarray(derain(network, rainy, angle=angle, device=str(device)).background) * 255).astype(
                np.uint8
            )
            for rainy, _ in self.pairs
        ]
        truths = [clean for _, clean in self.pairs]
        judged = list(zip(results, truths, self.masks, strict=True))
        return {
            self.leading: statistics.fmean(min(psnr(a, b, self.protocol, where), 100.0) for a, b, where in judged),
            f"ssim_{self.protocol}": statistics.fmean(ssim(a, b, self.protocol, where) for a, b, where in judged),
        }


def _read_pair(rainy: Path, clean: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read a pair that can be scored: RGB, of one size, and large enough for SSIM."""
    pair = as_rgb(read_picture(rainy)), as_rgb(read_picture(clean))
    sizes = [image.shape[:2] for image in pair]
    if sizes[0] != sizes[1]:
        raise ValueError(f"'{rainy}' is {sizes[0]} and '{clean}' {sizes[1]} pixels; a pair has one size")
    if min(sizes[0]) < LEAST:
        raise ValueError(f"'{rainy}' is {sizes[0]} pixels; at least {LEAST} on each side can be scored")
    return pair


def _read_mask(pair: Pair, shape: tuple[int, ...]) -> np.ndarray | None:
    """Read the mask of a pair; one that leaves too little to be scored is refused."""
    if pair.valid is None:
        return None
    mask = as_rgb(read_picture(pair.valid))[..., 0] > 0
    if mask.shape != shape:
        raise ValueError(
            f"the mask '{pair.valid}' is {mask.shape} pixels and '{pair.rainy}' {shape}; they have one size"
        )
    margin = LEAST // 2
    if not mask[margin:-margin, margin:-margin].any():
        raise ValueError(f"the mask '{pair.valid}' leaves nothing of '{pair.rainy}' to be scored; leave the pair out")
    return mask
