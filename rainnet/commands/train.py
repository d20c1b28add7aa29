"""``rainnet train``."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from data_tools.commands.options import Match
from rainnet.recipes.shipped import shipped
from rainopt.app.exit_codes import FAILED, INTERRUPTED
from rainopt.app.options import Device, JsonLines

if TYPE_CHECKING:
    from rich.console import Console

    from rainnet.data.batches import RecipeBatches
    from rainnet.recipes.recipe import Recipe
    from rainnet.train.validator import Validator


def train(
    recipe: Annotated[
        str,
        typer.Argument(metavar="RECIPE", help=f"A TOML file, or a recipe that ships: {', '.join(shipped())}."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", help="Folder of the run; new, or with --resume one to go on with.")
    ],
    data: Annotated[
        list[Path] | None,
        typer.Option("-d", "--data", help="Folder to train on, of the kind that the recipe names; repeatable."),
    ] = None,
    clean: Annotated[
        list[Path] | None,
        typer.Option(
            "--clean",
            help="Folder of clean pictures of any scenes, for the adversarial loss; repeatable. With a recipe of "
            "data.kind 'pairs' and no --data, the folder of the clean pictures of --rainy.",
        ),
    ] = None,
    rainy: Annotated[
        list[Path] | None,
        typer.Option(
            "--rainy",
            help="Dataset or folder of rainy pictures of any scenes, for losses that compare; repeatable. With a "
            "recipe of data.kind 'pairs' and no --data, the folder of the rainy pictures to train on.",
        ),
    ] = None,
    match: Match = None,
    val: Annotated[
        list[Path] | None, typer.Option("--val", help="Dataset of pairs to validate on, any layout; repeatable.")
    ] = None,
    val_rainy: Annotated[
        Path | None, typer.Option("--val-rainy", metavar="DIR", help="Folder of rainy pictures to validate on.")
    ] = None,
    val_clean: Annotated[
        Path | None, typer.Option("--val-clean", metavar="DIR", help="Folder of the clean pictures of --val-rainy.")
    ] = None,
    single: Annotated[
        Path | None,
        typer.Option(
            "--single", metavar="PHOTO", help="Train from scratch on this one photograph, no other data, and derain it."
        ),
    ] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", "--start", metavar="MODEL", help="Begin with the weights of this model."),
    ] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="SECTION.KEY=VALUE",
            help="Change the recipe, e.g. run.steps=500, or a stage of it, stages.NAME.steps=500; repeatable.",
        ),
    ] = None,
    stages: Annotated[
        list[str] | None,
        typer.Option("--stage", metavar="NAME", help="Train this stage of the recipe alone; repeatable."),
    ] = None,
    device: Device = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder.")] = False,
    json_lines: JsonLines = False,
) -> None:
    """Train a network by a recipe.

    Without truth: UDGNet minimises the very energy that `rainopt` minimises, on a folder of rainy photographs, or on a
    single one. With truth: on pairs of any layout, or on rain rendered over clean photographs.

    The folder of the run holds model.safetensors (and best.safetensors, if there is something to validate on), to be
    given to `rainnet derain --model`; pictures/, to be looked at while it trains; tensorboard/; and last.ckpt, from
    which --resume goes on as if the run had not been stopped.

    **Examples**

    - `rainnet train udgnet --single photo.jpg -o runs/photo`
    - `rainnet train udgnet --data rainy/ --clean photographs/ -o runs/udgnet`
    - `rainnet train udgnet-small --data photographs/ --val pairs/ -o runs/small --set run.steps=20000`
    - `rainnet train mine.toml --set data.kind=pairs --rainy storm/ --clean truth/ --match '[0-9]+' -o runs/pairs`
    - `rainnet train jrgr-small --data photographs/ --rainy storm/ --stage synthetic --stage joint -o runs/jrgr`
    - `torchrun --nproc-per-node 4 -m rainnet train udgnet -d rainy/ --clean photographs/ -o runs/four --device cuda`

    A folder belongs to one run at a time. Stopped by Ctrl-C or by SIGTERM, sent to the process or to all of its group,
    a run saves its state and ends; one that was killed before it had saved anything is begun again by the same command.

    Exit status: 0 trained, 1 failed, 2 wrong usage, 130 interrupted, 143 stopped by SIGTERM (the state is saved).
    """
    import json

    from rich.markup import escape

    from rainopt.app.console import open_consoles

    out, err = open_consoles()
    if single is not None and data:
        raise typer.BadParameter("is the only data of a run with --single; leave it out", param_hint="--data")
    from rainnet.commands.train_recipe import Folders, recipe_with
    from rainnet.recipes.recipe import RecipeError
    from rainnet.train.interruption import StoppedError
    from rainnet.train.run_folder import RunError
    from rainnet.weights.fitting import CheckpointError

    try:
        folders = Folders(data, single, clean, rainy, val, val_rainy, val_clean, match)
        chosen, doubts = recipe_with(recipe, folders, start, changes or (), stages or ())
        batches, validator, derains = _prepared(chosen, device, resume)
    # All that is found out before anything is done.
    except (ValueError, TypeError, OSError) as error:
        raise typer.BadParameter(str(error)) from None
    if doubts and not resume and _is_first():
        err.print(f"note: '{escape(str(single or chosen.data.train[0]))}' may not be worth it, {escape(doubts)}")
    if not derains and _is_first():
        err.print("note: no stage of this run trains the part that derains: the network will take nothing off")
    try:
        result = _train(chosen, batches, validator, output, device, resume, err)
    except StoppedError as stop:
        err.print(escape(f"interrupted; the same command with --resume goes on, from '{output}'"))
        raise typer.Exit(stop.status) from None
    except KeyboardInterrupt:
        err.print("interrupted; the same command goes on, with --resume where the folder holds last.ckpt")
        raise typer.Exit(INTERRUPTED) from None
    except (RunError, RecipeError, CheckpointError) as error:
        raise typer.BadParameter(str(error)) from None
    except (ValueError, RuntimeError, OSError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    if result is None:  # a process that torchrun started beside the first
        return
    files = [str(path) for path in result]
    if single is not None:
        files += [str(path) for path in _derain_single(single, result[0], output, device)]
    if json_lines:
        print(json.dumps({"output": str(output), "files": files}))
    else:
        out.print("wrote " + ", ".join(escape(file) for file in files))


def _prepared(recipe: Recipe, device: str, resume: bool) -> tuple[RecipeBatches, Validator | None, bool]:
    """Return the batches, who validates, and whether any stage trains what derains; raises for everything that the
    recipe or the data lack.
    """
    from rainnet.data.batches import RecipeBatches, dataset_for
    from rainnet.data.examples import CHANNELS
    from rainnet.infer.devices import resolve_device
    from rainnet.recipes.recipe import RecipeError
    from rainnet.recipes.stages import plan
    from rainnet.train.build import build_program, needs_of
    from rainnet.train.validator import Validator

    resolve_device(device)
    derains = resume
    if not resume:
        for stage in plan(recipe):
            program = build_program(stage.recipe, frozen=stage.frozen, copies=stage.copies)
            if program.network.channels != CHANNELS:
                raise RecipeError(
                    f"'network.config.channels' = {program.network.channels}: networks are trained on "
                    f"pictures in colour, with {CHANNELS}"
                )
            derains = derains or program.derains
    batches = RecipeBatches(recipe, dataset_for(recipe.data, recipe.run.seed, needs_of(recipe)))
    return batches, Validator.of_section(recipe.validation) if _is_first() else None, derains


def _is_first() -> bool:
    """Tell whether this is the first, or the only one, of the processes of a run."""
    return os.environ.get("RANK", "0") == "0"


def _train(
    recipe: Recipe,
    batches: RecipeBatches,
    validator: Validator | None,
    output: Path,
    device: str,
    resume: bool,
    err: Console,
) -> list[Path] | None:
    """Train, and return the files of the models; None in processes that only help."""
    from rainnet.recipes.stages import plan
    from rainnet.train.loop import train
    from rainnet.train.run_folder import RunFolder
    from rainnet.train.tracking import Tracker

    # What Fabric says of itself is of no use here.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    folder = RunFolder(output)
    with Tracker(folder, err, plan(recipe)[-1].last, _is_first()) as tracker:
        train(recipe, folder, batches, tracker, validator=validator, device=device, resume=resume)
    if not _is_first():
        return None
    return [folder.best, folder.model] if folder.best.exists() else [folder.model]


def _derain_single(photo: Path, model: Path, output: Path, device: str) -> list[Path]:
    """Derain the photograph that a network was trained on, into the folder of the run."""
    import numpy as np

    from rainnet.infer.derain import derain
    from rainnet.weights.checkpoint import load
    from rainopt.app.compare import side_by_side
    from rainopt.io import read_image_file, write_image

    file = read_image_file(photo)
    # In the unit in which it was trained, the file's own.
    result = derain(load(model), file.pixels, angle="solver", bounded=False, unit=1.0, device=device)
    background, rain = np.asarray(result.background), np.asarray(result.rain)
    bits = 16 if file.pixels.dtype == np.uint16 else 8
    derained = write_image(output / f"{photo.stem}_derained.png", background, metadata=file.metadata, bits=bits)
    compared = write_image(output / f"{photo.stem}_compare.png", side_by_side(file.pixels, background, rain))
    return [derained, compared]
