import json

import numpy as np
import pytest
import torch

from benchmarks.networks import ablation as net_ablation
from benchmarks.networks import angle as net_angle
from benchmarks.networks import quality as net_quality
from benchmarks.networks import single as net_single
from benchmarks.networks.scenes import SIDE, middle, scenes
from rainnet import create, save
from rainnet.programs.udgnet import UDGNetLoss
from rainopt import psnr, write_image


@pytest.fixture
def tree(tmp_path, rng):
    for part in ("pairs/a/rain", "pairs/a/norain", "clean"):
        (tmp_path / part).mkdir(parents=True)
    for k in range(2):
        clean = np.kron(rng.random((9, 12, 3)) * 0.6, np.ones((16, 16, 1)))
        write_image(tmp_path / f"clean/{k}.png", clean)
        write_image(tmp_path / f"pairs/a/norain/{k}.png", clean)
        rainy = clean.copy()
        rainy[:, 5::17] += 0.3
        write_image(tmp_path / f"pairs/a/rain/{k}.png", rainy)
    return tmp_path


@pytest.fixture
def model(tmp_path):
    torch.set_num_threads(1)
    network = create("udgnet", features=4, blocks=1, angle_features=4, angle_stages=2, rain_from_input=False)
    return save(network, tmp_path / "net.safetensors")


def test_quality_compares_the_network_with_the_solver(tree, model, tmp_path):
    arguments = ["--data", str(tree), "--model", str(model), "--json", str(tmp_path / "q.json")]
    net_quality.main([*arguments, "--sheet", str(tmp_path / "sheet.png")])
    told = json.loads((tmp_path / "q.json").read_text())["sets"]["a"]
    # A fresh network removes nothing.
    assert told["network, rainopt's angle"]["psnr"] == pytest.approx(told["input"]["psnr"])
    assert told["rainopt"]["psnr"] > told["input"]["psnr"]
    assert (tmp_path / "sheet.png").is_file()


def test_the_angles_of_the_table_are_those_of_the_paper(tree, model, tmp_path):
    net_angle.main(["--data", str(tree), "--model", str(model), "--json", str(tmp_path / "a.json")])
    told = json.loads((tmp_path / "a.json").read_text())["sets"]
    assert list(told["light"]["psnr"])[3:] == ["true", "true ± 5°", "true ± 10°", "true ± 20°"]
    assert told["light"]["psnr"]["true"] == pytest.approx(told["light"]["psnr"]["input"])


def test_scenes_are_the_same_again_and_their_rain_is_where_it_is_said_to_be(tree):
    one, again = scenes(tree, "light"), scenes(tree, "light")
    assert [s.name for s in one] == ["0", "1"]
    for a, b in zip(one, again, strict=True):
        assert np.array_equal(a.rainy, b.rainy)
        assert a.angle == b.angle
        assert psnr(a.rainy, a.clean) < 40
    assert middle(np.zeros((700, 900, 3))).shape == (*SIDE, 3)


@pytest.mark.parametrize("case", net_ablation.CASES)
def test_cases_of_the_ablation_have_the_losses_of_the_table(tree, case):
    recipe = net_ablation.recipe_of(case, tree / "clean", 3)
    loss = UDGNetLoss.model_validate(recipe.loss)
    terms, adversary = net_ablation.CASES[case]
    assert loss.truth == loss.angle == 0
    assert (loss.adversarial > 0) is adversary
    assert (loss.energy > 0) is bool(terms)
    if terms:
        assert set(loss.terms) == set(terms)


def test_a_case_is_trained_without_truth(tree):
    network = net_ablation.train_case(3, tree / "clean", 2)
    each = scenes(tree, "light", 1)
    assert net_ablation.score(network, each)["psnr"] > 10


def test_what_a_single_network_is_trained_on_has_no_veil(tree):
    rainy, truth = net_single.rendered(tree / "clean", 1, "medium")
    dry = (rainy == truth).all(axis=-1)
    assert 0.05 < float(dry.mean()) < 1
