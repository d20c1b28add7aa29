"""A process that derains files: its order, what is given up, and that it may die."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from rainopt.app.task import FileRecord
from rainopt.studio.bench import Bench, Work

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Slow:
    """A task of some steps, which writes its own name at the end."""

    steps: int = 1
    dies: bool = False

    def __call__(self, source, target, progress=None):
        for k in range(self.steps):
            progress(k / self.steps)
            time.sleep(0.02)
            if self.dies:
                os._exit(3)
        with open(target, "a") as file:
            file.write(f"{source.name} ")
        return FileRecord(str(source), str(target), "ok")

    def failed(self, source, target, error):
        return FileRecord(str(source), str(target), "failed", error=error)


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


def add(bench, name, target, task=None, urgent=True):
    return bench.add(Work(task or Slow(), Path(name), target, urgent))


def test_what_is_urgent_goes_first(bench, tmp_path):
    target = tmp_path / "order"
    first = add(bench, "first", target, Slow(20))
    while first.share == 0:
        time.sleep(0.01)
    works = [add(bench, name, target, urgent=urgent) for name, urgent in (("b", False), ("c", False), ("d", True))]
    for work in works:
        assert work.done.wait(60)
        assert work.failure() is None
    assert target.read_text().split() == ["first", "d", "b", "c"]


def test_work_can_be_given_up(bench, tmp_path):
    long = add(bench, "long", tmp_path / "long", Slow(10_000))
    waiting = add(bench, "waiting", tmp_path / "waiting")
    while long.share == 0:
        time.sleep(0.01)
    bench.stop(waiting)
    bench.stop(long)
    for work in (long, waiting):
        assert work.done.wait(60)
        assert work.failure() == "stopped"
    after = add(bench, "after", tmp_path / "after")
    assert after.done.wait(60)
    assert [path.name for path in tmp_path.iterdir()] == ["after"]


def test_a_process_that_dies_takes_one_work_with_it(bench, tmp_path):
    dead = add(bench, "dead", tmp_path / "dead", Slow(dies=True))
    after = add(bench, "after", tmp_path / "after")
    assert dead.done.wait(60)
    assert "died" in dead.failure()
    assert after.done.wait(60)
    assert after.failure() is None


def test_the_end_waits_for_nothing(tmp_path):
    bench = Bench()
    long = add(bench, "long", tmp_path / "long", Slow(10_000))
    while long.share == 0:
        time.sleep(0.01)
    begin = time.monotonic()
    bench.close()
    assert time.monotonic() - begin < 10
    assert long.done.wait(10)
    assert add(bench, "late", tmp_path / "late").failure() == "stopped"
