"""What networks cost, beside what is counted by hand on pictures that are computed."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from torch import nn

import rainnet
from rainnet import zoo
from rainnet.export.onnx import ExportError, export_onnx
from rainnet.inventory.measure import MEGAPIXEL, measure
from rainnet.models.base import Network
from rainnet.models.decomposition import Layers
from rainnet.models.irnn import DIRECTIONS, Recurrence
from tests.support.toy import Toy
from tests.support.udgnet import TINY


def by_hand(net, height, width):
    """Operations of convolutions and recurrences of a picture, a megapixel, as their modules see them."""
    total = 0

    def convolution(module, inputs, output):
        nonlocal total
        sides = module.kernel_size[0] * module.kernel_size[1] * module.in_channels // module.groups
        total += 2 * sides * output.numel()

    def recurrence(module, inputs, output):
        nonlocal total
        total += 3 * len(DIRECTIONS) * inputs[0].numel()

    kinds = {nn.Conv2d: convolution, Recurrence: recurrence}
    for module in net.modules():
        if type(module) in kinds:
            module.register_forward_hook(kinds[type(module)])
    with torch.no_grad():
        net.layers(torch.zeros(1, net.channels, height, width))
    return total * MEGAPIXEL / (height * width)


@pytest.mark.parametrize(
    ("name", "preset"), [("udgnet", "small"), ("spanet", "small"), ("ddn", "paper"), ("jorder", "small")]
)
def test_operations_are_those_of_a_picture_of_any_size(name, preset):
    net = rainnet.create(name, preset=preset)
    found = measure(lambda: rainnet.create(name, preset=preset))
    assert found.operations == pytest.approx(by_hand(net, 16, 24), rel=1e-6)
    assert found.parameters == sum(parameter.numel() for parameter in net.parameters())
    assert (found.reach, found.multiple, found.attention) == (net.reach, net.multiple, net.has_attention)
    assert found.uncounted == ()


def test_stages_multiply_operations_and_leave_parameters():
    costs = [measure(lambda stages=stages: rainnet.create("prenet", preset="prn", stages=stages)) for stages in (2, 6)]
    assert costs[1].operations == pytest.approx(3 * costs[0].operations)
    assert costs[1].parameters == costs[0].parameters


def test_finding_the_angle_is_told_by_itself():
    found = measure(lambda: rainnet.create("udgnet", **TINY))
    assert found.angle_operations > 0

    assert measure(lambda: rainnet.create("ddn")).angle_operations is None


def test_size_is_that_of_a_file_without_its_head(tmp_path):
    net = rainnet.create("ddn")  # has buffers, whole numbers among them
    data = rainnet.save(net, tmp_path / "net.safetensors").read_bytes()
    head = 8 + int.from_bytes(data[:8], "little")
    assert measure(lambda: rainnet.create("ddn")).size == len(data) - head


class Looks(Toy):
    """Does what it does by what it sees."""

    def layers(self, rainy):
        if rainy.mean().item() > 0.5:
            return Layers(rainy, rainy)
        return super().layers(rainy)


def test_a_network_that_sees_values_is_run_on_a_small_picture():
    assert measure(Looks) == measure(Toy)


@torch.library.custom_op("raintest::twice", mutates_args=())
def _twice(x: torch.Tensor) -> torch.Tensor:
    return 2 * x


@_twice.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


class Upright(Toy):
    """Works on upright streaks and finds no angle."""

    directional = True


class Foreign(Toy):
    """Computes by an operator that says nothing of its cost."""

    def layers(self, rainy):
        found = super().layers(rainy)
        return found._replace(rain=torch.ops.raintest.twice(found.rain))


def test_operators_that_are_not_counted_are_named():
    found, plain = measure(Foreign), measure(Toy)
    assert (found.operators, found.uncounted, found.export) == (("raintest::twice",), ("raintest::twice",), "no")
    assert replace(found, operators=(), uncounted=()) == plain
    assert (plain.export, measure(Upright).export) == ("yes", "core")


def test_what_is_wrong_with_a_network_is_told():
    class Broken(Network):
        name = "broken"
        Config = zoo.entry_of("ddn").model.Config

        def __init__(self):
            raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        measure(Broken)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "preset"), [(name, [*entry.presets][-1]) for name, entry in zoo.NETWORKS.items()])
def test_what_is_said_of_export_is_true(name, preset, tmp_path):
    net = rainnet.create(name, preset=preset).eval()
    said = measure(lambda: rainnet.create(name, preset=preset)).export
    with nullcontext() if said == "yes" else pytest.raises(ExportError):
        export_onnx(net, tmp_path / "net.onnx")
