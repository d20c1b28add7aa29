"""How TimeLapseNet is measured."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import rainnet
from benchmarks.networks import baselines, timelapse, timelapse_ablation, timelapse_real, timing
from data_tools.commands.main import app as raindata
from rainnet.export.onnx import Exported
from rainnet.recipes.recipe import read_recipe
from rainnet.train.build import build_program
from rainopt import psnr, read_image, write_image
from tests.support.processes import call


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Commands are done in this process, on tiny scenes."""
    run = SimpleNamespace(run=lambda command, **_: call(raindata, *command[3:]), DEVNULL=None)
    monkeypatch.setattr(timelapse_ablation, "subprocess", run)
    for name, value in {"SIDE": 32, "SCENES": 2, "FRAMES": (3,)}.items():
        monkeypatch.setattr(timelapse_ablation, name, value)


def test_all_parts_are_trained_and_told(tree, monkeypatch):
    cases = {part: dict(list(each.items())[-2:]) for part, each in timelapse_ablation.CASES.items()}
    monkeypatch.setattr(timelapse_ablation, "CASES", cases)
    monkeypatch.setattr(timelapse_ablation, "PUBLISHED", dict.fromkeys(cases, (1.0, 2.0)))
    monkeypatch.setattr(timelapse_ablation, "Pool", lambda recipe: monkeypatch)
    trained = []

    def trained_score(recipe, batches, tested):
        trained.append(recipe)
        return {"psnr": 20.0 + recipe.run.seed, "ssim": 0.5}

    monkeypatch.setattr(timelapse_ablation, "trained_score", trained_score)
    target = tree / "told.json"
    status, out, err = call(timelapse_ablation.main, "--data", tree, "--limit", 1, "--seeds", 2, "--json", target)
    assert status == 0, err
    told = json.loads(target.read_text())["found"]
    both = [{"psnr": 20.0, "ssim": 0.5}, {"psnr": 21.0, "ssim": 0.5}]
    assert told["losses"] == {"r b v, dynamic": both, "r b s v, dynamic": both}
    assert told["fusion"] == {"concat": both, "dynamic": both}
    assert told["frames"]["3"]["mean"] == both
    assert len(trained) == 2 * (3 + 3)  # the dynamic filter with all losses is in both parts
    assert "20.50 / 0.5000" in out
    status, _, err = call(timelapse_ablation.main, "--data", tree, "--part", "loses")
    assert status == 2
    assert "'loses' is no part" in err


def test_targets_are_made_of_the_frames_alone(tree):
    scenes = timelapse_ablation.rendered_scenes(tree, tree, 3)
    before = {file: file.read_bytes() for file in scenes.rglob("*.png")}
    for kind in ("mean", "percentile"):
        value = timelapse_ablation.taught_by(kind, scenes, tree / kind)
        first = sorted((scenes / "train/clean").iterdir())[0]
        frames = [read_image(file).astype(float) for file in sorted((scenes / "train/rainy" / first.stem).iterdir())]
        made = read_image(tree / kind / "train/clean" / first.name)
        assert len(frames) == 3
        assert 10 < value["psnr"] < 60
        if kind == "mean":
            assert np.abs(made - np.mean(frames, 0)).max() <= 0.5 + 1e-6
        else:
            # Rain only brightens: of three frames, what most have is nearer to the truth than their mean.
            clean = read_image(first)
            assert psnr(made, clean) > psnr(np.round(np.mean(frames, 0)).astype(np.uint8), clean)
        assert sorted(str(file.relative_to(tree / kind)) for file in (tree / kind).rglob("*.png")) == sorted(
            str(file.relative_to(scenes)) for file in before
        )
    assert {file: file.read_bytes() for file in scenes.rglob("*.png")} == before


def test_cases_are_recipes_that_can_be_trained(tree):
    for cases in timelapse_ablation.CASES.values():
        for changed in cases.values():
            changes = [f"{key}={value}" for key, value in changed.items()]
            recipe = timelapse_ablation.recipe_of([tree / "clean"], 4, 1, changes)
            assert build_program(recipe).network.config.fusion in ("sum", "product", "concat", "dynamic")
    supervised = timelapse_ablation.recipe_of([tree], 4, 1, ["data.kind=pairs", *timelapse_ablation.SUPERVISED])
    loss = build_program(supervised).loss
    assert (loss.truth, loss.pairs_frames) == (1, False)


