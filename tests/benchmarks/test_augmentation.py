"""How it is studied whether made rain improves a derainer."""

import json
from types import SimpleNamespace

import pytest

import rainnet
from benchmarks.networks import augmentation
from data_tools.commands.main import app as raindata
from rainnet.recipes.recipe import read_recipe
from tests.support.processes import call


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """Commands are done in this process, as starting one takes seconds."""
    run = SimpleNamespace(run=lambda command, **_: call(raindata, *command[3:]), DEVNULL=None)
    monkeypatch.setattr(augmentation, "subprocess", run)


@pytest.fixture
def asked(monkeypatch):
    """The trainings that are asked for; each writes a network that removes nothing, or one that darkens all."""
    found = []

    def trained(name, changes, data, folder):
        found.append((folder.name, read_recipe(name, list(changes)), data))
        net = rainnet.create("rainfield" if name == "rainfield" else "prenet", features=4, blocks=1, stages=1)
        if "made" in folder.name:
            net.last.bias.data.fill_(-0.01)
        folder.mkdir(parents=True, exist_ok=True)
        rainnet.save(net, folder / "model.safetensors", overwrite=True)
        return {}

    monkeypatch.setattr(augmentation, "trained", trained)
    return found


def test_all_cases_see_the_same_pairs_for_as_many_steps(tree, asked):
    target, model = tree / "told.json", tree / "rain.safetensors"
    rainnet.save(rainnet.create("rainfield", features=4), model)
    arguments = ("--data", tree, "--model", model, "--runs", tree / "runs", "--limit", 1, "--json", target)
    status, out, err = call(augmentation.main, *arguments, "--pairs", 1, "--seeds", 2, "--steps", 7, "--own", "--more")
    assert status == 0, err
    told = json.loads(target.read_text())["found"]
    names = ["1 pairs", "1 pairs + made", "1 pairs + own", "2 pairs"]
    assert list(told) == ["input", *names]
    assert [len(scores) for scores in told.values()] == [2] * 5
    assert told["1 pairs"] == told["input"] == told["1 pairs + own"]
    assert told["1 pairs + made"][0]["psnr"] != told["input"][0]["psnr"]
    assert "over 1 pairs" in out
    runs = [name for name, _, _ in asked]
    assert runs == ["generator", "1-pairs", "1-pairs-made", "1-pairs-own", "2-pairs"] * 2
    for name, recipe, data in asked:
        pairs = sorted((data / "train/rainy").iterdir())
        assert (recipe.data.kind, len(pairs)) == ("pairs", 2 if name == "2-pairs" else 1)
        if name != "generator":
            assert recipe.run.steps == 7
    made, own = (asked[k][1].data.augment.generator for k in (2, 3))
    assert made == model.resolve()
    assert own == (tree / "runs/seed0/generator").resolve()
    # The small sample is part of the larger one, and another seed has another.
    few, more, other = (asked[k][2].parent / "photographs" for k in (1, 4, 6))
    assert {file.name for file in few.iterdir()} < {file.name for file in more.iterdir()}
    assert asked[1][1].run.seed != asked[6][1].run.seed
    assert few != other


def test_pairs_are_made_once(tree):
    folder = augmentation._pairs(tree, tree / "pairs4", 4, 0)
    before = {file: file.read_bytes() for file in folder.rglob("*.png")}
    assert len(list((folder / "train/rainy").iterdir())) == 4
    assert augmentation._pairs(tree, tree / "pairs4", 4, 0) == folder
    assert {file: file.read_bytes() for file in folder.rglob("*.png")} == before
