"""How JRGR is trained."""

import pytest
import torch
from torch.nn import functional as F

import rainnet
from rainnet.losses.translation import cycle_loss, deceiving_loss, truth_loss
from rainnet.models.jrgr import PARTS
from rainnet.programs.base import ExampleSpec
from rainnet.programs.jrgr import BACKGROUNDS, JRGRLoss, JRGRProgram
from rainnet.recipes.recipe import read_recipe
from rainnet.recipes.sections import Recipe
from rainnet.recipes.stages import only, plan
from rainnet.train.build import needs_of
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from tests.support.domains import domain_batches, two_domains
from tests.support.toy import Watcher, assert_same, state_of

TINY = {"critic_features": 4, "critic_stages": 2, "pool": 3}
CRITICS = {"critic background", "critic real", "critic synthetic"}


def a_program(**loss):
    torch.manual_seed(0)
    return JRGRProgram(rainnet.create("jrgr", features=4, depth=2), JRGRLoss(**TINY | loss))


def a_recipe(run=None, **sections):
    """The small recipe, made tiny: two steps of each stage."""
    values = read_recipe("jrgr-small").model_dump(mode="json")
    values["network"] |= {"config": {"features": 4, "depth": 2}}
    values["loss"] |= TINY
    values["run"] |= {"steps": 4, "batch": 2, "log_every": 1, "picture_every": 2, "save_every": 1} | (run or {})
    values["stages"] = [stage | {"steps": 2 if stage["name"] != "joint" else None} for stage in values["stages"]]
    return Recipe.model_validate(values | sections)


def run(recipe, folder, watcher=None, **options):
    return train(recipe, RunFolder(folder), domain_batches, watcher or Watcher(), device="cpu", **options)


def test_what_examples_hold():
    for part, unpaired in (("synthetic", False), ("real", False), ("joint", True)):
        assert JRGRProgram.needs(JRGRLoss(part=part)) == ExampleSpec(truth=True, unpaired_rainy=unpaired)
    assert needs_of(only(read_recipe("jrgr"), ["synthetic"])) == ExampleSpec(truth=True)


def test_the_objective_is_equation_8():
    program, batch = a_program(), two_domains()
    real, synthetic = found = program.network.translated(batch["rainy"], batch["unpaired_rainy"])
    terms = program(batch, "network", 0.0)
    critics = program.critics
    said = {
        "background": [critics["background"](picture) for picture in found.backgrounds],
        "real": [critics["real"](synthetic.made)],
        "synthetic": [critics["synthetic"](real.made)],
    }
    for name, scores in said.items():  # spectral norms have gone on by a few iterations since then
        torch.testing.assert_close(terms[f"adversarial {name}"], 10 * deceiving_loss(scores), rtol=0.05, atol=0)
    pairs = [(real.picture, real.again), (synthetic.picture, synthetic.again)]
    pairs += [(loop.background, loop.found_background) for loop in found]
    torch.testing.assert_close(terms["cycle"], sum(cycle_loss(*pair) for pair in pairs))
    backgrounds = [synthetic.background, synthetic.found_background]
    torch.testing.assert_close(terms["mse"], 10 * truth_loss(backgrounds, batch["clean"]))
    assert len(terms) == 5
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in program.parameters_of("network"))


def test_critics_are_shown_what_the_networks_have_made_in_the_step():
    program, batch = a_program(pool=0), two_domains()
    program(batch, "network", 0.0)
    kept = {name: picture.clone() for name, picture in program._made.items()}
    assert set(kept) == {*BACKGROUNDS, "made real", "made synthetic"}
    with torch.no_grad():
        program.network.removal_real.last.bias.fill_(0.3)  # the step of the networks
    seen = []
    program.critics["background"].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    terms = program(batch, "discriminator", 0.0)
    assert set(terms) == CRITICS
    assert [any(torch.equal(each, kept[name]) for each in seen) for name in BACKGROUNDS] == [True] * 4
    assert len(seen) == 5
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in program.parameters_of("discriminator"))
    assert not any(parameter.grad is not None for parameter in program.parameters_of("network"))
    # Alone, they are shown what is made now.
    assert program(batch, "discriminator", 0.0)["critic background"] != terms["critic background"]


@pytest.mark.parametrize(
    ("left_out", "gone", "critics"),
    [
        ("adversarial_background", {"adversarial background"}, CRITICS - {"critic background"}),
        ("adversarial_rainy", {"adversarial real", "adversarial synthetic"}, {"critic background"}),
        ("cycle", {"cycle"}, CRITICS),
        ("mse", {"mse"}, CRITICS),
    ],
)
def test_a_weight_of_zero_leaves_a_loss_out(left_out, gone, critics):
    program, batch = a_program(**{left_out: 0}), two_domains()
    terms = program(batch, "network", 0.0)
    assert set(a_program()(batch, "network", 0.0)) - set(terms) == gone
    assert set(program(batch, "discriminator", 0.0)) == critics


def test_without_critics_there_is_one_turn_and_without_anything_no_program():
    assert a_program(adversarial_background=0, adversarial_rainy=0).turns == ("network",)
    with pytest.raises(ValueError, match="all weights are 0"):
        JRGRLoss(adversarial_background=0, adversarial_rainy=0, cycle=0, mse=0)


def test_weights_of_the_authors_program_have_a_name_and_single_ones_differ():
    released = JRGRLoss(weights="released")
    assert (released.mse, released.adversarial_background, released.adversarial_rainy, released.cycle) == (40, 4, 4, 40)
    assert (released.alpha, released.reals) == (4, 4)
    assert JRGRLoss(weights="released", mse=0).mse == 0
    paper = JRGRLoss()
    assert (paper.alpha, paper.adversarial_background, paper.cycle, paper.mse, paper.reals) == (4, 10, 1, 10, 1)
    with pytest.raises(ValueError, match="'paper' or 'released'"):
        JRGRLoss(weights="papers")


