"""The command ``rainnet``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from rainnet.commands.convert import convert
from rainnet.commands.derain import derain
from rainnet.commands.evaluate import evaluate
from rainnet.commands.export import export
from rainnet.commands.train import train

app = typer.Typer(
    name="rainnet",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from rainopt import __version__

        typer.echo(f"rainnet {__version__}")
        raise typer.Exit


@app.callback()
def rainnet(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Remove rain by networks: use them, train them, compare them."""


# One line a command, in the order in which the help lists them.
app.command("derain")(derain)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("convert")(convert)
app.command("export")(export)


def main() -> None:
    """Run the command and exit with its status; an interruption is status 130."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        typer.echo("interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
