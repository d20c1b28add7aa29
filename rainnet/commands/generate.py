"""``rainnet generate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.options import (
    Compare,
    Device,
    Images,
    Jobs,
    JsonLines,
    Output,
    Overwrite,
    Quality,
    SaveRain,
    refusing,
)

if TYPE_CHECKING:
    from rainopt.app.results import OutputSettings


def generate(
    inputs: Images,
    output: Output,
    model: Annotated[
        str,
        typer.Option(
            "-m",
            "--model",
            metavar="FILE|FOLDER",
            help="A generator of rain, or its training run: a rainfield; or a jrgr, which makes pairs over.",
        ),
    ],
    angle: Annotated[
        float | None,
        typer.Option("-a", "--angle", metavar="DEG", help="Direction: 0 is vertical, positive moves right going down."),
    ] = None,
    length: Annotated[
        float | None, typer.Option(metavar="PIXELS", help="How long streaks are seen without a gap.")
    ] = None,
    density: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share of the pixels on which rain is seen, such as 0.2.")
    ] = None,
    intensity: Annotated[
        float | None,
        typer.Option(metavar="LIGHT", help="How bright the rain is there in the mean, 1 being white, such as 0.15."),
    ] = None,
    composition: Annotated[
        str | None,
        typer.Option(
            metavar="screen|additive",
            help="How rain lies over the picture: as light through a drop, which shows most over dark places, or "
            "added, as most methods of deraining take it.  [default: screen]",
            show_default=False,
        ),
    ] = None,
    count: Annotated[int, typer.Option("-n", "--count", min=1, help="Rainy pictures of each clean one.")] = 1,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, max=2**31 - 1, help="Another seed is other rain.")] = 0,
    save_rain: SaveRain = False,
    compare: Compare = False,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
    device: Device = "auto",
    quality: Quality = 95,
    json_lines: JsonLines = False,
) -> None:
    """Make clean photographs rainy, with rain that a network has learned.

    Photographs of any size: the rain has no seams. What is not asked for is as the network has learned it; of what is,
    the outcome is measured, and told beside each result. The rain of a picture depends on the seed and on the name of
    its file alone, so that the same command makes the same pictures, whichever others are among them.

    A jrgr takes datasets of synthetic pairs instead, of any layout: it translates their rain into what it has learned
    of real rain, and lays that over their clean pictures. The new pairs, in OUTPUT/rain and OUTPUT/norain, are a
    dataset for `raindata` and `rainnet train`.

    **Examples**

    - `rainnet generate photograph.jpg -o rainy/ -m runs/rain --compare`
    - `rainnet generate photographs/ -o rainy/ -m runs/rain --count 5 --angle -15 --density 0.2`
    - `rainnet generate photographs/ -o rainy/ -m runs/rain --length 60 --intensity 0.3 --save-rain --json`
    - `rainnet generate synthetic/ -o as_if_real/ -m runs/jrgr`

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from data_tools.rain.spec import check_composition
    from rainnet.commands.generate_photo import Generate, GenerateSettings, numbered
    from rainnet.generate.controls import RainControls
    from rainnet.infer.devices import resolve_device
    from rainnet.models.jrgr import JRGR
    from rainnet.models.rainfield import RainField
    from rainnet.weights.checkpoint import resolve
    from rainopt.app.inputs import IMAGES, Job, Plan, PlanError, plan
    from rainopt.app.report import follow
    from rainopt.app.results import OutputSettings, results_of

    with refusing("--composition", ValueError):
        check_composition(composition or "screen")
    asked = {"angle": angle, "length": length, "density": density, "intensity": intensity}
    for name, value in asked.items():
        with refusing(f"--{name}", ValueError):
            RainControls(**{name: value})
    with refusing("--device", ValueError):
        place = resolve_device(device)
    with refusing("--model"):
        settings = GenerateSettings(
            resolve(model),
            str(place),
            RainControls(**asked),
            composition or "screen",  # type: ignore[arg-type]  # checked above
            seed,
        )
        network = settings.network
    output_settings = OutputSettings(
        save_rain=save_rain, compare=compare, captions=("clean", "made rainy"), overwrite=overwrite, quality=quality
    )
    if isinstance(network, JRGR):
        given = asked | {"composition": composition, "count": count > 1 or None, "seed": seed or None}
        for name in (name for name, value in given.items() if value is not None):
            raise typer.BadParameter(
                "a jrgr translates the rain that pairs have, once each; leave it out", param_hint=f"--{name}"
            )
        for name in (name for name, value in {"save-rain": save_rain, "compare": compare}.items() if value):
            raise typer.BadParameter(
                "its picture would lie among the rainy ones of the dataset; leave it out (rainnet translate draws what "
                "a jrgr makes of a picture)",
                param_hint=f"--{name}",
            )
        raise typer.Exit(_made_over(inputs, output, settings.model, str(place), output_settings, jobs, json_lines))
    if not isinstance(network, RainField):
        raise typer.BadParameter(
            f"'{model}' is a {network.name}, which makes no rain of any size; train a rainfield: "
            "rainnet train rainfield --data PHOTOGRAPHS -o runs/rain",
            param_hint="--model",
        )

    def written(target: Path) -> list[Path]:
        return [file for one in numbered(target, count) for file in results_of(one, output_settings).values()]

    with refusing("--output", PlanError):
        work = plan(inputs, output, written, IMAGES)
    expanded, numbers = [], {}
    for job in work:
        for number, target in enumerate([None] if job.target is None else numbered(job.target, count)):
            expanded.append(Job(job.source, target, job.problem))
            if target is not None:
                numbers[target] = number
    task = Generate(output_settings, settings, numbers)
    raise typer.Exit(follow(Plan(tuple(expanded), work.notes), task, jobs, json_lines))


def _made_over(
    inputs: list[str],
    output: Path,
    model: Path,
    device: str,
    output_settings: OutputSettings,
    jobs: int,
    json_lines: bool,
) -> int:
    """Make the pairs of datasets over, and return the exit status."""
    from dataclasses import replace

    from rainnet.commands.generate_pairs import GeneratePairs, plan_pairs
    from rainnet.commands.networks import NetworkSettings
    from rainopt.app.inputs import PlanError
    from rainopt.app.report import follow

    with refusing("INPUTS", PlanError):
        work, partners = plan_pairs(inputs, output)
    captions = replace(output_settings, captions=("synthetic", "as if real"))
    task = GeneratePairs(captions, NetworkSettings(model=model, device=device), partners)
    return follow(work, task, jobs, json_lines)
