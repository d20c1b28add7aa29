"""How a network looks at a picture: the options ``--angle`` and ``--ensemble`` of commands that run networks."""

from __future__ import annotations

from typing import Annotated

import typer

from rainopt.app.options import checked_angle, refusing

Angle = Annotated[
    str | None,
    typer.Option(
        "-a",
        "--angle",
        metavar="DEG|network|solver",
        help="Direction of the rain in degrees: 0 is vertical, positive moves right going down; or what finds it: the "
        "solver's vote of streaks, or the network itself, as in the paper, which knows no rain flatter than 45 "
        "degrees. Left out, the solver finds it, and a photograph in which it sees no rain is left as it is; with any "
        "of these, each is derained.",
    ),
]

Angles = Annotated[
    list[str] | None,
    typer.Option(
        "-a",
        "--angle",
        metavar="DEG|network|solver",
        help="Direction of the rain in degrees: 0 is vertical, positive moves right going down; once for each "
        "direction, the strongest first, where rain falls in several on a photograph. Or what finds it: the solver's "
        "vote of streaks, or the network itself, as in the paper, which knows no rain flatter than 45 degrees. Left "
        "out, the solver finds it, and a photograph in which it sees no rain is left as it is; with any of these, each "
        "is derained.",
    ),
]

Ensemble = Annotated[
    int,
    typer.Option(
        metavar="1|2|4",
        help="Take the mean over so many mirror images of a picture: some 0.2 dB better, so many times slower.",
    ),
]

Precision = Annotated[
    str,
    typer.Option(
        metavar="float32|bfloat16",
        help="Numbers that the network computes with. bfloat16 takes half the time on processors and cards that have "
        "it, more on others, and changes pixels by one level of 256, some by a few.",
    ),
]


def check_ensemble(ensemble: int) -> None:
    """Refuse a number of mirror images that there is not."""
    if ensemble not in (1, 2, 4):
        raise typer.BadParameter(f"must be 1, 2 or 4, got {ensemble}", param_hint="--ensemble")


def parse_angle(text: str | None) -> float | str | None:
    """Read degrees, "network" or "solver"."""
    if text in (None, "network", "solver"):
        return text
    try:
        degrees = float(text)
    except ValueError:
        raise typer.BadParameter(
            f"must be a number of degrees, 'network' or 'solver', got '{text}'", param_hint="--angle"
        ) from None
    return checked_angle(degrees)


def parse_angles(texts: list[str] | None) -> float | str | tuple[float, ...] | None:
    """Read degrees, once or for several directions, "network" or "solver"."""
    if not texts:
        return None
    if len(texts) == 1:
        return parse_angle(texts[0])
    from rainopt.still.settings import checked_angles

    angles = [parse_angle(text) for text in texts]
    for text, angle in zip(texts, angles, strict=True):
        if isinstance(angle, str):
            raise typer.BadParameter(f"'{text}' finds the direction itself; give it alone", param_hint="--angle")
    with refusing("--angle", ValueError):
        return checked_angles(angles)
