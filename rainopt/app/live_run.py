"""The run of a command over one stream: what may be asked, how it is ended, and what it says."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from rich.markup import escape

from rainopt.app.console import open_consoles
from rainopt.app.exit_codes import FAILED, OK
from rainopt.app.inputs import PlanError
from rainopt.app.runner import compiling_told
from rainopt.io.own_results import note_results
from rainopt.io.video.formats import WRITABLE_SUFFIXES
from rainopt.io.video.streams import STANDARD, is_stream, without_secrets

if TYPE_CHECKING:
    from rainopt.app.derain import DerainTask

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def refuse_streams(inputs: Sequence[str], output: Path) -> None:
    """Refuse addresses, standard input and standard output where ``--live`` was not given.

    Raises
    ------
    PlanError
        If there is one.
    """
    stream = next((argument for argument in inputs if is_stream(argument)), None)
    if stream is not None or str(output) == STANDARD:
        what = f"'{without_secrets(stream or STANDARD)}' is a stream and no file"
        raise PlanError(f"{what}; add --live to derain it while it comes, or save it as a file and name that")


def check_live(inputs: Sequence[str], output: Path, overwrite: bool) -> None:
    """Refuse what cannot be done with a stream.

    Raises
    ------
    PlanError
        If there is not one input and one file, or one name too many.
    """
    if len(inputs) != 1:
        raise PlanError(f"--live derains one stream, and {len(inputs)} are given; start a command for each")
    if str(output) == STANDARD:
        return
    if output.suffix.lower() not in WRITABLE_SUFFIXES or os.path.isdir(output):
        raise PlanError(
            f"'{output}' is no name of a video; name one for the stream ({', '.join(sorted(WRITABLE_SUFFIXES))}), or - "
            "for standard output"
        )
    if os.path.exists(inputs[0]) and os.path.realpath(inputs[0]) == os.path.realpath(output):
        raise PlanError(f"'{output}' is the input itself; name another file")
    if os.path.exists(output) and not overwrite:
        raise PlanError(f"'{output}' is there already; name another file, or add --overwrite")


def run_live(source: str, output: Path, task: DerainTask, json_lines: bool) -> int:
    """Derain a stream until it ends or somebody ends it, say what became of it, and return the exit status."""
    from rainopt.app.live import derain_live

    out, err = open_consoles()
    standard = str(output) == STANDARD
    if standard:
        out = err  # where the video goes, nothing else does
    with _ending() as stop, compiling_told(err.print):
        record = derain_live(source, str(output), task.output, task.live(), stop, lambda text: err.print(escape(text)))
    if json_lines:
        print(json.dumps(record.as_dict()), file=sys.stderr if standard else sys.stdout, flush=True)
    if record.status == "failed":
        err.print(f"[red]failed[/red]  {escape(record.error or '')}")
        return FAILED
    if not standard:
        note_results([output])
    if not json_lines:
        out.print(escape(record.line()))
    return OK


@contextmanager
def _ending() -> Iterator[threading.Event]:
    """Let Ctrl-C, and the signal by which services are stopped, end the stream and not the program."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        if stop.is_set():
            # Who presses it again does not want to wait.
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, end) for number in _SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