@pytest.mark.slow
def test_sizes_are_measured_on_pictures_of_any_size(tree, monkeypatch):
    monkeypatch.setattr(timelapse, "SIZES", {"1": {"features": 1}, "1, concat": {"features": 1, "fusion": "concat"}})
    # Exports take seconds, and have tests of their own.
    monkeypatch.setattr(baselines, "export_onnx", lambda net, path: Exported(path, 1e-6))
    for name, value in {"LONG": 61, "SHORT": 45, "TILE": 32}.items():  # no multiples of 8
        monkeypatch.setattr(baselines, name, value)
    monkeypatch.setattr(timing, "SIDE", 64)
    target = tree / "sizes.json"
    status, _, err = call(timelapse.main, "--data", tree, "--repeat", 1, "--json", target)
    assert status == 0, err
    sizes = json.loads(target.read_text())["sizes"]
    dynamic, concat = sizes.values()
    # A filter for each picture by 12 means, in place of one, each with as many biases as it has outputs.
    assert dynamic["parameters"] - concat["parameters"] == 12 * 48 + 48 - (48 + 4)
    assert concat["tiles"] < 1e-5


def test_what_is_left_of_rain_and_taken_from_where_there_is_none():
    clean = np.full((6, 8, 3), 100, np.uint8)
    rainy = clean.copy()
    rainy[:2] = 140
    rainy[5] = 250  # not valid
    valid = np.ones((6, 8), bool)
    valid[5] = False
    triples = [(rainy, clean, valid)]
    assert timelapse_real.rain_left(lambda picture: picture, triples) == {"left": 1.0, "taken": 0.0}
    assert timelapse_real.rain_left(lambda picture: clean, triples) == {"left": 0.0, "taken": 0.0}
    half = timelapse_real.rain_left(lambda picture: picture / np.float32(255) - np.float32(10 / 255), triples)
    assert half["left"] == pytest.approx(0.75, abs=1e-3)
    assert half["taken"] == pytest.approx(10, abs=1e-3)


def test_real_rain_is_learned_from_one_half_and_tried_on_the_other(tree, monkeypatch):
    frames = tree / "video" / "yard"
    frames.mkdir(parents=True)
    for k in range(6):
        write_image(frames / f"{k}.png", np.full((48, 40, 3), 10 * k, np.uint8))
    model = rainnet.save(rainnet.create("timelapsenet", features=1), tree / "net.safetensors")
    asked, built = [], []

    def trained(name, changes, data, folder):
        asked.append((name, read_recipe(name, list(changes)), data))
        folder.mkdir(parents=True)
        rainnet.save(rainnet.create("timelapsenet", features=1), folder / "model.safetensors")

    def pairs_of(video, limit):
        built.append(video)
        rainy = read_image(sorted(video.iterdir())[0])
        return [(rainy, rainy, np.ones(rainy.shape[:2], bool))]

    monkeypatch.setattr(timelapse_real, "REAL", (Path("video/yard"), Path("video/yard")))
    # How well they derain is told elsewhere.
    monkeypatch.setattr(timelapse_real, "solve", lambda rainy: SimpleNamespace(background=rainy))
    monkeypatch.setattr(timelapse_real, "derain", lambda net, rainy, **_: SimpleNamespace(background=rainy))
    monkeypatch.setattr(timelapse_real, "trained", trained)
    monkeypatch.setattr(timelapse_real, "pairs_of", pairs_of)
    monkeypatch.setattr(timelapse_real, "sequence", lambda video, folder: video)
    target = tree / "real.json"
    arguments = ("--data", tree, "--model", model, "--runs", tree / "runs", "--limit", 1, "--json", target)
    status, out, err = call(timelapse_real.main, *arguments)
    assert status == 0, err
    for name, recipe, _ in asked:
        assert (name, recipe.data.kind) == ("timelapsenet-small", "rainy")
        assert Path(recipe.network.start) == model.resolve()
    assert [recipe.loss.get("corner_last", 0) > 0 for _, recipe, _ in asked] == [False, True]
    (learned,) = {data for _, _, data in asked}
    assert [file.name for file in sorted(learned.iterdir())] == ["0000.png", "0001.png", "0002.png"]
    assert [file.name for file in sorted(built[0].iterdir())] == ["0003.png", "0004.png", "0005.png"]
    found = json.loads(target.read_text())["found"]
    assert list(found) == ["other frames", "other camera", "rendered, light", "truths"]
    assert found["truths"]["methods"]["input"]["psnr"] == 100
    assert "further, rounded" in out
