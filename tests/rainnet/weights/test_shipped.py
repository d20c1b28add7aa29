"""What comes with the package: weights, recipes, and what their cards promise."""

import json
from pathlib import Path
from typing import get_type_hints

import numpy as np
import pytest
from skimage import data

import rainnet
from data_tools import RainSpec, add_rain
from rainnet.commands.train import train
from rainnet.recipes.recipe import read_recipe, shipped
from rainnet.weights.checkpoint import facts_of
from rainnet.zoo import WEIGHTS
from rainopt import derain, psnr

FILES = sorted(WEIGHTS.glob("*.safetensors"))


def test_there_is_a_network_and_all_are_small():
    assert [file.stem for file in FILES] == ["refine", "udgnet_small"]
    assert sum(file.stat().st_size for file in FILES) <= 6e6


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_card_and_its_file_say_what_it_was_trained_on(file):
    facts = facts_of(file)
    assert facts["licence"] == "Apache-2.0"
    assert "CC0" in facts["data"]
    text = json.dumps(facts)
    assert "/home" not in text
    assert "/work" not in text
    assert "/tmp" not in text
    assert f"## {file.stem.replace('_', '-')}" in (WEIGHTS / "README.md").read_text()
    net = rainnet.load(file)
    assert net.config == rainnet.create(net.name, preset="small").config


@pytest.mark.parametrize("name", ["udgnet-small", "refine"])
@pytest.mark.parametrize(("preset", "least"), [("light", 5.0), ("medium", 3.0)])
def test_it_removes_rendered_rain(name, preset, least):
    clean = data.chelsea()[20:276, 60:396]
    rng = np.random.default_rng(5)
    rainy = np.rint(add_rain(clean, RainSpec.sample(preset, rng), rng).rainy * 255).astype(np.uint8)
    result = rainnet.derain(rainnet.load(name), rainy, device="cpu")
    gain = psnr(np.asarray(result.background), clean / np.float32(255)) - psnr(rainy, clean)
    assert gain > least
    assert result.angle == pytest.approx(derain(rainy).angle)


def test_help_names_all_recipes_and_each_names_the_command_that_uses_it():
    text = get_type_hints(train, include_extras=True)["recipe"].__metadata__[0].help
    for name, file in shipped().items():
        assert name in text
        assert "rainnet train" in Path(file).read_text()


def test_the_single_recipe_leaves_its_weights_to_the_photograph():
    assert {"sparsity", "lambda_y"}.isdisjoint(read_recipe("udgnet-single").loss)
