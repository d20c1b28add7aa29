"""How PReNet, DDN and JORDER-E are trained."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.data.batches import RecipeBatches, dataset_for
from rainnet.programs.base import MAIN
from rainnet.programs.ddn import DDNLoss, DDNProgram
from rainnet.programs.jorder import JORDERLoss, JORDERProgram
from rainnet.programs.prenet import PReNetLoss, PReNetProgram
from rainnet.recipes.recipe import RecipeError, checked, read_recipe
from rainnet.recipes.sections import OptimiserSection
from rainnet.train.build import build_program, needs_of
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainnet.train.schedule import learning_rate
from rainopt import ssim
from tests.support.baselines import TINY, random_baseline
from tests.support.toy import Watcher, assert_same, state_of

PROGRAMS = {
    "prenet": (PReNetProgram, PReNetLoss(similarity=0, square=0.5, truth=0.7, earlier=0.5)),
    "ddn": (DDNProgram, DDNLoss()),
    "jorder": (JORDERProgram, JORDERLoss()),
}


def terms_of(name, batch, net=None, **loss):
    program, settings = PROGRAMS[name]
    return program(net or random_baseline(name), type(settings)(**loss) if loss else settings)(batch, "network", 0.0)


def pictures(seed=0, count=2, side=20):
    return torch.rand(2, count, 3, side, side, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", TINY)
def test_pixels_that_are_not_valid_teach_nothing(name):
    rainy, clean = pictures()
    valid = torch.ones(2, 1, 20, 20)
    valid[..., :9] = 0
    black, white = (
        terms_of(name, {"rainy": rainy, "clean": clean.where(valid > 0, filling), "valid": valid})
        for filling in (torch.zeros(()), torch.ones(()))
    )
    torch.testing.assert_close(black, white)
    everywhere = terms_of(name, {"rainy": rainy, "clean": clean, "valid": torch.ones_like(valid)})
    torch.testing.assert_close(everywhere, terms_of(name, {"rainy": rainy, "clean": clean}))
    nowhere = terms_of(name, {"rainy": rainy, "clean": clean, "valid": torch.zeros_like(valid)})
    assert sum(float(value.detach()) for value in nowhere.values()) == 0


@pytest.mark.parametrize("name", TINY)
def test_a_perfect_background_costs_nothing(name):
    # An untrained network gives back the picture, which is the truth where there is no rain.
    rainy, net = pictures()[0], rainnet.create(name, **TINY[name]).eval()
    loss = {"prenet": {"similarity": 1.0, "square": 1.0, "truth": 1.0, "earlier": 1.0}}.get(name, {})
    terms = terms_of(name, {"rainy": rainy, "clean": rainy}, net, **loss)
    left = {key: float(value.detach()) for key, value in terms.items() if key not in ("detection", "streaks")}
    assert left.keys() == ({"similarity", "square", "truth"} if name == "prenet" else left.keys() - {"similarity"})
    assert all(abs(value) < 1e-6 for value in left.values())


def test_similarity_is_that_of_the_metric():
    rainy, clean = pictures(count=1)
    net = random_baseline("prenet")
    with torch.no_grad():
        background = rainy - net.layers(rainy).removed
        # The metric takes what lies in [0, 1].
        net.last.weight /= 4 * (background - rainy).abs().max()
        net.last.bias /= 4 * (background - rainy).abs().max()
        rainy = rainy / 2 + 0.25
        background = rainy - net.layers(rainy).removed
    found = terms_of("prenet", {"rainy": rainy, "clean": clean}, net, similarity=1.0)
    expected = 1 - ssim(*(each[0].permute(1, 2, 0).numpy() for each in (background, clean)))
    assert float((background - rainy).abs().max()) > 0.1
    assert list(found) == ["similarity"]
    assert float(found["similarity"].detach()) == pytest.approx(expected, abs=2e-6)


@torch.no_grad()
def test_stages_count_what_their_weights_say():
    rainy, clean = pictures()
    net = random_baseline("prenet", stages=3)
    batch = {"rainy": rainy, "clean": clean}
    found = terms_of("prenet", batch, net, square=2.0, truth=3.0, earlier=0.5, last=1.5, similarity=0.25)
    stages, counts = net.backgrounds(rainy).stages, (0.5, 0.5, 1.5)
    off = [stage - clean for stage in stages]
    torch.testing.assert_close(
        found["square"], 2 * sum(c * d.square().mean() for c, d in zip(counts, off, strict=True))
    )
    torch.testing.assert_close(found["truth"], 3 * sum(c * d.abs().mean() for c, d in zip(counts, off, strict=True)))
    each = [random_baseline("prenet", stages=k) for k in (1, 2, 3)]
    for one in each:
        one.load_state_dict(net.state_dict())
    alone = [terms_of("prenet", batch, one, similarity=0.25)["similarity"] for one in each]
    torch.testing.assert_close(found["similarity"], sum(c * s for c, s in zip(counts, alone, strict=True)))


@torch.no_grad()
def test_squares_of_ddn_are_distances_from_the_truth():
    rainy, clean = pictures()
    net = random_baseline("ddn")
    found = terms_of("ddn", {"rainy": rainy, "clean": clean}, net, square=2.0)["square"]
    torch.testing.assert_close(found, 2 * (rainy - net.layers(rainy).removed - clean).square().mean())


@torch.no_grad()
def test_detection_is_cross_entropy_and_passes_are_added_up():
    rainy, clean = pictures()
    rainy = rainy.where(torch.rand(2, 1, 20, 20) > 0.5, clean)  # half of the pixels have no rain
    net = random_baseline("jorder")
    found = terms_of("jorder", {"rainy": rainy, "clean": clean}, net, truth=2.0, detection=0.5, streaks=0.25)
    passes = net.found(rainy)
    wet = ((rainy - clean).abs().numpy() > JORDERLoss().threshold).any(axis=1)
    logits = passes[-1].mask.double().numpy()
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    entropy = -np.log(np.where(wet, chances[:, 1], chances[:, 0])).mean()
    assert 0.3 < wet.mean() < 0.7
    assert float(found["detection"]) == pytest.approx(0.5 * entropy, rel=1e-5)
    distances = [(one.background - clean).abs().mean() for one in passes]
    torch.testing.assert_close(found["truth"], 2 * sum(distances))
    torch.testing.assert_close(found["streaks"], 0.25 * (passes[-1].streaks - (clean - rainy)).abs().mean())
    assert list(terms_of("jorder", {"rainy": rainy, "clean": clean}, net, detection=0.0, streaks=0.0)) == ["truth"]


def test_what_could_not_be_taught_is_refused():
    with pytest.raises(RecipeError, match="there is nothing to minimise"):
        checked(PReNetLoss, {"similarity": 0.0}, "loss")
    for kind in ("last", "every"):
        with pytest.raises(ValueError, match="has a head for the variance, which no loss of this recipe would teach"):
            PReNetProgram(random_baseline("prenet", variance=kind), PReNetLoss())
    for name, (program, loss) in PROGRAMS.items():
        model = type(random_baseline(name)).__name__
        with pytest.raises(TypeError, match=f"must be a {model}, got UDGNet"):
            program(rainnet.create("udgnet", preset="small"), loss)


@pytest.mark.parametrize(
    ("name", "size", "batch", "steps", "optimiser"),
    [
        ("prenet", 100, 18, 150_000, {"kind": "adam", "lr": 1e-3, "decay": 0.2, "decay_at": (45_000, 75_000, 120_000)}),
        ("ddn", 64, 20, 210_000, {"kind": "sgd", "lr": 0.1, "momentum": 0.9, "decay": 0.1, "decay_every": 100_000}),
        ("jorder", 64, 8, 200_000, {"kind": "adam", "lr": 1e-4, "schedule": "constant"}),
    ],
)
def test_the_papers_recipes_have_their_schedules(name, size, batch, steps, optimiser):
    recipe = read_recipe(name)
    said = recipe.optimiser_of("network").model_dump()
    assert {key: said[key] for key in optimiser} == optimiser
    assert (recipe.run.steps, recipe.run.batch, recipe.data.size, recipe.network.preset) == (
        steps,
        batch,
        size,
        "paper",
    )
    assert (recipe.data.kind, recipe.run.ema, recipe.run.precision) == ("pairs", 0, "32-true")
    assert needs_of(recipe).truth


def test_steps_at_which_the_rate_falls_can_be_named():
    section = OptimiserSection(lr=1.0, schedule="steps", decay=0.2, decay_at=(10, 30, 31))
    rates = [learning_rate(section, step, 50) for step in (0, 9, 10, 29, 30, 31, 49)]
    assert rates == pytest.approx([1, 1, 0.2, 0.2, 0.04, 0.008, 0.008])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["optimiser.decay_every=5"], "needs decay_every, .* or decay_at"),
        (["optimiser.decay_at=[]"], "needs decay_every, .* or decay_at"),
        (["optimiser.decay_at=[5, 4]"], r"decay_at must hold steps that rise, from 1 on, got \[5, 4\]"),
        (["optimiser.decay_at=[5, 5]"], r"decay_at must hold steps that rise, from 1 on, got \[5, 5\]"),
        (["optimiser.decay_at=[0, 5]"], r"decay_at must hold steps that rise, from 1 on, got \[0, 5\]"),
    ],
)
def test_steps_that_make_no_schedule_are_refused(changes, message):
    with pytest.raises(RecipeError, match=message):
        read_recipe("prenet", changes)


def recipe_of(name, data, changes):
    tiny = [f"network.config.{key}={value}" for key, value in TINY[name.removesuffix("-small")].items()]
    few = ["data.size=32", "run.batch=2", "run.workers=0", "run.log_every=1", "optimiser.warmup=0"]
    recipe = read_recipe(name, [*tiny, *few, *changes], data={"train": [data]})
    return recipe, RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))


def run(name, data, folder, changes, watcher=None, resume=False):
    recipe, batches = recipe_of(name, data, changes)
    return train(recipe, RunFolder(folder), batches, watcher or Watcher(), device="cpu", resume=resume)


@pytest.mark.parametrize(
    "name", ["prenet", "prenet-small", "ddn", "ddn-small", pytest.param("jorder-small", marks=pytest.mark.slow)]
)
def test_recipes_teach(folders, tmp_path, name):
    data = folders / ("clean" if name.endswith("-small") else "pairs")
    changes = ["run.steps=40", "run.picture_every=0", "run.ema=0", "run.save_every=0", "data.dry=0"]
    changes += ["optimiser.lr=0.01"] if name != "ddn" else []
    changes += ["data.presets={heavy=1.0}"] if name.endswith("-small") else []
    watcher = Watcher()
    network = run(name, data, tmp_path / "run", changes, watcher)
    # Beside what a network that has learnt nothing makes of the same batches.
    recipe, batches = recipe_of(name, data, changes)
    program = build_program(recipe)
    with torch.no_grad():
        untaught = [sum(program(batch, "network", 0.0).values()) for batch in batches(30, 40, 0, 1)]
    told = [sum(step.terms.values()) for step in watcher.steps[30:]]
    assert np.mean(told) < 0.8 * np.mean(untaught)
    assert rainnet.load(tmp_path / "run").config == network.config


def test_a_run_with_running_statistics_that_is_killed_resumes_as_if_it_had_not_been(folders, tmp_path):
    changes, whole = ["run.steps=6", "run.ema=0.9", "run.save_every=1", "run.picture_every=0"], tmp_path / "whole"
    run("ddn-small", folders / "clean", whole, changes)

    def kill():
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run("ddn-small", folders / "clean", tmp_path / "part", changes, Watcher(4, kill))
    kept = run("ddn-small", folders / "clean", tmp_path / "part", changes, resume=True)
    parts, wholes = state_of(tmp_path / "part"), state_of(whole)
    assert_same(parts["program"], wholes["program"])
    assert_same(parts["published"][MAIN], wholes["published"][MAIN])
    assert_same(kept.state_dict(), rainnet.load(whole).state_dict())
    assert (tmp_path / "part/model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()
    # What is kept has the statistics that training has found, and not those that a network begins with.
    buffers = dict(kept.named_buffers())
    assert {name.rpartition(".")[2] for name in buffers} == {"running_mean", "running_var", "num_batches_tracked"}
    assert all(torch.equal(wholes["program"][f"network.{name}"], value) for name, value in buffers.items())
    assert int(buffers["head.norm.num_batches_tracked"]) == 6
