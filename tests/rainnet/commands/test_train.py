"""`rainnet train`."""

import json
import os
import re
import signal

import numpy as np
import pytest
import torch

from data_tools import RainSpec, add_rain
from rainnet.commands.main import app
from rainnet.train.single import advice, density_of, weights_for
from rainnet.weights.checkpoint import facts_of, load
from rainopt import UDGWeights, read_image, write_image
from rainopt.still.adaptive import MANY
from tests.support.datasets import put
from tests.support.processes import call
from tests.support.signals import stopped

TINY = """
[network]
name = "udgnet"
config = { features = 4, blocks = 1, angle_features = 4, angle_stages = 2, rain_from_input = false }
[data]
kind = "rendered"
size = 32
[loss]
truth = 1.0
adversarial = 0.0
[run]
steps = 4
batch = 2
workers = 0
log_every = 2
picture_every = 2
save_every = 2
"""


@pytest.fixture
def recipe(tmp_path):
    file = tmp_path / "tiny.toml"
    file.write_text(TINY)
    return file


@pytest.fixture
def clean(tmp_path, rng):
    folder = tmp_path / "clean"
    folder.mkdir()
    for k in range(2):
        write_image(folder / f"{k}.png", np.kron(rng.random((8, 10, 3)), np.ones((12, 12, 1))))
    return folder


def run(*arguments):
    return call(app, "train", *arguments)


def test_a_run_leaves_a_model_and_what_is_to_be_looked_at(recipe, clean, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    status, out, err = run(recipe, "--data", clean, "-o", tmp_path / "run", "--json")
    assert status == 0, err
    told = json.loads(out.splitlines()[-1])
    assert told["files"] == [str(tmp_path / "run" / "model.safetensors")]
    assert "step 2 of 4: energy" in err
    assert "images/s" in err
    assert load(told["files"][0])(torch.rand(1, 3, 16, 16)).background.shape == (1, 3, 16, 16)
    grid = read_image(tmp_path / "run" / "pictures" / "step_00000002.png")
    assert grid.shape == (2 * 32 + 4, 4 * 32 + 3 * 4, 3)
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert {"loss/truth", "loss/total", "run/learning rate", "run/images a second"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/truth")] == [2, 4]
    assert events.Tags()["images"]


def test_more_steps_are_added_by_resuming_and_stages_are_named(recipe, clean, tmp_path):
    arguments = (recipe, "--data", clean, "-o", tmp_path / "run")
    recipe.write_text(TINY + '[[stages]]\nname = "first"\n[[stages]]\nname = "second"\nsteps = 2\n')
    status, _, err = run(*arguments)
    assert status == 0, err
    assert "step 4 of 6 (first): energy" in err
    assert "step 6 of 6 (second): energy" in err
    status, _, err = run(*arguments)
    assert status == 2
    assert "--resume" in err
    recipe.write_text(recipe.read_text().replace("steps = 2\n", "steps = 4\n"))
    assert run(*arguments, "--resume")[0] == 0
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["step"] == 8


def test_stages_are_chosen_and_resumed_as_they_were(recipe, clean, tmp_path):
    recipe.write_text(TINY + "".join(f'[[stages]]\nname = "{name}"\n' for name in ("one", "two", "three")))
    arguments = (recipe, "--data", clean, "-o", tmp_path / "run", "--stage", "three", "--stage", "one")
    status, _, err = run(*arguments)
    assert status == 0, err
    assert "step 4 of 8 (one): energy" in err
    assert "step 8 of 8 (three): energy" in err
    assert run(*arguments, "--resume")[0] == 0
    status, _, err = run(*arguments[:-2], "--resume")
    assert status == 2
    assert "was trained by another recipe" in err
    status, _, err = run(recipe, "--data", clean, "-o", tmp_path / "other", "--stage", "four")
    assert status == 2
    assert "'four' is no stage of the recipe; its stages are one, two, three" in " ".join(err.replace("│", " ").split())


def test_a_run_that_does_not_train_what_derains_says_so(clean, tmp_path):
    tiny = ["data.size=32", "run.batch=1", "run.steps=1", "run.workers=0", "network.config.features=2"]
    changes = [part for change in tiny for part in ("--set", change)]
    changes += ["--set", "stages.synthetic.steps=1", "--stage", "synthetic"]
    status, _, err = run("jrgr-small", "--data", clean, *changes, "-o", tmp_path / "run")
    assert status == 0, err
    assert "the network will take nothing off" in " ".join(err.split())


def test_validation_has_a_line_and_the_best_is_named_first(recipe, clean, tmp_path):
    pairs = tmp_path / "pairs"
    for part in ("rain", "norain"):
        (pairs / part).mkdir(parents=True)
        write_image(pairs / part / "1.png", read_image(clean / "0.png"))
    status, out, err = run(
        recipe, "-d", clean, "--val", pairs, "-o", tmp_path / "run", "--set", "validation.every=2", "--json"
    )
    assert status == 0, err
    assert "validation psnr_y_matlab" in err
    assert json.loads(out.splitlines()[-1])["files"][0].endswith("best.safetensors")


def test_pairs_of_any_two_folders_are_trained_and_validated_on(recipe, clean, tmp_path):
    for number in range(2):
        put(tmp_path / "storm" / f"cam_{number}.png", read_image(clean / f"{number}.png"))
    recipe.write_text(TINY.replace('"rendered"', '"pairs"'))
    sides = ["--rainy", tmp_path / "storm", "--clean", clean, "--match", "[0-9]+"]
    val = ["--val-rainy", tmp_path / "storm", "--val-clean", clean]
    status, _, err = run(recipe, *sides, *val, "-o", tmp_path / "run", "--set", "validation.limit=1")
    assert status == 0, err
    assert "validation psnr_y_matlab" in err
    written = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert written["data"]["rainy"] == str(tmp_path / "storm")
    assert written["data"]["match"] == written["validation"]["match"] == "[0-9]+"
    assert facts_of(tmp_path / "run" / "model.safetensors")["recipe"]["data"]["rainy"] == "storm"
    assert run(recipe, *sides, *val, "-o", tmp_path / "run", "--resume", "--set", "run.steps=5")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--match", "x", "--data", "{clean}"], "--match says how the pictures of --rainy and --clean"),
        (["--val-rainy", "{clean}", "--data", "{clean}"], "'clean' is missing"),
        (["--set", "data.rainy='a'", "--set", "data.clean='b'"], "one side of the data of kind 'pairs'"),
    ],
)
def test_sides_of_pairs_that_are_not_whole_are_told(recipe, clean, tmp_path, arguments, message):
    status, _, err = run(recipe, *(part.format(clean=clean) for part in arguments), "-o", tmp_path / "run")
    assert status == 2, err
    assert message in err


