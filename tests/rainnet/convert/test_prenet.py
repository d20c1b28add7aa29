"""PReNet parameters of the authors' programs become our network, or are refused by name."""

import pytest
import torch
from safetensors.torch import save_file

import rainnet
from benchmarks.networks.released_prenet import KINDS, released_forward, released_parameters
from rainnet.convert.base import UnlikeError
from rainnet.convert.prenet import map_prenet
from rainnet.weights.foreign import ConversionError, convert
from tests.support.parameters import require_same_numbers

FEATURES = 12


def parameters(kind="prenet"):
    return released_parameters(kind, features=FEATURES)


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_the_released_network_does_and_uses_every_number_once(kind, tmp_path):
    state = parameters(kind)
    torch.save(state, tmp_path / "net_latest.pth")
    converted = convert("prenet", tmp_path / "net_latest.pth")
    rgb = torch.rand(2, 3, 24, 20, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        background, log_variance = released_forward(kind, state, rgb)
        found, removed = converted.network.backgrounds(rgb), converted.network.layers(rgb).removed
    torch.testing.assert_close(found.stages[-1], background, atol=1e-5, rtol=0)
    torch.testing.assert_close(rgb - removed, background, atol=1e-5, rtol=0)
    torch.testing.assert_close(found.log_variance, log_variance, atol=1e-5, rtol=0)
    assert float((background - rgb).std()) > 0.01
    assert converted.notes == []
    require_same_numbers(converted.network.state_dict(), state)


def test_the_sizes_of_the_authors_are_those_of_our_presets():
    for kind, preset in (("prenet", "paper"), ("prn_r", "prn-r"), ("vrgnet", "variance")):
        found = map_prenet(released_parameters(kind))
        assert rainnet.create("prenet", **found.config).config == rainnet.create("prenet", preset=preset).config


def test_what_weights_do_not_tell_can_be_said(tmp_path):
    torch.save(parameters("prn_r"), tmp_path / "net.pth")
    config = {"stages": 7, "residual": False}
    found = convert("prenet", tmp_path / "net.pth", config=config).network.config
    assert (found.stages, found.residual, found.blocks, found.shared_blocks) == (7, False, 5, True)


def test_safetensors_which_keep_no_order_are_good_enough(tmp_path):
    state = parameters()
    save_file({f"model.module.{key}": state[key] for key in sorted(state)}, tmp_path / "net.safetensors")
    net = rainnet.convert_official("prenet", tmp_path / "net.safetensors")
    assert torch.equal(net.blocks[4].second.bias, state["res_conv5.2.bias"])


def without(state, *starts):
    return {key: value for key, value in state.items() if not key.startswith(starts)}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            without(parameters(), "conv_f"),
            r"^lacks conv_f\.0\.bias, conv_f\.0\.weight, which a PReNet of the authors has",
        ),
        (without(parameters(), "res_conv3.2"), r"^lacks res_conv3\.2\.bias, res_conv3\.2\.weight, which"),
        (without(parameters(), "conv0"), r"^lacks conv0\.0\.bias, conv0\.0\.weight, which"),
        (parameters() | {"vgg.0.weight": torch.ones(1)}, r"^has vgg\.0\.weight, which a PReNet of the authors has not"),
        (parameters() | {"conv_z.0.weight": torch.ones(1)}, r"PReNet with a GRU \('conv_z\.0\.weight'\), which is not"),
        (parameters() | {"conv0.0.weight": torch.ones(FEATURES, 3, 3, 3)}, "takes 3 channels, not those of the rainy"),
        (parameters() | {"conv0.0.weight": torch.ones(FEATURES, 0, 3, 3)}, "'conv0.0.weight' of shape .* no convolu"),
        (parameters() | {"conv0.0.weight": torch.ones(())}, r"'conv0.0.weight' of shape \(\), which is no convolution"),
        (
            parameters() | {"conv_i.0.weight": torch.ones(FEATURES, FEATURES, 3, 3)},
            r"'conv_i\.0\.weight' of shape \(12, 12, 3, 3\) instead of \(12, 24, 3, 3\)",
        ),
        (
            parameters() | {"conv.0.weight": torch.ones(5, FEATURES, 3, 3)},
            r"'conv\.0\.weight' of shape \(5, 12, 3, 3\) instead of \(3, 12, 3, 3\)",
        ),
        (parameters() | {"res_conv99.0.bias": torch.ones(1)}, r"^lacks res_conv6\.0\.bias, res_conv6\.0\.weight, "),
        (parameters("vrgnet") | {"netED.x": torch.ones(1)}, r"^has netED\.x, which a PReNet of the authors has not"),
    ],
)
def test_what_is_no_such_network_is_named(state, message):
    with pytest.raises(UnlikeError, match=message):
        map_prenet(state)


@pytest.mark.parametrize("preset", ["paper", "prn", "variance"])
def test_weights_of_ours_without_a_config_are_no_foreign_ones(preset, tmp_path):
    torch.save(rainnet.create("prenet", preset=preset).state_dict(), tmp_path / "net.pth")
    converted = convert("prenet", tmp_path / "net.pth")
    assert f"fit the preset '{preset}'" in converted.notes[0]
    with pytest.raises(ConversionError, match=r"weights of rainnet, .* leave out `channels` \(--channels\)"):
        convert("prenet", tmp_path / "net.pth", channels="rgb")


def test_a_network_inside_another_module_is_found_by_its_names(tmp_path):
    state = parameters("prn_r")
    for shell, notes in (
        ({}, []),
        ({"ssim.window": torch.ones(1)}, ["the weights under net were taken; those under ssim are of no use here"]),
    ):
        torch.save({f"net.{key}": tensor for key, tensor in state.items()} | shell, tmp_path / "net.pth")
        converted = convert("prenet", tmp_path / "net.pth")
        assert converted.notes == notes
        assert torch.equal(converted.network.head.bias, state["conv0.0.bias"])
    # Which of two is meant, names do not tell.
    both = {f"{module}.{key}": tensor for key, tensor in state.items() for module in ("raw", "mean")}
    torch.save(both, tmp_path / "net.pth")
    with pytest.raises(ConversionError, match=r"lacks conv0.0.bias"):
        convert("prenet", tmp_path / "net.pth")
