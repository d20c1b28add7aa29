import os
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from rainnet.infer.devices import resolve_device
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.recipe import Recipe, RecipeError
from rainnet.train.build import build_program
from rainnet.train.ema import averaged
from rainnet.train.fabric import make_fabric
from rainnet.train.interruption import Interruption
from rainnet.train.loop import DivergedError, train
from rainnet.train.run_folder import RunError, RunFolder
from rainnet.train.validator import Validator
from rainnet.weights.checkpoint import load
from rainnet.zoo import entry_of
from rainopt import write_image

ROOT = Path(__file__).parents[3]
TINY = {"features": 4, "blocks": 1, "angle_features": 4, "angle_stages": 2, "rain_from_input": False}


def recipe(loss=None, optimiser=None, **run):
    losses = {"adversarial": 0.0, "angle": 0.0, "energy": 0.1, "truth": 1.0} | (loss or {})
    settings = {"steps": 6, "batch": 2, "log_every": 1, "picture_every": 0, "save_every": 3, "ema": 0.5} | run
    return Recipe.model_validate(
        {
            "network": {"name": "udgnet", "config": TINY},
            "loss": losses,
            "optimiser": {"lr": 1e-2, "schedule": "cosine"} | (optimiser or {}),
            "run": settings,
        }
    )


class Watcher:
    """Keeps what it is told."""

    def __init__(self, stop_at=None):
        self.steps, self.shown, self.scores, self.stop_at = [], [], [], stop_at

    def advance(self, number):
        if number == self.stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    def step(self, step):
        self.steps.append(step)

    def pictures(self, number, pictures):
        self.shown.append((number, pictures))

    def validated(self, number, scores, best):
        self.scores.append((number, scores, best))


def example(k, size=24):
    """Vertical streaks over a smooth picture; example k is a function of k."""
    rng = np.random.default_rng(k)
    clean = torch.from_numpy(rng.random((3, 1, 1)) * 0.5 + np.linspace(0, 0.2, size)).expand(3, size, size)
    rain = torch.from_numpy(rng.random(size) < 0.2).double() * 0.25
    rainy = (clean + rain).float()
    return {
        "rainy": rainy,
        "clean": clean.float(),
        "plain": rainy,
        "angle": torch.tensor(0.0),
        "unpaired": clean.float().flip(-1),
    }


def batches(start, steps, rank, world):
    for step in range(start, steps):
        first = (step * world + rank) * 2
        yield torch.utils.data.default_collate([example(first), example(first + 1)])


def one_patch(start, steps, rank, world):
    for _ in range(start, steps):
        yield torch.utils.data.default_collate([example(0), example(0)])


def weights_of(folder):
    return load(folder.model).state_dict()


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_one_patch_is_learnt_by_heart(tmp_path):
    settings = recipe(steps=400, ema=0.0, save_every=0, log_every=100)
    network = train(settings, RunFolder(tmp_path / "run"), one_patch, Watcher())
    known = example(0)
    with torch.no_grad():
        result = network.eval()(known["rainy"][None], torch.zeros(1))
    before = (known["rainy"] - known["clean"]).square().mean()
    assert float((result.background[0] - known["clean"]).square().mean()) < 0.05 * float(before)


@pytest.mark.parametrize("loss", [{}, {"adversarial": 0.1, "angle": 1.0, "bounds": 1.0}])
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, loss):
    settings = recipe(loss)
    whole, stopped = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "stopped")
    straight = Watcher()
    train(settings, whole, batches, straight)
    with pytest.raises(KeyboardInterrupt):
        train(settings, stopped, batches, Watcher(stop_at=4))
    rest = Watcher()
    train(settings, stopped, batches, rest, resume=True)
    assert [step.number for step in rest.steps] == [5, 6]
    assert [step.terms for step in rest.steps] == [step.terms for step in straight.steps[4:]]
    assert_same(weights_of(whole), weights_of(stopped))


def test_a_run_that_was_killed_goes_on_from_its_last_checkpoint(tmp_path):
    class KilledError(Exception):
        pass

    def until_five(start, steps, rank, world):
        for number, batch in enumerate(batches(start, steps, rank, world), start + 1):
            if number == 5:
                raise KilledError
            yield batch

    settings = recipe()
    train(settings, RunFolder(tmp_path / "whole"), batches, Watcher())
    with pytest.raises(KilledError):
        train(settings, RunFolder(tmp_path / "killed"), until_five, Watcher())
    rest = Watcher()
    train(settings, RunFolder(tmp_path / "killed"), batches, rest, resume=True)
    assert rest.steps[0].number == 4
    assert_same(weights_of(RunFolder(tmp_path / "whole")), weights_of(RunFolder(tmp_path / "killed")))


def test_the_same_seed_gives_the_same_weights_and_another_does_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(recipe(seed=seed, steps=2), RunFolder(tmp_path / name), batches, Watcher())
    a, b, c = (weights_of(RunFolder(tmp_path / name)) for name in "abc")
    assert_same(a, b)
    assert any(not torch.equal(a[name], c[name]) for name in a)


