"""As many threads as are asked for; results and errors come in order; tasks may have tasks, and processes children."""

import multiprocessing
import os
import subprocess
import sys
import threading

import pytest

from rainopt.parallel import threads
from rainopt.parallel.threads import in_order, run_all
from tests.support.processes import environment


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch, thread_count):
    monkeypatch.delenv(threads.VARIABLE, raising=False)


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
def test_a_bad_variable_names_itself_and_a_bad_count_changes_nothing(monkeypatch, value):
    before = threads.num_threads()
    with pytest.raises(ValueError, match="`count` must be at least 1"):
        threads.set_num_threads(0)
    assert threads.num_threads() == before
    monkeypatch.setenv(threads.VARIABLE, value)
    with pytest.raises(ValueError, match="RAINOPT_NUM_THREADS must be a whole number of at least 1"):
        threads.num_threads()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_all_results_come_in_order(thread_count, count):
    thread_count(count)
    assert run_all(lambda a, b: a * b, [(i, 2) for i in range(50)]) == [2 * i for i in range(50)]
    assert run_all(lambda: None, []) == []
    assert run_all(divmod, iter([(7, 2)])) == [(3, 1)]
    callers = set(run_all(lambda i: threading.get_ident(), [(i,) for i in range(40)]))
    assert len(callers) <= count
    assert count > 1 or callers == {threading.get_ident()}


@pytest.mark.parametrize("count", [1, 3])
def test_exceptions_come_through(thread_count, count):
    thread_count(count)
    with pytest.raises(ZeroDivisionError):
        run_all(lambda a: 1 / a, [(1,), (0,), (2,)])
    assert run_all(abs, [(-1,), (-2,)]) == [1, 2]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_results_come_in_order(thread_count, count):
    thread_count(count)
    first = threading.Event()

    def work(item):
        # The second is done before the first where both are worked on.
        if item == 0 and count > 1:
            assert first.wait(10)
        elif item == 1:
            first.set()
        return 2 * item

    assert list(in_order(work, range(50))) == [2 * k for k in range(50)]
    assert list(in_order(work, [])) == []
    assert list(in_order(work, iter([7]))) == [14]


@pytest.mark.parametrize("count", [1, 2, 4])
def test_only_a_few_are_taken_ahead_in_the_thread_of_the_caller(thread_count, count):
    thread_count(count)
    taken, callers = [], set()

    def items():
        for k in range(100):
            taken.append(k)
            callers.add(threading.get_ident())
            yield k

    results = in_order(lambda item: item, items())
    assert not taken
    for wanted in range(10):
        assert next(results) == wanted
        assert wanted < len(taken) <= wanted + count + 3
    results.close()
    assert len(taken) <= 9 + count + 3
    assert callers == {threading.get_ident()}


@pytest.mark.parametrize("count", [1, 3])
def test_errors_come_through_at_their_place(thread_count, count):
    thread_count(count)
    results = in_order(lambda item: 1 / item, [4, 2, 0, 1, 1, 1])
    assert [next(results), next(results)] == [0.25, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(results)
    assert list(results) == []

    def broken():
        yield 1
        raise OSError("no more")

    with pytest.raises(OSError, match="no more"):
        list(in_order(lambda item: item, broken()))
    assert list(in_order(abs, [-1, -2])) == [1, 2]


@pytest.mark.parametrize("count", [1, 2])
def test_closed_early_it_begins_nothing_more(thread_count, count):
    thread_count(count)
    begun, go = [], threading.Event()

    def work(item):
        begun.append(item)
        if item >= 1:
            assert go.wait(10)
        return item

    results = in_order(work, range(100))
    assert next(results) == 0
    results.close()
    go.set()
    # What had begun is finished first.
    assert run_all(abs, [(-k,) for k in range(20)]) == list(range(20))
    assert max(begun) <= count
    assert list(results) == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_tasks_may_have_tasks_of_their_own(thread_count, count):
    """Each of more tasks than threads would wait for a thread."""
    thread_count(count)

    def all_at_once(k):
        return run_all(lambda j: 10 * k + j, [(j,) for j in range(3)])

    def one_by_one(k):
        return list(in_order(lambda j: 10 * k + j, range(3)))

    expected = [[10 * k + j for j in range(3)] for k in range(8)]
    for inner in (all_at_once, one_by_one):
        assert run_all(inner, [(k,) for k in range(8)]) == expected
        assert list(in_order(inner, range(8))) == expected


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
    child.join(60)
    code = child.exitcode
    if code is None:
        child.kill()
    raise SystemExit("the child hangs" if code is None else code)
"""


@pytest.mark.parametrize("method", ["fork", pytest.param("spawn", marks=pytest.mark.slow)])
def test_a_child_solves_after_its_parent_did(tmp_path, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip("not on this system")
    script = tmp_path / "child.py"
    script.write_text(CHILD.format(method=method))
    # Python warns about forking a process that has threads.
    command = [sys.executable, "-W", "ignore", str(script)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
