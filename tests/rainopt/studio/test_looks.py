"""Looks of methods that are not live: the latest alone, in the place of the one before, whatever goes wrong."""

import threading
import time

import numpy as np
import pytest

from rainopt.app.excerpt import Seen
from rainopt.app.methods import Method
from rainopt.studio.looks import Looks
from tests.support.studio import Studio, WorkerHere, session_of


@pytest.fixture
def looks():
    looks = Looks(WorkerHere())
    yield looks
    looks.close()


class Held:
    """A job that tells how far it is until it is let go."""

    def __init__(self):
        self.begun, self.free = threading.Event(), threading.Event()

    def __call__(self, progress):
        self.begun.set()
        while not self.free.is_set():
            progress(0.5)
            time.sleep(0.005)
        return "held"


def ended(look):
    assert look.done.wait(30)
    return look.state


def test_a_newer_look_takes_the_place_of_those_before(looks):
    held, never = Held(), Held()
    first = looks.begin("first", held)
    assert held.begun.wait(30)
    waiting = looks.begin("waiting", never)
    latest = looks.begin("latest", lambda progress: "seen")
    assert [ended(look) for look in (first, waiting, latest)] == ["stopped", "stopped", "done"]
    assert latest.seen == "seen"
    assert not never.begun.is_set()
    assert looks.find("latest") is latest
    assert looks.find("first") is None


def test_a_look_is_given_up_where_nobody_looks(looks):
    held = Held()
    look = looks.begin("one", held)
    assert held.begun.wait(30)
    assert looks.find("one") is look
    looks.leave()
    assert ended(look) == "stopped"


def test_a_look_that_fails_says_why_and_is_tried_again_after_another(looks):
    def bad(progress):
        raise RuntimeError("no such luck")

    look = looks.begin("bad", bad)
    assert (ended(look), look.error) == ("failed", "no such luck")
    assert looks.find("bad") is look
    assert ended(looks.begin("good", lambda progress: 1)) == "done"
    assert looks.find("bad") is None


def test_at_the_end_all_is_given_up():
    looks = Looks(WorkerHere())
    held = Held()
    look = looks.begin("one", held)
    assert held.begun.wait(30)
    looks.close()
    assert ended(look) == "stopped"
    assert looks.begin("late", held).state == "stopped"


def method(part, **more):
    return Method(
        name="other",
        title="Other",
        about="",
        task=lambda source, wish, output: None,
        command=lambda wish: ["other"],
        part=part,
        **more,
    )


def darker(excerpt, progress):
    return Seen(excerpt.pixels // 2, np.full(excerpt.pixels.shape[:2], 0.1, np.float32))


def follow(studio, look):
    while look["state"] == "running":
        look = studio.client.get(f"/api/looks/{look['look']}").json()
    return look


def test_the_page_sees_what_a_method_makes_of_a_part(photo):
    asked = {"method": "other", "strength": 1.7}
    with session_of(photo, methods=[method(darker)]) as session:
        studio = Studio(session)
        told = studio.ask("/api/pictures/0/view", asked=asked, box=[20, 10, 40, 30])
        assert (told["method"], told["by"], told["derained"], told["live"]) == ("other", None, None, False)
        assert follow(studio, told["look"])["state"] == "done"
        told = studio.ask("/api/pictures/0/view", asked=asked, box=[20, 10, 40, 30])
        assert (told["by"], told["exact"]) == ("other", False)
        (view,) = (session.views._kept[key] for key in session.views._kept if key in told["derained"])
        pixels = session.pictures.photo(session.pictures.of(0)).pixels
        np.testing.assert_array_equal(view.pictures["derained"], pixels[10:40, 20:60] // 2)


def test_the_solver_stands_in_where_nothing_was_seen(photo):
    held = Held()
    with session_of(photo, methods=[method(lambda excerpt, progress: held(progress))]) as session:
        studio = Studio(session)
        asked = {"method": "other"}
        told = studio.ask("/api/pictures/0/view", asked=asked, stand_in=True)
        assert (told["method"], told["by"], told["look"]["state"]) == ("other", "solver", "running")
        assert studio.client.get(told["derained"]).status_code == 200
        # As long as something moves, no look is begun.
        assert studio.ask("/api/pictures/0/view", asked=asked | {"veil": True}, quick=True)["look"] is None


def test_a_method_that_raises_is_told_and_the_page_lives_on(photo):
    def bad(excerpt, progress):
        raise ValueError("`excerpt` is not to my taste")

    with session_of(photo, methods=[method(bad)]) as session:
        studio = Studio(session)
        look = studio.ask("/api/pictures/0/view", asked={"method": "other"})["look"]
        told = follow(studio, look)
        assert (told["state"], told["error"]) == ("failed", "`excerpt` is not to my taste")
        again = studio.ask("/api/pictures/0/view", asked={"method": "other"})
        assert again["look"] == told
        assert studio.ask("/api/pictures/0/view", asked={})["by"] == "solver"
        assert studio.client.get("/api/looks/99").json()["state"] == "stopped"


def test_a_method_without_a_part_shows_nothing_before_the_end(photo):
    with session_of(photo, methods=[method(None)]) as session:
        told = Studio(session).ask("/api/pictures/0/view", asked={"method": "other"})
        assert (told["by"], told["look"], told["derained"]) == (None, None, None)


def test_a_file_under_way_does_not_delay_a_look(photo):
    held = Held()
    slow = method(darker)

    def task(source, target, progress=None):
        return held(lambda share: None)

    object.__setattr__(slow, "task", lambda source, wish, output: task)
    with session_of(photo, methods=[slow]) as session:
        studio = Studio(session)
        work = studio.ask("/api/pictures/0/full", asked={"method": "other"})
        assert held.begun.wait(30)
        look = studio.ask("/api/pictures/0/view", asked={"method": "other"})["look"]
        assert follow(studio, look)["state"] == "done"
        assert studio.client.get(f"/api/work/{work['work']}").json()["state"] == "running"
        held.free.set()
