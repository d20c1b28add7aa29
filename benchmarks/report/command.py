"""Tables and plots of what the benchmarks found: docs/benchmarks/ and the table of the README.

All figures are from the result files, benchmarks/results/NAME.json and gpu/NAME.json, whichever are there; what has no
file is named and left out. Of each page and plot the figures, the command that makes them again, the day, the tree and
the machine are told. Files of this command that it does not make any more are removed.

With --check nothing is written, and the status is 1 if anything differs from what would be. Pages are compared as they
are, plots by the figures that they show, since versions of matplotlib differ a little in how they draw the same.
A result file that cannot be read is named, the status is 1, and nothing is written.

  python -m benchmarks.report
  python -m benchmarks.report --check
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.options import benchmark
from benchmarks.report.gathered import with_parts
from benchmarks.report.pages.every import pages_of
from benchmarks.report.pages.index import index, missing
from benchmarks.report.reading import DamagedError, read
from benchmarks.report.readme import MarkersError, put_in, table
from benchmarks.report.sources import COMMANDS
from benchmarks.report.writing import differences, plots_of, put, write

ROOT = Path(__file__).parents[2]
FOLDER = "benchmarks"  # of the documentation
FAILED = 1

Folder = Annotated[
    Path, typer.Option("--results", metavar="DIR", help="The folder of result files.", show_default=False)
]
Docs = Annotated[
    Path,
    typer.Option("--docs", metavar="DIR", help="The documentation; pages go to DIR/benchmarks.", show_default=False),
]
Readme = Annotated[
    Path, typer.Option("--readme", metavar="FILE", help="The README, with its two markers.", show_default=False)
]
Check = Annotated[bool, typer.Option("--check", help="Write nothing; status 1 if anything would change.")]


@benchmark(__doc__)
def main(
    results: Folder = ROOT / "benchmarks" / "results",
    docs: Docs = ROOT / "docs",
    readme: Readme = ROOT / "README.md",
    check: Check = False,
) -> None:
    """Read, make, and write or compare."""
    if not results.is_dir():
        raise typer.BadParameter(f"--results must name a folder, got '{results}'")
    if not readme.is_file():
        raise typer.BadParameter(f"--readme must name a file, got '{readme}'")
    try:
        found = with_parts(read(results))
        if not found.by_name and not found.gpu:
            raise typer.BadParameter(f"--results must hold result files, *.json; '{results}' has none")
        pages = pages_of(found)
        before = readme.read_text(encoding="utf-8")
        after = put_in(before, table(found))
    except (DamagedError, MarkersError) as error:
        _fail(str(error))
    for name in missing(found):
        typer.echo(f"left out: {name}.json is not there; {COMMANDS[name]}", err=True)
    texts = {"index.md": index(found, pages)} | {f"{page.name}.md": page.markdown() for page in pages}
    plots = plots_of(pages)
    folder = docs / FOLDER
    if check:
        wrong = differences(folder, texts, plots)
        wrong += [f"the table of '{readme.name}' differs"] if after != before else []
        if wrong:
            _fail("\n".join([*wrong, "make them anew: python -m benchmarks.report"]))
        typer.echo(f"{len(texts)} pages, {len(plots)} plots and the table of {readme.name} are as they should be")
        return
    try:
        removed = write(folder, texts, plots)
        put(readme, after.encode())
    except (ImportError, OSError) as error:
        _fail(str(error))
    for file in removed:
        typer.echo(f"removed {file.name}, which is not made any more")
    typer.echo(f"wrote {len(texts)} pages, {len(plots)} plots and the table of {readme.name}")


def _fail(why: str) -> None:
    typer.echo(why, err=True)
    raise typer.Exit(FAILED)
