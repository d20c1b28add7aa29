"""Start a program so that Ctrl-C is a word and a status from the first import on, and no traceback.

Nothing is imported here that takes time: what happens before `start` is called cannot be caught by it.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from types import FrameType


def start(module: str) -> None:
    """Import the module of a program, call its ``main``, and exit with its status."""
    stopped = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopped
        stopped = True
        raise KeyboardInterrupt

    # A shell that starts a program in the background lets it ignore Ctrl-C, and that stays.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, stop)
    try:
        import_module(module).main()
    except BaseException as error:
        # Libraries that are interrupted while they are imported raise errors of their own.
        if isinstance(error, SystemExit) or not (stopped or isinstance(error, KeyboardInterrupt)):
            raise
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    finally:
        # What is left is to end; who presses Ctrl-C again wants that at once.
        if signal.getsignal(signal.SIGINT) is stop:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
