"""Datasets built on a real dask cluster of worker processes: the same bytes, though workers die."""

import contextlib
import functools
import os
import signal
import sys
import threading
from pathlib import Path

import distributed
import pytest

from data_tools.build.dataset import ClusterError, run
from data_tools.build.plan import plan_videos
from data_tools.build.settings import BuildSettings
from data_tools.manifest.file import read_manifest
from tests.support.clips import save
from tests.support.datasets import clip, files

OPTIONS = ["--every", "0.8", "-n", "2", "--no-stabilise"]
pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")]


@pytest.fixture(scope="module")
def here(tmp_path_factory, built):
    """Three videos, one of them none, and the dataset that this machine makes of them."""
    here = tmp_path_factory.mktemp("cluster")
    # The longer one has two windows, so that there is a worker to be killed when the first pictures are there.
    for place, count in (("astronaut", 21), ("coffee", 41)):
        save(here / "videos" / f"{place}.mkv", clip(place, count))
    (here / "videos" / "zero.mp4").touch()
    with contextlib.chdir(here):
        _, err = built("videos", "-o", "whole", *OPTIONS, status=1)
    assert "zero.mp4" in err
    assert len(read_manifest(here / "whole")) == 6
    return here


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Two worker processes that run in another folder."""
    options = {"n_workers": 2, "threads_per_worker": 1, "processes": True, "dashboard_address": ":0"}
    with (
        contextlib.chdir(tmp_path_factory.mktemp("workers")),
        distributed.LocalCluster(**options, worker_dashboard_address=None, silence_logs=50) as made,
    ):
        yield made


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_cluster_builds_what_one_machine_builds_though_a_worker_is_killed(here, built, cluster, monkeypatch):
    monkeypatch.chdir(here)
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
        out, err = built("videos", "-o", "killed", *OPTIONS, "--scheduler", cluster.scheduler_address, status=1)
    finally:
        over.set()
        thread.join()
    assert len(killed) == 1
    assert err.count("failed") == 1
    assert "zero.mp4' is empty" in err
    assert "killed holds 6 pairs" in out
    assert files(here / "killed") == files(here / "whole")
    # Again, a cluster changes nothing.
    built("videos", "-o", "killed", *OPTIONS, "--scheduler", cluster.scheduler_address, status=1)
    assert files(here / "killed") == files(here / "whole")


def patient(client, address, timeout, **options):
    """A client that gives up sooner than ours."""
    assert timeout == "15s"
    return client(address, timeout="300ms", **options)


@pytest.mark.parametrize("address", ["foo", "nowhere://x:1", "tcp://host:port", "tcp://"])
def test_what_is_no_address_is_wrong_usage_before_anything_is_done(here, built, monkeypatch, address):
    monkeypatch.chdir(here)
    _, err = built("videos", "-o", "none", *OPTIONS, "--scheduler", address, status=2)
    assert f"--scheduler: '{address}' is no address of a scheduler (" in err
    assert "it looks like tcp://10.0.0.1:8786" in err
    assert not Path("none").exists()


@pytest.mark.timeout(60)
def test_a_scheduler_that_is_not_there_is_told(here, built, monkeypatch):
    monkeypatch.chdir(here)
    address = "tcp://127.0.0.1:1"
    monkeypatch.setattr(distributed, "Client", functools.partial(patient, distributed.Client))
    out, err = built("videos", "-o", "alone", *OPTIONS, "--scheduler", address, status=1)
    assert out == ""
    assert f"failed the scheduler '{address}' cannot be reached (" in err
    assert err.endswith("is it running?")
    assert len(read_manifest("alone")) == 0
    # And the same folder may be filled without it.
    assert not list(Path("alone").rglob("*.png"))


def test_distributed_that_is_not_installed_is_told(here, monkeypatch):
    monkeypatch.chdir(here)
    monkeypatch.setitem(sys.modules, "distributed", None)
    jobs = plan_videos(["videos"], Path("out"), BuildSettings()).jobs
    with pytest.raises(ClusterError, match=r"pip install 'rainopt\[cluster\]'"):
        next(run(jobs, 1, "tcp://127.0.0.1:8786"))
