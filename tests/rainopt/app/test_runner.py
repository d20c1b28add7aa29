"""Every job ends in exactly one record, in one process or several, and whatever becomes of the workers."""

import multiprocessing
import os
import signal
import sys
from pathlib import Path

import pytest

from rainopt.app.inputs import Job
from rainopt.app.runner import run
from rainopt.parallel import processes as workers
from tests.support.tasks import Copied, Copy


@pytest.fixture
def jobs(tmp_path):
    """Six files to copy."""
    (tmp_path / "out").mkdir()
    for name in "abcdef":
        (tmp_path / name).write_text(name)
    return [Job(tmp_path / name, tmp_path / "out" / name) for name in "abcdef"]


def copies(jobs):
    return {job.target.name for job in jobs if job.target.exists()}


@pytest.mark.parametrize("processes", [1, 2])
def test_one_record_for_each_job_and_problems_first(jobs, processes):
    gone = Job(Path("gone"), jobs[0].target.with_name("gone"))
    empty = Job(Path("empty"), None, "'empty' holds no image")
    first, *records = run([*jobs, gone, empty], Copy(), processes)
    assert first == Copied("empty", None, "failed", "'empty' holds no image")
    status = {record.input: record.status for record in records}
    assert len(records) == len(status)
    assert status == {str(job.source): "ok" for job in jobs} | {"gone": "failed"}
    assert copies(jobs) == set("abcdef")


def test_no_jobs_no_records():
    assert list(run([], Copy(), 1)) == list(run([], Copy(), 4)) == []


def test_one_process_keeps_the_order_and_reports_the_share_of_each(jobs):
    seen = []
    records = list(run(jobs, Copy(), 1, lambda job, share: seen.append((job.source.name, share))))
    assert [record.input for record in records] == [str(job.source) for job in jobs]
    assert seen == [(name, share) for name in "abcdef" for share in (0.5, 1.0)]


def test_closing_stops_the_work(jobs):
    for processes in (1, 2):
        records = run(jobs, Copy(0.1), processes)
        next(records)
        records.close()
        assert 1 <= len(copies(jobs)) < 6
        assert not multiprocessing.active_children()
        for job in jobs:
            job.target.unlink(missing_ok=True)


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_killed_worker_leaves_named_failures_and_no_waiting(jobs):
    records = run(jobs, Copy(0.2), 2)
    found = [next(records)]
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    found += records
    assert sorted(record.input for record in found) == [str(job.source) for job in jobs]
    lost = [record for record in found if record.status == "failed"]
    assert lost
    assert all(f"'{record.input}'" in record.error and "--jobs" in record.error for record in lost)


def test_what_is_killed_while_much_is_left_is_said_to_have_failed(jobs, monkeypatch):
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
    records = list(run(jobs, Copy(), 2))
    assert sorted(record.input for record in records) == [str(job.source) for job in jobs]
    assert {record.status for record in records} == {"failed"}


@pytest.mark.parametrize("processes", [1, 2])
def test_threads_are_shared_and_a_wrong_number_of_them_is_told(jobs, monkeypatch, processes):
    monkeypatch.setenv("RAINOPT_NUM_THREADS", "4")
    assert {record.threads for record in run(jobs, Copy(), processes)} == {4 // processes}
    monkeypatch.setenv("RAINOPT_NUM_THREADS", "many")
    records = list(run(jobs, Copy(), processes))
    assert len(records) == 6
    assert all("RAINOPT_NUM_THREADS" in record.error for record in records)