def test_a_run_goes_on_with_the_files_that_it_was_trained_on_alone(recipe, clean, tmp_path):
    arguments = (recipe, "--data", clean, "-o", clean / "run")
    assert run(*arguments)[0] == 0
    more = ("--resume", "--set", "run.steps=6")
    assert run(*arguments, *more)[0] == 0  # its own pictures, in the folder of the data, are none of them
    write_image(clean / "new.png", read_image(clean / "0.png"))
    status, _, err = run(*arguments, *more, "--set", "run.steps=8")
    assert status == 2
    assert "was trained on 2 files, and 3 are there now" in err


def test_losses_are_told_to_their_first_digits(recipe, clean, tmp_path):
    weak = ["--set", "loss.truth=1e-7", "--set", "loss.energy=0", "--set", "loss.angle=0"]
    _, _, err = run(recipe, "--data", clean, "-o", tmp_path / "run", *weak)
    assert re.search(r"step 2 of 4: truth \d\.\d+e-0\d", err), err


def test_one_photograph_is_trained_on_and_derained(tmp_path, rng):
    photo = tmp_path / "photo.png"
    smooth = np.kron(rng.random((6, 8, 3)) * 0.5, np.ones((12, 12, 1)))
    write_image(photo, add_rain(smooth, RainSpec(angle=10.0, density=20000), rng).rainy)
    small = ["--set", "network.config={features=4,blocks=1}", "--set", "data.size=32", "--set", "run.steps=3"]
    status, _, err = run("udgnet", "--single", photo, "-o", tmp_path / "run", *small, "--set", "run.workers=0")
    assert status == 0, err
    assert read_image(tmp_path / "run" / "photo_derained.png").shape == read_image(photo).shape
    assert (tmp_path / "run" / "photo_compare.png").is_file()


