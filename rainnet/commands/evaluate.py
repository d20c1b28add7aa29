"""``rainnet evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from data_tools.commands.options import CleanFolder, Layout, Match, RainyFolder, dataset_named
from rainnet.commands.looks import Angle, Ensemble, check_ensemble, parse_angle
from rainopt.app.options import Device, JsonLines, Overwrite, refusing


def evaluate(
    methods: Annotated[
        list[str],
        typer.Argument(
            metavar="METHOD",
            help="input (the rainy picture as it is), rainopt (no training), a network (a file, its folder, or the "
            "name of one that ships), or a folder of results.",
        ),
    ],
    data: Annotated[
        Path | None, typer.Option("-d", "--data", metavar="ROOT", help="Dataset: folder, manifest or list of pairs.")
    ] = None,
    layout: Layout = None,
    rainy: RainyFolder = None,
    clean: CleanFolder = None,
    match: Match = None,
    split: Annotated[str | None, typer.Option(help="Score train, val or test only.")] = None,
    protocols: Annotated[
        list[str] | None,
        typer.Option(
            "-p",
            "--protocol",
            help="Of PSNR and SSIM: rgb; y_matlab, as most papers (the default); y_full, 1.32 dB lower. Repeatable.",
        ),
    ] = None,
    niqe: Annotated[
        bool, typer.Option("--niqe", help="Score NIQE too, which asks for no truth; without truth it always is.")
    ] = False,
    try_channels: Annotated[
        bool,
        typer.Option(
            "--try-channels",
            help="Also show networks pictures with blue first, and say which order scores higher: for a converted "
            "network whose colours look wrong.",
        ),
    ] = False,
    scores: Annotated[
        Path | None, typer.Option(metavar="FILE.json", help="Write all scores, of each picture too, here.")
    ] = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="Write the worst pictures of the last method, to be looked at."),
    ] = None,
    worst: Annotated[int, typer.Option(metavar="N", min=1, help="How many pictures --sheet shows.")] = 8,
    limit: Annotated[
        int | None, typer.Option("-n", "--limit", metavar="N", min=1, help="Score the first N pictures only.")
    ] = None,
    angle: Angle = None,
    ensemble: Ensemble = 1,
    device: Device = "auto",
    save: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write what each method makes, DIR/METHOD/NAME.png.")
    ] = None,
    overwrite: Overwrite = False,
    json_lines: JsonLines = False,
) -> None:
    """Compare methods on a dataset: PSNR, SSIM, NIQE and seconds a picture.

    Any layout that `raindata verify` knows. Results are rounded to the depth of the truth, as in a file; means are over
    pictures. Every score stands below the name of its protocol: on one pair they differ by more than a decibel, so
    compare numbers of one protocol only. Results that are equal to the truth have no finite PSNR; they are counted
    beside the mean of the others. The seconds are the median without the first picture.

    Results of other programs are compared as a folder: each file has the name of the rainy picture, any suffix, in
    folders as they are in the dataset or in one.

    **Examples**

    - `rainnet evaluate input rainopt udgnet-small --data Rain100L`
    - `rainnet evaluate rainopt runs/mine --data pairs/ --split val -p rgb -p y_matlab --scores scores.json`
    - `rainnet evaluate input results/spanet --data Rain100L --sheet worst.png --worst 12`
    - `rainnet evaluate rainopt udgnet-small --rainy storm/ --clean truth/ --match '[0-9]+$'`
    - `rainnet evaluate converted.safetensors --data Rain100L --limit 5 --try-channels` (does it expect BGR pictures?)
    - `rainnet evaluate rainopt udgnet-small --data photographs/ --layout unpaired` (no truth: NIQE)

    Exit status: 0 all done, 1 some pictures failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    check_ensemble(ensemble)
    with refusing("--rainy"):
        dataset = dataset_named(data, layout, rainy, clean, match, "--data")
    from rainnet.evaluate.compare import PROTOCOL
    from rainnet.evaluate.follow import ComparisonSettings, follow

    options = ComparisonSettings(
        methods=methods,
        data=dataset,
        layout=layout,
        split=split,
        protocols=protocols or [PROTOCOL],
        niqe=niqe,
        try_channels=try_channels,
        limit=limit,
        angle=parse_angle(angle),
        device=device,
        ensemble=ensemble,
        scores=scores,
        json_lines=json_lines,
        sheet=sheet,
        worst=worst,
        save=save,
        overwrite=overwrite,
    )
    raise typer.Exit(follow(options))
