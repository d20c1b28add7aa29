"""Work beside other work: the same things in the same order, bounded, with its errors, and no thread left behind."""

import threading
import time
from contextlib import closing

import pytest

from rainopt.parallel.ahead import Behind, ahead


def threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("rainopt-")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert not threads()


def waited_for(condition):
    """Whether something comes true within a second."""
    end = time.monotonic() + 1
    while not condition() and time.monotonic() < end:
        time.sleep(0.001)
    return condition()


@pytest.mark.parametrize("depth", [1, 3, 100])
def test_things_come_as_they_were_made(depth):
    assert list(ahead(iter(range(50)), depth)) == list(range(50))
    assert list(ahead([], depth)) == []


def test_so_many_are_made_beforehand_and_no_more():
    made = []

    def things():
        for number in range(100):
            made.append(number)
            yield number

    with closing(ahead(things(), 4)) as line:
        assert next(line) == 0
        assert waited_for(lambda: len(made) == 5)
        time.sleep(0.01)
        assert len(made) == 5


def test_an_error_comes_after_what_was_made_before():
    def things():
        yield 1
        yield 2
        raise ValueError("broken")

    line = ahead(things(), 8)
    assert [next(line), next(line)] == [1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(line)


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_what_is_left_early_is_closed(error):
    closed = []

    def things():
        try:
            yield from range(1000)
        finally:
            closed.append(threading.current_thread().name)

    def take_some():
        with closing(ahead(things(), 2)) as line:
            for number in line:
                if number == 3:
                    raise error

    with pytest.raises(error):
        take_some()
    assert closed == ["rainopt-ahead"]


def test_calls_are_made_in_order_and_all_at_the_end():
    done = []
    with Behind(done.append, 2) as behind:
        for number in range(50):
            behind(number)
    assert done == list(range(50))


@pytest.mark.parametrize("at", [0, 7, 9])
def test_an_error_of_a_call_is_raised_by_a_later_one_or_the_end(at):
    done = []

    def work(number):
        if number == at:
            raise ValueError("full")
        done.append(number)

    def call_all():
        with Behind(work, 2) as behind:
            for number in range(10):
                behind(number)

    with pytest.raises(ValueError, match="full"):
        call_all()
    assert done == list(range(at))


def test_after_an_error_calls_that_wait_are_not_made():
    done, go = [], threading.Event()

    def work(number):
        go.wait(1)
        done.append(number)

    def call_some():
        with Behind(work, 5) as behind:
            for number in range(5):
                behind(number)
            threading.Timer(0.05, go.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call_some()
    assert done in ([], [0])


def test_a_line_has_a_length():
    with pytest.raises(ValueError, match="`length` must be 1 or more"):
        list(ahead([1], 0))
