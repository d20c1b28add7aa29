"""What commands write is compared as it should be; the attacks themselves take minutes."""

import os
import signal
import subprocess
import sys
import time

from benchmarks.robustness.kills import _alive, _of_session
from benchmarks.robustness.undisturbed import Undisturbed
from benchmarks.robustness.writers import digests, leftovers


def test_results_are_digested_but_for_what_says_when(tmp_path):
    for name in ("run/model.safetensors", "run/tensorboard/events.out.tfevents.1", "run/deep/a.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    found = digests(tmp_path / "run")
    assert list(found) == ["run/deep/a.png", "run/model.safetensors"]
    assert digests(tmp_path / "run" / "deep" / "a.png") == {"a.png": found["run/deep/a.png"]}


def test_leftovers_are_hidden_or_temporary(tmp_path):
    for name in ("dry/.a.mp4.parts/0.mkv", "dry/a.png", "dry/.0f.12.ab.tmp", "run/x.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert leftovers(tmp_path) == ["dry/.0f.12.ab.tmp", "dry/.a.mp4.parts", "dry/.a.mp4.parts/0.mkv", "run/x.lock"]


def test_hidden_files_of_a_result_are_no_leftovers(tmp_path):
    for name in (".build", ".x.tmp"):
        (tmp_path / name).write_bytes(b"")
    assert Undisturbed(1.0, {}, set(), {}, frozenset({".build"})).left_behind(tmp_path) == ["'.x.tmp' was left behind"]


def test_a_result_is_that_of_one_run_or_the_other_and_no_mixture():
    alone = Undisturbed(1.0, {"a": "1", "b": "1"}, {"a", "b"}, {"a": "2", "b": "2"})
    assert not alone.wrong({"a": "1", "b": "1"})
    assert not alone.wrong({"a": "2", "b": "2"})
    assert alone.wrong({"a": "1", "b": "2"}) == ["'b' has other bytes"]
    assert not alone.wrong({"a": "1", "b": "2"}, mixed=True)
    assert alone.wrong({"a": "1", "b": "3"}, mixed=True) == ["'b' is of neither run"]
    assert alone.wrong({"a": "1"}) == ["'b' is missing"]


def test_bytes_that_differ_from_run_to_run_do_not_count():
    alone = Undisturbed(1.0, {"a": "1", "sheet": "1"}, {"a"}, {})
    assert not alone.wrong({"a": "1", "sheet": "5"})
    assert alone.wrong({"a": "1", "sheet": "1", "c": "1"}) == ["'c' is there and should not be"]


def test_a_process_that_outlives_its_run_is_found():
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    run = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    run.wait()
    left = _of_session(run.pid)
    try:
        assert len(left) == 1
        start = time.monotonic()
        os.kill(left[0], signal.SIGKILL)
        assert _alive(run.pid) == []
        assert time.monotonic() - start < 5
    finally:
        for process in left:
            if process in _of_session(run.pid):
                os.kill(process, signal.SIGKILL)
