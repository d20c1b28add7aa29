"""The command ``rainnet``. Heavy imports wait until there is work, so that ``--help`` answers at once."""

from __future__ import annotations

from typing import Annotated

from rainnet.commands.convert import convert
from rainnet.commands.derain import derain
from rainnet.commands.evaluate import evaluate
from rainnet.commands.export import export
from rainnet.commands.generate import generate
from rainnet.commands.listing import listing
from rainnet.commands.strips import disentangle, interpolate, translate
from rainnet.commands.train import train
from rainopt.app.options import new_app, run, version_of

app = new_app("rainnet")


@app.callback()
def rainnet(version: Annotated[bool, version_of("rainnet")] = False) -> None:
    """Remove rain by networks: use them, train them, compare them."""


# One line a command, in the order in which the help lists them.
app.command("derain")(derain)
app.command("train")(train)
app.command("evaluate")(evaluate)
app.command("convert")(convert)
app.command("export")(export)
app.command("generate")(generate)
app.command("interpolate")(interpolate)
app.command("disentangle")(disentangle)
app.command("translate")(translate)
app.command("list")(listing)


def main() -> None:
    """Run the command and exit with its status."""
    run(app)


if __name__ == "__main__":
    main()
