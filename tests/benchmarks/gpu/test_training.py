import json
import time
import tomllib

import pytest
import torch

from benchmarks.common import photograph
from benchmarks.gpu.training import PLAN, Kept, OnDevice, recipe_of
from rainnet import load
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.recipes.recipe import read_recipe
from rainnet.train.build import needs_of
from rainnet.train.interruption import StoppedError
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainopt import write_image


@pytest.fixture
def plan():
    return tomllib.loads(PLAN.read_text(encoding="utf-8"))


def test_the_recipe_that_is_queued_is_one(plan, tmp_path):
    recipe = recipe_of(plan, tmp_path, rehearse=False, more=["run.steps=7"])
    assert (recipe.network.preset, recipe.run.steps, recipe.run.precision) == ("paper", 7, "bf16-mixed")
    small = read_recipe("udgnet-small")
    assert recipe.loss == small.loss
    assert recipe.data.presets == small.data.presets


@pytest.mark.slow
def test_a_training_whose_time_is_over_is_stopped_and_its_weights_are_kept(plan, tmp_path):
    (tmp_path / "clean").mkdir()
    write_image(tmp_path / "clean" / "one.png", photograph(96, 128))
    changes = ["run.steps=100000", "run.workers=0", "run.save_every=5", "run.log_every=5"]
    recipe = recipe_of(plan, tmp_path / "clean", rehearse=True, more=changes)
    run, kept = RunFolder(tmp_path / "run"), tmp_path / "toy.safetensors"

    class Ending(Kept):
        """Its time is over after ten steps, however long they take."""

        def step(self, step):
            super().step(step)
            if step.number == 10:
                self.until = time.perf_counter()

    watcher = Ending(run.model, kept, tmp_path / "log.jsonl", float("inf"))
    batches = RecipeBatches(recipe, dataset_for(recipe.data, 0, needs_of(recipe)))
    with pytest.raises(StoppedError):
        train(recipe, run, OnDevice(batches, torch.device("cpu")), watcher, device="cpu")
    watcher.keep()
    assert load(kept).config.features == 4
    assert [json.loads(line)["number"] for line in (tmp_path / "log.jsonl").read_text().splitlines()][:2] == [5, 10]
