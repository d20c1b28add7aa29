"""Datasets built on a real dask cluster of worker processes: the same bytes, though workers die."""

import contextlib
import functools
import itertools
import os
import signal
import sys
import threading
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data
from typer.testing import CliRunner

from data_tools import RainSpec
from data_tools.build.dataset import ClusterError, run
from data_tools.build.plan import BuildOptions, plan_videos
from data_tools.commands import main as cli
from data_tools.manifest.file import read_manifest
from data_tools.rain.video import rain_video
from rainopt.io.video.write import VideoWriter

distributed = pytest.importorskip("distributed")

H, W = 144, 192
OPTIONS = ["-n", "2"]
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"),
]


def save(path, place, seed, count=21):
    rng = np.random.default_rng(seed)
    view = cv2.resize(getattr(data, place)(), (W, H), interpolation=cv2.INTER_AREA)
    spec = replace(RainSpec.sample("light", rng), veil=0.0).scaled(0.45)
    path.parent.mkdir(parents=True, exist_ok=True)
    with VideoWriter(path, height=H, width=W, rate=Fraction(25), quality=5) as out:
        for drawn in itertools.islice(rain_video(view, replace(spec, density=2000.0), rng), count):
            out.write(np.clip(np.rint(drawn.rainy * 255 + rng.normal(0, 1, (H, W, 1))), 0, 255).astype(np.uint8))
    return path


def build(*arguments):
    result = CliRunner().invoke(cli.app, ["build", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, " ".join(result.stderr.split())


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture(scope="module")
def top(tmp_path_factory):
    """Four videos, one of them none, and the dataset that this machine makes of them."""
    top = tmp_path_factory.mktemp("cluster")
    for number, place in enumerate(("astronaut", "coffee", "chelsea")):
        save(top / "videos" / f"{place}.mkv", place, number)
    (top / "videos" / "zero.mp4").touch()
    with contextlib.chdir(top):
        status, _, err = build("videos", "-o", "whole", *OPTIONS)
    assert status == 1
    assert "zero.mp4" in err
    assert len(read_manifest(top / "whole")) == 6
    return top


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two worker processes that run in another folder; none of them outlives the tests."""
    with contextlib.chdir(tmp_path_factory.mktemp("workers")):
        options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
        with distributed.LocalCluster(**options, worker_dashboard_address=None, silence_logs=50) as made:
            pids = {worker.pid for worker in made.workers.values()}
            yield made
            pids |= {worker.pid for worker in made.workers.values()}
    end = time.monotonic() + 20
    while any(pid and is_alive(pid) for pid in pids) and time.monotonic() < end:
        time.sleep(0.05)
    assert not [pid for pid in pids if pid and is_alive(pid)]


@pytest.mark.timeout(120)
def test_a_cluster_builds_what_one_machine_builds(top, cluster, monkeypatch):
    monkeypatch.chdir(top)
    status, out, err = build("videos", "-o", "there", *OPTIONS, "--scheduler", cluster.scheduler_address)
    assert status == 1
    assert err.count("failed") == 1
    assert "zero.mp4' is empty" in err
    assert "there holds 6 pairs" in out
    assert files(top / "there") == files(top / "whole")
    # Again: a cluster changes nothing, nor does this machine.
    assert build("videos", "-o", "there", *OPTIONS, "--scheduler", cluster.scheduler_address)[0] == 1
    assert build("videos", "-o", "there", *OPTIONS)[0] == 1
    assert files(top / "there") == files(top / "whole")


@pytest.mark.timeout(120)
def test_a_worker_that_is_killed_hands_its_video_on(top, cluster, monkeypatch):
    monkeypatch.chdir(top)
    killed, over = [], threading.Event()

    def kill():
        while not any(Path("killed").rglob("*.png")) and not over.wait(0.005):
            pass
        for worker in cluster.scheduler.workers.values():
            if worker.processing and not killed:
                killed.append(int(worker.nanny and cluster.workers[worker.name].pid))
                os.kill(killed[0], signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        status, _, err = build("videos", "-o", "killed", *OPTIONS, "--scheduler", cluster.scheduler_address)
    finally:
        over.set()
        thread.join()
    assert len(killed) == 1
    assert status == 1
    assert err.count("failed") == 1
    assert "zero.mp4' is empty" in err
    assert files(top / "killed") == files(top / "whole")


def patient(client, address, timeout, **options):
    """A client that gives up sooner than ours."""
    assert timeout == "15s"
    return client(address, timeout="300ms", **options)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nowhere://x", "tcp://127.0.0.1:port"])
def test_a_scheduler_that_is_not_there_is_told(top, monkeypatch, address):
    monkeypatch.chdir(top)
    monkeypatch.setattr(distributed, "Client", functools.partial(patient, distributed.Client))
    status, out, err = build("videos", "-o", "alone", *OPTIONS, "--scheduler", address)
    assert (status, out) == (1, "")
    assert f"failed the scheduler '{address}' cannot be reached (" in err
    assert err.endswith("is it running?")
    assert len(read_manifest("alone")) == 0
    # And the same folder may be filled without it.
    assert not list(Path("alone").rglob("*.png"))


def test_distributed_that_is_not_installed_is_told(top, monkeypatch):
    monkeypatch.chdir(top)
    monkeypatch.setitem(sys.modules, "distributed", None)
    jobs = plan_videos(["videos"], Path("out"), BuildOptions()).jobs
    with pytest.raises(ClusterError, match=r"pip install 'rainopt\[cluster\]'"):
        next(run(jobs, 1, "tcp://127.0.0.1:8786"))
