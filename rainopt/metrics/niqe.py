"""NIQE: how far the statistics of a picture are from those of good photographs, without the true picture.

Departures from Mittal et al. 2013, "Making a completely blind image quality analyzer", and from the authors' program:

1. The model of good photographs is our own fit, to pictures that are free to use, made by
   `benchmarks.metrics.niqe_fit`. Scores are therefore not those of the literature: compare scores of one model only.
2. Products of neighbours are taken inside each patch. The program pairs the last column with the first and the last row
   with the first, which are no neighbours.
3. Luminance is not rounded to whole grey levels, so that 16 bits and floats keep what they have.
4. Patches without contrast are left out. In the program their numbers are missing or those of rounding.

The module is not called `niqe`, because whoever imported it first would then find it in `rainopt.niqe` in place of the
function.
"""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rainopt.arrays import Array, to_numpy
from rainopt.image import luminance, split_channels
from rainopt.metrics.scene_statistics import FEATURES, PATCH, patch_features

SHARP = 0.75  # share of the sharpness of a picture's sharpest patch; only patches above it are fitted
LEAST_PATCHES = 2  # patches that a picture must have to be scored; a single one has no covariance
_SHIPPED = Path(__file__).with_name("niqe_model.json")


@dataclass(frozen=True, eq=False)
class NiqeModel:
    """A Gaussian distribution of the features of patches.

    Attributes
    ----------
    mean
        (36,), in the order of `rainopt.metrics.scene_statistics.FEATURES`.
    covariance
        (36, 36), symmetric. Both are float64 and read-only.

    Raises
    ------
    ValueError
        For other shapes, NaN or infinities, or a covariance that is not symmetric.
    """

    mean: np.ndarray
    covariance: np.ndarray

    def __post_init__(self) -> None:
        count = len(FEATURES)
        for name, shape in (("mean", (count,)), ("covariance", (count, count))):
            value = np.array(getattr(self, name), dtype=np.float64)
            if value.shape != shape:
                raise ValueError(f"`{name}` must have shape {shape}, got {value.shape}")
            if not np.isfinite(value).all():
                raise ValueError(f"`{name}` must be finite, but it holds NaN or infinite values")
            # The shipped model is loaded once and shared.
            value.setflags(write=False)
            object.__setattr__(self, name, value)
        if not np.array_equal(self.covariance, self.covariance.T):
            raise ValueError("`covariance` must be symmetric")

    @staticmethod
    def load(path: str | os.PathLike[str] | None = None) -> NiqeModel:
        """Return the model in a JSON file with ``features``, ``mean`` and ``covariance``; by default the shipped one.

        Raises
        ------
        ValueError
            If the file holds no such model, or one of other features.
        OSError
            If it cannot be read.
        """
        return _shipped() if path is None else _load(Path(path))

    @staticmethod
    def of(features: np.ndarray) -> NiqeModel:
        """Return mean and unbiased covariance of features (n, 36), n at least 2."""
        covariance = np.cov(features, rowvar=False)
        # Which of two products comes first may decide about the last bit.
        return NiqeModel(features.mean(axis=0), (covariance + covariance.T) / 2)

    def distance(self, other: NiqeModel) -> float:
        """Return ``√((m₁ - m₂)ᵀ ((S₁ + S₂) / 2)⁺ (m₁ - m₂))``. Source: Mittal et al. 2013, Eq. (10)."""
        difference = self.mean - other.mean
        inverse = np.linalg.pinv((self.covariance + other.covariance) / 2, hermitian=True)
        # Along directions that only rounding fills, the product may be negative.
        return float(np.sqrt(max(float(difference @ inverse @ difference), 0.0)))


def niqe(image: Array, *, model: NiqeModel | None = None) -> float:
    """Naturalness Image Quality Evaluator, at least 0, less is better: how far a picture's patches are from a model.

    It looks at BT.601 luminance in 0 to 255, in patches of 96 x 96 pixels side by side from the top left corner, at
    full and half size; see `rainopt.metrics.scene_statistics`. Compare pictures of one size: the mean and covariance of
    few patches are uncertain, and that counts as distance. Clean photographs that the model has not seen score 4.6 on
    average in 40 patches, 7.8 in 4 and 9.7 in 2. Source: Mittal, Soundararajan and Bovik 2013, with the departures
    named at the top of this file.

    Parameters
    ----------
    image
        (H, W) or (H, W, C) image, uint8, uint16 or float in [0, 1], of any array library. Alpha is ignored, and grey
        images count as three equal channels.
    model
        What good photographs are like; by default the shipped model.

    Raises
    ------
    ValueError
        If the picture is smaller than a patch, has contrast in fewer than 2 patches, or is no image (see
        `rainopt.image.split_channels`).
    TypeError
        For another dtype, or something that is not an array.
    """
    if model is not None and not isinstance(model, NiqeModel):
        raise TypeError(f"`model` must be a NiqeModel or None, got {type(model).__name__}")
    features, _ = _measured(image)
    if len(features) < LEAST_PATCHES:
        raise ValueError(
            f"`image` must have contrast in at least {LEAST_PATCHES} patches of {PATCH} x {PATCH} pixels for NIQE, got "
            f"{len(features)} in shape {tuple(image.shape)}; use a larger picture, or one that is not flat"
        )
    return NiqeModel.of(features).distance(NiqeModel.load() if model is None else model)


def fit(images: Iterable[Array]) -> NiqeModel:
    """Fit the model of good photographs to the `sharp_features` of images as of `niqe`; each is looked at once.

    Raises
    ------
    ValueError
        As `fit_features`, and for an image that is smaller than a patch or is no image.
    """
    return fit_features([sharp_features(image) for image in images])


def fit_features(parts: list[np.ndarray]) -> NiqeModel:
    """Fit the model to the `sharp_features` (n, 36) of each picture.

    Raises
    ------
    ValueError
        If there are no more patches than features: the covariance would be singular.
    """
    count = sum(len(part) for part in parts)
    if count <= len(FEATURES):
        raise ValueError(
            f"the pictures must hold more than {len(FEATURES)} sharp patches, got {count} in {len(parts)}; add pictures"
        )
    return NiqeModel.of(np.concatenate(parts))


def sharp_features(image: Array) -> np.ndarray:
    """Return the features (n, 36) of the patches whose sharpness is above `SHARP` times the greatest of the picture.

    A photograph says nothing about good ones where it is out of focus. Source: Mittal et al. 2013, section II.B.
    """
    features, sharpness = _measured(image)
    return features[sharpness > SHARP * sharpness.max(initial=0.0)]


def _measured(image: Array) -> tuple[np.ndarray, np.ndarray]:
    """Return `patch_features` of an image at the edge of the toolkit."""
    luma = to_numpy(luminance(split_channels(image).colour))
    if min(luma.shape) < PATCH:
        raise ValueError(
            f"`image` must be at least {PATCH} x {PATCH} pixels for NIQE, got {luma.shape[0]} x {luma.shape[1]}"
        )
    return patch_features(255 * luma.astype(np.float64))


@functools.cache
def _shipped() -> NiqeModel:
    return _load(_SHIPPED)


def _load(path: Path) -> NiqeModel:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if tuple(content["features"]) != FEATURES:
            raise ValueError("its features are others")
        return NiqeModel(content["mean"], content["covariance"])
    except KeyError as error:
        raise ValueError(f"{path} holds no NIQE model: {error} is missing") from error
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds no NIQE model: {error}") from error
