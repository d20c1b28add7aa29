"""Training by several processes."""

import os
import signal
import subprocess
import sys
import time

import pytest
import torch

import rainnet
from rainnet.train.loop import train
from rainnet.train.meters import Silent
from rainnet.train.run_folder import RunFolder
from tests.support.processes import ROOT, environment
from tests.support.udgnet import batches_of, udgnet_recipe

LOSS = {"energy": 0.1, "truth": 1.0, "adversarial": 0.1}
WORKER = """
import os, sys
import torch
from pathlib import Path
from rainnet.programs.udgnet import UDGNetProgram
from rainnet.train.loop import train
from rainnet.train.meters import Silent
from rainnet.train.run_folder import RunFolder
from tests.support.udgnet import batches_of, udgnet_recipe


def note(when):
    # A file each: two processes may write into one another's lines of one stream.
    with open(folder / ("threads" + os.environ["RANK"]), "a") as file:
        print(when, len(os.listdir("/proc/self/task")), file=file)


class Counter(Silent):
    def step(self, step):
        note("while training")


torch.set_num_threads(1)
folder, recipe = Path(sys.argv[1]), udgnet_recipe({loss}, steps=3)
note("before")
train(recipe, RunFolder(folder / "two"), batches_of(2), Counter(), device="cpu")
note("after")
forward = UDGNetProgram.forward


def broken(self, batch, turn, progress):
    if turn == "discriminator":
        raise ValueError("broken")
    return forward(self, batch, turn, progress)


UDGNetProgram.forward = broken
try:
    train(recipe, RunFolder(folder / "broken"), batches_of(2), Counter(), device="cpu")
except ValueError as error:
    note("after it was " + str(error))
"""


@pytest.mark.slow
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="threads are counted in /proc")
def test_two_processes_learn_what_one_learns_from_both_batches(tmp_path):
    """Data-parallel training over gloo: gradients are means over processes, so half batches make the whole one.

    The threads of gloo end with the training, also where it fails: left running, they abort the process in one exit of
    three ("terminate called without an active exception").
    """
    script = tmp_path / "worker.py"
    script.write_text(WORKER.format(loss=LOSS))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    done = subprocess.run(
        [*command, str(tmp_path)], env=environment(), cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = ((tmp_path / f"threads{rank}").read_text().splitlines() for rank in (0, 1))
    # Only the first process tells its watcher of the steps.
    assert second == ["before 1", "after 1", "after it was broken 1"]
    assert first == ["before 1", *["while training 4"] * 3, "after 1", "after it was broken 1"]
    train(udgnet_recipe(LOSS, steps=3), RunFolder(tmp_path / "one"), batches_of(4), Silent(), device="cpu")
    one, two = (rainnet.load(tmp_path / name).state_dict() for name in ("one", "two"))
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=2e-4, rtol=1e-3)


STOPPED = """
import os, sys, time
from pathlib import Path
from rainnet.train.interruption import StoppedError
from rainnet.train.loop import train
from rainnet.train.meters import Silent
from rainnet.train.run_folder import RunFolder
from tests.support.udgnet import batches_of, udgnet_recipe


def slow(start, steps, rank, world):
    for batch in batches_of(2)(start, steps, rank, world):
        time.sleep(0.05 + 0.1 * rank)
        yield batch


try:
    recipe = udgnet_recipe({loss}, steps=100000, save_every=0)
    train(recipe, RunFolder(Path(sys.argv[1]) / "run"), slow, Silent(), device="cpu")
except StoppedError as stop:
    sys.exit(stop.status)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_processes_that_are_told_to_stop_agree_on_the_step_and_the_first_saves(tmp_path):
    script = tmp_path / "worker.py"
    script.write_text(STOPPED.format(loss=LOSS))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)]
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "start_new_session": True}
    with subprocess.Popen([*command, str(tmp_path)], env=environment(OMP_NUM_THREADS="1"), cwd=ROOT, **pipes) as run:
        end = time.monotonic() + 90
        while not (tmp_path / "run" / "last.ckpt").exists() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(2)
        os.killpg(run.pid, signal.SIGTERM)
        _, said = run.communicate(timeout=60)
    state = torch.load(tmp_path / "run" / "last.ckpt", weights_only=True)
    assert state["step"] > 0, said.decode()[-2000:]
