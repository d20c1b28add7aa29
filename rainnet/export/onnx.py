"""Networks as ONNX files, which run without torch: the whole way from a rainy picture of any size to a derained one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from rainnet.export import graph as export_graph
from rainnet.export.check import check_onnx
from rainnet.export.trace import (
    ExportError,
    angle_graph,
    as_function,
    layers_graph,
    lift_weights,
    name_nodes,
    shear_graph,
)
from rainnet.infer.device import evaluating, parameter_of
from rainnet.models.base import AsItLies, Network
from rainnet.weights.checkpoint import FORMAT, described
from rainopt.checks import require_whole
from rainopt.geometry.warp import Upright
from rainopt.io.atomic import replacing
from rainopt.refine.session import require_runtime

OPSET = 18
TOLERANCE = 1e-4
SUFFIX = ".onnx"

INPUTS = {
    "rainy": "RGB pictures in [0, 1] of any size",
    "angle": "degrees of the rain of each picture in (-90, 90]: 0 is vertical, positive moves right going down; "
    "NaN: what the network finds, within 45 degrees; rainopt.estimate_angle is more exact. Flatter than 45 degrees and "
    "steeper do not mix in a batch unless the pictures are square",
    "upright": "RGB pictures in [0, 1] with streaks as the network wants them; sides are multiples of `multiple`; of "
    "networks that begin with the solver's rain layer on luminance, that layer as the fourth plane",
}
OUTPUTS = {
    "background": "the pictures without rain, in [0, 1]",
    "rain": "the rain layers, in [0, 1]",
    "used": "the angles that were used, degrees",
    "removed": "what is to be subtracted from `upright`",
}
LEAVES_OUT = (
    "the bound on what rain can have added to a pixel, and that a picture without rain is left as it is, for which "
    "rainopt looks for streaks (where rainopt.estimate_angle gives no directions, leave the picture as it is); and "
    "that a dark picture is divided by its exposure"
)
"""What `rainnet.derain` does beside the network, and a graph does not; it stands in the metadata."""
MIXED = "angles steeper and flatter than 45 degrees share a batch of square pictures only"
"""Name of the node that fails where they do, which is what a runtime tells."""


class Exported(NamedTuple):
    """A network that was written as an ONNX file.

    Attributes
    ----------
    path
        Of the file.
    difference
        Largest difference between its outputs and those of the network under torch, see `check_onnx`.
    """

    path: Path
    difference: float


def export_onnx(
    net: Network,
    path: str | Path,
    *,
    core: bool = False,
    opset: int | None = None,
    facts: dict[str, Any] | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write a network as an ONNX file that takes pictures of any size and number.

    The graph is what calling the network is: ``rainy`` (N, C, H, W) and, for networks that use one, ``angle`` (N,) in
    degrees go in, NaN meaning what the network itself finds, where `rainnet.derain` asks the solver; ``background``,
    ``rain`` and the angle ``used`` come out. `LEAVES_OUT` says what `rainnet.derain` does besides. The file's metadata
    hold the config and the facts as a checkpoint's do. It is compared with the network before it is written.

    Parameters
    ----------
    net
        Any network of `rainnet.create`.
    path
        Ends in ``.onnx``.
    core
        Export `Network.layers` alone, ``upright`` to ``removed`` and ``rain``: for runtimes without conditions and
        gathering, or for tiles. Sides must be multiples of ``net.multiple``; a tile with
        ``net.reach`` pixels around it equals the whole. The metadata hold both.
    opset
        Version of ONNX's operators, from 18 on; None: 18.
    facts
        What else is to be known of the network, anything that JSON holds.
    overwrite
        Whether a file that is there is replaced.

    Raises
    ------
    ModuleNotFoundError
        Without the extra ``export``.
    TypeError
        If ``facts`` do not fit JSON.
    ExportError
        If the network cannot be exported or its graph computes something else.
    OSError
        If the file is there already or cannot be written.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise ExportError(f"`path` must end in {SUFFIX}, got '{path}'")
    version = OPSET if opset is None else require_whole(opset, "opset")
    if version < OPSET:
        raise ExportError(f"`opset` must be at least {OPSET}, got {version}")
    if path.exists() and not overwrite:
        raise FileExistsError(f"'{path}' is there already; choose another name, or allow it with `overwrite=True`")
    require_packages()
    device = parameter_of(net).device
    with evaluating(net):
        try:
            net.to("cpu")
            model = layers_graph(net, version) if core else _whole(net, version)
            _describe(model, net, facts or {})
            data = model.SerializeToString(deterministic=True)
            difference = check_onnx(data, net)
        finally:
            net.to(device)
    if not difference <= TOLERANCE:
        raise ExportError(
            f"'{path}' was not written: its graph differs from the network by {difference:.1e}, more than "
            f"{TOLERANCE:g}; try another opset"
        )
    with replacing(path, overwrite) as file:
        file.write(data)
    return Exported(path, difference)


def require_packages() -> None:
    """Require what exporting needs beside torch.

    Raises
    ------
    ModuleNotFoundError
        With the extra that brings it.
    """
    try:
        import onnx  # noqa: F401

        require_runtime()
        import onnxscript  # noqa: F401 - torch's exporter is written with it
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"exporting needs {error.name}, which is not installed: pip install 'rainopt[export]'", name=error.name
        ) from error


def _whole(net: Network, opset: int) -> Any:
    import onnx
    import onnx.inliner
    import onnx.parser

    if net.starts:
        raise ExportError(
            f"`net` begins with the solver's layer, which no graph can find ({net.name}); export its core"
        )
    orientation = net.orientation(64, 96, 10.0)
    if isinstance(orientation, AsItLies):
        surroundings = export_graph.as_it_is
    elif isinstance(orientation, Upright):
        surroundings = export_graph.sheared
    else:
        raise ExportError(
            f"`net` works in an orientation that has no ONNX graph ({type(orientation).__name__}); export its core"
        )
    if net.directional and type(net).find_angle is Network.find_angle:
        raise ExportError("`net` finds no angle, which its graph would have to; export its core")
    layers = layers_graph(net, opset)
    parts = {"Layers": layers}
    if isinstance(orientation, Upright):
        parts["FindAngle"] = angle_graph(net, opset)
        parts |= {f"Shear{fill.capitalize()}": shear_graph(net.channels, fill, opset) for fill in ("edge", "zero")}
    text = surroundings(net.channels, net.multiple, opset, layers.ir_version)
    model = onnx.parser.parse_model(text)
    model.functions.extend(as_function(part, export_graph.DOMAIN, name) for name, part in parts.items())
    model = onnx.inliner.inline_local_functions(model)
    lift_weights(model.graph)
    name_nodes(model.graph, export_graph.MIXED, MIXED)
    del model.opset_import[:]
    model.opset_import.append(onnx.helper.make_opsetid("", opset))
    onnx.checker.check_model(model, full_check=True)
    return model


def _describe(model: Any, net: Network, facts: dict[str, Any]) -> None:
    """Write into a model what a checkpoint says, and what goes in and out."""
    import onnx

    from rainopt import __version__

    props = described(net, facts) | {"multiple": str(net.multiple), "leaves_out": LEAVES_OUT}
    if net.reach is not None:
        props["reach"] = str(net.reach)  # pixels around a tile with which it equals the whole
    onnx.helper.set_model_props(model, props)
    model.producer_name, model.producer_version = FORMAT, __version__
    graph = model.graph
    for entries, texts in ((graph.input, INPUTS), (graph.output, OUTPUTS)):
        for entry in entries:
            entry.doc_string = texts.get(entry.name, "")
            for size, name in zip(entry.type.tensor_type.shape.dim, ("N", None, "H", "W"), strict=False):
                if name is not None:
                    size.dim_param = name
    # The exporter notes lines of source and the paths of this machine.
    del graph.value_info[:], graph.metadata_props[:]
    for noted in (*graph.node, *graph.input, *graph.output, *graph.initializer):
        del noted.metadata_props[:]
