"""Consoles and the progress bar that all commands share."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


def open_consoles() -> tuple[Console, Console]:
    """Return consoles of standard output, for results, and of standard error, for progress and errors."""
    for stream in (sys.stdout, sys.stderr):
        # A name or an arrow that the stream's encoding lacks is no reason to end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    out = Console(highlight=False, soft_wrap=True, emoji=False)
    return out, Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def progress_bar(err: Console) -> Progress:
    """Return a bar that is drawn on a terminal only and leaves standard output alone."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
        # Results belong to standard output, wherever the bar is drawn.
        redirect_stdout=False,
    )
