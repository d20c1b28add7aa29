"""The command ``raindata``. Heavy imports wait until there is work."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="raindata",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
OK, FAILED, INTERRUPTED = 0, 1, 130


@app.callback()
def raindata() -> None:
    """Make datasets of rainy and clean pictures, and check those that are there."""


@app.command()
def synth(
    clean: Annotated[
        list[Path], typer.Argument(metavar="CLEAN", help="Clean images, and folders (with sub-folders) of them.")
    ],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder of the dataset; new, or one to go on with.")
    ] = None,
    preset: Annotated[str, typer.Option("-p", "--preset", help="light, medium, heavy or multi.")] = "medium",
    count: Annotated[
        int | None,
        typer.Option("-n", "--count", min=1, help="Pairs in all, dealt evenly over the pictures; else one each."),
    ] = None,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, help="The same seed makes the same dataset.")] = 0,
    val_share: Annotated[
        float, typer.Option(min=0, max=0.99, help="Share of the scenes that go to the split val; the rest is train.")
    ] = 0.0,
    licence: Annotated[str, typer.Option(help="Licence of the clean pictures, noted in the manifest.")] = "",
    preview: Annotated[
        Path | None,
        typer.Option(help="Write a contact sheet of some pairs: clean, rainy, rain layer. Without -o, nothing else."),
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Pictures worked on at a time.")] = 1,
) -> None:
    """Render rain over clean pictures, with exact truth.

    The dataset holds, a pair, the rainy picture, its rain layer (16 bit) and mask, one clean picture a scene, and
    manifest.jsonl with the parameters of the rain, its angle and checksums; rainy = round(compose(clean, rain))
    exactly. A run that was interrupted leaves a dataset that is whole; the same command goes on with it, and a
    larger --count adds to it.

    **Examples**

    - `raindata synth photos/ --preset heavy --preview sheet.png`
    - `raindata synth photos/ -o dataset --preset light --count 1000 --seed 7 --val-share 0.1 --jobs 2`

    Exit status: 0 all made, 1 some pictures failed (each is named, the others are made), 2 wrong usage, 130
    interrupted.
    """
    from data_tools.build.rendered import SynthError, plan_pairs, remaining
    from data_tools.commands.synth import check_preview, follow_synth, write_preview

    if output is None and preview is None:
        raise typer.BadParameter("name a folder for the dataset, or a file for --preview", param_hint="--output")
    try:
        pairs = plan_pairs(clean, output, preset=preset, count=count, seed=seed, val_share=val_share, licence=licence)
        settings = {"preset": preset, "seed": seed, "val_share": val_share, "licence": licence}
        if preview is not None:
            check_preview(pairs, preview)
        todo = remaining(pairs, output, settings) if output is not None else []
    except SynthError as error:
        raise typer.BadParameter(str(error)) from None
    status = OK
    if preview is not None:
        status = write_preview(pairs, preview)
    if output is not None:
        status = max(status, follow_synth(pairs, todo, output, jobs))
    raise typer.Exit(status)


@app.command()
def verify(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Folder of a dataset, manifest, or list of pairs.")
    ],
    layout: Annotated[
        str | None,
        typer.Option(
            "-l",
            "--layout",
            help="manifest, spa, jrgr, rain1400, rain13k, rain100, folders or unpaired; recognised if left out.",
        ),
    ] = None,
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Pairs looked at at a time.")] = 1,
    json_output: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")] = False,
) -> None:
    """Check a dataset, of ours or a public one: is every pair whole, and do the splits share nothing?

    Found are missing partners, corrupt files, different sizes, wrong range, rainy and clean exchanged, misaligned
    pairs, scenes that are in two splits, and, with a manifest, changed files and rain that does not repeat its
    truth.

    Exit status: 0 nothing is wrong, 1 something is (each is named), 2 wrong usage, 130 interrupted.
    """
    from data_tools.commands.verify import follow_verify

    raise typer.Exit(follow_verify(dataset, layout, jobs, json_output))


@app.command()
def build(
    videos: Annotated[
        list[str],
        typer.Argument(metavar="VIDEO", help="Video files, folders of them, folders of images (a video each), globs."),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the dataset; new, or one to go on with.")],
    every: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="Seconds of a scene from one background to the next.")
    ] = 10.0,
    pairs: Annotated[
        int, typer.Option("-n", "--pairs", min=1, help="Frames that are paired with each background.")
    ] = 8,
    crop: Annotated[
        int | None,
        typer.Option(metavar="SIDE", min=16, help="Square crops of so many pixels instead of whole frames."),
    ] = None,
    crops: Annotated[int, typer.Option(min=1, help="Crops of each frame: those with most rain.")] = 4,
    accept: Annotated[
        float, typer.Option(metavar="DB", min=0, help="Decibels that a background must be expected to have.")
    ] = 40.0,
    most: Annotated[int, typer.Option(min=4, help="Frames that a background may take.")] = 400,
    stabilise: Annotated[
        bool, typer.Option("--stabilise/--no-stabilise", help="Align the frames where the camera moves.")
    ] = True,
    val_share: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the videos for the split val.")] = 0.0,
    test_share: Annotated[float, typer.Option(min=0, max=0.99, help="Share of the videos for the split test.")] = 0.0,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, help="By which splits are drawn.")] = 0,
    licence: Annotated[str, typer.Option(help="Licence of the videos, noted in the manifest.")] = "",
    jobs: Annotated[int, typer.Option("-j", "--jobs", min=1, help="Videos worked on at a time on this machine.")] = 1,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Do the videos on a dask cluster, such as tcp://host:8786, whose workers see the same folders.",
        ),
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="Print one JSON object a line for each video.")] = False,
) -> None:
    """Make pairs of rainy frames and their backgrounds from rain videos.

    Each scene of a video is worked through in windows: frames are stabilised if the camera moves, and taken until
    their background (see `rainopt background`) is expected to be good enough; if it never is, no pairs are made.
    Each pair has a valid mask, 255 where the background is what lies behind the rain and 0 where things move. Frames
    without rain and frozen ones are left out, and so are copies of a video. Videos of one place share a split.

    A run that was interrupted or killed leaves a dataset that is whole; the same command goes on with it, and more
    videos add to it.

    **Examples**

    - `raindata build storm.mp4 -o dataset`
    - `raindata build videos/ -o dataset --crop 512 --val-share 0.1 --jobs 4`
    - `raindata build /shared/videos -o /shared/dataset --scheduler tcp://10.0.0.1:8786`

    Exit status: 0 all done, 1 some videos failed (each is named, the others are done), 2 wrong usage, 130 interrupted.
    """
    from data_tools.build.plan import BuildOptions, plan_videos
    from data_tools.commands.build import follow_build
    from data_tools.manifest.folder import FolderError

    if val_share + test_share >= 1:
        raise typer.BadParameter("--val-share and --test-share must leave something to train on")
    options = BuildOptions(every, pairs, crop, crops, most, accept, stabilise, val_share, test_share, seed, licence)
    try:
        plan = plan_videos(videos, output, options)
        status = follow_build(plan, output, options, jobs, scheduler, json_lines)
    except FolderError as error:
        raise typer.BadParameter(str(error), param_hint="--output") from None
    raise typer.Exit(status)


@app.command()
def export(
    dataset: Annotated[
        Path, typer.Argument(metavar="DATASET", help="Folder of a dataset, manifest, or list of pairs.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the export; new, or one to go on with. Not in DATASET.")
    ],
    to: Annotated[str, typer.Option("--to", help="webdataset (tar shards) or spa (SPA-Data's lists).")],
    layout: Annotated[
        str | None,
        typer.Option(
            "-l",
            "--layout",
            help="How DATASET is read: manifest, spa, jrgr, rain1400, rain13k, rain100 or folders; recognised if left "
            "out.",
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help="Export train, val or test only.")] = None,
    shard_size: Annotated[
        int, typer.Option(min=1, help="Most MiB a shard; a larger pair has a shard to itself.")
    ] = 256,
    shuffle: Annotated[
        bool,
        typer.Option(
            "--shuffle/--no-shuffle",
            help="Spread pairs over the shards, in an order that is always the same; or keep the dataset's.",
        ),
    ] = True,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another export in OUTPUT; other files there are left alone.")
    ] = False,
) -> None:
    """Hand a dataset on in the form that a training program reads; pictures keep their bytes.

    **webdataset**: `SPLIT/SPLIT-000000.tar` (`all/` without splits), a pair `KEY.rainy.png`, `KEY.clean.png`,
    `KEY.json`, and from a manifest `KEY.mask.png` and `KEY.valid.png` (255: the clean pixel may be trusted). The same
    dataset gives the same bytes.

    **spa**: `real_world.txt`, `real_test_1000.txt` and `real_val.txt` with lines `/real_world/rain/KEY.png
    /real_world/gt/KEY.png`; masks and valid pixels lie in folders beside. Files are hard links where possible.

    A run that was interrupted goes on where it was; `index.json` is written last. A pair that is not whole (a file is
    missing, damaged, or not the one that the manifest recorded) is named and left out.

    **Examples**

    - `raindata export dataset -o shards --to webdataset`
    - `raindata export dataset -o shards --to webdataset --split train --shard-size 512`
    - `raindata export Rain100L -o spa --to spa --layout rain100`
    - `raindata export dataset -o spa --to spa --overwrite`

    Then `webdataset.WebDataset("shards/train/train-{000000..000009}.tar").decode("rgb8").to_tuple("rainy.png",
    "clean.png")` reads the pairs.

    Exit status: 0 all exported, 1 some pairs failed (each is named, the others are exported), 2 wrong usage, 130
    interrupted.
    """
    from data_tools.commands.export import follow_export

    raise typer.Exit(
        follow_export(
            dataset,
            output,
            to,
            layout=layout,
            split=split,
            shard_size=shard_size,
            shuffle=shuffle,
            overwrite=overwrite,
        )
    )


def main() -> None:
    """Run the command and exit with its status; an interruption is status 130."""
    try:
        app(standalone_mode=True)
    except KeyboardInterrupt:
        typer.echo("interrupted; run the same command again to go on", err=True)
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
