import hashlib
import logging
import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import rainnet
from benchmarks.networks import released_ddn, released_prenet
from rainnet.convert.udgnet import UNSEEN
from rainnet.weights.checkpoint import save
from rainnet.weights.foreign import ConversionError, convert, convert_official
from rainnet.zoo import Entry, added
from tests.support.toy import ENTRY, Toy
from tests.support.udgnet import TINY, random_udgnet

WIDTH, BLOCKS = 6, 2


class TheirStream(nn.Module):
    """A stream as another program may write it: other names, activations as modules, no biases if so wanted."""

    def __init__(self, blocks=BLOCKS, width=WIDTH, channels=3, bias=True):
        super().__init__()
        self.c1 = nn.Conv2d(channels, width, 3, 1, 1, bias=bias)
        self.trunk = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, 1, 1, bias=bias), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1, bias=bias)
            )
            for _ in range(blocks)
        )
        self.c2 = nn.Conv2d(width, width, 3, 1, 1, bias=bias)
        self.c3 = nn.Conv2d(width, channels, 3, 1, 1, bias=bias)

    def forward(self, x):
        first = h = self.c1(x)
        for block in self.trunk:
            h = h + block(h)
        return self.c3(first + self.c2(h))


class TheirAngle(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, 1, 1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3, 1, 1))
        self.fc = nn.Linear(8, 1)

    def forward(self, x):
        h = nn.functional.max_pool2d(self.features(x).relu(), 2)
        return (1 - self.fc(h.mean(dim=(2, 3))).sigmoid()[:, 0]) * 90 - 45


class Theirs(nn.Module):
    def __init__(self, names=("image_net", "rain_net"), angle=None, second=None, **stream):
        super().__init__()
        for name in names:
            setattr(self, name, TheirStream(**(second or stream if name == names[1] else stream)))
        if angle is not None:
            self.regression = angle


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(7)


def written(tmp_path, what, name="official.pth", **options):
    path = tmp_path / name
    torch.save(what, path, **options)
    return path


# What the authors' program wrote


@pytest.mark.parametrize("names", [("image_net", "rain_net"), ("rain_net", "image_net"), ("clean", "streaks")])
def test_the_streams_compute_what_theirs_do(tmp_path, names):
    theirs = Theirs(names, angle=TheirAngle())
    converted = convert("udgnet", written(tmp_path, theirs.state_dict()))
    net, image = converted.network, torch.rand(1, 3, 32, 64)
    rain_name = next(name for name in names if name.startswith(("rain", "streaks")))
    other = next(name for name in names if name != rain_name)
    with torch.no_grad():
        layers = net.layers(image)
        torch.testing.assert_close(layers.removed, getattr(theirs, other)(image))
        torch.testing.assert_close(layers.rain, image - getattr(theirs, rain_name)(image))
        torch.testing.assert_close(net.find_angle(image), theirs.regression(image))
    assert converted.notes == [UNSEEN]
    assert (net.config.features, net.config.blocks, net.config.rain_blocks) == (WIDTH, BLOCKS, None)
    assert not net.training


def test_names_may_say_nothing_and_streams_differ_in_depth_and_lack_biases(tmp_path):
    theirs = Theirs(("a", "b"), bias=False, second={"blocks": 1, "bias": False}, angle=TheirAngle())
    converted = convert("udgnet", written(tmp_path, theirs.state_dict()))
    net, image = converted.network, torch.rand(1, 3, 9, 9)
    with torch.no_grad():
        torch.testing.assert_close(net.layers(image).removed, theirs.a(image))
        torch.testing.assert_close(net.layers(image).rain, image - theirs.b(image))
    assert (net.config.blocks, net.config.rain_blocks) == (BLOCKS, 1)
    assert len(converted.notes) == 2
    assert "the first ('a.c1' …) is taken for the image's" in converted.notes[1]
    assert converted.facts["notes"] == converted.notes


