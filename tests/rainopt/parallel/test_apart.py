"""One piece of work in a process of its own: its reports, its failures, and its end at any time."""

import os
import threading
import time

import pytest

from rainopt.parallel.apart import Apart, ApartError


def work(what, report):
    report(0.25, "begun")
    if what == "fail":
        raise ValueError("it cannot be")
    if what == "die":
        os._exit(3)
    if what == "wait":
        time.sleep(60)
    report(1.0, "")


def test_reports_come_in_order_and_the_end_is_told():
    said = []
    Apart(work, "do").watch(lambda share, text: said.append((share, text)))
    assert said == [(0.25, "begun"), (1.0, "")]


@pytest.mark.parametrize(("what", "told"), [("fail", "it cannot be"), ("die", "died")])
def test_failures_and_deaths_are_told(what, told):
    with pytest.raises(ApartError, match=told):
        Apart(work, what).watch(lambda share, text: None)


def test_it_is_given_up_at_once():
    apart, begun = Apart(work, "wait"), threading.Event()
    ended = []

    def watch():
        with pytest.raises(ApartError):
            apart.watch(lambda share, text: begun.set())
        ended.append(True)

    thread = threading.Thread(target=watch)
    thread.start()
    assert begun.wait(30)
    apart.give_up()
    thread.join(10)
    assert ended
