"""The command ``raindata``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

from typing import Annotated

from data_tools.commands.build import build
from data_tools.commands.export import export
from data_tools.commands.rate import rate
from data_tools.commands.review import review
from data_tools.commands.synth import synth
from data_tools.commands.verify import verify
from rainopt.app.options import new_app, run, version_of

app = new_app("raindata")


@app.callback()
def raindata(version: Annotated[bool, version_of("raindata")] = False) -> None:
    """Make datasets of rainy and clean pictures, and check those that are there."""


# One line a command, in the order in which the help lists them.
app.command("synth")(synth)
app.command("verify")(verify)
app.command("build")(build)
app.command("review")(review)
app.command("export")(export)
app.command("rate")(rate)


def main() -> None:
    """Run the command and exit with its status."""
    run(app)


if __name__ == "__main__":
    main()
