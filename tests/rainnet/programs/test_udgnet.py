"""How UDGNet is trained."""

import pytest
import torch

from rainnet.programs.base import ExampleSpec
from rainnet.programs.udgnet import UDGNetLoss, UDGNetProgram, angle_loss
from rainnet.recipes.recipe import RecipeError, checked, read_recipe
from rainnet.train.build import build_program
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from rainnet.weights.checkpoint import load
from tests.support.toy import Watcher, assert_same
from tests.support.udgnet import batches_of, example, udgnet_recipe


def run(recipe, folder, watcher=None, source=None, **options):
    source = source or batches_of(2)
    return train(recipe, RunFolder(folder), source, watcher or Watcher(), device="cpu", **options)


def one_patch(start, steps, rank, world):
    for _ in range(start, steps):
        yield torch.utils.data.default_collate([example(0), example(0)])


@pytest.mark.parametrize(("precision", "steps", "share"), [("32-true", 120, 0.2), ("bf16-mixed", 60, 0.5)])
def test_one_patch_is_learnt_by_heart(tmp_path, precision, steps, share):
    recipe = udgnet_recipe(steps=steps, ema=0.0, save_every=0, log_every=50, precision=precision)
    network = run(recipe, tmp_path / "run", source=one_patch)
    known = example(0)
    with torch.no_grad():
        result = network.eval()(known["rainy"][None], torch.zeros(1))
    before = (known["rainy"] - known["clean"]).square().mean()
    assert float((result.background[0] - known["clean"]).square().mean()) < share * float(before)
    assert load(tmp_path / "run").image_stream.head.weight.dtype == torch.float32


def test_with_all_losses_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    recipe = udgnet_recipe({"adversarial": 0.1, "angle": 1.0, "bounds": 1.0, "solver": 0.1}, steps=4)
    whole = Watcher()
    network = run(recipe, tmp_path / "whole", whole)
    assert set(whole.steps[0].terms) == {"energy", "bounds", "adversarial", "truth", "solver", "angle", "discriminator"}

    def stop():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(recipe, tmp_path / "stopped", Watcher(4, stop))
    rest = Watcher()
    assert_same(run(recipe, tmp_path / "stopped", rest, resume=True).state_dict(), network.state_dict())
    assert [step.terms for step in rest.steps] == [step.terms for step in whole.steps[3:]]


def test_each_optimiser_changes_its_own_part_alone(tmp_path):
    recipe = udgnet_recipe({"adversarial": 1.0}, {"discriminator": {"lr": 1e-9}}, steps=1, ema=0.0)
    before = build_program(recipe).state_dict()
    run(recipe, tmp_path / "run")
    after = torch.load(tmp_path / "run/last.ckpt", weights_only=True)["program"]
    moved = {name for name in before if float((after[name] - before[name]).abs().max()) > 1e-6}
    assert any(name.startswith("network.image_stream") for name in moved)
    # Its power iteration runs whenever it is asked; its weights do not move.
    assert not any(name.startswith("discriminator") and "original" in name for name in moved)


def test_the_angle_can_be_trained_alone(tmp_path):
    recipe = udgnet_recipe({"truth": 0.0, "energy": 0.0, "angle": 1.0}, ema=0.0)
    before = build_program(recipe).network.state_dict()
    after = run(recipe, tmp_path / "run").state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("angle.") for name in moved)


def test_angles_count_as_labels_do_and_those_beyond_not_at_all():
    found = torch.tensor([0.0, 9.0, 0.0])
    assert float(angle_loss(found, torch.tensor([9.0, 9.0, 80.0]))) == pytest.approx(0.1**2 / 2)
    assert float(angle_loss(found, torch.tensor([80.0, 60.0, -50.0]))) == 0


def test_it_needs_what_its_losses_are_computed_from():
    needs = UDGNetProgram.needs
    some = UDGNetLoss(truth=1.0, adversarial=0.0, angle=0.0)
    assert needs(some) == ExampleSpec(upright=True, truth=True)
    others = UDGNetLoss(truth=0.0, adversarial=1.0, angle=1.0)
    assert needs(others) == ExampleSpec(upright=True, unpaired=True, plain=True, angle=True)


def test_the_papers_recipe_has_the_papers_numbers():
    recipe = read_recipe("udgnet")
    loss = UDGNetLoss.model_validate(recipe.loss)
    assert (loss.tau, loss.lambda_x, loss.lambda_y) == (0.01, 1.5, 1.0)
    assert loss.adversarial == pytest.approx(400 / (128 * 128 * 3), rel=0.03)
    assert (recipe.run.batch, recipe.data.size, recipe.optimiser_of("network").lr) == (8, 128, 1e-3)
    assert recipe.optimiser_of("discriminator").betas == (0.5, 0.999)


def test_keys_of_the_loss_are_checked_and_something_is_minimised():
    with pytest.raises(RecipeError, match=r"'loss.tua': 'tua' is no key; did you mean 'tau'\?"):
        checked(UDGNetLoss, {"tua": 1}, "loss")
    zero = dict.fromkeys(("energy", "bounds", "adversarial", "truth", "solver", "angle"), 0.0)
    with pytest.raises(RecipeError, match="there is nothing to minimise"):
        checked(UDGNetLoss, zero, "loss")
