"""Batches: which examples they hold, and the processes that make them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import Dataset

from rainnet.data import DataError, RenderedCrops, make_loader
from rainnet.programs.base import ExampleSpec
from rainopt.io import write_image
from rainopt.parallel.threads import num_threads
from tests.support.toy import assert_same


class Numbers(Dataset):
    """Examples that tell their own number, and of the process that made them."""

    def __init__(self, broken=None):
        self.broken = broken

    def __getitem__(self, index):
        import cv2

        if index == self.broken:
            raise DataError("'x.png' is truncated; obtain a fresh copy")
        return {
            "number": torch.tensor(index),
            "process": torch.tensor(os.getpid()),
            "threads": torch.tensor([torch.get_num_threads(), num_threads(), cv2.getNumThreads()]),
            "deaf": torch.tensor(signal.getsignal(signal.SIGINT) == signal.SIG_IGN),
        }


def numbers(**options):
    return [batch["number"].tolist() for batch in make_loader(Numbers(), **options)]


def test_batches_go_through_the_examples_in_order_and_leave_the_random_numbers_of_torch_alone():
    before = torch.random.get_rng_state()
    assert numbers(batch=2, steps=3) == [[0, 1], [2, 3], [4, 5]]
    assert torch.equal(before, torch.random.get_rng_state())
    loader = make_loader(Numbers(), 2, steps=3)
    assert len(loader) == 3
    assert [len(list(loader)), len(list(loader))] == [3, 3]
    assert numbers(batch=2, steps=0) == []


def test_datasets_of_examples_have_a_length_for_other_loaders(tmp_path):
    picture = write_image(tmp_path / "a.png", np.random.default_rng(0).integers(0, 255, (40, 40, 3), dtype=np.uint8))
    data = RenderedCrops([picture], 32, ExampleSpec(truth=True))
    batch = next(iter(torch.utils.data.DataLoader(data, batch_size=2)))
    assert_same(batch, next(iter(make_loader(data, 2, steps=1))))
    assert len(data) > 10**6


def test_a_resumed_run_goes_on():
    assert numbers(batch=3, steps=10)[4:] == numbers(batch=3, start=4, steps=6)
    assert numbers(batch=1, start=10**12, steps=1) == [[10**12]]


def test_ranks_share_out_a_larger_batch():
    whole = numbers(batch=6, start=5, steps=4)
    parts = [numbers(batch=2, start=5, steps=4, rank=rank, world=3) for rank in range(3)]
    assert [list(chain(*step)) for step in zip(*parts, strict=True)] == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "`batch` must be at least 1, got 0"),
        ({"steps": -1}, "`steps` must be at least 0, got -1"),
        ({"start": -1}, "`start` must be"),
        ({"workers": -1}, "`workers` must be"),
        ({"rank": 2, "world": 2}, "`rank` must be at least 0 and less than `world`, which is 2, got 2"),
    ],
)
def test_arguments_out_of_range_are_named(options, message):
    with pytest.raises(ValueError, match=message):
        make_loader(Numbers(), **({"batch": 1, "steps": 1} | options))


def test_a_broken_file_is_named():
    batches = iter(make_loader(Numbers(broken=3), 2, steps=3))
    assert next(batches)["number"].tolist() == [0, 1]
    with pytest.raises(DataError, match=r"^'x\.png' is truncated; obtain a fresh copy$"):
        next(batches)


@pytest.mark.slow
def test_workers_make_the_same_batches(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    spec = ExampleSpec(upright=True, truth=True, plain=True)
    data = RenderedCrops([write_image(tmp_path / "a.png", picture)], 32, spec)
    alone, helped = (list(make_loader(data, 2, start=7, steps=3, workers=workers)) for workers in (0, 1))
    for a, b in zip(alone, helped, strict=True):
        assert_same(a, b)


def test_workers_are_processes_with_one_thread_that_report_broken_files_and_end():
    batches = iter(make_loader(Numbers(broken=5), 2, steps=4, workers=1))
    first = next(batches)
    worker = int(first["process"][0])
    assert worker != os.getpid()
    assert first["threads"].tolist() == [[1, 1, 1]] * 2
    assert first["deaf"].all()
    os.kill(worker, signal.SIGINT)
    # As a scheduler sends it to all processes of a run, and not as the one that started this one, which would end it.
    subprocess.run(["kill", "-TERM", str(worker)], check=True)
    assert next(batches)["number"].tolist() == [2, 3]
    with pytest.raises(DataError, match=r"^'x\.png' is truncated; obtain a fresh copy$"):
        next(batches)
    assert ended(worker)


def ended(process, seconds=60):
    """Tell whether a process ends in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


SPAWNING = """
    import multiprocessing, os, signal, threading, time
    import torch
    from torch.utils.data import Dataset
    from rainnet.data import make_loader

    class Numbers(Dataset):
        def __getitem__(self, index):
            return {"number": torch.tensor(index)}

    def die():
        while not (children := multiprocessing.active_children()):
            time.sleep(0.001)
        print(children[0].pid, flush=True)
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGKILL)

    if __name__ == "__main__":
        threading.Thread(target=die).start()
        for batch in make_loader(Numbers(), 1, steps=10**9, workers=1):
            pass
"""


@pytest.mark.slow
def test_workers_that_were_just_spawned_end_with_their_parent(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(textwrap.dedent(SPAWNING))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, env=environment) as run:
        worker = int(run.stdout.readline())
    assert run.returncode == -signal.SIGKILL
    assert ended(worker, 30)


@pytest.mark.slow
@pytest.mark.parametrize("blow", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, blow):
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import os, time
            import torch
            from torch.utils.data import Dataset
            from rainnet.data import make_loader

            class Numbers(Dataset):
                def __getitem__(self, index):
                    return {"process": torch.tensor(os.getpid())}

            if __name__ == "__main__":
                for batch in make_loader(Numbers(), 1, steps=10**9, workers=1):
                    print(int(batch["process"][0]), flush=True)
                    time.sleep(0.2)
            """
        )
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    ) as run:
        worker = int(run.stdout.readline())
        # As a terminal sends it: to the whole group.
        os.killpg(run.pid, blow) if blow == signal.SIGINT else run.kill()
        said = run.stderr.read().decode() if blow == signal.SIGINT else ""
    assert ended(worker)
    assert said.count("Traceback") <= 1  # that of the script itself
    assert said.count("KeyboardInterrupt") == (blow == signal.SIGINT)
