"""The options that commands of ``raindata`` share among themselves; `rainopt.app.options` has those of all programs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

import typer

OUTPUT = typer.Option("-o", "--output", help="Folder to fill: a new one, or one to go on with.")

Output = Annotated[Path, OUTPUT]
Dataset = Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a dataset, manifest, or list of pairs.")]
Layout = Annotated[
    str | None,
    typer.Option(
        "-l",
        "--layout",
        help="How DATASET is read: manifest, spa, jrgr, rain1400, rain13k, rain100, folders or unpaired; recognised if "
        "left out.",
    ),
]
Licence = Annotated[str, typer.Option(help="Licence of the pictures or videos, noted in the manifest.")]


def spelt_as_options(error: Exception) -> str:
    """Return a message about arguments, such as `val_share`, as one about options, such as --val-share."""
    return re.sub("`([a-z_]+)`", lambda found: "--" + found[1].replace("_", "-"), str(error))
