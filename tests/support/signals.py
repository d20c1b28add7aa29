"""Commands that are stopped by a signal in the middle of their work."""

import contextlib
import os
import signal
import subprocess
import time

from tests.support.processes import command, environment


def stopped(cwd, program, arguments, signum, *, when, group=False, seconds=30):
    """Start a command, send a signal to it (or to its whole group) when `when` of its number is true.

    Returns its status, standard output and standard error; none of its processes is left. Workers hold standard error
    open for as long as they live, which is an error after so many seconds.
    """
    words = command(program, *arguments)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    with subprocess.Popen(words, cwd=cwd, env=environment(), start_new_session=True, **pipes) as run:
        try:
            end = time.monotonic() + 60
            while not when(run.pid) and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            (os.killpg if group else os.kill)(run.pid, signum)
            out, err = run.communicate(timeout=seconds)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, out, err
