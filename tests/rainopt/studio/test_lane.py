"""Of what waits, only the latest is done."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from rainopt.studio.lane import Lane, SupersededError


@pytest.fixture
def lane():
    lane = Lane()
    yield lane
    lane.close()


def test_the_latest_takes_the_place_of_what_waits(lane):
    begun, go = threading.Event(), threading.Event()

    def long():
        begun.set()
        assert go.wait(10)
        return "long"

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(lane.run, long)
        assert begun.wait(10)
        second = pool.submit(lane.run, lambda: "second")
        while lane._next is None:
            pass
        third = pool.submit(lane.run, lambda: "third")
        with pytest.raises(SupersededError):
            second.result(10)
        go.set()
        assert (first.result(10), third.result(10)) == ("long", "third")


def test_errors_are_the_callers(lane):
    with pytest.raises(ZeroDivisionError):
        lane.run(lambda: 1 / 0)
    assert lane.run(lambda: 2) == 2
    lane.close()
    with pytest.raises(SupersededError):
        lane.run(lambda: 3)


def test_what_nobody_waits_for_is_done_between():
    left, calls, ends = [], [], threading.Event()

    def idle():
        calls.append(len(left))
        if left:
            left.pop()
        ends.set() if not left and len(calls) > 1 else None
        return bool(left)

    lane = Lane(idle)
    lane.run(lambda: left.extend("abc"))
    assert ends.wait(10)
    lane.close()
    assert calls[-3:] == [3, 2, 1]
