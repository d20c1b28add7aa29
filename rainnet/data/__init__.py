"""Training data: examples by number, and batches of them.

An example is a dict of float32 tensors with values in [0, 1], s being the side of the crop. Which of these entries it
has, and how the crops lie, is what the `rainnet.programs.base.ExampleSpec` of the training program says:

``"rainy"`` (3, s, s)
    Crop of a rainy picture: as it lies, or, where the spec says upright, with vertical streaks, which is a
    parallelogram of the picture, sheared.
``"clean"`` (3, s, s)
    The same place of the clean picture, sheared alike.
``"valid"`` (1, s, s)
    1 where "clean" can be trusted, else 0: of a dataset in which a pair has a mask of such pixels. A crop is chosen of
    which most can be, if there is one among a few.
``"plain"`` (3, s, s)
    Crop of the rainy picture around the same centre as it lies, for a network that finds the angle.
``"angle"`` ()
    Degrees of the rain as it lies in the picture, (-90, 90]; 0 is vertical, positive moves right going down. In files
    without a manifest it is estimated.
``"start"`` (1, s, s)
    The rain layer that the solver finds on the luminance of the rainy picture, sheared alike.
``"unpaired"`` (3, s, s)
    Crop of another picture, not rainy, sheared alike, so that a discriminator cannot tell it by the shear.
``"unpaired_rainy"`` (3, s, s)
    Crop of another rainy picture, upright by its own angle where the spec says upright.

Where the spec asks for F > 1 frames of one scene, "rainy", "clean" and "plain" are (F, 3, s, s), "valid" and "start"
are (F, 1, s, s) and "angle" is (F,): the same crop under F different rains.

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
