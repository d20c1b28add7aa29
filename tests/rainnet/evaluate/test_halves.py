"""Pairs in one image, compared like any others."""

import numpy as np

from data_tools.layouts.read import read_dataset
from rainnet.data.files import PairCrops
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import find_methods
from rainnet.programs.base import ExampleSpec
from rainopt import psnr
from tests.support.datasets import noise, put


def test_halves_are_evaluated_and_trained_on(tmp_path):
    rainy, clean = noise(1, (24, 32)), noise(2, (24, 32))
    put(tmp_path / "1.png", np.hstack([rainy, clean]))
    layout = read_dataset(tmp_path, "rainy-left")
    (score,) = evaluate(find_methods(["input"]), layout, ["rgb"]).methods[0].scores
    assert score.psnr["rgb"] == psnr(rainy, clean, protocol="rgb")
    assert PairCrops(layout, 16, ExampleSpec(upright=False, truth=True))[0]["clean"].shape == (3, 16, 16)
