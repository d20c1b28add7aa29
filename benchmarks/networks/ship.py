"""Make the weights of a training run those that ship: with what a card must say, and no path of this machine.

python -m benchmarks.networks.ship runs/refine -o rainnet/weights/refine.safetensors --data "..." --hardware "..."
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.options import benchmark
from rainnet.weights.checkpoint import facts_of, load, save

CARD, LICENCE = "rainnet/weights/README.md", "Apache-2.0"


# Where things lay is of no use to anybody else.
NOWHERE: dict[str, dict[str, Any]] = {
    "network": {"start": None},
    "data": {"rainy": None, "clean": None, "unpaired": [], "unpaired_rainy": []},
    "validation": {"rainy": None, "clean": None, "data": []},
}


def shipped_facts(facts: dict[str, Any], data: str, hardware: str) -> dict[str, Any]:
    """Return the facts of weights that ship, of those of a run: steps and recipe, without paths, and what is told."""
    recipe = {
        name: part | NOWHERE.get(name, {}) if isinstance(part, dict) else part for name, part in facts["recipe"].items()
    }
    recipe["data"]["train"] = [data]
    return {
        "licence": LICENCE,
        "data": data,
        "steps": facts["steps"],
        "hardware": hardware,
        "recipe": recipe,
        "card": CARD,
    }


@benchmark(__doc__)
def main(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run, or its model.safetensors.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="The file to write.")],
    data: Annotated[str, typer.Option(help="What it was trained on, with the licences of the pictures.")],
    hardware: Annotated[str, typer.Option(help="What it was trained with, and how long.")],
) -> None:
    """Write the file."""
    facts = shipped_facts(facts_of(run), data, hardware)
    save(load(run), output, facts=facts, overwrite=True)
    print(f"wrote {output}: {output.stat().st_size / 1e6:.2f} MB, {facts['steps']} steps")


if __name__ == "__main__":
    main()
