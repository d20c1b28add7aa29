"""What a page can derain photographs with that ships in this package: the solver, and the network after it."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rainopt.app.methods import MOST_DIRECTIONS, Method, Wish

if TYPE_CHECKING:
    from collections.abc import Callable

    from rainopt.app.derain import DerainTask
    from rainopt.app.excerpt import Excerpt, Seen
    from rainopt.app.results import OutputSettings


def own_methods() -> list[Method]:
    """Return the methods of this package, the usual one first."""
    runs = importlib.util.find_spec("onnxruntime") is not None
    return [
        Method(
            name="solver",
            title="Solver",
            about="No training: what falls straight and bright is taken off.",
            task=_solver,
            command=lambda wish: ["rainopt", "derain", *_options(wish)],
            directions=MOST_DIRECTIONS,
            strength=True,
            veil=True,
            marks=True,
            live=True,
        ),
        Method(
            name="refine",
            title="Solver, refined",
            about="A small network corrects what the solver removes; a second or two a megapixel.",
            task=_refine,
            command=lambda wish: ["rainopt", "derain", *_options(wish), "--refine"],
            part=_refined_part,
            directions=MOST_DIRECTIONS,
            veil=True,
            marks=True,
            missing=None if runs else "This needs onnxruntime: pip install 'rainopt[refine]'",
        ),
    ]


def _solver(source: Path, wish: Wish, output: OutputSettings) -> DerainTask:
    return _task(source, wish, output, strength=wish.strength)


def _refine(source: Path, wish: Wish, output: OutputSettings) -> DerainTask:
    return _task(source, wish, output, refine=True)


def _task(source: Path, wish: Wish, output: OutputSettings, **more: Any) -> DerainTask:
    from rainopt.app.marks import MarkPictures
    from rainopt.commands.derain import Derain

    task = Derain.of(output, angle=wish.angles, veil=wish.veil, **more)
    return task if wish.marks is None else replace(task, marks=MarkPictures({str(source): wish.marks}))


def _refined_part(excerpt: Excerpt, progress: Callable[[float], None]) -> Seen:
    from rainopt.app.excerpt import Seen
    from rainopt.image import join_channels, quantise, scaled, split_channels
    from rainopt.refine.photo import remove_refined
    from rainopt.refine.session import core
    from rainopt.still.haze import remove_veil
    from rainopt.still.marks import marks_of
    from rainopt.still.settings import StillSettings

    wide, inside = excerpt.widened(core().multiple)
    image, unit, within = wide.pixels, wide.unit, wide.within
    marks = marks_of(wide.marks, image, *image.shape[:2])
    how: dict[str, Any] = {"progress": progress, "unit": unit, "marks": marks, "within": within}
    background, rain, *_ = remove_refined(image, wide.streaks, StillSettings(), image.dtype, **how)
    if wide.veil is not None:
        channels = split_channels(background, -1)
        clear = scaled(remove_veil(scaled(channels.colour, 1 / unit), wide.veil), unit)
        background = quantise(join_channels(clear, channels), image.dtype)
    return Seen(background[inside], rain[inside])


def _options(wish: Wish) -> list[str]:
    """Return the options of ``rainopt derain`` for what is wished."""
    options = [word for angle in wish.angles or () for word in ("--angle", f"{angle:g}")]
    if wish.strength != 1:
        options += ["--strength", f"{wish.strength:g}"]
    if wish.veil:
        options.append("--veil")
    if wish.marks is not None:
        options += ["--marks", _name(wish.marks)]
    return options


def _name(path: Path) -> str:
    return f"./{path}" if str(path).startswith("-") else str(path)
