"""The parts of a network as ONNX graphs, by torch's exporter, and as functions for a larger graph."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.export import Dim

from rainnet.models.base import Network
from rainopt.geometry.warp import shift_rows

PICTURES = {0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC}
"""Sizes of pictures (N, C, H, W) that are left open."""


class ExportError(ValueError):
    """A network that cannot be exported, or whose graph does not compute what it does."""


def layers_graph(net: Network, opset: int) -> Any:
    """Return `Network.layers` as a model from ``upright`` to ``removed`` and ``rain``."""
    # Sides that are multiples, as the exporter tries them, and different, or it would take them to be the same.
    height, width = (net.multiple * -(-size // net.multiple) for size in (64, 96))
    example = torch.zeros(2, net.planes, height, width)
    return _trace(_Layers(net), (example,), (PICTURES,), opset, ["upright"], ["removed", "rain"])


def angle_graph(net: Network, opset: int) -> Any:
    """Return `Network.find_angle` as a model from ``rainy`` to ``found``."""
    example = torch.zeros(2, net.channels, 64, 96)
    return _trace(_FindAngle(net), (example,), (PICTURES,), opset, ["rainy"], ["found"])


def shear_graph(channels: int, fill: str, opset: int) -> Any:
    """Return `rainopt.geometry.warp.shift_rows` as a model from ``image``, ``offsets`` and ``columns`` to ``out``.

    The image is (N, C, R, W), offsets are (N, R), and columns are the numbers 0, 1, ... of the columns of the result:
    its width is a size to the exporter, which the values of a tensor are not.
    """
    pictures, rows, width, columns = (Dim(name, min=1) for name in ("N", "R", "W", "K"))
    example = (torch.zeros(2, channels, 40, 50), torch.zeros(2, 40), torch.arange(61))
    sizes = ({0: pictures, 2: rows, 3: width}, {0: pictures, 1: rows}, {0: columns})
    return _trace(_Shear(fill), example, sizes, opset, ["image", "offsets", "columns"], ["out"])


class _Shear(nn.Module):
    """The shear of a batch as a module."""

    def __init__(self, fill: str) -> None:
        super().__init__()
        self.fill = fill

    def forward(self, image: Tensor, offsets: Tensor, columns: Tensor) -> Tensor:
        sheared: Tensor = shift_rows(image, offsets[:, None], columns.shape[0], fill=self.fill)
        return sheared


class _Layers(nn.Module):
    """`Network.layers` as a module, which is what the exporter takes."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net

    def forward(self, upright: Tensor) -> tuple[Tensor, Tensor]:
        layers = self.net.layers(upright)
        return layers.removed, layers.rain


class _FindAngle(nn.Module):
    """`Network.find_angle` as a module."""

    def __init__(self, net: Network) -> None:
        super().__init__()
        self.net = net

    def forward(self, rainy: Tensor) -> Tensor | None:
        return self.net.find_angle(rainy)


def _operation_of_ours(error: BaseException | None) -> str | None:
    """Return the name of an operator of ours that an error, or what has caused it, complains of."""
    while error is not None:
        if found := re.search(r"rainnet(?:\.|::)(\w+)", str(error)):
            return f"rainnet::{found[1]}"
        error = error.__cause__ or error.__context__
    return None


def _trace(
    module: nn.Module,
    example: tuple[Tensor, ...],
    sizes: tuple[dict[int, Any], ...],
    opset: int,
    inputs: list[str],
    outputs: list[str],
) -> Any:
    """Let torch export a module, with those sizes of its inputs open that ``sizes`` names."""
    try:
        with _quiet():
            program = torch.onnx.export(
                module.eval(),
                example,
                dynamo=True,
                opset_version=opset,
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=sizes,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        if own := _operation_of_ours(error):
            raise ExportError(
                f"ONNX has nothing for '{own}', which this network computes with; run it by `rainnet derain`"
            ) from error
        raise ExportError(f"torch {torch.__version__} cannot export the network: {error}") from error
    if program is None:
        raise ExportError("torch exported nothing; a newer torch may")
    model = program.model_proto
    version = next(entry.version for entry in model.opset_import if not entry.domain)
    if version != opset:
        raise ExportError(f"`opset` {opset} cannot be had from this torch, which gave {version}; leave it out")
    return model


def as_function(model: Any, domain: str, name: str) -> Any:
    """Turn a graph into a function of that name; its weights become constants."""
    import onnx

    graph = model.graph
    constants = [
        onnx.helper.make_node("Constant", [], [weight.name], value=weight, name=f"weight {weight.name}")
        for weight in graph.initializer
    ]
    return onnx.helper.make_function(
        domain,
        name,
        [entry.name for entry in graph.input],
        [entry.name for entry in graph.output],
        [*constants, *graph.node],
        list(model.opset_import),
    )


def lift_weights(graph: Any) -> None:
    """Make the constants of a graph initialisers, where tools look for weights."""
    kept = []
    for node in graph.node:
        value = [attribute.t for attribute in node.attribute if attribute.name == "value"]
        if node.op_type == "Constant" and value:
            value[0].name = node.output[0]
            graph.initializer.append(value[0])
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


def name_nodes(graph: Any, output: str, name: str) -> None:
    """Give a name to the nodes, also within conditions, whose output is called so; inlining may have added to that."""
    for node in graph.node:
        if any(output in each for each in node.output):
            node.name = name
        for attribute in node.attribute:
            for inner in [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]:
                name_nodes(inner, output, name)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what torch says about its own insides while it exports."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [each.level for each in loggers]
    for each in loggers:
        each.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for each, level in zip(loggers, levels, strict=True):
            each.setLevel(level)
