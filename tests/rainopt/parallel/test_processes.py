"""A worker that dies takes with it the task that it worked on, and no other."""

import os
import signal
import sys

import pytest

from rainopt.parallel.processes import run_in_processes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")


def square(number):
    """Die of 3 and of 5, as for want of memory."""
    if number in (3, 5):
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number


@pytest.mark.parametrize("processes", [1, 2])
def test_the_others_are_done(processes):
    found = {task[0]: result for task, result in run_in_processes(square, [(k,) for k in range(7)], processes)}
    assert found == {k: None if k in (3, 5) else k * k for k in range(7)}
