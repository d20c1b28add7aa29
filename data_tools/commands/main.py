"""The command ``raindata``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

import sys

import typer

from data_tools.commands.build import build
from data_tools.commands.export import export
from data_tools.commands.synth import synth
from data_tools.commands.verify import verify
from rainopt.app.exit_codes import INTERRUPTED

app = typer.Typer(
    name="raindata",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def raindata() -> None:
    """Make datasets of rainy and clean pictures, and check those that are there."""


# One line a command, in the order in which the help lists them.
app.command("synth")(synth)
app.command("verify")(verify)
app.command("build")(build)
app.command("export")(export)


def main() -> None:
    """Run the command and exit with its status; an interruption is status 130."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
