import json

import numpy as np
import pytest
import torch

from benchmarks import darker
from benchmarks.networks import ablation as net_ablation
from benchmarks.networks import angle as net_angle
from benchmarks.networks import card as net_card
from benchmarks.networks import quality as net_quality
from benchmarks.networks import single as net_single
from benchmarks.networks.scenes import scenes
from data_tools.layouts.read import read_dataset
from rainnet import create, save
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import find_methods
from rainnet.programs.udgnet import UDGNetLoss
from rainnet.weights.scores import read_scores
from rainopt import psnr
from tests.support.processes import call


@pytest.fixture
def model(tmp_path):
    torch.set_num_threads(1)
    network = create("udgnet", features=4, blocks=1, angle_features=4, angle_stages=2, rain_from_input=False)
    return save(network, tmp_path / "net.safetensors")


def told(app, tree, model, *arguments):
    target = tree / "told.json"
    status, _, err = call(app, "--data", tree, "--model", model, "--limit", 1, "--json", target, *arguments)
    assert status == 0, err
    return json.loads(target.read_text())["sets"]


@pytest.mark.slow
def test_quality_compares_the_network_with_the_solver(tree, model):
    small = told(net_quality.main, tree, model, "--sheet", tree / "sheet.png")["small"]
    # A fresh network removes nothing.
    assert small["network, rainopt's angle"]["psnr"] == pytest.approx(small["input"]["psnr"])
    assert small["rainopt"]["psnr"] > small["input"]["psnr"]
    assert (tree / "sheet.png").is_file()


@pytest.mark.slow
def test_a_card_holds_what_evaluate_says(tree, model):
    card, begin, end = tree / "card.md", *(text.format(model) for text in (net_card.BEGIN, net_card.END))
    card.write_text(f"# A model\n\n{begin}\nold\n{end}\n\nThe rest.\n")
    arguments = ("--data", tree, "--model", model, "--limit", 1)
    status, out, err = call(net_card.main, *arguments, "--write", card)
    assert status == 0, err
    table = out.strip()
    assert card.read_text() == f"# A model\n\n{begin}\n\n{table}\n\n{end}\n\nThe rest.\n"
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    assert rows[0][1:] == ["small (1 pairs)", "our light / medium rain over 1 unseen scenes"]
    report = evaluate(find_methods(["input", "rainopt", str(model)]), read_dataset(tree / "pairs/small"), limit=1)
    told = [f"{one.psnr('y_matlab'):.2f} / {one.ssim('y_matlab'):.3f}" for one in report.methods]
    assert [row[1] for row in rows[2:]] == [*told, told[-1]]  # a fresh network removes nothing, mirrored or not
    pairs, *rendered = read_scores(model)  # and so does the file beside the model
    assert [f"{one.psnr:.2f} / {one.ssim:.3f}" for one in pairs.means[:3]] == told
    assert [one.name for one in rendered] == ["rendered_light", "rendered_medium"]
    assert rows[-1][2] == " / ".join(f"{one.means[-1].psnr:.1f}" for one in rendered)
    card.write_text("no markers")
    with pytest.raises(ValueError, match="must hold the lines"):
        call(net_card.main, *arguments, "--write", card)


@pytest.mark.slow
def test_results_brought_back_are_as_good_as_the_bright_ones(tree, model):
    target = tree / "told.json"
    arguments = ("--data", tree, "--set", "small", "--model", model, "--limit", 1, "--json", target)
    status, _, err = call(darker.main, *arguments, "--linear")
    assert status == 0, err
    for method, found in json.loads(target.read_text())["psnr"].items():
        assert max(found) - min(found) < 0.3, method


@pytest.mark.slow
def test_the_angles_of_the_table_are_those_of_the_paper(tree, model):
    light = told(net_angle.main, tree, model)["light"]["psnr"]
    assert list(light)[3:] == ["true", "true ± 5°", "true ± 10°", "true ± 20°"]
    assert light["true"] == pytest.approx(light["input"])


def test_scenes_are_the_same_again_and_rainy(tree):
    one, again = scenes(tree, "light"), scenes(tree, "light")
    assert [s.name for s in one] == ["a", "b"]
    for a, b in zip(one, again, strict=True):
        assert np.array_equal(a.rainy, b.rainy)
        assert a.angle == b.angle
        assert psnr(a.rainy, a.clean) < 40


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


@pytest.mark.slow
def test_a_case_is_trained_without_truth(tree):
    network = net_ablation.train_case(3, tree / "clean", 1)
    assert net_ablation.score(network, scenes(tree, "light", 1))["psnr"] > 10


def test_what_a_single_network_is_trained_on_has_no_veil(tree):
    rainy, truth = net_single.rendered(tree / "clean", 1, "medium")
    dry = (rainy == truth).all(axis=-1)
    assert 0.05 < float(dry.mean()) < 1
