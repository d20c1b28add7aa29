"""One photograph from the command to the written file: the list of the functions that it passes.

Four calls are followed: `rainopt.derain` and `rainnet.derain` of the picture in memory, and the commands
`rainopt derain` and `rainnet derain` from file to file. Each is run once before, so that what is only loaded or
compiled is not counted. A function is listed where it is first called in the main thread.

A room is a folder within a package, with what is below it, or a file at the top of a package: what the contracts in
pyproject.toml order. A stay is a run of functions in the list that are of one room, so the number of stays tells how
often somebody who reads along has to go to another room. The same is counted for files.

The tree that is looked at is the one in the working directory; an older one can be looked at with this very file:

  python -m benchmarks.walk photo.jpg
  python -m benchmarks.walk photo.jpg --counts
  python /another/tree/benchmarks/walk.py photo.jpg --counts
"""

from __future__ import annotations

import contextlib
import importlib
import io
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path, PurePath
from types import FrameType
from typing import Annotated, Any
from unittest import mock

import typer

# No other file of this package is imported, so that this one runs in trees that do not have it.
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


@dataclass(frozen=True)
class Step:
    """A function of the project, and the file below the root that it is in."""

    file: PurePath
    function: str

    @property
    def room(self) -> str:
        """Where the file belongs: package and folder, or package and file."""
        return "/".join(self.file.parts[:2])


def passed(call: Callable[[], Any], root: Path) -> list[Step]:
    """Return the functions of the packages in ``root`` that a call passes in this thread, in order of first calls.

    Comprehensions and lambdas count for the function that they are in.
    """
    packages = tuple(f"{init.parent}/" for init in root.glob("*/__init__.py") if init.parent.name != "benchmarks")
    found: dict[Any, None] = {}

    def look(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_code.co_filename.startswith(packages):
            found.setdefault(frame.f_code)

    sys.setprofile(look)
    try:
        call()
    finally:
        sys.setprofile(None)
    named = (code for code in found if not code.co_name.startswith("<"))
    steps = (Step(PurePath(code.co_filename).relative_to(root), code.co_qualname) for code in named)
    return list(dict.fromkeys(steps))


def stays(steps: Iterable[Step]) -> list[tuple[str, list[Step]]]:
    """Return the runs of steps in one room."""
    return [(room, list(run)) for room, run in groupby(steps, key=lambda step: step.room)]


def counts(steps: list[Step]) -> dict[str, int]:
    """Return the numbers of functions, files, rooms and stays."""
    return {
        "functions": len(steps),
        "files": len({step.file for step in steps}),
        "stays in files": len(list(groupby(steps, key=lambda step: step.file))),
        "rooms": len({step.room for step in steps}),
        "stays in rooms": len(stays(steps)),
    }


def walks(photo: Path, folder: Path) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield what is followed, and how to do it; results are written into ``folder``."""
    import rainnet
    import rainopt

    image = rainopt.read_image(photo)
    network = rainnet.load("udgnet-small")
    yield "rainopt.derain", partial(rainopt.derain, image)
    yield "rainnet.derain", partial(rainnet.derain, network, image)
    for program in ("rainopt", "rainnet"):
        words = [program, "derain", str(photo), "-o", str(folder / program), "--overwrite"]
        yield f"{program} derain", partial(run, words)


def run(words: list[str]) -> None:
    """Run a command of the tree in the working directory, in this process, as its script would.

    Raises
    ------
    RuntimeError
        If it does not end with status 0; the message holds what it said.
    """
    scripts = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))["project"]["scripts"]
    module, _, function = scripts[words[0]].partition(":")
    main, said = getattr(importlib.import_module(module), function), io.StringIO()
    with mock.patch.object(sys, "argv", words), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            main()
        except SystemExit as end:
            if end.code:
                raise RuntimeError(f"{' '.join(words)} ended with status {end.code}: {said.getvalue()}") from None


@app.command(help="\n\n".join(f"\b\n{paragraph}" for paragraph in (__doc__ or "").split("\n\n")))
def main(
    photo: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="A photograph with rain.")],
    only_counts: Annotated[bool, typer.Option("--counts", help="Leave out the lists of functions.")] = False,
) -> None:
    """Follow the photograph and print the lists and the table."""
    root = Path.cwd()
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, call in walks(photo, Path(folder)):
            call()
            steps = passed(call, root)
            table[name] = counts(steps)
            if only_counts:
                continue
            typer.echo(f"{name}\n{'-' * len(name)}")
            for number, (room, run_of_steps) in enumerate(stays(steps), 1):
                listed = ", ".join(f"{step.file.stem}.{step.function}" for step in run_of_steps)
                typer.echo(textwrap.fill(f"{number:3} {room}: {listed}", 120, subsequent_indent=" " * 8))
            typer.echo()
    header = list(next(iter(table.values())))
    typer.echo("".join([f"{'':16}", *(f"{column:>16}" for column in header)]))
    for name, row in table.items():
        typer.echo("".join([f"{name:16}", *(f"{row[column]:16}" for column in header)]))


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # was the folder of this file, where it is run by its path
    app()
