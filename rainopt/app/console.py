"""Consoles and the progress bar that all commands share, and names made safe to be printed."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

# Controls of terminals, ends of lines, and marks that turn the direction of writing: a file's name may hold them all.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    r"""Return a text with what would steer a terminal written out, a new line as ``\n``."""
    return _UNPRINTABLE.sub(lambda found: found.group().encode("unicode_escape").decode(), text)


class SafeConsole(Console):
    """A console on which no text can move the cursor, change colours, or begin a line; each `print` is one line."""

    def render_str(self, text: str, **options: Any) -> Text:
        """Return what is shown for a text, in a line or in a cell of a table."""
        return super().render_str(printable(text), **options)


class PrintableFormatter(logging.Formatter):
    """Warnings with `printable` names."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        return printable(super().format(record))


class _Description(TextColumn):
    def render(self, task: Task) -> Text:
        text = super().render(task)
        text.plain = printable(text.plain)
        return text


def open_consoles() -> tuple[Console, Console]:
    """Return consoles of standard output, for results, and of standard error, for progress and errors."""
    for stream in (sys.stdout, sys.stderr):
        # A name or an arrow that the stream's encoding lacks is no reason to end a run.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    out = SafeConsole(highlight=False, soft_wrap=True, emoji=False)
    return out, SafeConsole(stderr=True, highlight=False, soft_wrap=True, emoji=False)


def progress_bar(err: Console) -> Progress:
    """Return a bar that is drawn on a terminal only and leaves standard output alone."""
    return Progress(
        _Description("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=err,
        transient=True,
        disable=not err.is_terminal,
        # Results belong to standard output, wherever the bar is drawn.
        redirect_stdout=False,
    )