@pytest.mark.parametrize(("part", "name"), [("synthetic", "removal_synthetic"), ("real", "removal_real")])
def test_a_removal_network_learns_alone_on_pairs(part, name):
    program, batch = a_program(part=part, mse=0, cycle=1), two_domains()
    assert program.turns == ("network",)
    own = getattr(program.network, name)
    assert list(program.parameters_of("network")) == list(own.parameters())
    (term,) = program(batch, "network", 0.0).values()
    torch.testing.assert_close(term, F.mse_loss(batch["rainy"] - own(batch["rainy"]), batch["clean"]))
    shown = program.pictures(batch)
    torch.testing.assert_close(shown["background"], (batch["rainy"] - own(batch["rainy"])).clamp(0, 1))


def test_all_pictures_of_both_loops_are_shown():
    shown = a_program().pictures(two_domains())
    assert len(shown) == 11
    assert {tuple(picture.shape) for picture in shown.values()} == {(2, 3, 16, 16)}
    assert all(float(picture.min()) >= 0 and float(picture.max()) <= 1 for picture in shown.values())


def test_three_stages_train_their_parts_one_after_the_other(tmp_path):
    recipe = a_recipe(run={"ema": 0.0})
    watcher = Watcher()
    states = {}

    def keep(number):
        states[number] = {name: value.clone() for name, value in state_of(tmp_path / "run")["program"].items()}

    watcher.advance = keep  # before the state of that step is written: it holds one step less
    run(recipe, tmp_path / "run", watcher)
    assert [step.stage for step in watcher.steps] == ["synthetic"] * 2 + ["real"] * 2 + ["joint"] * 4
    assert set(watcher.steps[-1].terms) > CRITICS

    def changed(a, b):
        return {part for part in PARTS if not torch.equal(*(s[f"network.{part}.last.weight"] for s in (a, b)))}

    assert changed(states[1], states[2]) == {"removal_synthetic"}
    assert changed(states[3], states[4]) == {"removal_real"}
    assert changed(states[5], states[6]) == set(PARTS)
    first = {part: states[5][f"network.{part}.last.weight"] for part in PARTS}
    real, synthetic = first["removal_real"], first["removal_synthetic"]
    assert 0 < float((real - synthetic).abs().max()) < 5e-3  # two steps after the copy
    assert len(state_of(tmp_path / "run")["program"]["pools.made real.pictures"]) == 3


@pytest.mark.slow
def test_a_run_that_was_stopped_in_the_joint_stage_ends_with_the_same_weights(tmp_path):
    recipe = only(a_recipe(), ["joint"])

    def kill():
        raise RuntimeError("killed")

    whole = run(recipe, tmp_path / "whole").state_dict()
    with pytest.raises(RuntimeError, match="killed"):
        run(recipe, tmp_path / "part", Watcher(3, kill))
    assert_same(run(recipe, tmp_path / "part", resume=True).state_dict(), whole)
    assert_same(state_of(tmp_path / "part")["program"], state_of(tmp_path / "whole")["program"])


def test_recipes_have_the_papers_numbers():
    synthetic, real, joint = plan(read_recipe("jrgr"))
    assert (synthetic.steps, real.steps, joint.steps) == (12_500, 12_500, 25_000)
    rates = joint.recipe.optimiser_of("network")
    assert (rates.lr, rates.rates) == (1e-4, {"network.removal_real": 0.1, "network.removal_synthetic": 0.01})
    assert [stage.recipe.optimiser_of("network").lr for stage in (synthetic, real)] == [1e-4] * 2
    assert real.copies == {"network.removal_real": "network.removal_synthetic"}
    assert (joint.recipe.run.batch, joint.recipe.data.size) == (16, 256)


@pytest.mark.slow
def test_rain_that_has_no_truth_is_learned_by_the_loops():
    torch.manual_seed(0)
    net = rainnet.create("jrgr", features=8, depth=2)
    seen = two_domains(5000, 16, 32)

    def error(removal):
        with torch.no_grad():
            B = seen["unpaired_rainy"] - removal(seen["unpaired_rainy"])
        return float(F.mse_loss(B.clamp(0, 1), seen["unpaired_clean"]))

    def learn(shares, lr, steps, **loss):
        program = JRGRProgram(net, JRGRLoss(critic_features=16, critic_stages=2, pool=20, **loss))
        groups = [{"params": getattr(net, part).parameters(), "lr": lr * share} for part, share in shares.items()]
        optimisers = {"network": torch.optim.Adam(groups)}
        if "discriminator" in program.turns:
            optimisers["discriminator"] = torch.optim.Adam(program.parameters_of("discriminator"), lr)
        for step in range(steps):
            for turn, optimiser in optimisers.items():
                torch.manual_seed(step)
                optimiser.zero_grad()
                sum(program(two_domains(step, 4, 32), turn, 0.0).values()).backward()
                optimiser.step()

    learn({"removal_synthetic": 1.0}, 2e-3, 250, part="synthetic")
    net.removal_real.load_state_dict(net.removal_synthetic.state_dict())
    before = error(net.removal_real)
    shares = dict.fromkeys(PARTS, 1.0) | {"removal_real": 0.1, "removal_synthetic": 0.01}
    learn(shares, 5e-4, 200)
    assert error(net.removal_real) < 0.9 * before
    assert error(net.removal_synthetic) > 0.95 * before