@pytest.mark.parametrize("angle", [None, nn.Sequential(nn.Conv2d(3, 8, 7), nn.BatchNorm2d(8), nn.Linear(8, 1))])
def test_a_missing_angle_network_is_told(tmp_path, caplog, angle):
    path = written(tmp_path, Theirs(angle=angle).state_dict())
    with caplog.at_level(logging.WARNING, "rainnet"):
        net = convert_official("udgnet", path)
    assert "no network for the angle" in caplog.text
    assert ("left out: regression.0 (8, 3, 7, 7)" in caplog.text) == (angle is not None)
    # The weights that it has instead are the same each time, and random numbers are left as they were.
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    again = convert("udgnet", path)
    assert torch.equal(torch.rand(4), expected)
    assert all(torch.equal(a, b) for a, b in zip(net.angle.parameters(), again.network.angle.parameters(), strict=True))
    assert again.facts["notes"]


@pytest.mark.parametrize(
    "wrap",
    [
        lambda net: {"epoch": 3, "net": net.state_dict(), "optimizer": {"lr": 1e-3}},
        lambda net: {"state_dict": net.state_dict(), "config": {"lr": 0.1}},
        lambda net: {"model": {"params": net.state_dict()}},
        lambda net: nn.DataParallel(net).state_dict(),
        lambda net: {"model": {f"module._orig_mod.{key}": value for key, value in net.state_dict().items()}},
        lambda net: {"model_state_dict": net.state_dict(), "loss": 0.1},
        lambda net: {
            "params": {key: 0 * value for key, value in net.state_dict().items()},
            "params_ema": net.state_dict(),
        },
        lambda net: {"netDerain": {f"module.model.{key}": value for key, value in net.state_dict().items()}},
        lambda net: {"derainnet": net.state_dict(), "state_dict": 3},
        lambda net: {"generator": net.state_dict(), "psnr": np.float64(30), "curve": np.ones(3, np.float32)},
        lambda net: [3, net.state_dict()],
        lambda net: {key: value.numpy().astype(">f4") for key, value in net.state_dict().items()},
        lambda net: {key: value.half().float() if value.ndim < 4 else value for key, value in net.state_dict().items()},
    ],
)
def test_weights_are_found_in_what_programs_wrap_around_them(tmp_path, wrap):
    theirs = Theirs(angle=TheirAngle())
    net = convert_official("udgnet", written(tmp_path, wrap(theirs)))
    assert torch.equal(net.rain_stream.blocks[1].second.weight, theirs.rain_net.trunk[1][2].weight)


def test_that_an_average_was_taken_is_noted(tmp_path):
    state = Theirs(angle=TheirAngle()).state_dict()
    both = convert("udgnet", written(tmp_path, {"params": state, "params_ema": state}))
    assert both.notes == ["the file holds weights, params, and their average, params_ema, which was taken", UNSEEN]
    assert convert("udgnet", written(tmp_path, {"params_ema": state})).notes == [UNSEEN]


def test_of_several_networks_in_a_file_the_one_that_was_taken_is_told(tmp_path):
    state = Theirs(angle=TheirAngle()).state_dict()
    notes = convert("udgnet", written(tmp_path, {"model": state, "ema": state})).notes
    assert notes == ["the weights under model were taken; for those under ema, save them alone", UNSEEN]
    with pytest.raises(ConversionError, match="holds several networks, under raw, ema; save the one you mean alone"):
        convert("udgnet", written(tmp_path, {"raw": state, "ema": state}))


def test_old_files_of_torch_are_read_and_facts_say_where_a_network_comes_from(tmp_path):
    state = Theirs(angle=TheirAngle()).state_dict()
    path = written(tmp_path, state, _use_new_zipfile_serialization=False)
    assert torch.equal(convert_official("udgnet", path).image_stream.last.bias, state["image_net.c3.bias"])
    facts = convert("udgnet", path).facts
    assert facts == {
        "converted_from": "official.pth",
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "notes": [UNSEEN],
    }


# Our own weights


def test_our_own_files_go_through(tmp_path):
    net = random_udgnet(along=(1, 2))
    path = save(net, tmp_path / "net.safetensors", facts={"steps": 1})
    converted = convert("udgnet", path)
    assert converted.network.config == net.config
    assert converted.facts == {"steps": 1}
    with pytest.raises(ConversionError, match="not to be changed"):
        convert_official("udgnet", path, config={"blocks": 9})


