"""Every job ends in exactly one record, in one process or several, and whatever becomes of the workers."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_tools import RainSpec, add_rain
from rainopt.app.inputs import Job, plan
from rainopt.app.runner import run
from rainopt.commands.derain_photo import Options, Record
from rainopt.commands.derain_task import Derain
from rainopt.parallel import processes as workers

QUICK = Derain(Options(angle=0, max_iter=3))


@pytest.fixture
def album(tmp_path):
    """Six rainy pictures."""
    y, x = np.mgrid[:64, :80]
    folder = tmp_path / "in"
    folder.mkdir()
    for k in range(6):
        clean = np.stack([0.45 + 0.2 * np.sin(x / (9 + k) + c) * np.cos(y / 11 - c) for c in range(3)], axis=-1)
        rainy = add_rain(clean, RainSpec(angle=4 * k), np.random.default_rng(k)).rainy
        Image.fromarray(np.rint(255 * rainy).astype(np.uint8)).save(folder / f"{k}.png")
    return folder


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_one_record_for_each_job_in_their_order(album, tmp_path):
    jobs = plan([album], tmp_path / "out")
    records = list(run(jobs, QUICK, 1))
    assert [record.input for record in records] == [str(job.source) for job in jobs]
    assert {record.status for record in records} == {"ok"}


def test_several_processes_write_the_same_bytes(album, tmp_path):
    (album / "bad.png").write_bytes(b"no picture")
    options = Derain(Options(save_rain=True, compare=True))
    alone = list(run(plan([album], tmp_path / "alone"), options, 1))
    together = list(run(plan([album], tmp_path / "together"), options, 2))
    assert files(tmp_path / "alone") == files(tmp_path / "together")
    assert len(files(tmp_path / "alone")) == 18

    def facts(records):
        kept = ("input", "status", "error", "angle", "confidence", "iterations", "gap", "rain")
        return sorted((tuple(getattr(record, name) for name in kept) for record in records), key=str)

    assert facts(alone) == facts(together)


def test_problems_of_the_plan_are_records_and_the_others_are_done(album, tmp_path):
    jobs = [Job(Path("empty"), None, "'empty' holds no image"), *plan([album / "0.png"], tmp_path / "out")]
    first, second = run(jobs, QUICK, 2)
    assert first == Record("empty", None, "failed", error="'empty' holds no image")
    assert second.status == "ok"


def test_no_jobs_no_records():
    assert list(run([], QUICK, 1)) == []
    assert list(run([], QUICK, 4)) == []


def test_the_share_of_one_image_is_reported_and_ends_at_one(album, tmp_path):
    seen = []
    list(run(plan([album], tmp_path / "out"), QUICK, 1, lambda job, share: seen.append((job.source.name, share))))
    assert {name for name, _ in seen} == {path.name for path in album.iterdir()}
    assert all(0 <= share <= 1 for _, share in seen)
    assert [share for name, share in seen if name == "5.png"][-1] == 1


def test_closing_stops_the_work(album, tmp_path):
    for processes in (1, 2):
        out = tmp_path / f"out{processes}"
        records = run(plan([album], out), QUICK, processes)
        next(records)
        records.close()
        assert 1 <= len(files(out)) < 6 or processes == 2
        assert not multiprocessing.active_children()
        assert {record.status for record in run(plan([album], out), QUICK, 1)} <= {"ok", "skipped"}
        assert len(files(out)) == 6


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_worker_leaves_named_failures_and_no_waiting(album, tmp_path):
    jobs = plan([album], tmp_path / "out")
    records = run(jobs, QUICK, 2)
    found = [next(records)]
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    found += records
    assert sorted(record.input for record in found) == [str(job.source) for job in jobs]
    lost = [record for record in found if record.status == "failed"]
    for record in lost:
        assert f"'{record.input}'" in record.error
        assert "--jobs" in record.error
    # What was written is whole, and the same run again does the rest.
    again = list(run(jobs, QUICK, 1))
    assert {record.status for record in again} <= {"ok", "skipped"}
    # A killed process cannot remove its hidden temporary file.
    images = [path for path in files(tmp_path / "out") if not path.name.startswith(".")]
    assert len(images) == 6


def test_what_is_killed_while_much_is_left_is_said_to_have_failed(album, tmp_path, monkeypatch):
    class Broken:
        """A pool whose workers die at once."""

        def __init__(self, *args, **kwargs):
            pass

        def submit(self, *args):
            future = workers.Future()
            future.set_exception(workers.BrokenProcessPool("died"))
            return future

        def shutdown(self, wait, cancel_futures):
            pass

    monkeypatch.setattr(workers, "ProcessPoolExecutor", Broken)
    jobs = plan([album], tmp_path / "out")
    records = list(run(jobs, QUICK, 2))
    assert sorted(record.input for record in records) == [str(job.source) for job in jobs]
    assert {record.status for record in records} == {"failed"}


@pytest.mark.parametrize(
    "processes",
    [
        1,
        2,
    ],
)
def test_a_wrong_number_of_threads_fails_and_says_so(album, tmp_path, monkeypatch, processes):
    monkeypatch.setenv("RAINOPT_NUM_THREADS", "many")
    records = list(run(plan([album], tmp_path / "out"), QUICK, processes))
    assert len(records) == 6
    assert all("RAINOPT_NUM_THREADS" in record.error for record in records)
