"""The options that commands share, each said once: the same name, type, help and meaning in all three programs."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup

from rainopt.app.console import PrintableFormatter, printable
from rainopt.app.exit_codes import FAILED, INTERRUPTED

EXTRAS = {
    **dict.fromkeys(("torch", "lightning_fabric", "safetensors", "tensorboard"), "net"),
    **dict.fromkeys(("pydantic", "skimage", "imagehash"), "data"),
    **dict.fromkeys(("onnx", "onnxruntime", "onnxscript"), "export"),
    "av": "video",
    "distributed": "cluster",
    **dict.fromkeys(("fastapi", "starlette", "uvicorn"), "review"),
}
"""The extra of the distribution that brings a library which commands import without further ado."""

Inputs = Annotated[
    list[str],
    typer.Argument(metavar="INPUT", help="Image and video files, folders (with sub-folders) or quoted globs."),
]
Images = Annotated[
    list[str], typer.Argument(metavar="INPUT", help="Image files, folders (with sub-folders) or quoted globs.")
]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="Folder for the results, or a file name for a single input.")
]
OutputFile = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace files that are there already.")]
SaveRain = Annotated[bool, typer.Option("--save-rain", help="Also write the rain layer, NAME_rain.png.")]
Compare = Annotated[bool, typer.Option("--compare", help="Also write what was done side by side, NAME_compare.png.")]
Jobs = Annotated[int, typer.Option("-j", "--jobs", min=1, help="Files worked on at a time; 1 gives all cores to each.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda:N.")]
Quality = Annotated[int, typer.Option(min=1, max=100, help="Quality of JPEG results.")]
Crf = Annotated[int, typer.Option(min=0, max=51, help="Quality of video results: 0 is lossless, more is smaller.")]
JsonLines = Annotated[bool, typer.Option("--json", help="Print one JSON object a line instead of text.")]


@contextmanager
def _interruptions_told() -> Iterator[None]:
    """Turn an interruption into a word and its status; typer would end without the word."""
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        raise typer.Exit(INTERRUPTED) from None


class Program(TyperGroup):
    """The group of the commands of a program: what holds for the arguments of all, and how each may end."""

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Read the arguments of the program."""
        with _interruptions_told():
            return super().make_context(*arguments, **options)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Refuse empty arguments, which nobody means: an unset variable would name the current folder."""
        for word in args:
            option, _, value = word.partition("=")
            if not word or (option.startswith("--") and option != word and not value):
                ctx.fail(f"{option or 'An argument'} is empty, as of a variable that is not set; give it a value.")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run a command; no name in an error steers the terminal."""
        try:
            with _interruptions_told():
                return super().invoke(ctx)
        except Exception as error:
            if hasattr(error, "format_message") and isinstance(getattr(error, "message", None), str):
                error.message = printable(error.message)  # type: ignore[attr-defined]
            raise


def new_app(name: str) -> typer.Typer:
    """Return the program of a name, without commands."""
    return typer.Typer(
        name=name,
        cls=Program,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="markdown",
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def version_of(name: str) -> object:
    """Return the option ``--version`` of a program."""

    def show(wanted: bool) -> None:
        if wanted:
            from rainopt import __version__

            typer.echo(f"{name} {__version__}")
            raise typer.Exit

    return typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=show)


def run(app: typer.Typer) -> None:
    """Run a program and exit with its status.

    An interruption is status 130; a missing extra is told; and where standard output takes no more, on a full disk or
    in a closed pipe, the program ends with status 1.
    """
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(PrintableFormatter())
    try:
        try:
            app(standalone_mode=True)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except ImportError as error:
        # Only those that say what to install; any other is a fault of ours and keeps its traceback.
        extra = EXTRAS.get((error.name or "").partition(".")[0])
        if "pip install 'rainopt[" in str(error):
            told = str(error)
        elif extra is not None:
            told = f"this needs {error.name}, which is not installed: pip install 'rainopt[{extra}]'"
        else:
            raise
        typer.echo(f"failed  {told}", err=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except OSError as error:
        # Those of files name them.
        if error.filename is not None or error.errno not in (errno.EPIPE, errno.ENOSPC, errno.EIO, errno.EBADF):
            raise
        for stream in (sys.stdout, sys.stderr):
            _give_up(stream)
        if error.errno != errno.EPIPE:  # nobody wants the rest, as of `| head`
            with suppress(OSError):
                typer.echo(f"failed  the output cannot be written ({error.strerror}); check where it goes", err=True)
        sys.exit(FAILED)


def _give_up(stream: TextIO | None) -> None:
    """Let go of a stream that takes no more, so that what is left in it is no error at the end."""
    if stream is None:
        return
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def refusing(option: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what an option's value raises, by default ValueError and OSError, into wrong usage that names the option."""
    try:
        yield
    except tuple(errors) or (ValueError, OSError) as error:  # noqa: B030
        raise typer.BadParameter(printable(str(error)), param_hint=option) from None


def checked_angle(degrees: float | None) -> float | None:
    """Return an angle of ``--angle`` if it is one."""
    if degrees is not None and not -90 < degrees <= 90:
        raise typer.BadParameter(f"must be in (-90, 90] degrees, got {degrees:g}", param_hint="--angle")
    return degrees