def test_our_own_weights_of_a_preset_find_it(tmp_path):
    net = rainnet.create("udgnet", preset="small")
    converted = convert("udgnet", written(tmp_path, net.state_dict()))
    assert converted.network.config == net.config
    assert "fit the preset 'small'" in converted.notes[0]
    assert torch.equal(converted.network.angle.last.weight, net.angle.last.weight)


def test_our_own_weights_of_no_preset_need_their_config(tmp_path):
    config = TINY | {"stride": 2, "along": [1, 2]}
    net = rainnet.create("udgnet", **config)
    path = written(tmp_path, net.state_dict())
    with pytest.raises(ConversionError, match="fit no preset; give the config"):
        convert("udgnet", path)
    assert convert("udgnet", path, config=config).network.config == net.config
    with pytest.raises(ConversionError, match=r"image_stream.head.weight is \(4, 12, 3, 3\) instead of"):
        convert("udgnet", path, config={**config, "stride": 1})
    beside = written(tmp_path, {"model": net.state_dict(), "config": net.config_dict()}, "with.pt")
    assert convert("udgnet", beside).network.config == net.config


# What is refused


class Malicious:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("old", [False, True])
def test_code_in_a_file_is_refused_and_not_run(tmp_path, old):
    mark = tmp_path / "was_run"
    path = written(tmp_path, {"state_dict": Malicious(mark)}, _use_new_zipfile_serialization=not old)
    with pytest.raises(ConversionError, match=r"refused, and nothing of it was run.*system', which is code"):
        convert_official("udgnet", path)
    path.write_bytes(pickle.dumps(Malicious(mark)))
    with pytest.raises(ConversionError):
        convert_official("udgnet", path)
    assert not mark.exists()
    with pytest.raises(ConversionError, match=r"TheirStream', which is code.*torch.save\(net.state_dict"):
        convert("udgnet", written(tmp_path, TheirStream(), "module.pth"))
    # Arrays of numpy may hold numbers, not objects.
    with pytest.raises(ConversionError, match="refused, and nothing of it was run"):
        convert("udgnet", written(tmp_path, {"net": Theirs().state_dict(), "best": np.array([None])}, "objects.pth"))
    # The file does what it threatens where it is opened without care, so the test can fail.
    pickle.loads(path.read_bytes())
    assert mark.exists()


def test_damaged_and_other_files_are_refused(tmp_path):
    path = written(tmp_path, Theirs().state_dict())
    whole = path.read_bytes()
    for data in (b"", b"hello world", whole[: len(whole) // 2], b"\x80\x02"):
        path.write_bytes(data)
        with pytest.raises(ConversionError, match=r"official\.pth'"):
            convert("udgnet", path)
    with pytest.raises(ConversionError, match="there is no file"):
        convert("udgnet", tmp_path / "missing.pth")
    with pytest.raises(ConversionError, match="there is no file"):
        convert("udgnet", tmp_path)


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ([torch.ones(1)], "it holds a list"),
        ({}, "it holds no names of weights"),
        ({"weights": {"a": 3}}, "under weights are no weights"),
        ({"lr": 0.1, "a": torch.ones(1)}, "under lr are no weights"),
        ({"a.weight": torch.ones(4, 3, 3, 3)}, r"found 0 among 1 layers: a \(4, 3, 3, 3\)"),
        (TheirStream().state_dict(), "expected two streams.*found 1 among 7"),
        (Theirs(second={"width": 5}).state_dict(), "two streams that differ in their channels"),
        (TheirAngle().state_dict(), r"holds the angle network of a UDGNet alone \(features\.0"),
        (random_udgnet().angle.state_dict(), "holds the angle network of a UDGNet alone"),
    ],
)
def test_what_is_no_udgnet_is_told(tmp_path, what, message):
    with pytest.raises(ConversionError, match=message):
        convert("udgnet", written(tmp_path, what))


