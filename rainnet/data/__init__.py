"""Training data: examples by number, and batches of them.

An example is a dict of float32 tensors with values in [0, 1], s being the side of the crop:

``"rainy"`` (3, s, s)
    Crop of a rainy picture, in which streaks are vertical: a parallelogram of the picture, sheared.
``"clean"`` (3, s, s)
    The same place of the clean picture, sheared alike; where there is truth.
``"plain"`` (3, s, s)
    Crop of the rainy picture around the same centre as it lies, for a network that finds the angle.
``"angle"`` ()
    Degrees of the rain as it lies in "plain", (-90, 90]; 0 is vertical, positive moves right going down. Rain in files
    has one only where crops are upright: it may have to be estimated.
``"unpaired"`` (3, s, s)
    Crop of another picture, not rainy, sheared alike, so that a discriminator cannot tell it by the shear; where
    pictures for it are given.

Example k of a dataset depends on its seed and on k alone, and there is one for every k: neither the number of worker
processes, nor resuming, nor the order changes it.
"""

from __future__ import annotations

from rainnet.data.files import FileCrops, PairCrops, RainyCrops, SinglePicture
from rainnet.data.loader import Batches, make_loader
from rainnet.data.pictures import DataError, pictures_in
from rainnet.data.rendered import RenderedCrops

__all__ = [
    "Batches",
    "DataError",
    "FileCrops",
    "PairCrops",
    "RainyCrops",
    "RenderedCrops",
    "SinglePicture",
    "make_loader",
    "pictures_in",
]
