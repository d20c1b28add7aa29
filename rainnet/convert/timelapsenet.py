"""VGG's parameters as the first encoder of a TimeLapseNet, which its authors begin the training with."""

from __future__ import annotations

from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError, by_name
from rainnet.models.timelapsenet import CONVOLUTIONS

NUMBERS = ((0, 2), (5, 7), (10, 12, 14))
"""Of the first seven convolutions in torchvision's VGG of 16 and 19 layers, by scale."""

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Of the red, green and blue that torchvision's networks are shown: they take (value - mean) / deviation."""

NOTE = (
    "VGG is the first encoder alone; all else is as it begins and must be trained: give the file to a recipe as "
    "network.start. It was taken for torchvision's, so that its first convolution takes pictures as they are"
)


@by_name
def map_vgg(state: dict[str, Tensor]) -> Foreign:
    """Map the first seven convolutions of a VGG without batch normalisation to the encoder with kernels of 3 × 3.

    That network is shown pictures less a mean, over a deviation, which is made part of its first convolution here:
    ``w * (x - m)/s + b = (w/s) * x + (b - Σ w m/s)``. Beside the border, where ours sees black and VGG the mean, that
    is exact.

    Raises
    ------
    UnlikeError
        If one of these is missing or of another shape, or there are normalisations between them; it is named.

    Notes
    -----
    Source: Cho et al. 2020, Section III.E.
    """
    if normed := next((key for key in state if key.endswith("running_mean")), None):
        raise UnlikeError(
            f"has '{normed}', a batch normalisation, which the encoder has not", "take a VGG without normalisation"
        )
    first = state.get("features.0.weight")
    features = first.shape[0] if first is not None and first.ndim == 4 else 64
    mapped, inputs = {}, 3
    for scale, (numbers, count) in enumerate(zip(NUMBERS, CONVOLUTIONS, strict=True)):
        for k in range(count):
            outputs = features << scale
            shapes = {"weight": (outputs, inputs, 3, 3), "bias": (outputs,)}
            for kind, shape in shapes.items():
                key = f"features.{numbers[k]}.{kind}"
                if (found := state.get(key)) is None or tuple(found.shape) != shape:
                    what = "lacks" if found is None else f"has {tuple(found.shape)} as"
                    raise UnlikeError(f"{what} '{key}' of shape {shape}, which VGG begins with")
                mapped[f"encoders.0.scales.{scale}.{k}.{kind}"] = found
            inputs = outputs
    start = "encoders.0.scales.0.0"
    weight, bias = mapped[f"{start}.weight"], mapped[f"{start}.bias"]
    mean, deviation = (weight.new_tensor(each).view(3, 1, 1) for each in (MEAN, DEVIATION))
    mapped[f"{start}.weight"] = weight / deviation
    mapped[f"{start}.bias"] = bias - (weight * mean / deviation).sum((1, 2, 3))
    return Foreign({"channels": 3, "features": features, "kernel": 3}, mapped, [NOTE])
