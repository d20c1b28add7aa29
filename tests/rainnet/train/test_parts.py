"""Parts of a program that learn at rates of their own, begin with the weights of others, and stages that are chosen."""

import pytest
import torch
from torch import nn

from rainnet.recipes.recipe import RecipeError, read_recipe
from rainnet.recipes.stages import only, plan
from rainnet.train.build import build_program, grouped
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from tests.support.toy import Toy, ToyProgram, Watcher, assert_same, batches, in_zoo, state_of, toy_recipe


class Twice(Toy):
    """The toy, with a convolution behind it that it can copy, and one that it cannot."""

    def __init__(self, config=None):
        super().__init__(config)
        self.second = nn.Conv2d(12, 12, 3, padding=1)
        self.other = nn.Conv2d(12, 12, 1)

    def layers(self, rainy):
        found = super().layers(rainy).removed
        x = nn.functional.pixel_unshuffle(found, 2)
        found = nn.functional.pixel_shuffle(self.second(x) + self.other(x), 2)
        return super().layers(rainy)._replace(removed=found, rain=found)


@pytest.fixture(autouse=True)
def twice():
    with in_zoo(ToyProgram, Twice):
        yield


def run(recipe, folder, watcher=None, **options):
    return train(recipe, RunFolder(folder), batches, watcher or Watcher(), device="cpu", **options)


def moved(folder, before):
    """How far the first step of Adam has moved each part: its learning rate."""
    now = state_of(folder)["program"]
    return {name: float((now[name] - before[name]).abs().max()) for name in now if name.endswith("weight")}


def test_parts_learn_at_their_own_rates(tmp_path):
    rates = {"network": 0.5, "network.second": 0.1, "network.other": 0.01}
    section = {"lr": 1e-2, "schedule": "constant", "rates": rates}
    recipe = toy_recipe(optimiser=section, run={"steps": 1})
    before = {name: value.clone() for name, value in build_program(recipe).state_dict().items()}
    run(recipe, tmp_path / "run")
    assert moved(tmp_path / "run", before) == pytest.approx(
        {"network.convolution.weight": 5e-3, "network.second.weight": 1e-3, "network.other.weight": 1e-4}, rel=1e-3
    )


def test_rates_of_one_change_nothing_and_without_them_there_are_no_groups(tmp_path):
    plain = run(toy_recipe(), tmp_path / "plain").state_dict()
    rates = {"network.second": 1.0, "network.other": 1.0}
    assert_same(run(toy_recipe(optimiser={"rates": rates}), tmp_path / "ones").state_dict(), plain)
    (group,) = state_of(tmp_path / "plain")["optimisers"]["network"]["param_groups"]
    assert "share" not in group
    program = build_program(toy_recipe())
    assert grouped(program, "network", toy_recipe().optimiser_of("network")) == list(program.parameters())


STAGES = [
    {"name": "early", "steps": 2, "optimiser": {"rates": {}}},
    {"name": "late", "steps": 3, "copies": {"network.second": "network.convolution"}},
]


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_run_with_rates_and_copies_resumes_as_if_it_had_not_been_stopped(tmp_path, stop):
    recipe = toy_recipe(stages=STAGES, optimiser={"rates": {"network.second": 0.1}}, run={"save_every": 1})

    def kill():
        raise RuntimeError("killed")

    whole = run(recipe, tmp_path / "whole").state_dict()
    with pytest.raises(RuntimeError, match="killed"):
        run(recipe, tmp_path / "part", Watcher(stop, kill))
    assert_same(run(recipe, tmp_path / "part", resume=True).state_dict(), whole)


def test_a_part_begins_with_the_weights_that_another_was_kept_with(tmp_path):
    early = run(toy_recipe(stages=STAGES[:1]), tmp_path / "early").state_dict()
    still = STAGES[1] | {"steps": 1, "frozen": ["network.second"]}
    late = run(toy_recipe(stages=[STAGES[0], still]), tmp_path / "late").state_dict()
    # Averages, as the stage before has kept them; those of this stage begin with the copy.
    for name in ("weight", "bias"):
        assert torch.equal(late[f"second.{name}"], early[f"convolution.{name}"])
        assert not torch.equal(late[f"convolution.{name}"], early[f"convolution.{name}"])


def test_copies_are_of_what_was_there_before_any(tmp_path):
    swap = {"network.second": "network.convolution", "network.convolution": "network.second"}
    stages = [STAGES[0], {"name": "swap", "steps": 1, "copies": swap, "frozen": ["network.second", *swap]}]
    early = run(toy_recipe(stages=stages[:1]), tmp_path / "early").state_dict()
    after = run(toy_recipe(stages=stages), tmp_path / "swapped").state_dict()
    assert torch.equal(after["second.weight"], early["convolution.weight"])
    assert torch.equal(after["convolution.weight"], early["second.weight"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"optimiser": {"rates": {"network.secnd": 0.1}}},
            "'optimiser.network.rates': .*mean 'network.second'",
        ),
        ({"stages": [{"copies": {"network.second": "network.convolutoin"}}]}, "did you mean 'network.convolution'"),
        ({"stages": [{}, {"copies": {"network.secnd": "network.convolution"}}]}, "did you mean 'network.second'"),
        (
            {"stages": [{"copies": {"network.other": "network.second"}}]},
            "'network.other' is not built as 'network.second', whose weights it cannot take",
        ),
    ],
)
def test_parts_that_there_are_not_are_told_before_anything_is_done(tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        run(toy_recipe(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_rates_are_read_beside_turns_and_changed_as_a_whole():
    recipe = read_recipe("jrgr", ["optimiser.discriminator.lr=0.5"])
    both = {"network.removal_real": 0.1, "network.removal_synthetic": 0.01}
    assert recipe.optimiser_of("network").rates == recipe.optimiser_of("discriminator").rates == both
    assert recipe.optimiser_of("discriminator").lr == 0.5
    assert [stage.recipe.optimiser_of("network").rates for stage in plan(recipe)] == [{}, {}, both]
    for key in ("optimiser.rates", "optimiser.network.rates"):
        assert plan(read_recipe("jrgr", [f"{key}={{}}"]))[2].recipe.optimiser_of("network").rates == {}
    one = plan(read_recipe("jrgr", ["optimiser.rates={'network.removal_synthetic'=0.01}"]))[2].recipe
    assert one.optimiser_of("network").rates == {"network.removal_synthetic": 0.01}
    with pytest.raises(RecipeError, match=r"'optimiser.network.rates.network' = 0: .*greater than 0"):
        read_recipe("udgnet", ["optimiser.rates={network=0}"])


def test_stages_are_chosen_by_name_in_the_recipes_order():
    recipe = read_recipe("jrgr")
    chosen = plan(only(recipe, ["joint", "synthetic"]))
    assert [(stage.name, stage.number, stage.first) for stage in chosen] == [("synthetic", 0, 0), ("joint", 1, 12500)]
    with pytest.raises(RecipeError, match="'jiont' is no stage of the recipe; its stages are synthetic, real, joint"):
        only(recipe, ["joint", "jiont"])
    with pytest.raises(RecipeError, match="'joint' is no stage of the recipe; it has no stages that have names"):
        only(read_recipe("udgnet"), ["joint"])