def test_what_else_cannot_be_mapped_is_told(tmp_path):
    theirs, knot = Theirs(), {}
    knot["net"] = knot  # a checkpoint that holds itself
    with pytest.raises(ConversionError, match="state dict"):
        convert("udgnet", written(tmp_path, knot))
    save_file(theirs.state_dict(), tmp_path / "official.safetensors")
    with pytest.raises(ConversionError, match="keeps no order"):
        convert("udgnet", tmp_path / "official.safetensors")
    with pytest.raises(ConversionError, match=r"'spamnet'; checkpoints .* can be converted for: .*udgnet"):
        convert_official("spamnet", written(tmp_path, theirs.state_dict()))
    theirs.image_net.trunk[0].insert(1, nn.BatchNorm2d(WIDTH))
    with pytest.raises(ConversionError, match=r"has 'image_net.trunk.0.1.weight' between the convolutions"):
        convert("udgnet", written(tmp_path, theirs.state_dict()))


class Shell(Toy):
    """A network with a module that is called as the prefix of a shell is."""

    name = "shell"

    def __init__(self, config=None):
        super().__init__(config)
        self.model = self.__dict__["_modules"].pop("convolution")


def test_a_module_of_ours_that_is_called_like_a_prefix_is_left_alone(tmp_path):
    with added("shell", Entry(Shell, ENTRY.presets)):
        net = Shell()
        assert set(net.state_dict()) == {"model.weight", "model.bias"}
        converted = convert("shell", written(tmp_path, net.state_dict()))
        assert torch.equal(converted.network.model.weight, net.model.weight)


# What it looks like


def like(name, tmp_path, **files):
    """Convert a file, by name and what is in it, that is of no such network; return what is said."""
    ((file, state),) = files.items()
    path = tmp_path / file.replace("_", ".")
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path)
    with pytest.raises(ConversionError) as told:
        convert(name, path)
    return str(told.value).replace(str(tmp_path), "HERE")


def test_a_file_of_another_network_is_told_with_the_command_that_converts_it(tmp_path):
    prenet = released_prenet.released_parameters("prn_r", features=4)
    ddn, theirs = released_ddn.released_parameters("plain"), Theirs().state_dict()
    said = like("jorder", tmp_path, net_pth=prenet)
    assert said == (
        "'HERE/net.pth' lacks jorder1.decoder.0.bias, jorder1.decoder.0.weight, jorder1.decoder.1.bias, "
        "jorder1.decoder.1.weight, jorder1.encoder.bias, jorder1.encoder.weight and 270 more, which a JORDER-E of the "
        "authors has; it looks like prenet: rainnet convert prenet HERE/net.pth -o prenet.safetensors"
    )
    assert "holds no UDGNet" in (said := like("udgnet", tmp_path, net_pth=ddn))
    assert said.endswith("it looks like ddn: rainnet convert ddn HERE/net.pth -o ddn.safetensors")
    assert "it looks like udgnet: " in like("spanet", tmp_path, net_pth=theirs)
    # Files without an order are told by names alone.
    assert "it looks like prenet: " in like("udgnet", tmp_path, net_safetensors=prenet)
    assert like("udgnet", tmp_path, net_safetensors=ddn).endswith("convert the file that torch.save wrote (.pth)")
    assert like("prenet", tmp_path, net_safetensors=ddn).endswith("convert the file that their program saved, as it is")
    # So are weights of ours, whose modules are called alike in several networks.
    own = rainnet.create("prenet", preset="prn").state_dict()
    assert "it looks like prenet: " in like("ddn", tmp_path, net_pth=own)
    with added("toy", ENTRY):
        assert "our toy; it looks like prenet: rainnet convert" in like("toy", tmp_path, net_pth=prenet)


def test_a_network_that_cannot_be_had_does_not_hide_what_a_file_lacks(tmp_path):
    with added("broken", Entry("no.such:Network", "no.such:PRESETS", foreign="no.such:mapping")):
        assert "it looks like" not in like("prenet", tmp_path, net_pth={"a.weight": torch.ones(1)})


@pytest.mark.parametrize("config", [{"name": "x"}, {3: 1}, {"path": "x"}, {"preset": "small"}])
def test_a_foreign_config_that_is_none_of_ours_is_named(tmp_path, config):
    state = rainnet.create("udgnet", features=4, blocks=1).state_dict()
    torch.save({"config": config, "state_dict": state}, tmp_path / "net.pth")
    with pytest.raises(ConversionError, match="the config of udgnet has no"):
        convert_official("udgnet", tmp_path / "net.pth")
