"""Synthetic pairs made over by a JRGR, and both ways drawn."""

import json

import numpy as np
import pytest
import torch

import rainnet
from data_tools.layouts.read import read_dataset
from rainnet.commands.main import app
from rainnet.generate.translate import both_ways, made_real
from rainnet.models.jrgr import JRGR, JRGRConfig
from rainopt import read_image, write_image
from tests.support.processes import call


@pytest.fixture
def network():
    torch.manual_seed(0)
    return JRGR(JRGRConfig(features=4, depth=2)).eval()


@pytest.fixture
def folder(tmp_path, monkeypatch, rng, network):
    monkeypatch.chdir(tmp_path)
    for name, shape in (("1", (40, 52, 3)), ("2", (30, 21))):
        clean = 0.6 * rng.random(shape)
        for part, picture in (("rain", clean + 0.2 * (rng.random(shape) > 0.9)), ("norain", clean)):
            (tmp_path / "pairs" / part).mkdir(parents=True, exist_ok=True)
            write_image(tmp_path / "pairs" / part / f"{name}.png", picture)
    rainnet.save(network, "net.safetensors")
    return tmp_path


def generate(*arguments):
    return call(app, "generate", "pairs", "-o", "made", "-m", "net.safetensors", *arguments)


def test_translated_rain_lies_over_the_clean_picture(network, rng):
    clean = rng.random((18, 23, 3)).astype(np.float32) / 2
    rainy = clean + np.float32(0.3)
    planes = torch.from_numpy(rainy).movedim(-1, 0)[None]
    rain = network.real_rain(planes)[0].movedim(0, -1).detach().numpy()
    np.testing.assert_allclose(made_real(network, rainy, clean), np.clip(clean + rain, 0, 1), atol=1e-6)
    with pytest.raises(ValueError, match="a pair has one size"):
        made_real(network, rainy, clean[:-1])


def test_both_ways_begin_with_the_pictures_and_have_their_sizes(network, rng):
    synthetic, real = rng.random((18, 23, 3)).astype(np.float32), rng.random((21, 14)).astype(np.float32)
    found = both_ways(network, synthetic, real)
    assert len(found) == 10
    np.testing.assert_allclose(found["synthetic"], synthetic, atol=1e-6)
    assert found["made real"].shape == synthetic.shape
    assert found["real again"].shape == (21, 14, 3)


def test_pairs_are_made_over_and_are_a_dataset(folder):
    status, out, err = generate("--json")
    assert status == 0, err
    records = [json.loads(line) for line in out.splitlines()]
    assert [record["output"] for record in records] == ["made/rain/1.png", "made/rain/2.png"]
    pairs = read_dataset("made")
    assert [(pair.rainy.name, pair.clean.name) for pair in pairs] == [("1.png", "1.png"), ("2.png", "2.png")]
    for name in ("1.png", "2.png"):
        np.testing.assert_array_equal(read_image(f"made/norain/{name}"), read_image(f"pairs/norain/{name}"))
        assert read_image(f"made/rain/{name}").shape == read_image(f"pairs/rain/{name}").shape
    before = read_image("made/rain/1.png")
    status, out, _ = generate()
    assert status == 0
    assert "kept made/rain/2.png" in out
    (folder / "made/norain/1.png").unlink()
    assert generate()[0] == 0  # what is missing is written again
    np.testing.assert_array_equal(read_image("made/norain/1.png"), read_image("pairs/norain/1.png"))
    np.testing.assert_array_equal(read_image("made/rain/1.png"), before)


def test_what_a_jrgr_cannot_do_is_said(folder):
    for arguments in (["--angle", "10"], ["--count", "2"], ["--composition", "screen"], ["--seed", "3"], ["--compare"]):
        status, _, err = generate(*arguments)
        assert status == 2
        assert "leave it out" in err
    status, _, err = call(app, "generate", "pairs/rain", "-o", "made", "-m", "net.safetensors")
    assert status == 2
    assert "pairs/rain" in err
    write_image("pairs/norain/1.png", np.zeros((8, 8, 3)), overwrite=True)
    status, out, err = generate()
    assert status == 1
    assert "a pair has one size" in err + out
    assert (folder / "made/rain/2.png").exists()


def test_nothing_is_replaced_and_nothing_is_left_alone(folder):
    (folder / "made/norain").mkdir(parents=True)
    write_image("made/norain/1.png", np.zeros((8, 8, 3)))
    (folder / "pairs/rain/2.png").write_bytes(b"no picture")
    status, out, err = generate()
    assert status == 1
    assert "'made/norain/1.png' is there and is another picture" in err + out
    assert "pairs/rain/2.png" in err + out
    assert not (folder / "made/norain/2.png").exists()
    assert not (folder / "made/rain/1.png").exists()
    before = (folder / "pairs/rain/1.png").read_bytes()
    status, _, err = call(app, "generate", "pairs", "-o", "pairs", "-m", "net.safetensors", "--overwrite")
    assert status == 2
    assert "holds the pairs that are to be made over" in err
    assert (folder / "pairs/rain/1.png").read_bytes() == before


def test_both_ways_are_drawn(folder):
    drawn = ("translate", "pairs/rain/1.png", "pairs/rain/2.png", "--strip", "s.png")
    status, out, err = call(app, *drawn, "-m", "net.safetensors")
    assert status == 0, err
    assert "wrote s.png" in out
    assert read_image("s.png").ndim == 3
    assert call(app, *drawn, "-m", "net.safetensors")[0] == 2  # it is there
    status, _, err = call(app, "translate", "pairs/rain/1.png", "no.png", "--strip", "t.png", "-m", "net.safetensors")
    assert status == 1
    assert "no.png" in err
    assert call(app, "translate", "a.png", "b.png", "--strip", "t.png", "-m", "udgnet-small")[0] == 2
