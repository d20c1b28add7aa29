import pytest

from benchmarks.common import Timing
from benchmarks.peers import rows
from benchmarks.peers.rows import Peer, clocked, one_thread, task
from rainopt.parallel.threads import num_threads


def outcome(seconds):
    return lambda: (Timing((seconds,)), {"right": True})


def test_a_row_tells_times_beside_ours_and_what_is_missing(monkeypatch):
    monkeypatch.setitem(rows.DISTRIBUTIONS, "no_such_module", "no-such-distribution")
    monkeypatch.setitem(rows.COMPILED, "no_such_module", "; it is compiled there")
    peers = [
        Peer("three times", outcome(3.0), "numpy", plain=True),
        Peer("absent", outcome(1.0), "no_such_module"),
        Peer("unwanted", None, "numpy", why_not="another energy"),
    ]
    found = task("a task", "its work", ("ours", outcome(1.0)), peers)
    assert found["ours"]["median_s"] == 1.0
    ran, absent, unwanted = found["peers"]
    assert (ran["times_ours"], ran["plain"], ran["missing"], ran["result"]) == (3.0, True, None, {"right": True})
    assert ran["version"]
    assert absent["missing"] == "pip install 'rainopt[peers]'; it is compiled there"
    assert absent["version"] is None
    assert unwanted["missing"] == "another energy"
    assert "median_s" not in absent


@pytest.mark.parametrize(("slow", "very_slow", "runs"), [(9, 9, 5), (-1, 9, 3), (-1, -1, 1)])
def test_what_takes_long_is_run_less_often(monkeypatch, slow, very_slow, runs):
    monkeypatch.setattr(rows, "SLOW", slow)
    monkeypatch.setattr(rows, "VERY_SLOW", very_slow)
    calls = []
    clock, _ = clocked(lambda: calls.append(0), 5)
    assert len(clock.seconds) == runs == len(calls) - 1


def test_one_thread_is_for_the_time_of_the_comparison():
    before = num_threads()
    with one_thread():
        assert num_threads() == 1
    assert num_threads() == before
