"""How TimeLapseNet is measured."""

import json

import numpy as np
import pytest

from benchmarks.networks import timelapse_ablation
from data_tools.commands.main import app as raindata
from rainnet.train.build import build_program
from rainopt import psnr, read_image
from tests.support.processes import call


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Commands are done in this process, on tiny scenes."""
    monkeypatch.setattr(timelapse_ablation.subprocess, "run", lambda command, **_: call(raindata, *command[3:]))
    for name, value in {"SIDE": 32, "SCENES": 2, "FRAMES": (3,)}.items():
        monkeypatch.setattr(timelapse_ablation, name, value)


def test_all_parts_are_trained_and_told(tree, monkeypatch):
    cases = {part: dict(list(each.items())[-2:]) for part, each in timelapse_ablation.CASES.items()}
    monkeypatch.setattr(timelapse_ablation, "CASES", cases)
    monkeypatch.setattr(timelapse_ablation, "PUBLISHED", dict.fromkeys(cases, (1.0, 2.0)))
    monkeypatch.setattr(timelapse_ablation, "Pool", lambda recipe: monkeypatch)
    monkeypatch.setattr(timelapse_ablation, "train_case", lambda recipe, batches: recipe)
    monkeypatch.setattr(timelapse_ablation, "score", lambda recipe, tested: 20.0 + recipe.run.seed)
    target = tree / "told.json"
    status, out, err = call(timelapse_ablation.main, "--data", tree, "--limit", 1, "--seeds", 2, "--json", target)
    assert status == 0, err
    told = json.loads(target.read_text())["found"]
    assert told["losses"] == {"r b v, dynamic": [20, 21], "r b s v, dynamic": [20, 21]}
    assert list(told["fusion"]) == ["concat", "dynamic"]
    assert told["frames"]["3"]["mean"] == [20, 21]
    assert "20.50" in out
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
        assert 10 < value < 60
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
