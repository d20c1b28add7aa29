"""Translating our rain into that of photographs: the halves, what is trained, and what is told."""

import json

import numpy as np
import pytest

import rainnet
from benchmarks.common import photograph
from benchmarks.networks import translation_photos as photos
from data_tools import RainSpec, add_rain
from rainnet.recipes.recipe import read_recipe
from rainnet.recipes.stages import only, plan
from rainopt import read_image, write_image
from tests.support.processes import call


@pytest.fixture
def storm(tree):
    """The tree, with two photographs of rain."""
    clean = photograph(300, 451) / 255
    (tree / "photos").mkdir()
    for number in range(2):
        spec = RainSpec(angle=15.0, density=3000.0, intensity=0.7)
        rainy = add_rain(clean, spec, np.random.default_rng(number)).rainy
        write_image(tree / "photos" / f"{number}.png", np.asarray(rainy))
    return tree


def test_halves_share_no_photograph_and_are_reduced(storm, monkeypatch):
    monkeypatch.setattr(photos, "MOST", 200)
    learned, shown = photos.halves(storm / "photos", storm / "runs")
    assert [file.name for file in sorted(learned.iterdir())] == ["0.png"]
    assert [file.name for file in sorted(shown.iterdir())] == ["1.png"]
    assert {max(read_image(file).shape) for file in shown.iterdir()} == {200}


def test_both_trainings_have_as_many_steps_and_one_sees_photographs(tree):
    for name, (changes, stages) in photos.cases(0.5, tree).items():
        recipe = read_recipe("jrgr-small", changes, data={"train": [tree]})
        recipe = only(recipe, stages) if stages else recipe
        assert plan(recipe)[-1].last == 1500
        assert bool(recipe.data.unpaired_rainy) == (name == "after")
        assert recipe.data.kind == "rendered"


@pytest.mark.slow
def test_traces_are_told_and_rain_is_shown(storm, monkeypatch):
    def trained(name, changes, data, folder, stages):
        folder.mkdir(parents=True)
        rainnet.save(rainnet.create("jrgr", features=2, depth=1), folder / "model.safetensors")

    monkeypatch.setattr(photos, "trained", trained)
    target, sheet, rain = (storm / name for name in ("told.json", "looks.png", "rain.png"))
    words = ("--runs", storm / "runs", "--sheet", sheet, "--rain", rain, "--json", target)
    status, out, err = call(photos.main, "--data", storm, *words)
    assert status == 0, err
    means = json.loads(target.read_text())["means"]
    assert list(means) == ["input", "rainopt", "udgnet-small", "before", "after"]
    assert means["rainopt"]["left"] < 0.5 < means["input"]["left"]
    assert "after" in out
    assert sheet.exists()
    assert rain.exists()


def test_photographs_without_rain_are_not_enough(tree, monkeypatch):
    monkeypatch.setattr(photos, "trained", lambda *_: None)
    monkeypatch.setattr(photos, "load", lambda _: None)
    (tree / "photos").mkdir()
    for number in range(2):
        write_image(tree / "photos" / f"{number}.png", photograph(96, 128))
    status, _, err = call(photos.main, "--data", tree, "--runs", tree / "runs")
    assert status == 2
    assert "must hold photographs in which rain is seen" in " ".join(err.split())
