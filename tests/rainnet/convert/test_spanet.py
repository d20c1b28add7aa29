"""SPANet parameters of the authors' program become our network, or are refused by name."""

import pytest
import torch

import rainnet
from benchmarks.networks.released_spanet import released_forward, released_parameters
from rainnet.commands.main import app
from rainnet.convert.base import UnlikeError
from rainnet.convert.spanet import map_spanet
from rainnet.weights.foreign import ConversionError, convert
from tests.support.parameters import require_same_numbers
from tests.support.processes import call


@pytest.fixture(scope="module")
def state():
    return released_parameters()


@pytest.mark.parametrize("size", [(64, 64), (96, 80)])
def test_it_computes_what_the_released_network_does(state, tmp_path, size):
    torch.save({"net": {f"module.{key}": value for key, value in state.items()}, "clock": 40_000}, tmp_path / "net.pt")
    net = rainnet.convert_official("spanet", tmp_path / "net.pt")
    rgb = torch.rand(2, 3, *size, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        where, background = released_forward(state, rgb.flip(1))
        layers, whole = net.layers(rgb), net(rgb)
    torch.testing.assert_close(rgb - layers.removed, background.flip(1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(layers.attention, where, atol=1e-4, rtol=0)
    torch.testing.assert_close(whole.background, background.flip(1).clamp(0, 1), atol=1e-4, rtol=0)
    # The comparison says something: neither saturates.
    assert float(where.std()) > 0.01
    assert float(whole.background.std()) > 0.01


def test_every_parameter_is_used_and_none_is_left_fresh(state, tmp_path):
    torch.save(state, tmp_path / "net.pt")
    converted = convert("spanet", tmp_path / "net.pt")
    require_same_numbers(converted.network.state_dict(), state)
    assert converted.notes == []
    assert rainnet.save(converted.network, tmp_path / "net.safetensors").is_file()
    assert rainnet.load(tmp_path / "net.safetensors").config.direction_attention == "released"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("SAM1.conv2.weight"), r"lacks SAM1\.conv2\.weight, which a SPANet of the authors has"),
        (lambda state: state.update({"res_block18.x": torch.ones(1)}), r"has res_block18\.x, which .* has not"),
        (
            lambda state: [state.pop(f"res_block{k}.group1.conv1.weight") for k in range(1, 9)],
            r"lacks res_block1\.group1\.conv1\.weight, res_block2\..*\.weight and 2 more",
        ),
        (
            lambda state: state.update({"SAM1.irnn1.up_weight.bias": torch.ones(31)}),
            r"'SAM1\.irnn1\.up_weight\.bias' of 31 numbers instead of 32",
        ),
    ],
)
def test_missing_and_unknown_parameters_are_named(state, change, message):
    changed = dict(state)
    change(changed)
    with pytest.raises(UnlikeError, match=message):
        map_spanet(changed)


def test_another_width_is_refused(state, tmp_path):
    torch.save(state | {"conv_in.0.weight": torch.ones(16, 3, 3, 3)}, tmp_path / "net.pt")
    with pytest.raises(ConversionError, match=r"head\.weight is \(16, 3, 3, 3\) instead of \(32, 3, 3, 3\)"):
        rainnet.convert_official("spanet", tmp_path / "net.pt")


def test_the_command_writes_a_network_that_loads(state, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"net": state}, "net.pt")
    status, out, err = call(app, "convert", "spanet", "net.pt", "-o", "net.safetensors")
    assert (status, err) == (0, "")
    assert "net.safetensors: spanet" in out
    assert rainnet.load("net.safetensors").has_attention
