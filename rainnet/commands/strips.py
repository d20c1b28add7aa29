"""``rainnet interpolate``, ``disentangle`` and ``translate``: what networks learned of rain, as strips of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.exit_codes import FAILED
from rainopt.app.options import Overwrite, refusing

if TYPE_CHECKING:
    import numpy as np

    from rainnet.models.vrgnet import VRGNet
    from rainopt.app.sheet import Row

Model = Annotated[
    str, typer.Option("-m", "--model", metavar="FILE|FOLDER", help="A vrgnet or rainfield, or its training run.")
]
Strip = Annotated[Path, typer.Option("-o", "--output", help="The picture to write, NAME.png.")]
Seed = Annotated[int, typer.Option("-s", "--seed", min=0, max=2**31 - 1, help="Of what is drawn.")]
ALIKE = 0.2  # root of the mean square of what codes differ by, below which they say nothing
SIDE = 192  # pixels that a patch is shown on


def interpolate(
    first: Annotated[Path, typer.Argument(metavar="FIRST", help="A rainy picture; its middle counts.")],
    last: Annotated[Path, typer.Argument(metavar="LAST", help="Another one.")],
    output: Strip,
    model: Model,
    steps: Annotated[int, typer.Option(min=2, max=64, help="How many layers, those of both pictures among them.")] = 7,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw rain between the rain of two pictures (Wang et al. 2021, Fig. 1).

    Codes are found for both pictures, and rain is made of codes on the straight way from one to the other: if the
    network has learned what rain is like, each of them is rain. Layers are three times as bright as they are.

    **Examples**

    - `rainnet interpolate a.png b.png -o strip.png -m runs/rain`

    Exit status: 0 written, 1 a picture cannot be used, 2 wrong usage, 130 interrupted.
    """
    from rainnet.commands.results import require_free
    from rainnet.generate.codes import GAIN, between
    from rainopt.app.console import open_consoles
    from rainopt.app.sheet import Row
    from rainopt.io import read_image

    require_free(output, ".png", overwrite)
    network = _generator(model)
    with _failing():
        found = between(network, read_image(first), read_image(last), steps, seed)
    if found.apart < ALIKE:
        open_consoles()[1].print(
            f"note: the codes of both pictures are nearly the same ({found.apart:.2f} apart, where codes that are "
            "drawn are 1.4): they tell this network next to nothing, and the strip shows one rain throughout",
            markup=False,
        )
    shown = [found.first, *(GAIN * layer for layer in found.layers), found.last]
    ends = [first.name, last.name] if first.name != last.name else [str(first), str(last)]
    names = [ends[0], *(f"{share / (steps - 1):.2f}" for share in range(steps)), ends[1]]
    _write(output, [Row([_large(image) for image in shown], names)], overwrite)


def disentangle(
    output: Strip,
    model: Model,
    code: Annotated[
        list[int] | None,
        typer.Option("--code", min=0, metavar="N", help="Number of a code to vary; repeatable. Left out: the first 4."),
    ] = None,
    steps: Annotated[int, typer.Option(min=2, max=64, help="How many values, from -3 to 3.")] = 9,
    seed: Seed = 0,
    overwrite: Overwrite = False,
) -> None:
    """Draw what single numbers of a code stand for (Wang et al. 2021, Fig. 3).

    A code is drawn, and one of its numbers goes from -3 to 3 while the others stay: a row for each. Layers are three
    times as bright as they are.

    **Examples**

    - `rainnet disentangle -o codes.png -m runs/rain --code 0 --code 7 --code 12`

    Exit status: 0 written, 2 wrong usage, 130 interrupted.
    """
    import numpy as np

    from rainnet.commands.results import require_free
    from rainnet.generate.codes import GAIN, varied
    from rainopt.app.sheet import Row

    require_free(output, ".png", overwrite)
    network, values = _generator(model), np.linspace(-3, 3, steps).tolist()
    rows = []
    with refusing("--code"):
        for number in code or range(min(4, network.config.latent)):
            layers = varied(network, number, values, seed)
            captions = [f"z{number} = {value:+.1f}" for value in values]
            rows.append(Row([_large(GAIN * layer) for layer in layers], captions))
    _write(output, rows, overwrite)


def translate(
    synthetic: Annotated[Path, typer.Argument(metavar="SYNTHETIC", help="A picture with synthetic rain.")],
    real: Annotated[Path, typer.Argument(metavar="REAL", help="One with real rain, of any scene.")],
    output: Annotated[Path, typer.Option("--strip", help="The picture to write, NAME.png.")],
    model: Annotated[str, typer.Option("-m", "--model", metavar="FILE|FOLDER", help="A jrgr, or its training run.")],
    overwrite: Overwrite = False,
) -> None:
    """Draw two rainy pictures on their way into the other's rain and back (Ye et al. 2021, Fig. 6).

    A row for each: the picture, what is found behind its rain, the picture with its rain translated, what is found
    behind that, and the picture once more, of its rain translated back. What has been learned can be seen in it: where
    backgrounds are clean, and the third picture has the other one's kind of rain.

    **Examples**

    - `rainnet translate rendered.png photograph.jpg --strip strip.png -m runs/jrgr`

    Exit status: 0 written, 1 a picture cannot be used, 2 wrong usage, 130 interrupted.
    """
    from rainnet.commands.results import require_free
    from rainnet.generate.translate import both_ways
    from rainnet.models.jrgr import JRGR
    from rainnet.weights.checkpoint import load
    from rainopt.app.console import open_consoles
    from rainopt.app.sheet import Row, sheet_of
    from rainopt.io import read_image, write_image

    require_free(output, ".png", overwrite)
    with refusing("--model"):
        network = load(model)
    if not isinstance(network, JRGR):
        raise typer.BadParameter(f"'{model}' is a {network.name}, which translates no rain", param_hint="--model")
    with _failing():
        shown = both_ways(network, read_image(synthetic), read_image(real))
        names, pictures = list(shown), list(shown.values())
        half = len(shown) // 2
        rows = [Row(pictures[start : start + half], names[start : start + half]) for start in (0, half)]
        write_image(output, sheet_of(rows), overwrite=overwrite)
    open_consoles()[0].print(f"wrote {output}", markup=False)


def _generator(model: str) -> VRGNet:
    """Return the network that makes rain; anything else is refused."""
    from rainnet.models.vrgnet import VRGNet
    from rainnet.weights.checkpoint import load

    with refusing("--model"):
        network = load(model)
    if not isinstance(network, VRGNet):
        raise typer.BadParameter(
            f"'{model}' is a {network.name}, which has no codes of rain; name a vrgnet or a rainfield",
            param_hint="--model",
        )
    return network


def _large(image: np.ndarray) -> np.ndarray:
    """Return a patch on `SIDE` pixels, each of its own repeated, so that they can be seen."""
    import numpy as np

    times = max(SIDE // image.shape[0], 1)
    return np.clip(image, 0, 1).repeat(times, axis=0).repeat(times, axis=1)


def _write(output: Path, rows: list[Row], overwrite: bool) -> None:
    from rainopt.app.console import open_consoles
    from rainopt.app.sheet import sheet_of
    from rainopt.io import write_image

    with _failing():
        write_image(output, sheet_of(rows, width=SIDE), overwrite=overwrite)
    open_consoles()[0].print(f"wrote {output}", markup=False)


@contextmanager
def _failing() -> Iterator[None]:
    """End with the status of a failure, and a sentence, where a file cannot be used."""
    from rich.markup import escape

    from rainopt.app.console import open_consoles

    try:
        yield
    except (ValueError, OSError) as error:
        open_consoles()[1].print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
