"""DDN parameters of programs in torch become our network by order and shape, or are refused by name."""

import pytest
import torch

import rainnet
from benchmarks.networks.released_ddn import KINDS, released_forward, released_parameters
from rainnet.convert.base import UnlikeError
from rainnet.convert.ddn import LEFT_OPEN, NORM_OPEN, map_ddn
from rainnet.weights.foreign import convert
from tests.support.parameters import require_same_numbers


@pytest.mark.parametrize("kind", KINDS)
def test_it_computes_what_the_other_program_does_and_uses_every_number_once(kind, tmp_path):
    state = released_parameters(kind)
    torch.save({"epoch": 3, "model_state_dict": state}, tmp_path / "ddn.pth")
    converted = convert("ddn", tmp_path / "ddn.pth")
    rgb = torch.rand(2, 3, 40, 24, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        theirs, ours = released_forward(state, rgb), rgb - converted.network.layers(rgb).removed
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)
    assert float((theirs - rgb).std()) > 0.01
    assert converted.notes == [LEFT_OPEN, *([NORM_OPEN] if kind == "normalised" else [])]
    # A convolution without a bias has one of zeros.
    lacking = {f"conv{k}.bias": torch.zeros(3 if k == 25 else 16) for k in range(26)}
    require_same_numbers(converted.network.state_dict(), lacking | state)
    paper = rainnet.create("ddn", norm_epsilon=1e-5 if kind == "normalised" else 1e-3, normalised=kind == "normalised")
    assert converted.network.config == paper.config


def test_nobody_is_told_to_say_what_is_said(tmp_path):
    torch.save(released_parameters(), tmp_path / "ddn.pth")
    assert convert("ddn", tmp_path / "ddn.pth", config={"norm_epsilon": 1e-3}).notes == [LEFT_OPEN]


def test_norms_may_stand_behind_all_convolutions_and_lack_counters():
    state = released_parameters()
    apart = sorted(state, key=lambda key: key.startswith("norm"))
    mapped = map_ddn({key: state[key] for key in apart if not key.endswith("tracked")}).state
    assert torch.equal(mapped["last.norm.running_var"], state["norm25.running_var"])
    assert int(mapped["head.norm.num_batches_tracked"]) == 0


def dropped(kind, start):
    return {key: value for key, value in released_parameters(kind).items() if not key.startswith(start)}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (dropped("plain", "conv25."), r"^holds no DDN: expected .* found conv0 \(16, 3, 3, 3\), .* and 21 more"),
        (dropped("plain", "conv7."), "^holds no DDN: expected .* an even number"),
        ({"a": torch.ones(3)}, "^holds no DDN: expected .*; found none"),
        ({f"conv{k}.weight": torch.ones(0, 0, 3, 3) for k in range(4)}, "^holds no DDN"),
        (
            dropped("normalised", "norm25."),
            "^has 25 batch normalisations for 26 .* each or none at all; the first is 'norm0",
        ),
        (dropped("normalised", "norm3.bias"), r"^has 'norm3\.weight', which is neither .*; constants of the other"),
        (
            released_parameters("plain") | {"filter.box.weight": torch.ones(3, 1, 31, 31)},
            r"^has 'filter\.box\.weight', which is neither of a 3x3 convolution nor",
        ),
        (released_parameters("plain") | {"epsilon": torch.ones(1)}, "^has 'epsilon', which is neither"),
        (
            released_parameters() | {"norm25.weight": torch.ones(16)},
            r"^has 'norm25\.weight' of shape \(16,\) behind 'conv25', which gives 3 channels",
        ),
    ],
)
def test_what_is_no_such_network_is_named(state, message):
    with pytest.raises(UnlikeError, match=message):
        map_ddn(state)
