"""Any order of channels and any range of pictures, for every network: the converted one computes the same.

What the other program computes is f. A network that is converted for pictures of another order and range than f's
family has must be P f(r P x) / r, where P turns the channels round.
"""

import math
from typing import NamedTuple

import pytest
import torch

import rainnet
from benchmarks.networks import released_ddn, released_jorder, released_prenet, released_spanet
from rainnet.convert.base import Foreign
from rainnet.convert.ports import Port, ported
from rainnet.weights.foreign import ConversionError, convert
from rainnet.zoo import NETWORKS, Entry, added
from tests.support.toy import ENTRY, Toy
from tests.support.udgnet import random_udgnet


class Pictures(NamedTuple):
    """Order and range of what a family of programs works on."""

    channels: str = "rgb"
    range: float = 1.0


FAMILY = {"spanet": Pictures("bgr"), "jorder": Pictures("rgb", 255.0)}


def parameters(name, kind=None):
    """Random parameters as another program names them."""
    if name == "udgnet":
        return {f"their_{key}": value for key, value in random_udgnet(stride=1).state_dict().items()}
    if name == "prenet":
        return released_prenet.released_parameters(kind, features=8)
    if name == "spanet":
        return released_spanet.released_parameters()
    return {"ddn": released_ddn, "jorder": released_jorder}[name].released_parameters(kind)


def found(net, rgb):
    """What a network finds, each with its unit."""
    layers = net.layers(rgb)
    all_of_it = {"background": (rgb - layers.removed, "picture"), "rain": (layers.rain, "picture")}
    if net.name == "udgnet":
        all_of_it["angle"] = net.find_angle(rgb), "of a place"
    if net.name == "spanet":
        all_of_it["attention"] = layers.attention, "of a place"
    if net.name == "jorder":
        for k, step in enumerate(net.found(rgb)):
            all_of_it |= {f"streaks {k}": (step.streaks, "picture"), f"mask {k}": (step.mask, "of a place")}
    if net.name == "prenet" and net.config.variance != "none":
        all_of_it["log-variance"] = net.backgrounds(rgb).log_variance, "log-variance"
    return all_of_it


CASES = [
    ("udgnet", None),
    ("spanet", None),
    *(("prenet", kind) for kind in ("prenet", "prn_r", "vrgnet", "every")),
    ("jorder", "small"),
    *(("ddn", kind) for kind in released_ddn.KINDS),
]


def test_every_network_that_reads_other_programs_is_a_case():
    # What becomes a part of TimeLapseNet takes pictures in one way only, and gives none.
    others = {name for name, entry in NETWORKS.items() if entry.maps_foreign} - {"timelapsenet"}
    assert {name for name, _ in CASES} == others


@pytest.mark.parametrize(("name", "kind"), CASES)
@pytest.mark.parametrize("given", [Pictures("bgr", 1.0), Pictures("rgb", 255.0), Pictures("bgr", 2.5)])
def test_pictures_of_another_order_and_range(name, kind, given, tmp_path):
    torch.save(parameters(name, kind), tmp_path / "net.pth")
    family = FAMILY.get(name, Pictures())
    usual = convert(name, tmp_path / "net.pth").network
    other = convert(name, tmp_path / "net.pth", channels=given.channels, range=given.range).network
    r = given.range / family.range
    # So bright that f sees what its random parameters are made for; what is found is compared at that scale.
    rgb = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(2)) / r

    def turned(x):
        return x if given.channels == family.channels else x.flip(1)

    if name == "ddn":  # The guided filter's epsilon follows.
        assert other.config.epsilon == pytest.approx(1 / r**2)
    seen = {"picture": lambda x: turned(r * x), "log-variance": lambda x: turned(x + 2 * math.log(r))}
    with torch.no_grad():
        ours, theirs = found(other, rgb), found(usual, r * turned(rgb))
    for key, (value, unit) in ours.items():
        as_theirs = seen[unit](value) if unit in seen else value
        torch.testing.assert_close(
            as_theirs, theirs[key][0], atol=1e-5, rtol=1e-5, msg=lambda said, key=key: key + said
        )
    # The comparison says something: something is removed, and not the same from all channels.
    background, _ = theirs["background"]
    assert float((background - r * turned(rgb)).std()) > 0.01
    assert float((background - background.flip(1)).std()) > 0.01