def test_weights_of_a_single_photograph_follow_its_rain(rng):
    smooth = np.full((200, 200, 3), 0.3)
    few = add_rain(smooth, RainSpec(density=1000, intensity=0.5), rng).rainy
    many = add_rain(smooth, RainSpec(density=60000, length=60, intensity=0.5), rng).rainy
    plain = UDGWeights()
    few, many, none = (density_of(picture) for picture in (few, many, smooth[..., 0]))
    assert weights_for(few) == pytest.approx({"sparsity": plain.sparsity, "lambda_y": plain.lambda_y})
    assert weights_for(many) == pytest.approx({"sparsity": MANY.sparsity, "lambda_y": MANY.lambda_y})
    assert weights_for(none) == weights_for(few)
    assert "its rain is sparse" in advice(few)
    assert "no rain is seen" in advice(none)
    assert not advice(many)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["udgnt", "--data", "{clean}"], "did you mean 'udgnet'"),
        (["{recipe}"], "there is nothing to train on"),
        (["{recipe}", "--data", "{tmp}/none"], "none"),
        (["{recipe}", "--data", "{clean}/tiny.png"], "tiny.png' has 16 x 40 pixels"),
        (["{recipe}", "--data", "{clean}", "--set", "run.stesp=3"], "did you mean 'steps'"),
        (["{recipe}", "--data", "{clean}", "--set", "loss.truht=3"], "did you mean 'truth'"),
        (["{recipe}", "--data", "{clean}", "--set", "network.name=spannet"], "is no network"),
        (["{recipe}", "--data", "{clean}", "--set", "loss.adversarial=1"], "--clean"),
        (["{recipe}", "--data", "{clean}", "--set", "data.kind=rainy"], "'rendered' and 'pairs' can"),
        (["{recipe}", "--data", "{clean}", "--single", "{clean}/0.png"], "leave it out"),
        (["{recipe}", "--data", "{clean}", "--resume"], "holds no run to go on with"),
        (["{recipe}", "--data", "{clean}", "--start", "{recipe}"], "tiny.toml"),
        (["{recipe}", "--data", "{clean}", "--device", "gpu"], "must be auto, cpu or cuda:N, got 'gpu'"),
        (["udgnet", "--single", "{tmp}/none.png"], "none.png"),
        (
            ["{recipe}", "--data", "{clean}", "--set", "network.config.channels=1"],
            "trained on pictures in colour, with 3",
        ),
        (["timelapsenet", "--single", "{clean}/0.png"], "'timelapsenet' cannot be trained on one photograph alone"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_done(recipe, clean, tmp_path, arguments, message):
    write_image(clean / "tiny.png", np.zeros((16, 40, 3)))
    filled = [part.format(recipe=recipe, clean=clean, tmp=tmp_path) for part in arguments]
    filled = [*filled, "--set", "data.size=16"] if "tiny.png" not in message else filled
    status, _, err = run(*filled, "-o", tmp_path / "run")
    assert status == 2, err
    # The frame around the message breaks long paths anywhere.
    assert "".join(message.split()) in "".join(err.split())
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(
    ("signum", "group", "workers"),
    [pytest.param(signal.SIGINT, False, 0, marks=pytest.mark.slow), (signal.SIGTERM, True, 1)],
)
@pytest.mark.slow
def test_an_interrupted_run_goes_on(recipe, clean, tmp_path, signum, group, workers):
    recipe.write_text(TINY.replace("save_every = 2", "save_every = 0").replace("workers = 0", f"workers = {workers}"))
    # There are logs once a step is done; the only state saved by then is that of step 0.
    state, log = tmp_path / "run" / "last.ckpt", tmp_path / "run" / "tensorboard"
    arguments = ["train", recipe, "--data", clean, "-o", tmp_path / "run", "--set", "run.picture_every=0"]
    status, _, err = stopped(
        tmp_path, "rainnet", [*arguments, "--set", "run.steps=100000"], signum, when=lambda _: log.exists(), group=group
    )
    assert status == 128 + signum, err
    assert "--resume goes on" in " ".join(err.split())
    done = torch.load(state, weights_only=True)["step"]
    assert done > 0
    again = [*arguments[1:], "--resume", "--set", f"run.steps={done + 2}", "--set", "run.workers=0"]
    assert run(*again)[0] == 0
