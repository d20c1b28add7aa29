"""A process for jobs: what it returns and raises, that it is stopped and ended, and that it may die."""

import os
import threading
import time

import pytest

from rainopt.studio.worker import GivenUpError, JobError, Worker

pytestmark = pytest.mark.slow


def answer(progress):
    progress(0.25)
    return 42


def bad(progress):
    raise ValueError("`job` is bad")


def dies(progress):
    os._exit(3)


def long(progress):
    while True:
        progress(0.0)
        time.sleep(0.01)


def always():
    return True


@pytest.fixture(scope="module")
def worker():
    worker = Worker()
    yield worker
    worker.close()


def test_a_job_returns_or_raises(worker):
    shares = []
    assert worker.run(answer, shares.append, always) == 42
    assert shares == [0.25]
    with pytest.raises(JobError, match="`job` is bad"):
        worker.run(bad, shares.append, always)
    with pytest.raises(JobError, match="another process"):
        worker.run(lambda progress: None, shares.append, always)
    with pytest.raises(GivenUpError):
        worker.run(answer, shares.append, lambda: False)
    assert worker.run(answer, shares.append, always) == 42


def test_a_job_is_stopped(worker):
    def tell(share):
        threading.Thread(target=worker.stop).start()

    with pytest.raises(GivenUpError):
        worker.run(long, tell, always)
    assert worker.run(answer, lambda share: None, always) == 42


def test_one_that_dies_is_told_and_another_takes_its_place(worker):
    with pytest.raises(JobError, match="died"):
        worker.run(dies, lambda share: None, always)
    assert worker.run(answer, lambda share: None, always) == 42
    worker.end()
    assert not worker.runs
    assert worker.run(answer, lambda share: None, always) == 42