def test_what_is_known_of_a_family_may_be_said_and_changes_nothing(tmp_path):
    torch.save(parameters("jorder", "small"), tmp_path / "net.pth")
    silent, said = (convert("jorder", tmp_path / "net.pth", **given) for given in ({}, FAMILY["jorder"]._asdict()))
    assert said.facts == silent.facts
    assert "notes" not in said.facts
    assert all(map(torch.equal, silent.network.state_dict().values(), said.network.state_dict().values()))
    other = convert("jorder", tmp_path / "net.pth", channels="bgr")
    assert other.facts["notes"] == other.notes
    assert "taken for BGR in [0, 255], as was said; those of the program known for jorder are RGB" in other.notes[0]


def test_half_precision_loses_no_more_than_it_had():
    halves = {"a.weight": torch.tensor([[1000.0, 1e-4]]).half()}
    there = ported(halves, [Port("a.weight", 1, ("in", "out"))], "rgb", 255.0)["a.weight"]
    torch.testing.assert_close(there, halves["a.weight"].float() * torch.tensor([[255, 1 / 255]]))
    same = ported(halves, [Port("a.weight", 1, ("in", "out"))], "bgr", 1.0)["a.weight"]
    assert torch.equal(same, halves["a.weight"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"channels": "grb"}, "^`channels` must be one of rgb, bgr, got 'grb'"),
        ({"channels": ["bgr"]}, "^`channels` must be one of rgb, bgr, got"),
        *(
            ({"range": value}, "^`range` must be a finite number above 0")
            for value in (0, -1, "255", True, math.nan, 10**400)
        ),
        ({"range": 1e35}, r"cannot be for pictures in \[0, 1e\+35\]: head.weight would be infinite"),
    ],
)
def test_orders_and_ranges_that_no_pictures_have_are_refused(given, message, tmp_path):
    torch.save({k: 1e9 * v for k, v in parameters("prenet", "prn_r").items()}, tmp_path / "net.pth")
    with pytest.raises(ConversionError, match=message):
        convert("prenet", tmp_path / "net.pth", **given)


def test_a_range_that_leaves_no_guided_filter_is_refused(tmp_path):
    torch.save(parameters("ddn", "plain"), tmp_path / "net.pth")
    with pytest.raises(ConversionError, match=r"no network can be built for .*`epsilon` must be a finite number"):
        convert("ddn", tmp_path / "net.pth", range=1e-200)


def test_grey_pictures_have_no_order_of_channels(tmp_path):
    torch.save(
        {f"a{k}.weight": torch.ones(4 if k < 3 else 1, 4 if k else 1, 3, 3) for k in range(4)}, tmp_path / "n.pth"
    )
    assert convert("ddn", tmp_path / "n.pth", range=255).network.channels == 1
    with pytest.raises(ConversionError, match="for pictures of 1 channels, which have no order 'bgr'"):
        convert("ddn", tmp_path / "n.pth", channels="bgr")


def test_weights_of_ours_are_for_red_green_and_blue(tmp_path):
    net = random_udgnet()
    rainnet.save(net, tmp_path / "net.safetensors")
    torch.save({"state_dict": net.state_dict(), "config": net.config_dict()}, tmp_path / "net.pth")
    for file in ("net.safetensors", "net.pth"):
        with pytest.raises(ConversionError, match=r"holds weights of rainnet, .* leave out `range` \(--range\)"):
            convert("udgnet", tmp_path / file, range=255)


def test_a_network_of_others_need_not_tell_where_pictures_enter(tmp_path):
    state = Toy().state_dict()
    torch.save({f"theirs.{key}": value for key, value in state.items()}, tmp_path / "net.pth")
    entry = Entry(Toy, ENTRY.presets, foreign=lambda found: Foreign({}, state, []))
    with added("toy", entry):
        assert torch.equal(convert("toy", tmp_path / "net.pth").network.convolution.bias, state["convolution.bias"])
        with pytest.raises(ConversionError, match="what reads toy does not tell where pictures enter"):
            convert("toy", tmp_path / "net.pth", channels="bgr")
