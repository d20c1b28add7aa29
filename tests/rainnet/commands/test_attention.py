"""`rainnet derain --attention`."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.commands.heat import heat
from rainnet.commands.main import app
from rainopt.io import read_image, write_image
from tests.support.clips import rained, save, view
from tests.support.photos import files
from tests.support.processes import call


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    net = rainnet.create("spanet", features=4, stages=1, blocks=1, residual=True).eval()
    rainnet.save(net, "net.safetensors")
    (tmp_path / "in").mkdir()
    for name in ("a", "b"):
        write_image(tmp_path / f"in/{name}.png", np.random.default_rng(0).integers(0, 256, (30, 41, 3), np.uint8))
    return tmp_path


def test_colours_run_from_blue_to_red():
    colours = heat(np.array([[0.0, 0.5, 1.0]])).astype(int)
    assert colours.shape == (1, 3, 3)
    assert [int(np.argmax(colour)) for colour in colours[0]] == [2, 1, 0]


def test_each_picture_of_a_folder_gets_its_map_and_none_is_replaced(folder):
    words = ("derain", "in", "-o", "out", "-m", "net.safetensors", "--attention")
    assert call(app, *words)[0] == 0
    made = {name for name in files(folder) if name.startswith("out/")}
    assert made == {"out/a.png", "out/a_attention.png", "out/b.png", "out/b_attention.png"}
    image = read_image(folder / "in/a.png")
    where = rainnet.derain("net.safetensors", image, device="cpu").attention
    assert np.array_equal(read_image(folder / "out/a_attention.png"), heat(where))
    # What is there stays; what is missing comes.
    (folder / "out/a_attention.png").unlink()
    write_image(folder / "out/b_attention.png", np.zeros((2, 2), np.uint8), overwrite=True)
    before = files(folder)
    assert call(app, *words)[0] == 0
    after = files(folder)
    assert after.keys() - before.keys() == {"out/a_attention.png"}
    assert all(after[name] == before[name] for name in before)


def test_a_network_without_a_map_is_refused_before_any_work(folder):
    status, _, err = call(app, "derain", "in", "-o", "out", "--attention")
    assert status == 2
    assert "has no attention map" in " ".join(err.replace("│", " ").split())
    assert not (folder / "out").exists()


@pytest.mark.parametrize("options", [[], ["--preview-at", "0"]])
def test_a_video_has_no_map_and_says_so(folder, options):
    save(folder / "clip.mp4", rained(view(), None, 3))
    status, _, err = call(app, "derain", "clip.mp4", "-o", "out", "-m", "net.safetensors", "--attention", *options)
    assert status == 1
    assert "--attention is for images; leave it out for videos" in " ".join(err.replace("│", " ").split())
    assert not list(folder.glob("out/*"))
