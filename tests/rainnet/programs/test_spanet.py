"""How SPANet is trained."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.losses.attention import AttentionLoss
from rainnet.losses.masked import per_picture
from rainnet.losses.similarity import SimilarityLoss
from rainnet.programs.spanet import SPANetLoss, SPANetProgram
from rainnet.recipes.recipe import RecipeError, checked, read_recipe
from rainnet.train.build import needs_of
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainopt import ssim
from tests.support.toy import Watcher

TINY = ["features=4", "stages=1", "blocks=1"]


def tensor(image):
    return torch.from_numpy(image.astype(np.float32)).permute(2, 0, 1)[None]


@pytest.mark.parametrize("noise", [0.02, 0.4])
def test_similarity_is_that_of_the_metric(rng, noise):
    a = np.kron(rng.random((5, 6, 3)), np.ones((8, 7, 1))).astype(np.float32)
    b = np.clip(a + noise * rng.standard_normal(a.shape), 0, 1).astype(np.float32)
    loss = SimilarityLoss()
    assert 1 - float(loss(tensor(a), tensor(b))) == pytest.approx(ssim(a, b), abs=2e-6)
    where = rng.random(a.shape[:2]) > 0.3
    valid = tensor(where[..., None])
    assert 1 - float(loss(tensor(a), tensor(b), valid)) == pytest.approx(ssim(a, b, where=where), abs=2e-6)
    # Of a batch it is the mean.
    both = loss(torch.cat([tensor(a), tensor(b)]), torch.cat([tensor(b), tensor(b)]))
    assert float(both) == pytest.approx((1 - ssim(a, b)) / 2, abs=2e-6)


def test_similarity_is_exact_in_mixed_precision(rng):
    a, b = (tensor(rng.random((20, 24, 3))) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        assert float(SimilarityLoss()(a, b)) == pytest.approx(float(SimilarityLoss()(a, b)))


def test_rain_is_where_the_difference_is_above_the_threshold_whatever_its_sign():
    clean = torch.full((1, 3, 1, 4), 0.5)
    rainy = clean.clone()
    rainy[0, 0, 0, 1:] += torch.tensor([0.03, 0.05, -0.05])
    loss = AttentionLoss(10 / 255)
    assert loss.mask(rainy, clean).flatten().tolist() == [0, 0, 1, 1]
    assert float(loss(loss.mask(rainy, clean), rainy, clean)) == 0
    assert float(loss(torch.zeros(1, 1, 1, 4), rainy, clean)) == 0.5


def test_pixels_that_are_not_valid_teach_nothing():
    torch.manual_seed(0)
    network = rainnet.create("spanet", features=4, stages=1, blocks=1)
    program = SPANetProgram(network, SPANetLoss())
    rainy, clean = torch.rand(2, 2, 3, 24, 24)
    valid = torch.ones(2, 1, 24, 24)
    valid[..., :9] = 0
    values = []
    for filling in (0.0, 1.0):
        truth = clean.where(valid > 0, torch.tensor(filling))
        values.append(program({"rainy": rainy, "clean": truth, "valid": valid}, "network", 0.0))
    assert values[0].keys() == {"truth", "similarity", "attention"}
    torch.testing.assert_close(values[0]["truth"], values[1]["truth"])
    torch.testing.assert_close(values[0]["attention"], values[1]["attention"])
    everywhere = program({"rainy": rainy, "clean": clean, "valid": torch.ones_like(valid)}, "network", 0.0)
    torch.testing.assert_close(everywhere, program({"rainy": rainy, "clean": clean}, "network", 0.0))
    nowhere = program({"rainy": rainy, "clean": clean, "valid": torch.zeros_like(valid)}, "network", 0.0)
    assert sum(float(value.detach()) for value in nowhere.values()) == 0


def test_a_picture_without_valid_pixels_does_not_count():
    costs, valid = torch.rand(2, 3, 4, 4), torch.ones(2, 1, 4, 4)
    valid[1] = 0
    torch.testing.assert_close(per_picture(costs, valid), costs[:1].mean())


def test_a_network_without_attention_is_not_taught_where_to_look():
    network = rainnet.create("spanet", features=4, stages=1, blocks=1, attention=False)
    pictures = torch.rand(1, 3, 16, 16)
    terms = SPANetProgram(network, SPANetLoss())({"rainy": pictures, "clean": pictures}, "network", 0.0)
    assert terms.keys() == {"truth", "similarity"}


def test_losses_that_teach_nothing_are_refused():
    with pytest.raises(RecipeError, match="nothing would teach the network"):
        checked(SPANetLoss, {"truth": 0.0, "similarity": 0.0}, "loss")
    with pytest.raises(TypeError, match="must be a SPANet, got UDGNet"):
        SPANetProgram(rainnet.create("udgnet", preset="small"), SPANetLoss())


@pytest.mark.parametrize("kind", ["pairs", "rendered"])
def test_recipes_train_on_pairs_and_on_rendered_rain(folders, tmp_path, kind):
    changes = [f"network.config.{each}" for each in TINY] + [f"data.kind={kind}", "data.size=32", "run.steps=40"]
    changes += [
        "run.batch=2",
        "run.workers=0",
        "run.log_every=1",
        "run.picture_every=40",
        "run.ema=0",
        "run.save_every=0",
    ]
    changes += ["network.config.residual=false", "optimiser.warmup=0", "optimiser.lr=0.01"]
    data = {"train": [folders / ("pairs" if kind == "pairs" else "clean")]}
    recipe = read_recipe("spanet-small", changes, data=data)
    batches = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))
    watcher = Watcher()
    network = train(recipe, RunFolder(tmp_path / "run"), batches, watcher, device="cpu")
    told = [sum(step.terms.values()) for step in watcher.steps]
    assert np.mean(told[-5:]) < 0.8 * np.mean(told[:5])
    assert "attention" in watcher.shown[0][1]
    assert rainnet.load(tmp_path / "run").config == network.config


def test_the_papers_recipe_has_its_schedule():
    recipe = read_recipe("spanet")
    optimiser = recipe.optimiser_of("network")
    assert (optimiser.kind, optimiser.lr, optimiser.decay, optimiser.decay_every) == ("adam", 5e-3, 0.1, 30_000)
    assert (recipe.run.steps, recipe.run.batch, recipe.data.size, recipe.network.preset) == (40_000, 16, 256, "paper")
