import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rainopt.parallel import threads

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def restore(monkeypatch):
    monkeypatch.delenv(threads.VARIABLE, raising=False)
    threads.set_num_threads(None)
    yield
    threads.set_num_threads(None)


def test_the_call_beats_the_variable_beats_the_cores(monkeypatch):
    cores = threads.num_threads()
    assert 1 <= cores <= os.cpu_count()
    monkeypatch.setenv(threads.VARIABLE, "3")
    assert threads.num_threads() == 3
    threads.set_num_threads(5)
    assert threads.num_threads() == 5
    threads.set_num_threads(None)
    assert threads.num_threads() == 3
    monkeypatch.setenv(threads.VARIABLE, "")
    assert threads.num_threads() == cores


@pytest.mark.parametrize("value", ["0", "-1", "two", "1.5", "²"])
def test_a_bad_variable_names_itself(monkeypatch, value):
    monkeypatch.setenv(threads.VARIABLE, value)
    with pytest.raises(ValueError, match="RAINOPT_NUM_THREADS must be a whole number of at least 1"):
        threads.num_threads()


@pytest.mark.parametrize("count", [0, -2])
def test_a_bad_count_is_refused_and_changes_nothing(count):
    before = threads.num_threads()
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        threads.set_num_threads(count)
    assert threads.num_threads() == before


@pytest.mark.parametrize("count", [1, 2, 4])
def test_results_come_in_order(count):
    threads.set_num_threads(count)
    assert threads.run_all(lambda a, b: a * b, [(i, 2) for i in range(50)]) == [2 * i for i in range(50)]
    assert threads.run_all(lambda: None, []) == []
    assert threads.run_all(divmod, iter([(7, 2)])) == [(3, 1)]


def test_one_thread_is_the_caller_and_more_are_at_most_as_many_as_asked():
    threads.set_num_threads(1)
    assert set(threads.run_all(lambda i: threading.get_ident(), [(i,) for i in range(4)])) == {threading.get_ident()}
    threads.set_num_threads(2)
    assert len(set(threads.run_all(lambda i: threading.get_ident(), [(i,) for i in range(40)]))) <= 2


@pytest.mark.parametrize("count", [1, 3])
def test_exceptions_come_through(count):
    threads.set_num_threads(count)
    with pytest.raises(ZeroDivisionError):
        threads.run_all(lambda a: 1 / a, [(1,), (0,), (2,)])
    assert threads.run_all(abs, [(-1,), (-2,)]) == [1, 2]


CHILD = """
import multiprocessing
import numpy as np
from rainopt import solve_udg
from rainopt.parallel import threads

threads.set_num_threads(2)
image = np.random.default_rng(0).random((300, 20))

def solve():
    solve_udg(image, max_iter=2, tol=0)

if __name__ == "__main__":
    solve()
    child = multiprocessing.get_context("{method}").Process(target=solve)
    child.start()
    child.join(10)
    code = child.exitcode
    if code is None:
        child.kill()
    raise SystemExit("the child hangs" if code is None else code)
"""


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_a_child_solves_after_its_parent_did(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    script = tmp_path / "child.py"
    script.write_text(CHILD.format(method=method))
    # Python warns about forking a process that has threads.
    command = [sys.executable, "-W", "ignore", str(script)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_tasks_may_have_tasks_of_their_own():
    count = 3
    # Each of more tasks than threads would wait for a thread.
    threads.set_num_threads(2)
    try:
        found = threads.run_all(
            lambda k: threads.run_all(lambda j: 10 * k + j, [(j,) for j in range(count)]), [(k,) for k in range(6)]
        )
    finally:
        threads.set_num_threads(None)
    assert found == [[10 * k + j for j in range(count)] for k in range(6)]
