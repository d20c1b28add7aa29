"""The command ``rainopt``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

from typing import Annotated

from rainopt.app.options import new_app, run, version_of
from rainopt.commands.angle import angle
from rainopt.commands.background import background
from rainopt.commands.derain import derain
from rainopt.commands.studio import studio

app = new_app("rainopt")


@app.callback()
def rainopt(version: Annotated[bool, version_of("rainopt")] = False) -> None:
    """Remove rain from photographs and videos without any training: no weights, no data."""


# One line a command, in the order in which the help lists them.
app.command("derain")(derain)
app.command("angle")(angle)
app.command("background")(background)
app.command("studio")(studio)


def main() -> None:
    """Run the command and exit with its status."""
    run(app)


if __name__ == "__main__":
    main()
