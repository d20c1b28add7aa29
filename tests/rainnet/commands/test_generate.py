"""``rainnet generate``."""

import json

import numpy as np
import pytest
import torch

import rainnet
from data_tools.rain.synth import compose
from rainnet.commands.main import app
from rainopt import read_image, write_image
from tests.support.processes import call


@pytest.fixture
def folder(tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    write_image("photos/a.png", 0.7 * rng.random((40, 52, 3)))
    write_image("photos/grey.png", 0.7 * rng.random((30, 21)), bits=16)
    torch.manual_seed(0)
    net = rainnet.create("rainfield", features=4, latent=6, side=16, stages=1, blocks=1, derainer=4)
    with torch.no_grad():
        for parameter in net.generator.parameters():
            parameter.abs_()  # so that it rains
        net.generator.last.bias.fill_(-0.02)
    rainnet.save(net, "net.safetensors")
    return tmp_path


def run(*arguments):
    return call(app, "generate", "photos", "-o", "rainy", "-m", "net.safetensors", *arguments)


def test_rain_lies_over_each_picture_as_its_layer_says(folder):
    status, out, _ = run("--count", "2", "--save-rain", "--composition", "additive", "--json")
    assert status == 0
    records = [json.loads(line) for line in out.splitlines()]
    assert len(records) == 4
    for name, levels in (("a", 255), ("grey", 65535)):
        clean = read_image(f"photos/{name}.png")
        for number in "01":
            rainy, layer = (read_image(f"rainy/{name}_{number}{end}.png") for end in ("", "_rain"))
            assert rainy.dtype == clean.dtype
            expected = compose(clean / np.float32(levels), layer / np.float32(levels), "additive")
            np.testing.assert_allclose(rainy / levels, expected, atol=1.2 / levels)
    assert not np.array_equal(read_image("rainy/a_0.png"), read_image("rainy/a_1.png"))
    assert {"angle", "length", "density", "intensity"} <= records[0].keys()


def test_a_picture_gets_the_same_rain_whichever_others_there_are(folder):
    assert run()[0] == 0
    alone = call(app, "generate", "photos/a.png", "-o", "b.png", "-m", "net.safetensors")
    assert alone[0] == 0
    np.testing.assert_array_equal(read_image("rainy/a.png"), read_image("b.png"))
    assert run("--seed", "1", "--overwrite")[0] == 0
    assert not np.array_equal(read_image("rainy/a.png"), read_image("b.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--density", "2"], "--density"),
        (["--angle", "120"], "--angle"),
        (["--composition", "multiply"], "must be 'additive' or 'screen'"),
        (["--count", "0"], "--count"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(folder, arguments, message):
    status, _, err = run(*arguments)
    assert (status, message in err) == (2, True)
    assert not (folder / "rainy").exists()


def test_a_network_that_makes_no_rain_is_refused(folder):
    status, _, err = call(app, "generate", "photos", "-o", "rainy", "-m", "udgnet-small")
    assert status == 2
    assert "which makes no rain of any size" in " ".join(err.replace("│", " ").split())


def test_a_damaged_picture_is_named_and_the_others_are_done(folder):
    (folder / "photos" / "b.png").write_bytes(b"no picture")
    status, out, err = run()
    assert status == 1
    assert "b.png" in out + err
    assert (folder / "rainy" / "a.png").is_file()
