"""UDGNet checkpoints of the authors' program, whose names of weights are documented nowhere: by order and shape."""

from __future__ import annotations

import re
from typing import Any

from torch import Tensor

from rainnet.convert.base import Foreign, UnlikeError
from rainnet.convert.layers import Layer, layers_of, shapes_of
from rainnet.convert.ports import giving, taking

UNSEEN = (
    "weights do not tell what is between convolutions (ReLU within blocks, sums around each block and around all of "
    "them are assumed), and no checkpoint of the authors was at hand: compare a picture with their program"
)


def map_udgnet(state: dict[str, Tensor]) -> Foreign:
    """Map the weights of a UDGNet as its authors build it to ours.

    A stream is a 3×3 convolution from C to F channels, residual blocks of two convolutions each, a convolution that
    keeps F, and one that returns to C. The two runs of layers that look like this are the streams, the image's first
    unless the names say otherwise. What is left is the angle network, if it has the shape of ours.

    Raises
    ------
    UnlikeError
        If there are not two such streams of one width, or something stands between their convolutions.

    Notes
    -----
    Source: Yu et al. 2021, Section 3.3 and Fig. 3; each stream predicts what is subtracted from the rainy picture.
    """
    layers, others = layers_of(state)
    streams = _streams(layers)
    if not streams and not others and layers and _angle(layers, layers[0].inputs):
        raise UnlikeError(
            f"holds the angle network of a UDGNet alone ({shapes_of(layers)}), and none of the two streams that "
            "derain; convert the checkpoint that holds all of the network"
        )
    if len(streams) != 2:
        raise UnlikeError(
            "holds no UDGNet: expected two streams of 3x3 convolutions, from C channels to F, an odd number of them "
            f"from F to F, and back to C; found {len(streams)} among {len(layers)} layers: {shapes_of(layers)}"
        )
    first, second = streams
    if (first[0].inputs, first[0].outputs) != (second[0].inputs, second[0].outputs):
        raise UnlikeError(
            f"holds two streams that differ in their channels: {shapes_of(first)} and {shapes_of(second)}"
        )
    order = list(state)
    for stream in streams:
        begin, end = (order.index(f"{layer.name}.weight") for layer in (stream[0], stream[-1]))
        if between := [key for key in others if begin < order.index(key) < end]:
            raise UnlikeError(f"has '{between[0]}' between the convolutions of a stream, which UDGNet has not")
    image, rain, notes = _told_apart(first, second)
    notes = [UNSEEN, *notes]
    mapped = _stream_state(image, "image_stream") | _stream_state(rain, "rain_stream")
    config = {
        "channels": image[0].inputs,
        "features": image[0].outputs,
        "blocks": (len(image) - 3) // 2,
        "rain_blocks": None if len(rain) == len(image) else (len(rain) - 3) // 2,
        "stride": 1,
        "along": (1,),
        "rain_from_input": True,
    }
    used = {layer.name for layer in (*image, *rain)}
    left = [layer for layer in layers if layer.name not in used]
    angle = None if others else _angle(left, image[0].inputs)
    if angle is None:
        what = f"; left out: {shapes_of(left)}" if left else ""
        notes.append(
            f"there is no network for the angle that ours could take{what}. Ours has fresh weights and finds nothing: "
            "derain with given angles or the solver's, which is the default"
        )
    else:
        config |= angle[0]
        mapped |= angle[1]
    ports = [*taking("image_stream.head"), *taking("rain_stream.head")]
    ports += [*giving("image_stream.last"), *giving("rain_stream.last")]
    return Foreign(config, mapped, notes, ports=ports if angle is None else [*ports, *taking("angle.convolutions.0")])


def _streams(layers: list[Layer]) -> list[list[Layer]]:
    found, begin = [], 0
    while begin < len(layers):
        stream = _stream_at(layers[begin:])
        if stream:
            found.append(stream)
        begin += len(stream) or 1
    return found


def _stream_at(layers: list[Layer]) -> list[Layer]:
    """Return the stream with which the layers begin, or nothing."""
    channels, features = layers[0].inputs, layers[0].outputs
    if not layers[0].is_small or channels == features:
        return []
    length = 1
    while length < len(layers) and layers[length].fits(features, features):
        length += 1
    whole = length < len(layers) and layers[length].fits(features, channels)
    # Two a block and one behind them.
    return layers[: length + 1] if whole and length >= 4 and length % 2 == 0 else []


def _told_apart(first: list[Layer], second: list[Layer]) -> tuple[list[Layer], list[Layer], list[str]]:
    """Return the image stream, the rain stream, and what is to be noted of the choice."""
    rain = [all(_speaks_of_rain(layer.name) for layer in stream) for stream in (first, second)]
    if rain[0] and not rain[1]:
        return second, first, []
    if rain[1] and not rain[0]:
        return first, second, []
    note = f"names do not tell the streams apart; the first ('{first[0].name}' …) is taken for the image's"
    return first, second, [note]


def _speaks_of_rain(name: str) -> bool:
    return any(word.startswith(("rain", "streak")) for word in re.split("[^a-z]+", name.lower()))


def _stream_state(stream: list[Layer], name: str) -> dict[str, Tensor]:
    head, *middle, tail, last = stream
    state = head.named(f"{name}.head") | tail.named(f"{name}.tail") | last.named(f"{name}.last")
    for k, layer in enumerate(middle):
        state |= layer.named(f"{name}.blocks.{k // 2}.{'second' if k % 2 else 'first'}")
    return state


def _angle(layers: list[Layer], channels: int) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Return config and weights of the angle network if the layers are such as ours has, else None."""
    if len(layers) < 2:
        return None
    *convolutions, last = layers
    features = convolutions[0].outputs
    widths = [channels, *(features * min(2**k, 8) for k in range(len(convolutions)))]
    fits = all(layer.fits(a, b) for layer, a, b in zip(convolutions, widths, widths[1:], strict=False))
    if not fits or tuple(last.weight.shape) != (1, widths[-1]):
        return None
    state = last.named("angle.last")
    for k, layer in enumerate(convolutions):
        state |= layer.named(f"angle.convolutions.{k}")
    return {"angle_features": features, "angle_stages": len(convolutions)}, state
