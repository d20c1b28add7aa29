"""Stages of a run, turns in a pattern, and networks beside the main one."""

import pytest
import torch
from torch import nn

import rainnet
from rainnet.recipes.recipe import RecipeError, read_recipe
from rainnet.recipes.stages import plan
from rainnet.train.build import build_program
from rainnet.train.loop import train
from rainnet.train.run_folder import RunError, RunFolder
from tests.support.toy import Toy, ToyProgram, Watcher, assert_same, batches, in_zoo, state_of, toy_recipe

STAGES = [
    {"name": "early", "steps": 2, "loss": {"smooth": 0.0}, "optimiser": {"lr": 0.1, "schedule": "constant"}},
    {"name": "frozen", "steps": 3, "frozen": ["network.convolution"], "optimiser": {"critic": {"lr": 1e-3}}},
    {"name": "late"},
]


class Pair(ToyProgram):
    """The toy, a network beside it that is published too, and a critic that steps twice as often."""

    all_turns = ("critic", "network", "generator")
    pattern = ("critic", "critic", ("network", "generator"))

    def __init__(self, network, loss):
        super().__init__(network, loss)
        self.generator, self.critic = Toy(), nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
        self.told = []

    def networks(self):
        return super().networks() | {"generator": self.generator}

    def parameters_of(self, turn):
        return getattr(self, turn).parameters()

    def forward(self, batch, turn, progress):
        self.told.append((turn, progress))
        if turn == "network":
            return super().forward(batch, turn, progress)
        if turn == "critic":
            return {"critic": (self.critic(batch["rainy"]) - torch.rand(())).square().mean()}
        return {"generator": self.generator.layers(batch["rainy"]).rain.square().mean()}


@pytest.fixture(autouse=True)
def pair():
    with in_zoo(Pair):
        yield


