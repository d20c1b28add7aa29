"""The commands of `python -m benchmarks`: run benchmarks, and list what was measured."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.benchmark import Benchmark
from benchmarks.measured import ROOT
from benchmarks.options import OptionalData
from benchmarks.overview import print_overview, with_tables
from benchmarks.registry import BENCHMARKS, find
from benchmarks.running import Given, run_all, without_what_they_need
from rainopt.app.exit_codes import FAILED, USAGE
from rainopt.app.options import new_app, run

RESULTS = ROOT / "benchmarks" / "results"

Names = Annotated[list[str] | None, typer.Argument(metavar="NAME", help="Of `list`; all without one.")]
Results = Annotated[
    Path | None,
    typer.Option(
        "--results",
        metavar="DIR",
        help="The folder of NAME.json; else benchmarks/results, and its quick/ for what --quick measures.",
    ),
]
Quick = Annotated[bool, typer.Option("--quick", help="Only benchmarks that have a quick form, in this form.")]
Model = Annotated[str | None, typer.Option("--model", metavar="RUN", help="A training run, for those that need one.")]
Runs = Annotated[
    str | None, typer.Option("--runs", metavar="FOLDER", help="Where what is trained is kept, for those that train.")
]
Page = Annotated[bool, typer.Option("--page", help="Bring the tables of benchmarks/README.md up to date instead.")]

app = new_app("python -m benchmarks")


@app.callback()
def benchmarks() -> None:
    """Measure rainopt, rainnet and data_tools, and tell what was measured when on which tree.

    See benchmarks/README.md for the questions, and for the folder of pictures that many of them need.
    """


@app.command("run")
def run_command(
    names: Names = None,
    data: OptionalData = None,
    quick: Quick = False,
    results: Results = None,
    model: Model = None,
    runs: Runs = None,
) -> None:
    """Run benchmarks one after another; each leaves DIR/NAME.json.

    Without names: all but those that attack the project, and those that need a training run. A benchmark that fails is
    named, the others are done, and the status is 1; its former result stays, as it does after Ctrl-C. What --quick
    measures lies apart from what the report tells.
    """
    chosen = _chosen(names, quick)
    trained = {name: value for name, value in (("model", model), ("runs", runs)) if value is not None}
    given = Given(data, trained, quick)
    left_out = without_what_they_need(chosen, given)
    for why, which in left_out.items():
        _say(f"left out, because they {why}: {', '.join(which)}")
    gone = {name for which in left_out.values() for name in which}
    chosen = [one for one in chosen if one.name not in gone]
    if not chosen:
        _say("nothing is left to run")
        raise typer.Exit(USAGE)
    failed = run_all(chosen, given, results or (RESULTS / "quick" if quick else RESULTS), _say)
    if failed:
        _say(f"failed: {', '.join(failed)}; done: {len(chosen) - len(failed)}")
        raise typer.Exit(FAILED)


@app.command("list")
def list_command(results: Results = None, page: Page = False) -> None:
    """Tell what was measured when, and whether the code has changed since.

    `tree` is "current" where rainopt, rainnet and data_tools are as in the commit that was measured, and "unknown" for
    results that do not tell, or that were measured on changes that were not committed.
    """
    if page:
        file = ROOT / "benchmarks" / "README.md"
        file.write_text(with_tables(file.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        print_overview(results or RESULTS)


def _chosen(names: list[str] | None, quick: bool) -> list[Benchmark]:
    if not names:
        return [one for one in BENCHMARKS if not one.by_name_alone and (one.quick or not quick)]
    try:
        return find(names)
    except LookupError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def main() -> None:
    """Run the command and exit with its status."""
    run(app)
