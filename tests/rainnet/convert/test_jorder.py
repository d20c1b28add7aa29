"""JORDER-E parameters of the authors' program become our network, or are refused by name."""

import pytest
import torch
from safetensors.torch import save_file

import rainnet
from benchmarks.networks.released_jorder import KINDS, released_forward, released_parameters
from rainnet.convert.base import UnlikeError
from rainnet.convert.jorder import map_jorder
from rainnet.weights.foreign import convert
from tests.support.parameters import require_same_numbers


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_the_released_network_does_on_255(kind, tmp_path):
    state = released_parameters(kind)
    torch.save({f"model.{key}": value for key, value in state.items()}, tmp_path / "model_best.pt")
    converted = convert("jorder", tmp_path / "model_best.pt")
    rgb = torch.rand(1, 3, 14, 11, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs, ours = released_forward(state, 255 * rgb), converted.network.found(rgb)
    for step, found in zip(theirs, ours, strict=True):
        torch.testing.assert_close(found.background, step.background / 255, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.streaks, step.level / 255, atol=1e-5, rtol=0)
        torch.testing.assert_close(found.mask, step.mask, atol=1e-5, rtol=1e-5)
        assert float((found.background - rgb).std()) > 0.01
    assert converted.notes == []
    assert not converted.network.has_attention


def test_every_number_is_used_once():
    state = released_parameters("small")
    mapped = map_jorder(state).state
    assert mapped.keys() == rainnet.create("jorder", preset="small").state_dict().keys()
    require_same_numbers(mapped, state)


def test_safetensors_which_keep_no_order_are_good_enough(tmp_path):
    save_file(released_parameters("small"), tmp_path / "net.safetensors")
    assert rainnet.convert_official("jorder", tmp_path / "net.safetensors").config.blocks == 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"jorder2.decoder.1.bias": None}, r"^lacks jorder2\.decoder\.1\.bias, which a JORDER-E of the authors has; "),
        ({"jorder3.encoder.bias": torch.ones(32)}, r"^lacks jorder3\.decoder\.0\.bias, .* and \d+ more"),
        ({"sub_mean.weight": torch.ones(3)}, r"^has sub_mean\.weight, which a JORDER-E of the authors has not"),
        (
            {"jorder1.updater.res2.conv4.weight": torch.ones(32, 16, 3, 3)},
            r"'jorder1\.updater\.res2\.conv4\.weight' of shape \(32, 16, 3, 3\) instead of \(32, 32, 3, 3\)",
        ),
        (
            {"jorder1.encoder.weight": torch.ones(32, 1, 3, 3)},
            r"'jorder1\.encoder\.weight' of shape \(32, 1, 3, 3\) in",
        ),
        ({"jorder1.encoder.weight": torch.ones(0, 6, 3, 3)}, r"'jorder1\.encoder\.weight' .*, which is no convolution"),
    ],
)
def test_what_is_no_such_network_is_named(changes, message):
    state = {key: value for key, value in (released_parameters("small") | changes).items() if value is not None}
    with pytest.raises(UnlikeError, match=message):
        map_jorder(state)
