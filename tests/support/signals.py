"""Commands that are stopped by a signal in the middle of their work."""

import contextlib
import os
import signal
import subprocess
import time

from tests.support.processes import command, environment


def stopped(cwd, program, arguments, signum, *, when, group=False):
    """Start a command, send a signal to it (or to its whole group) when `when()` is true.

    Returns its status, standard output and standard error; none of its processes is left.
    """
    words = command(program, *arguments)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(words, cwd=cwd, env=environment(), start_new_session=True, **pipes) as run:
        try:
            end = time.monotonic() + 60
            while not when() and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            (os.killpg if group else os.kill)(run.pid, signum)
            out, err = run.communicate(timeout=30)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, out, err