def test_each_optimiser_changes_its_own_part_alone(tmp_path):
    settings = recipe({"adversarial": 1.0}, {"discriminator": {"lr": 1e-9}}, steps=1, ema=0.0)
    before = build_program(settings).state_dict()
    folder = RunFolder(tmp_path / "run")
    train(settings, folder, batches, Watcher())
    after = torch.load(folder.path / "last.ckpt", weights_only=True)["program"]
    moved = {name for name in before if float((after[name] - before[name]).abs().max()) > 1e-6}
    assert any(name.startswith("network.image_stream") for name in moved)
    # Its power iteration runs whenever it is asked; its weights do not move.
    assert not any(name.startswith("discriminator") and "original" in name for name in moved)


def test_the_angle_can_be_trained_alone(tmp_path):
    settings = recipe({"truth": 0.0, "energy": 0.0, "angle": 1.0}, ema=0.0)
    before = build_program(settings).network.state_dict()
    after = train(settings, RunFolder(tmp_path / "run"), batches, Watcher()).state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved
    assert all(name.startswith("angle.") for name in moved)


def test_the_average_is_what_is_kept(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(recipe(ema=0.9), folder, batches, Watcher())
    state = torch.load(folder.path / "last.ckpt", weights_only=True)
    kept = weights_of(folder)
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

    folder = RunFolder(tmp_path / "run")
    with pytest.raises(DivergedError) as error:
        train(recipe(), folder, poisoned, Watcher())
    for part in ("step 5", "turn 'network'", "truth nan", "examples 8 to 9", "optimiser.lr", "untouched"):
        assert part in str(error.value)
    assert torch.load(folder.path / "last.ckpt", weights_only=True)["step"] == 3


def test_a_gradient_that_is_no_number_stops_it_before_it_does_harm(tmp_path, monkeypatch):
    from rainnet.programs.udgnet import UDGNetProgram

    class Steep(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            return value.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient * float("inf")

    forward = UDGNetProgram.forward

    def poisoned(self, *given):
        terms = forward(self, *given)
        return {name: Steep.apply(value) if poisoned.calls == 5 else value for name, value in terms.items()}

    def counted(self, *given):
        poisoned.calls += 1
        return poisoned(self, *given)

    poisoned.calls = 0
    monkeypatch.setattr(UDGNetProgram, "forward", counted)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(DivergedError, match="step 5: a loss or gradient"):
        train(recipe(), folder, batches, Watcher())
    state = torch.load(folder.path / "last.ckpt", weights_only=True)
    assert all(bool(torch.isfinite(value).all()) for value in state["program"].values())


def test_the_second_signal_stops_at_once_and_the_first_at_the_end_of_a_step():
    before = signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGTERM)
        assert interruption.asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_a_run_that_fails_at_once_can_be_gone_on_with(tmp_path):
    def broken(start, steps, rank, world):
        raise ValueError("no data")
        yield

    folder = RunFolder(tmp_path / "run")
    with pytest.raises(ValueError, match="no data"):
        train(recipe(), folder, broken, Watcher())
    train(recipe(), folder, batches, Watcher(), resume=True)
    train(recipe(), RunFolder(tmp_path / "whole"), batches, Watcher())
    assert_same(weights_of(folder), weights_of(RunFolder(tmp_path / "whole")))


def test_an_optimiser_that_there_is_not_is_named():
    wrong = recipe(optimiser={"discrimnator": {"lr": 1.0}})
    with pytest.raises(RecipeError, match=r"'optimiser.discrimnator'.*did you mean 'discriminator'"):
        build_program(wrong)


def test_layers_that_are_no_numbers_stop_it_as_well(tmp_path):
    settings = recipe({"truth": 0.0}, {"lr": 1e30, "schedule": "constant"})
    with pytest.raises(DivergedError, match=r"lower optimiser.lr"):
        train(settings, RunFolder(tmp_path / "run"), batches, Watcher())


def test_a_folder_is_not_written_over(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(recipe(steps=1), folder, batches, Watcher())
    with pytest.raises(RunError, match="holds a run; --resume goes on with it"):
        train(recipe(steps=1), folder, batches, Watcher())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="is not empty; name another folder"):
        train(recipe(steps=1), RunFolder(tmp_path / "other"), batches, Watcher())
    with pytest.raises(RunError, match="holds no run to go on with"):
        train(recipe(steps=1), RunFolder(tmp_path / "other"), batches, Watcher(), resume=True)


def test_a_run_is_not_resumed_with_another_recipe(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(recipe(steps=2), folder, batches, Watcher())
    with pytest.raises(RunError, match=r"run\.batch: 2 → 3"):
        train(recipe(steps=2, batch=3), folder, batches, Watcher(), resume=True)
    with pytest.raises(RunError, match=r"has 2 steps done, and run.steps is 1; ask for more"):
        train(recipe(steps=1), folder, batches, Watcher(), resume=True)
    with pytest.raises(RunError, match=r"was trained by 1 processes, not 2"):
        folder.state_for(recipe(steps=2), 2)
    train(recipe(steps=4), folder, batches, Watcher(), resume=True)  # more steps may be asked for
    assert torch.load(folder.path / "last.ckpt", weights_only=True)["step"] == 4


def test_a_damaged_state_is_named(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(recipe(steps=1), folder, batches, Watcher())
    (folder.path / "last.ckpt").write_bytes(b"nothing")
    with pytest.raises(RunError, match=r"last.ckpt' is no state of a run"):
        train(recipe(steps=1), folder, batches, Watcher(), resume=True)


def test_validation_keeps_the_best(tmp_path):
    rainy, clean = (np.moveaxis(example(3)[name].numpy(), 0, -1) for name in ("rainy", "clean"))
    judge = Validator([(rainy, clean)], "rgb")
    settings = recipe(steps=4)
    settings = settings.model_copy(update={"validation": settings.validation.model_copy(update={"every": 2})})
    watcher, folder = Watcher(), RunFolder(tmp_path / "run")
    train(settings, folder, batches, watcher, validator=judge)
    assert [number for number, _, _ in watcher.scores] == [2, 4]
    scores = [told["psnr_rgb"] for _, told, _ in watcher.scores]
    assert judge(load(folder.best))["psnr_rgb"] == pytest.approx(max(scores))
    assert watcher.scores[0][2]
    # The network is judged, also where the solver would leave the picture alone.
    assert scores[0] != scores[1]


def test_validation_is_on_the_pairs_of_any_layout(tmp_path):
    rainy, clean = (np.moveaxis(example(3)[name].numpy(), 0, -1) for name in ("rainy", "clean"))
    for part, image in (("rain", rainy), ("norain", clean)):
        (tmp_path / part).mkdir()
        write_image(tmp_path / part / "1.png", image)
    judge = Validator.of_folders([tmp_path], "y_matlab")
    assert len(judge.pairs) == 1
    fresh = build_program(recipe()).network
    from rainopt import psnr, read_image

    before = psnr(read_image(tmp_path / "rain" / "1.png"), read_image(tmp_path / "norain" / "1.png"), "y_matlab")
    assert judge(fresh)["psnr_y_matlab"] == pytest.approx(before)
    with pytest.raises(ValueError, match="at least one pair"):
        Validator([], "rgb")
    write_image(tmp_path / "norain" / "1.png", clean[:-1])
    with pytest.raises(ValueError, match=r"rain/1.png' is \(24, 24\) and .*\(23, 24\) pixels"):
        Validator.of_folders([tmp_path], "rgb")


def test_pictures_are_shown_when_they_are_due(tmp_path):
    watcher = Watcher()
    train(recipe(steps=5, picture_every=2), RunFolder(tmp_path / "run"), batches, watcher)
    assert [number for number, _ in watcher.shown] == [2, 4]
    assert list(watcher.shown[0][1]) == ["rainy", "background", "rain x3", "clean"]


def test_it_learns_in_sixteen_bits(tmp_path):
    watcher = Watcher()
    train(recipe(steps=200, precision="bf16-mixed", log_every=20), RunFolder(tmp_path / "run"), one_patch, watcher)
    losses = [step.terms["truth"] for step in watcher.steps]
    assert losses[-1] < 0.5 * losses[0]
    assert load(tmp_path / "run" / "model.safetensors").image_stream.head.weight.dtype == torch.float32


def test_a_program_says_what_it_needs():
    program = entry_of("udgnet").program
    losses = {"truth": 1.0, "adversarial": 0.0, "angle": 0.0}
    assert program.needs(program.Settings(**losses)) == ExampleSpec(upright=True, truth=True)
    losses = {"truth": 0.0, "adversarial": 1.0, "angle": 1.0}
    assert program.needs(program.Settings(**losses)) == ExampleSpec(upright=True, unpaired=True, plain=True, angle=True)


def test_training_goes_on_from_another_model(tmp_path):
    folder = RunFolder(tmp_path / "first")
    train(recipe(steps=2), folder, batches, Watcher())
    later = recipe(steps=1).model_copy(update={"network": recipe().network.model_copy(update={"start": folder.model})})
    assert_same(build_program(later).network.state_dict(), weights_of(folder))
    assert all(p.requires_grad for p in build_program(later).network.parameters())
    other = later.model_copy(update={"network": later.network.model_copy(update={"config": {"features": 5}})})
    with pytest.raises(RecipeError, match=r"'network.config.features' is 5, and that of .* is 4"):
        build_program(other)


@pytest.mark.parametrize(
    ("name", "message"),
    [("gpu", "must be auto, cpu or cuda:N, got 'gpu'"), ("cuda:0", "there is no device 'cuda:0'")],
)
@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_never_replaced(name, message):
    with pytest.raises(ValueError, match=message):
        resolve_device(name)
    with pytest.raises(ValueError, match=message):
        make_fabric(recipe(), name)
