"""The training loop: what a run does, keeps and says, whatever network it trains."""

import os
import signal

import pytest
import torch

import rainnet
from rainnet.recipes.recipe import RecipeError
from rainnet.train.build import build_program
from rainnet.train.ema import averaged
from rainnet.train.interruption import Interruption, StoppedError
from rainnet.train.loop import DivergedError, train
from rainnet.train.run_folder import STATE, RunFolder
from tests.support.toy import ToyProgram, Watcher, assert_same, batches, in_zoo, state_of, toy_recipe

pytestmark = pytest.mark.usefixtures("toy")


def run(folder, recipe=None, source=batches, watcher=None, **options):
    return train(recipe or toy_recipe(), RunFolder(folder), source, watcher or Watcher(), device="cpu", **options)


def test_a_run_that_a_signal_has_stopped_goes_on_from_there(tmp_path):
    straight = Watcher()
    whole = run(tmp_path / "whole", watcher=straight)
    with pytest.raises(StoppedError, match="stopped by SIGINT") as stop:
        run(tmp_path / "stopped", watcher=Watcher(4, lambda: os.kill(os.getpid(), signal.SIGINT)))
    assert stop.value.status == 130
    assert state_of(tmp_path / "stopped")["step"] == 4
    rest = Watcher()
    assert_same(run(tmp_path / "stopped", watcher=rest, resume=True).state_dict(), whole.state_dict())
    assert [step.number for step in rest.steps] == [5, 6]
    assert [step.terms for step in rest.steps] == [step.terms for step in straight.steps[4:]]
    for file in (STATE, "model.safetensors"):
        assert (tmp_path / "stopped" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes(), file


def test_the_first_signal_stops_at_the_end_of_a_step_and_a_second_ctrl_c_at_once():
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.asked == signal.SIGTERM
        os.kill(os.getpid(), signal.SIGTERM)  # a scheduler's comes twice: to the group, and by who started it
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_that_fails_at_once_can_be_gone_on_with(tmp_path):
    def broken(start, steps, rank, world):
        raise ValueError("no data")
        yield

    with pytest.raises(ValueError, match="no data"):
        run(tmp_path / "run", source=broken)
    assert_same(run(tmp_path / "run", resume=True).state_dict(), run(tmp_path / "whole").state_dict())


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    a, b, c = (
        run(tmp_path / name, toy_recipe(run={"seed": seed, "steps": 2})).state_dict()
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert_same(a, b)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_the_average_is_what_is_kept(tmp_path):
    kept = run(tmp_path / "run", toy_recipe(run={"ema": 0.9})).state_dict()
    state = state_of(tmp_path / "run")
    assert_same(kept, rainnet.load(tmp_path / "run").state_dict())
    assert_same(kept, state["published"]["model"])
    assert any(not torch.equal(kept[name], state["program"][f"network.{name}"]) for name in kept)


def test_an_average_follows_the_formula():
    module = torch.nn.Linear(2, 2)
    average = averaged(module, 0.9)
    expected = module.weight.detach().clone()
    for step in range(200):
        with torch.no_grad():
            module.weight.add_(0.1)
        average.update_parameters(module)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * module.weight.detach()
    torch.testing.assert_close(average.module.weight.detach(), expected)


def test_a_loss_that_is_no_number_stops_with_what_to_look_at(tmp_path):
    def poisoned(start, steps, rank, world):
        for number, batch in enumerate(batches(start, steps, rank, world)):
            yield batch | {"clean": batch["clean"] * float("nan")} if number == 4 else batch

    with pytest.raises(DivergedError) as error:
        run(tmp_path / "run", toy_recipe(run={"save_every": 3}), poisoned)
    for part in ("step 5", "turn 'network'", "truth nan", "examples 8 to 9", "optimiser.lr", "untouched"):
        assert part in str(error.value)
    assert state_of(tmp_path / "run")["step"] == 3


class Steep(torch.autograd.Function):
    """The identity, with a gradient without end."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * float("inf")


class SteepProgram(ToyProgram):
    def forward(self, batch, turn, progress):
        terms = super().forward(batch, turn, progress)
        return {name: Steep.apply(value) for name, value in terms.items()} if progress > 0.6 else terms


def test_a_gradient_that_is_no_number_stops_it_before_it_does_harm(tmp_path):
    with pytest.raises(DivergedError, match="step 5: a loss or gradient"), in_zoo(SteepProgram):
        run(tmp_path / "run", toy_recipe(run={"save_every": 1}))
    assert all(bool(torch.isfinite(value).all()) for value in state_of(tmp_path / "run")["program"].values())


def test_what_is_told_is_told_when_it_is_due(tmp_path):
    watcher = Watcher()
    settings = {"steps": 5, "log_every": 2, "picture_every": 2}
    run(tmp_path / "run", toy_recipe(run=settings), watcher=watcher)
    assert [step.number for step in watcher.steps] == [2, 4, 5]
    assert all(step.images_per_second > 0 and 0 <= step.waiting <= 1 for step in watcher.steps)
    assert watcher.steps[-1].seconds_left == 0
    assert [number for number, _ in watcher.shown] == [2, 4]
    assert list(watcher.shown[0][1]) == ["rainy", "background", "rain x3", "clean"]


def test_training_begins_with_another_model(tmp_path):
    network = run(tmp_path / "first")
    section = {"start": str(tmp_path / "first/model.safetensors")}
    later = build_program(toy_recipe(network=section)).network
    assert_same(later.state_dict(), network.state_dict())
    assert all(p.requires_grad for p in later.parameters())
    with pytest.raises(RecipeError, match=r"'network.config.strength' is 0.5, and that of .* is 0.1"):
        build_program(toy_recipe(network=section | {"config": {"strength": 0.5}}))
    udgnet = {"name": "udgnet", "start": section["start"]}
    with pytest.raises(RecipeError, match="is a toy, and the recipe trains a udgnet"):
        build_program(toy_recipe(network=udgnet))


def test_an_optimiser_that_there_is_not_is_named():
    with pytest.raises(RecipeError, match=r"'optimiser.netwrk'.*did you mean 'network'"):
        build_program(toy_recipe(optimiser={"netwrk": {"lr": 1.0}}))
