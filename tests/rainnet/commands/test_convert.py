"""`rainnet convert` and `rainnet export`: one file in, one file out."""

import builtins
import json

import pytest
import torch

import rainnet
from benchmarks.networks.released_prenet import released_parameters
from rainnet.commands.main import app
from rainnet.weights.checkpoint import facts_of, load
from tests.support.processes import call
from tests.support.udgnet import TINY, random_udgnet

CONFIG = TINY | {"stride": 2, "along": [1, 2]}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with weights of ours without their config, and a network."""
    monkeypatch.chdir(tmp_path)
    torch.save(rainnet.create("udgnet", **CONFIG).state_dict(), "weights.pth")
    rainnet.save(random_udgnet(), "net.safetensors", facts={"steps": 9})
    return tmp_path


def test_weights_become_a_network_with_the_fields_of_its_config_that_are_told(here):
    words = [word for name, value in CONFIG.items() for word in ("--set", f"{name}={value}")]
    status, out, err = call(app, "convert", "udgnet", "weights.pth", "-o", "new.safetensors", *words)
    assert (status, err) == (0, "")
    assert "new.safetensors: udgnet" in out
    assert load("new.safetensors").config == rainnet.create("udgnet", **CONFIG).config
    assert facts_of("new.safetensors")["converted_from"] == "weights.pth"
    before = (here / "new.safetensors").read_bytes()
    assert call(app, "convert", "udgnet", "weights.pth", "-o", "new.safetensors", *words)[0] == 2
    assert (here / "new.safetensors").read_bytes() == before
    told = call(app, "convert", "udgnet", "weights.pth", "-o", "new.safetensors", *words, "--overwrite", "--json")[1]
    assert json.loads(told)["network"] == "udgnet"


def test_what_had_to_be_assumed_is_noted(here):
    torch.save(rainnet.create("udgnet", preset="small").state_dict(), "small.pth")
    status, _, err = call(app, "convert", "udgnet", "small.pth", "-o", "small.safetensors")
    assert status == 0
    assert "note: the file holds no config; its weights fit the preset 'small'" in err


def test_a_file_of_another_program_becomes_a_network_of_the_order_and_range_that_are_said(here):
    state = released_parameters("vrgnet", features=4)
    torch.save({"netDerain": state}, "theirs.pth")
    status, out, err = call(app, "convert", "prenet", "theirs.pth", "-o", "plain.safetensors")
    assert (status, err) == (0, "")
    assert "plain.safetensors: prenet" in out
    words = ("--channels", "bgr", "--range", "255", "--set", "stages=3")
    status, out, err = call(app, "convert", "prenet", "theirs.pth", "-o", "other.safetensors", *words)
    assert status == 0
    assert err.startswith("note: pictures of the other program are taken for BGR in [0, 255], as was said")
    net, facts = load("other.safetensors"), facts_of("other.safetensors")
    assert net.config.stages == 3
    given = state["derainet.conv.0.weight"]
    torch.testing.assert_close(net.last.weight, given.flip(0) / 255)
    assert len(facts["notes"]) == 1


def test_a_file_of_another_network_is_told(here):
    torch.save(released_parameters("prenet", features=4), "theirs.pth")
    status, _, err = call(app, "convert", "spanet", "theirs.pth", "-o", "new.safetensors")
    assert status == 1
    assert "it looks like prenet: rainnet convert prenet theirs.pth -o prenet.safetensors" in " ".join(err.split())


@pytest.mark.slow
def test_an_export_tells_how_far_the_graph_is_off(here):
    import onnx

    status, out, _ = call(app, "export", "net.safetensors", "-o", "net.onnx", "--core")
    assert status == 0
    assert "differs from the network by" in out
    said = {entry.key: entry.value for entry in onnx.load("net.onnx").metadata_props}
    assert json.loads(said["facts"]) == {"steps": 9}


def test_packages_that_an_export_lacks_are_named(here, monkeypatch):
    really = builtins.__import__

    def without(name, *rest, **options):
        if name == "onnxscript":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return really(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    status, _, err = call(app, "export", "net.safetensors", "-o", "net.onnx")
    assert status == 1
    assert "needs onnxscript, which is not installed: pip install 'rainopt[export]'" in err


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        ("convert udgnet weights.pth -o new.pt", 2, "must end in .safetensors"),
        ("convert udgnet weights.pth -o no/new.safetensors", 2, "there is no folder"),
        ("convert udgnet weights.pth -o new.safetensors --set feature=1", 2, "did you mean 'features'"),
        ("convert udgnet weights.pth -o new.safetensors --set features", 2, "must be NAME=VALUE"),
        ("convert udgnet weights.pth -o new.safetensors", 1, "fit no preset"),
        ("convert udgnet weights.pth -o new.safetensors --channels grb", 2, "must be one of rgb, bgr, got 'grb'"),
        ("convert udgnet weights.pth -o new.safetensors --range 0", 2, "must be a finite number above 0"),
        ("convert udgnet weights.pth -o new.safetensors --range nan", 2, "must be a finite number above 0"),
        ("convert udgnet weights.pth -o new.safetensors --range 255", 1, "leave out `range` (--range)"),
        ("convert udgnet net.safetensors -o new.safetensors --channels bgr", 1, "leave out `channels` (--channels)"),
        ("convert udgnet missing.pth -o new.safetensors", 1, "there is no file 'missing.pth'"),
        ("convert spamnet weights.pth -o new.safetensors", 1, "there is no network 'spamnet'"),
        ("export weights.pth -o new.onnx", 2, "rainnet convert"),
        ("export missing -o new.onnx", 2, "there is no file 'missing'"),
        ("export net.safetensors -o new.pb", 2, "must end in .onnx"),
        ("export net.safetensors -o net.safetensors", 2, "must end in .onnx"),
        ("export net.safetensors -o new.onnx --opset 9", 2, "--opset"),
    ],
)
def test_failures_are_told_from_wrong_usage(here, words, status, message):
    got, _, err = call(app, *words.split())
    assert got == status
    assert message in err
    assert not list(here.glob("new*"))
