"""The decorator that makes a function the command of its benchmark, and the options that benchmarks share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.result import started
from benchmarks.words import command_words

MODEL = "udgnet-small"

_DATA = typer.Option("--data", metavar="DIR", help="The folder of pictures; see benchmarks/README.md.")

Data = Annotated[Path, _DATA]
OptionalData = Annotated[Path | None, _DATA]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the results here; without it they are printed.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="At most N pictures of each set: a quick look.")
]
Model = Annotated[str, typer.Option("--model", help="A file, or a network that ships.")]
Out = Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write what is made here.")]
Quick = Annotated[bool, typer.Option("--quick", help="Less work for the same rows: a look at it, and what CI runs.")]
Repeat = Annotated[int, typer.Option("--repeat", min=1, metavar="N", help="Timed runs of each task.")]
Sheet = Annotated[
    Path | None, typer.Option("--sheet", metavar="FILE.png", help="Write a contact sheet of the pictures, to look at.")
]
Steps = Annotated[int, typer.Option("--steps", min=1, metavar="N", help="Steps of each training.")]


def benchmark(description: str | None) -> Callable[[Callable[..., None]], typer.Typer]:
    """Return what makes a function the command of its module, whose help is the module's own description.

    Parameters
    ----------
    description
        The docstring of the module. Its lines stay as they are: tables and examples are part of it.
    """
    # "\b" on a line of its own tells the formatter to leave the lines of a paragraph alone.
    text = "\n\n".join(f"\b\n{paragraph}" for paragraph in (description or "").strip().split("\n\n"))

    def command(function: Callable[..., None]) -> typer.Typer:
        @wraps(function)
        def measured(**values: Any) -> None:
            started(command_words(function, values), quick=bool(values.get("quick")))
            function(**values)

        app = typer.Typer(
            add_completion=False,
            pretty_exceptions_enable=False,
            rich_markup_mode=None,
            context_settings={"help_option_names": ["-h", "--help"]},
        )
        app.command(help=text)(measured)
        return app

    return command
