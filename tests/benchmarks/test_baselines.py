"""How the baselines are measured, and trained to be compared."""

import json

import numpy as np
import pytest
import torch

import rainnet
from benchmarks.networks import baselines, baselines_trained, timing, trainings
from benchmarks.networks.scores import scored
from rainnet.commands.main import app as rainnet_app
from rainnet.export.onnx import Exported
from rainopt import psnr, ssim
from tests.support.processes import call

TINY = [f"network.config.{key}={value}" for key, value in {"features": 4, "blocks": 1, "radius": 2}.items()]
TINY += ["data.size=32", "run.batch=2", "run.workers=0", "run.picture_every=0"]


@pytest.fixture
def started(monkeypatch):
    """The commands that would have been started as processes, and are done in this one."""
    commands = []

    class Ended:
        returncode = 0

    def start(command, **_):
        commands.append(command[3:])
        Ended.returncode, _, told = call(rainnet_app, *command[3:])
        assert Ended.returncode == 0, told
        return Ended

    monkeypatch.setattr(trainings.subprocess, "run", start)
    monkeypatch.setattr(baselines_trained, "RECIPES", {"ddn-small": TINY})
    return commands


def test_what_networks_begin_with_is_no_picture_once_it_is_drawn():
    rainy = torch.rand(1, 3, 12, 12)
    for name in ("prenet", "ddn", "jorder"):
        net = rainnet.create(name, features=4, blocks=1).eval()
        assert torch.equal(net(rainy).background, rainy)
        assert not torch.equal(baselines.drawn(net)(rainy).background, rainy)


@pytest.mark.slow
def test_baselines_are_measured(tree, monkeypatch):
    monkeypatch.setattr(baselines, "COMPARED", {"DDN": ("ddn", "paper", "57 369")})
    monkeypatch.setattr(baselines, "create", lambda name, preset: rainnet.create(name, features=4, blocks=1))
    # Exports take seconds, and have tests of their own.
    monkeypatch.setattr(baselines, "export_onnx", lambda net, path: Exported(path, 1e-6))
    monkeypatch.setattr(baselines, "LONG", 48)
    monkeypatch.setattr(baselines, "SHORT", 40)
    monkeypatch.setattr(baselines, "TILE", 32)
    monkeypatch.setattr(timing, "SIDE", 64)
    model = rainnet.save(rainnet.create("prenet", features=4, blocks=1, stages=1), tree / "net.safetensors")
    target = tree / "told.json"
    arguments = ("--data", tree, "--repeat", 1, "--json", target, "--models", model)
    status, _, err = call(baselines.main, *arguments)
    assert status == 0, err
    told = json.loads(target.read_text())
    found = told["networks"]["DDN"]
    assert (told["height"], told["width"], found["literature"]) == (40, 48, "57 369")
    # Multiplications and additions of all weights but those of the normalisations and the biases.
    weights = 9 * (3 * 4 + 2 * 4 * 4 + 4 * 3)
    assert found["parameters"] == weights + 3 * (3 * 4 + 3)
    assert found["gflop"] == pytest.approx(2e-9 * weights * 40 * 48)
    assert found["tiles"] < 1e-5
    assert found["onnx"] == 1e-6
    assert 40 < found["bfloat16_dB"] < 100
    # That which nothing has been taught removes nothing.
    assert told["trained_bfloat16_dB"] == {f"{tree.name}/net.safetensors": pytest.approx(100)}


def test_a_run_is_trained_once_and_goes_on_if_there_is_more_to_do(tree, started):
    def done(steps):
        changes = [*TINY, f"run.steps={steps}"]
        return trainings.trained("ddn-small", changes, tree / "clean", tree / "run")

    first, again, more = done(2), done(2), done(3)
    assert ["--resume" in command for command in started] == [False, True]
    assert (first["steps"], first["crops"], more["steps"]) == (2, 4, 3)
    assert first == again
    assert 0 < first["minutes"] < more["minutes"] < 1
    with pytest.raises(Exception, match="trained by another recipe"):
        trainings.trained("ddn-small", [*TINY, "run.steps=3", "run.seed=1"], tree / "clean", tree / "run")


@pytest.mark.slow
def test_what_was_trained_is_compared(tree, started, monkeypatch):
    monkeypatch.setattr(baselines_trained, "PRESETS", ("light",))
    target = tree / "told.json"
    arguments = ("--data", tree, "--runs", tree / "runs", "--limit", 1, "--steps", 2, "--json", target)
    status, _, err = call(baselines_trained.main, *arguments, "--sheet", tree / "sheet.png")
    assert status == 0, err
    told = json.loads(target.read_text())
    assert list(told["sets"]) == ["rendered, light", "small"]
    names = ["input", "rainopt", "udgnet-small, as it ships", "ddn-small, trained here"]
    for found in told["sets"].values():
        assert list(found) == names
        assert found["rainopt"]["psnr"] > found["input"]["psnr"]
    assert told["sets"]["small"]["rainopt"]["dry"] > 40
    assert (told["runs"]["ddn-small"]["steps"], len(started)) == (2, 1)
    assert (tree / "sheet.png").is_file()


def test_scores_are_means_over_pairs(rng):
    clean = rng.integers(0, 255, (2, 24, 20, 3), dtype=np.uint8)
    rainy = np.clip(clean + rng.integers(0, 40, clean.shape), 0, 255).astype(np.uint8)
    found = scored({"input": lambda image: image}, [(a, b, None) for a, b in zip(rainy, clean, strict=True)])
    assert found["pairs"] == 2
    for name, score in (("psnr", psnr), ("ssim", ssim)):
        expected = np.mean([score(a, b, "y_matlab") for a, b in zip(rainy, clean, strict=True)])
        assert found["methods"]["input"][name] == pytest.approx(expected)
