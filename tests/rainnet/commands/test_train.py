import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from data_tools import RainSpec, add_rain
from rainnet.commands.main import app
from rainnet.train.single import weights_for
from rainnet.weights.checkpoint import load
from rainopt import UDGWeights, read_image, write_image
from rainopt.still.adaptive import MANY

ROOT = Path(__file__).parents[3]
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
        smooth = np.kron(rng.random((8, 10, 3)), np.ones((12, 12, 1)))
        write_image(folder / f"{k}.png", smooth)
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def test_a_run_leaves_a_model_and_what_is_to_be_looked_at(recipe, clean, tmp_path):
    done = run(recipe, "--data", clean, "-o", tmp_path / "run", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["files"] == [str(tmp_path / "run" / "model.safetensors")]
    assert "step 2 of 4: energy" in done.stderr
    assert "images/s" in done.stderr
    assert load(told["files"][0])(torch.rand(1, 3, 16, 16)).background.shape == (1, 3, 16, 16)
    grid = read_image(tmp_path / "run" / "pictures" / "step_00000002.png")
    assert grid.shape == (2 * 32 + 4, 4 * 32 + 3 * 4, 3)
    assert list((tmp_path / "run" / "tensorboard").iterdir())


def test_scalars_are_written_for_tensorboard(recipe, clean, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    assert run(recipe, "--data", clean, "-o", tmp_path / "run").exit_code == 0
    events = EventAccumulator(str(tmp_path / "run" / "tensorboard"))
    events.Reload()
    assert {"loss/truth", "loss/total", "run/learning rate", "run/images a second"} <= set(events.Tags()["scalars"])
    assert [event.step for event in events.Scalars("loss/truth")] == [2, 4]
    assert events.Tags()["images"]


def test_more_steps_are_added_by_resuming(recipe, clean, tmp_path):
    arguments = (recipe, "--data", clean, "-o", tmp_path / "run")
    assert run(*arguments).exit_code == 0
    again = run(*arguments)
    assert again.exit_code == 2
    assert "--resume" in again.stderr
    assert run(*arguments, "--resume", "--set", "run.steps=6").exit_code == 0
    assert torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["step"] == 6


def test_validation_has_a_line_and_the_best_is_named_first(recipe, clean, tmp_path):
    pairs = tmp_path / "pairs"
    for part in ("rain", "norain"):
        (pairs / part).mkdir(parents=True)
        write_image(pairs / part / "1.png", read_image(clean / "0.png"))
    done = run(recipe, "-d", clean, "--val", pairs, "-o", tmp_path / "run", "--set", "validation.every=2", "--json")
    assert done.exit_code == 0, done.output
    assert "validation psnr_y_matlab" in done.stderr.replace("\n", " ")
    assert json.loads(done.stdout.splitlines()[-1])["files"][0].endswith("best.safetensors")


def test_one_photograph_is_trained_on_and_derained(tmp_path, rng):
    photo = tmp_path / "photo.png"
    smooth = np.kron(rng.random((6, 8, 3)) * 0.5, np.ones((12, 12, 1)))
    write_image(photo, add_rain(smooth, RainSpec(angle=10.0, density=20000), rng).rainy)
    small = ["--set", "network.config={features=4,blocks=1}", "--set", "data.size=32", "--set", "run.steps=3"]
    done = run("udgnet", "--single", photo, "-o", tmp_path / "run", *small, "--set", "run.workers=0")
    assert done.exit_code == 0, done.output
    assert read_image(tmp_path / "run" / "photo_derained.png").shape == read_image(photo).shape
    assert (tmp_path / "run" / "photo_compare.png").is_file()


def test_weights_of_a_single_photograph_follow_its_rain(rng):
    smooth = np.full((200, 200, 3), 0.3)
    few = add_rain(smooth, RainSpec(density=1000, intensity=0.5), rng).rainy
    many = add_rain(smooth, RainSpec(density=60000, length=60, intensity=0.5), rng).rainy
    plain = UDGWeights()
    assert weights_for(few) == pytest.approx({"sparsity": plain.sparsity, "lambda_y": plain.lambda_y})
    assert weights_for(many) == pytest.approx({"sparsity": MANY.sparsity, "lambda_y": MANY.lambda_y})
    assert weights_for(smooth[..., 0]) == weights_for(few)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["udgnt", "--data", "{clean}"], "did you mean 'udgnet'"),
        (["{recipe}"], "there is nothing to train on"),
        (["{recipe}", "--data", "{tmp}/none"], "none"),
        (["{recipe}", "--data", "{clean}", "--set", "run.stesp=3"], "did you mean 'steps'"),
        (["{recipe}", "--data", "{clean}", "--set", "loss.truht=3"], "did you mean 'truth'"),
        (["{recipe}", "--data", "{clean}", "--set", "network.name=spannet"], "is no network"),
        (["{recipe}", "--data", "{clean}", "--set", "loss.adversarial=1"], "--clean"),
        (
            ["{recipe}", "--data", "{clean}", "--set", "data.kind=rainy"],
            "data.kind 'rainy' cannot give; 'rendered' and 'pairs' can",
        ),
        (["{recipe}", "--data", "{clean}", "--single", "{clean}/0.png"], "leave it out"),
        (["{recipe}", "--data", "{clean}", "--resume"], "holds no run to go on with"),
        (["{recipe}", "--data", "{clean}", "--start", "{recipe}"], "tiny.toml"),
        (["udgnet", "--single", "{tmp}/none.png"], "none.png"),
    ],
)
def test_wrong_usage_is_said_before_anything_is_done(recipe, clean, tmp_path, arguments, message):
    filled = [part.format(recipe=recipe, clean=clean, tmp=tmp_path) for part in arguments]
    done = run(*filled, "-o", tmp_path / "run")
    assert done.exit_code == 2, done.output
    # The frame around the message breaks long paths anywhere.
    assert "".join(message.split()) in "".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_is_wrong_usage(recipe, clean, tmp_path):
    done = run(recipe, "--data", clean, "-o", tmp_path / "run", "--device", "cuda:0")
    assert done.exit_code == 2
    assert "there is no device 'cuda:0'" in " ".join(done.stderr.replace("│", " ").split())


def test_pictures_smaller_than_a_crop_are_named(recipe, clean, tmp_path):
    write_image(clean / "tiny.png", np.zeros((16, 40, 3)))
    done = run(recipe, "--data", clean, "-o", tmp_path / "run")
    assert done.exit_code == 2
    assert "tiny.png" in done.stderr.replace("\n", "").replace("│", "").replace(" ", "")


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_run_goes_on(recipe, clean, tmp_path):
    command = [sys.executable, "-m", "rainnet", "train", str(recipe), "--data", str(clean), "-o", str(tmp_path / "run")]
    command += ["--set", "run.steps=100000", "--set", "run.picture_every=0"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (tmp_path / "run" / "last.ckpt").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "--resume goes on" in " ".join(said.split())
    done = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)["step"]
    assert done >= 1
    more = run(
        recipe,
        "--data",
        clean,
        "-o",
        tmp_path / "run",
        "--resume",
        "--set",
        f"run.steps={done + 2}",
        "--set",
        "run.picture_every=0",
    )
    assert more.exit_code == 0, more.output
