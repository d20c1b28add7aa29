"""``rainopt angle``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rainopt.app.options import Images, Jobs, JsonLines, Overwrite, refusing


def angle(
    inputs: Images,
    overlay: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--overlay",
            metavar="FOLDER",
            help="Also write each picture with the directions drawn over it, NAME_angle.png, here.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    jobs: Jobs = 1,
    json_lines: JsonLines = False,
) -> None:
    """Find the direction in which rain falls, without removing it.

    Angles are in degrees: 0 is vertical, positive moves right going down. The confidence is the probability that rain
    is to be seen and falls within 4 degrees of the angle; below 0.3 no direction is reported, and `rainopt derain`
    leaves such a picture as it is. Rain in several directions is listed with the share of each.

    **Examples**

    - `rainopt angle photo.jpg`
    - `rainopt angle holiday/ --overlay look/` (pictures to check by eye)
    - `rainopt angle 'shots/*.png' --json > angles.jsonl`

    Exit status: 0 all done, 1 some inputs failed (each is named, the others are done), 2 wrong usage, 130
    interrupted.
    """
    from rainopt.app.inputs import PlanError, plan, survey
    from rainopt.app.kinds import names_a_file
    from rainopt.app.report import follow
    from rainopt.commands.angle_photo import FindAngle, overlay_of

    if overlay is not None and names_a_file(overlay):
        raise typer.BadParameter(f"'{overlay}' is no name of a folder; name one", param_hint="--overlay")
    with refusing("--overlay", PlanError):
        work = survey(inputs) if overlay is None else plan(inputs, overlay, lambda target: [overlay_of(target)])
    raise typer.Exit(follow(work, FindAngle(overwrite), jobs, json_lines))
