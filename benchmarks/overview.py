"""What was measured when on which tree, as a table; and the registry as the tables of benchmarks/README.md."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from benchmarks.benchmark import Benchmark
from benchmarks.measured import Measured, changed_since
from benchmarks.registry import BENCHMARKS
from benchmarks.result import ResultError, how_measured, read
from benchmarks.tables import print_table

BEFORE = "before this was recorded"
WORDS = {"model": ("--model", "RUN"), "runs": ("--runs", "FOLDER")}
"""The options of training runs, as they are written."""


def print_overview(results: Path) -> None:
    """Print a line for each benchmark, and for each file that belongs to none."""
    rows = [_row(one.name, results, _needs(one), took(one.minutes)) for one in BENCHMARKS]
    known = {one.name for one in BENCHMARKS}
    rows += [_row(file.stem, results, "", "") for file in sorted(results.glob("*.json")) if file.stem not in known]
    header = ("benchmark", "needs", "takes", "measured", "commit", "tree", "took", "quick")
    print_table(f"Results in {results}", header, rows)


def _row(name: str, results: Path, needs: str, takes: str) -> tuple[str, ...]:
    head = (name, needs, takes)
    file = results / f"{name}.json"
    if not file.exists():
        return (*head, "", "", "", "", "")
    try:
        measured = how_measured(read(file))
    except ResultError:
        return (*head, "no result", "", "", "", "")
    if measured is None:
        return (*head, BEFORE, "", "unknown", "", "")
    commit = f"{measured.commit or 'none'}{', changed' * measured.dirty}"
    return (*head, measured.date, commit, tree_of(measured), took(measured.seconds / 60), "quick" * measured.quick)


def tree_of(measured: Measured) -> str:
    """Return whether the code is still what was measured: "current", "older tree" or "unknown"."""
    if measured.commit is None or measured.dirty:
        return "unknown"
    changed = changed_since(measured.commit)
    return "unknown" if changed is None else "older tree" if changed else "current"


def took(minutes: float) -> str:
    """Return a time as it is said."""
    if minutes < 0.95:
        return f"{max(round(60 * minutes), 1)} s"
    if minutes < 100:
        return f"{minutes:.0f} minute{'s' if round(minutes) > 1 else ''}"
    return f"{minutes / 60:.1f} hours".replace(".0", "")


def _needs(one: Benchmark) -> str:
    return " ".join(["--data DIR"] * one.needs_data + [" ".join(WORDS[run]) for run in one.runs])


def command(one: Benchmark) -> str:
    """Return the command of a benchmark, as its page has it."""
    return " ".join(filter(None, [f"python -m benchmarks.{one.module}", _needs(one), *one.options]))


def markdown(benchmarks: Iterable[Benchmark]) -> str:
    """Return benchmarks as a table in Markdown."""
    lines = ["| name | command | question | takes |", "| --- | --- | --- | --- |"]
    for one in benchmarks:
        takes = "; ".join(filter(None, [f"about {took(one.minutes)}", one.note]))
        quick = f"; with `--quick` {took(one.quick_minutes)}" if one.quick else ""
        lines.append(f"| `{one.name}` | `{command(one)}` | {one.question} | {takes}{quick} |")
    return "\n".join(lines)


def tables() -> dict[str, str]:
    """Return the tables of the page, by their markers."""
    return {
        "measurements": markdown(one for one in BENCHMARKS if not one.attack),
        "attacks": markdown(one for one in BENCHMARKS if one.attack),
    }


def with_tables(page: str) -> str:
    """Return a page with the tables of today between their markers.

    Raises
    ------
    ValueError
        If a marker is missing.
    """
    for name, table in tables().items():
        begin, end = f"<!-- {name}: python -m benchmarks list --page -->", f"<!-- end of {name} -->"
        if begin not in page or end not in page:
            raise ValueError(f"the page must hold '{begin}' and '{end}'")
        before, after = page[: page.index(begin)], page[page.index(end) :]
        page = f"{before}{begin}\n\n{table}\n\n{after}"
    return page
