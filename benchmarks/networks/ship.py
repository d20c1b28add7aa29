"""Make the weights of a training run those that ship: with what a card must say, and no path of this machine.

python -m benchmarks.networks.ship runs/refine -o rainnet/weights/refine.safetensors --data "..." --hardware "..."
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import benchmark
from rainnet.weights.checkpoint import facts_of, load, save

CARD, LICENCE = "rainnet/weights/README.md", "Apache-2.0"


@benchmark(__doc__)
def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run, or its model.safetensors.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    data: Annotated[str, typer.Option(help="What it was trained on, with the licences of the pictures.")],
    hardware: Annotated[str, typer.Option(help="What it was trained with, and how long.")],
) -> None:
    """Write the file."""
    facts = facts_of(run)
    recipe = dict(facts["recipe"])
    # Where the pictures lay is of no use to anybody else.
    recipe["data"] = dict(recipe["data"]) | {"train": [data], "unpaired": [], "unpaired_rainy": []}
    told = {"licence": LICENCE, "data": data, "steps": facts["steps"], "hardware": hardware, "recipe": recipe}
    save(load(run), output, facts=told | {"card": CARD}, overwrite=True)
    print(f"wrote {output}: {output.stat().st_size / 1e6:.2f} MB, {facts['steps']} steps")


if __name__ == "__main__":
    main()