def run(recipe, folder, watcher=None, **options):
    return train(recipe, RunFolder(folder), batches, watcher or Watcher(), device="cpu", **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The folder and the watcher of a run that nothing stopped."""
    folder, watcher = tmp_path_factory.mktemp("runs") / "whole", Watcher()
    with in_zoo(Pair):
        run(toy_recipe(stages=STAGES, run={"save_every": 1}), folder, watcher)
    return folder, watcher


@pytest.mark.parametrize("stop", range(1, 11))
def test_a_run_that_is_killed_anywhere_resumes_as_if_it_had_not_been(tmp_path, whole, stop):
    recipe, (there, watched) = toy_recipe(stages=STAGES, run={"save_every": 1}), whole

    def kill():
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run(recipe, tmp_path / "part", Watcher(stop, kill))
    rest = Watcher()
    run(recipe, tmp_path / "part", rest, resume=True)
    # The step that was being reported when it was killed is done again.
    assert [step.number for step in rest.steps] == list(range(stop, 12))
    assert [step.terms for step in rest.steps] == [step.terms for step in watched.steps[stop - 1 :]]
    assert_same(state_of(tmp_path / "part")["program"], state_of(there)["program"])
    for name in ("model", "generator"):
        ours, theirs = (rainnet.load(folder / f"{name}.safetensors") for folder in (tmp_path / "part", there))
        assert_same(ours.state_dict(), theirs.state_dict())


def test_each_stage_has_its_own_steps_rates_and_losses(tmp_path):
    watcher = Watcher()
    run(toy_recipe(stages=STAGES), tmp_path / "run", watcher)
    assert [step.stage for step in watcher.steps] == ["early"] * 2 + ["frozen"] * 3 + ["late"] * 6
    assert [step.rate for step in watcher.steps[:2]] == [0.1, 0.1]
    assert watcher.steps[2].rate == 1e-3  # that of the first turn, the critic
    late = [step.rate for step in watcher.steps[5:]]
    assert late[0] == 1e-2
    assert late == sorted(late, reverse=True)
    assert [step.steps for step in watcher.steps] == [11] * 11


def test_what_is_frozen_stays_as_it_is_and_its_turn_is_left_out(tmp_path):
    watcher, stages = Watcher(), STAGES[:2]
    run(toy_recipe(stages=stages[:1]), tmp_path / "early", Watcher())
    run(toy_recipe(stages=stages), tmp_path / "both", watcher)
    early, both = (rainnet.load(tmp_path / name).state_dict() for name in ("early", "both"))
    assert_same(early, both)
    # The pattern goes on without the network: two steps of the critic, one of the generator.
    assert [list(step.terms) for step in watcher.steps[2:]] == [["critic"], ["critic"], ["generator"]]
    stages = [*stages[:1], {"name": "still", "steps": 3, "frozen": ["critic"]}]
    run(toy_recipe(stages=stages), tmp_path / "still", watcher)
    before, after = (state_of(tmp_path / name)["program"] for name in ("early", "still"))
    # Nor do running means move.
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("critic."))


def test_a_stage_goes_on_from_what_was_kept_or_from_a_model(tmp_path):
    first = run(toy_recipe(stages=STAGES[:1]), tmp_path / "first")
    still = {"name": "still", "steps": 1, "frozen": ["network"]}
    run(toy_recipe(stages=[STAGES[0], still]), tmp_path / "on")
    assert_same(rainnet.load(tmp_path / "on").state_dict(), first.state_dict())
    other = rainnet.save(rainnet.create("toy", strength=0.3), tmp_path / "other.safetensors")
    run(toy_recipe(stages=[STAGES[0], still | {"start": str(other)}]), tmp_path / "model")
    began = rainnet.load(tmp_path / "model")
    assert_same(began.state_dict(), rainnet.load(other).state_dict())
    assert began.config.strength == 0.3
    # Everything else goes on from the stage before.
    before, after = (state_of(tmp_path / name)["program"] for name in ("first", "model"))
    assert torch.equal(before["critic.0.weight"], after["critic.0.weight"]) is False
    assert after["critic.1.num_batches_tracked"] == before["critic.1.num_batches_tracked"] + 1


def test_turns_follow_the_pattern_and_are_told_the_progress(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(Pair, "__init__", lambda self, *given: _init(self, given, told))
    run(toy_recipe(), tmp_path / "run")
    turns = ["critic", "critic", "network", "generator"]
    assert [turn for turn, _ in told] == turns * 2
    assert [progress for _, progress in told] == [0, 1 / 6, 2 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 5 / 6]


REAL_INIT = Pair.__init__


def _init(self, given, told):
    REAL_INIT(self, *given)
    self.told = told


def test_steps_that_change_no_network_are_no_part_of_the_average(tmp_path):
    run(toy_recipe(), tmp_path / "run")
    # The two updates, and what it was before.
    assert state_of(tmp_path / "run")["averaged"] == 3


def test_a_stage_that_is_over_keeps_its_steps_and_a_later_one_may_have_more(tmp_path):
    stages = [STAGES[0], STAGES[2] | {"steps": 2}]
    run(toy_recipe(stages=stages), tmp_path / "run")
    with pytest.raises(RunError, match="is through with stage 'early' and its 2 steps"):
        run(toy_recipe(stages=[stages[0] | {"steps": 3}, stages[1]]), tmp_path / "run", resume=True)
    with pytest.raises(RunError, match="has 2 steps done, and steps of stage 'late' is 1"):
        run(toy_recipe(stages=[stages[0], stages[1] | {"steps": 1}]), tmp_path / "run", resume=True)
    with pytest.raises(RunError, match=r"stages\.0\.loss\.smooth: 0\.0 → 0\.5"):
        run(toy_recipe(stages=[stages[0] | {"loss": {"smooth": 0.5}}, stages[1]]), tmp_path / "run", resume=True)
    watcher = Watcher()
    run(toy_recipe(stages=[stages[0], stages[1] | {"steps": 4}]), tmp_path / "run", watcher, resume=True)
    assert [step.number for step in watcher.steps] == [5, 6]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stages": [{"frozen": ["network.convolutoin"]}]}, "did you mean 'network.convolution'"),
        ({"stages": [{"frozen": ["network", "critic", "generator"]}]}, "nothing is left to be trained"),
        ({"stages": [{"loss": {"truht": 1}}]}, "did you mean 'truth'"),
        ({"stages": [{}, {"optimiser": {"kind": "adamm"}}]}, "did you mean 'adam'"),
        ({"stages": [{"optimiser": {"critc": {"lr": 1}}}]}, "did you mean 'critic'"),
    ],
)
def test_what_is_wrong_with_a_stage_is_found_out_before_anything_is_done(tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        run(toy_recipe(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_stages_of_a_file_change_keys_of_the_recipe(tmp_path):
    file = tmp_path / "staged.toml"
    file.write_text(
        """
        network.name = "toy"
        optimiser = { lr = 1e-3, clip = 1.0, critic = { lr = 1e-4 } }
        run.steps = 9
        [[stages]]
        name = "one"
        [[stages]]
        name = "two"
        steps = 4
        optimiser = { lr = 1e-5, generator = { betas = [0.5, 0.9] } }
        """
    )
    one, two = plan(read_recipe(str(file)))
    assert (one.first, one.last, two.first, two.last) == (0, 9, 9, 13)
    assert one.recipe.optimiser_of("critic").lr == 1e-4
    network, critic, generator = (two.recipe.optimiser_of(turn) for turn in ("network", "critic", "generator"))
    # As in a recipe: keys without a turn are for all that do not say otherwise.
    assert (network.lr, critic.lr, generator.lr) == (1e-5, 1e-4, 1e-5)
    assert generator.betas == (0.5, 0.9)
    assert {section.clip for section in (network, critic, generator)} == {1.0}
    file.write_text(file.read_text().replace("lr = 1e-5", "lrr = 1e-5"))
    with pytest.raises(RecipeError, match=r"'stages.two.optimiser.lrr': 'lrr' is no key; did you mean 'lr'"):
        read_recipe(str(file))
    file.write_text(file.read_text().replace("steps = 4", "stesp = 4"))
    with pytest.raises(RecipeError, match=r"'stages.1.stesp': 'stesp' is no key; did you mean 'steps'"):
        read_recipe(str(file))


@pytest.mark.parametrize("kind", ["adam", "adamw", "sgd"])
def test_optimisers_go_by_name_and_lower_the_loss(tmp_path, kind):
    watcher = Watcher()
    loss = {"truth": 0.0, "smooth": 10.0}
    run(toy_recipe(optimiser={"kind": kind, "lr": 1e-2}, loss=loss, run={"steps": 30}), tmp_path / "run", watcher)
    told = [step.terms["smooth"] for step in watcher.steps if "smooth" in step.terms]
    assert told[-1] < told[0]
    assert build_program(toy_recipe()).turns == Pair.all_turns
