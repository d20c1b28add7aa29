"""The options that commands of ``raindata`` share among themselves; `rainopt.app.options` has those of all programs.

Those that name a dataset serve other programs as well: `Dataset` or an option of its own, `Layout`, `RainyFolder`,
`CleanFolder` and `Match`, and `dataset_named`, which reads what they name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from data_tools.layouts.read import Layout as DatasetLayout


OUTPUT = typer.Option("-o", "--output", help="Folder to fill: a new one, or one to go on with.")

Output = Annotated[Path, OUTPUT]
Dataset = Annotated[
    Path | None,
    typer.Argument(metavar="DATASET", help="Folder of a dataset, manifest, or list of pairs.", show_default=False),
]
Layout = Annotated[
    str | None,
    typer.Option(
        "-l",
        "--layout",
        help="How DATASET is read: manifest, spa, jrgr, rain1400, rain13k, rain100, outdoor, raindrop, raincityscapes, "
        "nturain, gtrain, folders, rainy-left or rainy-right (both halves of a pair in one image), or unpaired; "
        "recognised if left out.",
    ),
]
RainyFolder = Annotated[
    Path | None,
    typer.Option("--rainy", metavar="DIR", help="Folder of rainy images, with --clean, instead of a dataset."),
]
CleanFolder = Annotated[
    Path | None, typer.Option("--clean", metavar="DIR", help="Folder of the clean images of --rainy.")
]
Match = Annotated[
    str | None,
    typer.Option(
        "--match",
        metavar="REGEX",
        help="What the names of a rainy and its clean image share, such as '[0-9]+'; else names that are alike.",
    ),
]
Licence = Annotated[str, typer.Option(help="Licence of the pictures or videos, noted in the manifest.")]


def dataset_named(
    dataset: Path | None,
    layout: str | None,
    rainy: Path | None,
    clean: Path | None,
    match: str | None,
    name: str = "DATASET",
) -> Path | DatasetLayout:
    """Return the dataset that options name: its path, which is still to be read, or the pairs of two folders.

    Parameters
    ----------
    dataset, layout, rainy, clean, match
        What was given for the options above.
    name
        What `dataset` is called in the command.

    Raises
    ------
    typer.BadParameter
        If they name none or contradict one another, or `match` is no regular expression.
    LayoutError
        If there is no pair in the two folders.
    """
    from data_tools.layouts.two_folders import MatchError, read_two_folders

    if rainy is None and clean is None:
        if match is not None:
            raise typer.BadParameter("says how the images of --rainy and --clean belong together", param_hint="--match")
        if dataset is None:
            raise typer.BadParameter(f"name {name}, or two folders with --rainy and --clean")
        return dataset
    if rainy is None or clean is None:
        lacking = "--rainy" if rainy is None else "--clean"
        raise typer.BadParameter("--rainy and --clean are two folders of one dataset; name both", param_hint=lacking)
    if dataset is not None or layout is not None:
        other = name if dataset is not None else "--layout"
        raise typer.BadParameter(f"--rainy and --clean are the dataset; leave {other} out")
    try:
        return read_two_folders(rainy, clean, match)
    except MatchError as error:
        raise typer.BadParameter(str(error), param_hint="--match") from None


def spelt_as_options(error: Exception) -> str:
    """Return a message about arguments, such as `val_share`, as one about options, such as --val-share."""
    return re.sub("`([a-z_]+)`", lambda found: "--" + found[1].replace("_", "-"), str(error))
