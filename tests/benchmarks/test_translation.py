"""What translating rain is worth: the two domains, and what is trained."""

import json

import numpy as np

from benchmarks.networks import translation
from data_tools.layouts.read import read_dataset
from rainnet.recipes.recipe import read_recipe
from rainnet.recipes.stages import only, plan
from rainnet.train.build import build_program
from rainopt import read_image
from tests.support.processes import call


def test_domains_are_of_other_pictures_and_only_synthetic_ones_keep_their_truth(tree):
    synthetic, real = translation.domains(tree, tree / "runs")
    pairs = read_dataset(synthetic)
    names = {pair.clean.name for pair in pairs}
    assert names
    assert names.isdisjoint(file.name for file in real.iterdir())
    # Added rain only brightens.
    assert all((read_image(pair.rainy).astype(int) >= read_image(pair.clean)).all() for pair in pairs)
    before = {file: file.read_bytes() for file in (tree / "runs").rglob("*.png")}
    translation.domains(tree, tree / "runs")
    assert {file: file.read_bytes() for file in (tree / "runs").rglob("*.png")} == before


def test_all_cases_are_trained_for_as_many_steps(tree):
    for name, case in translation.cases(0.5, tree / "real").items():
        recipe = read_recipe(case.recipe, case.changes, data={"train": [tree]})
        stages = plan(only(recipe, case.stages) if case.stages else recipe)
        assert stages[-1].last == (3500 if name == "supervised, longer" else 1500), name
        assert any(build_program(stage.recipe, copies=stage.copies).derains for stage in stages), name
        if name in translation.WITHOUT:
            assert stages[-1].recipe.loss[translation.WITHOUT[name]] == 0


def test_cases_are_told_beside_the_supervised_one(tree, monkeypatch):
    seen = []
    monkeypatch.setattr(translation, "trained", lambda recipe, changes, data, folder, stages: seen.append(folder.name))
    scores = iter([20.0, 21.0, 22.0, 24.5])
    monkeypatch.setattr(translation, "score", lambda run, tested: {"psnr": next(scores), "ssim": 0.5})
    target = tree / "told.json"
    status, out, err = call(translation.main, "--data", tree, "--runs", tree / "runs", "--limit", 1, "--json", target)
    assert status == 0, err
    assert seen == ["supervised", "CycleGAN", "JRGR"]
    assert "+3.50" in out
    found = json.loads(target.read_text())["found"]
    assert np.isclose(found["JRGR"][0]["psnr"], 24.5)
