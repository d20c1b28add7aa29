"""What a network costs, and how far it looks: found without computing anything, on tensors that have shapes alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from rainnet.models.base import Network

MEGAPIXEL = 1_000_000
SIDE = 1000  # of the picture whose operations are counted
LEAST_SIDE = 64  # where they have to be computed for that
_OF_TORCH = ("aten", "prim", "prims")


@dataclass(frozen=True)
class Measure:
    """What a network of one config costs.

    Attributes
    ----------
    parameters
        How many.
    size
        Bytes of its weights, all floating-point ones as float32.
    operations
        Of one picture of a million pixels, a multiplication and an addition counting as two: of convolutions, matrix
        products, and operators that say what they cost. What works on each value by itself, and means over boxes, are
        not counted; nor is the way into the network's orientation and back.
    angle_operations
        The same of `Network.find_angle`; None for networks that find no angle.
    operators
        Names of operators that are not torch's own: ONNX has nothing for them.
    uncounted
        Those of them that say nothing of their cost.
    reach, multiple, directional, attention
        As `Network` has them.
    """

    parameters: int
    size: int
    operations: float
    angle_operations: float | None
    operators: tuple[str, ...]
    uncounted: tuple[str, ...]
    reach: int | None
    multiple: int
    directional: bool
    attention: bool

    @property
    def export(self) -> str:
        """What of it `rainnet export` takes: "yes", "core", the network without its angle; or "no"."""
        if self.operators:
            return "no"
        return "core" if self.directional and self.angle_operations is None else "yes"


def measure(make: Callable[[], Network]) -> Measure:
    """Return what a network costs.

    A network that needs to see values is run on a small picture, and its operations are scaled by the pixels.

    Parameters
    ----------
    make
        Makes the network. What it raises is handed on.
    """
    try:
        with FakeTensorMode():
            return _measured(make().eval(), SIDE)
    except Exception:
        # Shapes alone may not do; what is wrong with the network itself is told by the second try.
        return _measured(make().eval(), LEAST_SIDE)


def _measured(net: Network, side: int) -> Measure:
    side = net.multiple * math.ceil(side / net.multiple)
    planes = torch.zeros(1, net.planes, side, side)
    operations, operators, uncounted = _counted(net.layers, planes)
    angle: float | None = None
    if type(net).find_angle is not Network.find_angle:
        angle, more, also = _counted(net.find_angle, planes[:, : net.channels])
        operators, uncounted = operators | more, uncounted | also
    return Measure(
        parameters=sum(parameter.numel() for parameter in net.parameters()),
        size=sum(_bytes(tensor) for tensor in net.state_dict().values()),
        operations=operations,
        angle_operations=angle,
        operators=tuple(sorted(operators)),
        uncounted=tuple(sorted(uncounted)),
        reach=net.reach,
        multiple=net.multiple,
        directional=net.directional,
        attention=net.has_attention,
    )


def _counted(function: Callable[[Tensor], Any], rainy: Tensor) -> tuple[float, set[str], set[str]]:
    """Return the operations of a megapixel, and the operators that are not torch's: all, and those not counted."""
    seen = _Operators()
    with FlopCounterMode(display=False) as counter, seen, torch.no_grad():
        function(rainy)
    counted = {_name(operator) for operator in counter.get_flop_counts().get("Global", {})}
    own = {name for name in seen.names if name.partition("::")[0] not in _OF_TORCH}
    pixels = rainy.shape[-2] * rainy.shape[-1]
    return counter.get_total_flops() * MEGAPIXEL / pixels, own, own - counted


class _Operators(TorchDispatchMode):
    """Notes the names of the operators that are called, as ``aten::convolution``."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.add(_name(func.overloadpacket))
        return func(*args, **(kwargs or {}))


def _name(operator: Any) -> str:
    return str(operator).replace(".", "::", 1)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * (4 if tensor.is_floating_point() else tensor.element_size())
