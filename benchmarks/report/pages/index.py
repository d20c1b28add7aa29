"""The first page: which pages there are, what was measured when on which tree, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.report.blocks import MARK, Page, Table
from benchmarks.report.reading import Result, Results
from benchmarks.report.sources import COMMANDS, command_of, machine, measured, versions

TITLE = "Benchmarks"


def index(found: Results, pages: Sequence[Page]) -> str:
    """Return the page as Markdown."""
    told_on: dict[str, list[Page]] = {}
    for page in pages:
        for file in page.sources:
            told_on.setdefault(file, []).append(page)
    results = list({result.file: result for result in (*found.by_name.values(), *found.gpu)}.values())
    lines = [
        f"<!-- {MARK}; what is changed here is lost. -->",
        "",
        f"# {TITLE}",
        "",
        "How fast `rainopt` is, how good, beside what, and what it does not do well. Every figure of these pages is "
        "from a file in `benchmarks/results/`, which one command writes, and `python -m benchmarks.report` makes the "
        "pages of the files. What the commands do, step by step, is in `benchmarks/README.md` and in the `--help` of "
        "each; pictures that a command takes (`--data DIR`) are no part of the project.",
        "",
        *Table(
            ("page", "question"), tuple((f"[{page.title}]({page.name}.md)", page.question) for page in pages)
        ).markdown(),
        "",
        "## What was measured, when, on which tree",
        "",
        *Table.of(("result", "page", "measured", "again by"), [_row(one, told_on) for one in results]).markdown(),
        "",
        *_machines(results),
        *_missing(found),
        "```{toctree}",
        ":hidden:",
        "",
        *(page.name for page in pages),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _row(result: Result, told_on: dict[str, list[Page]]) -> tuple[str, ...]:
    links = ", ".join(f"[{page.title}]({page.name}.md)" for page in told_on.get(result.file, []))
    return (f"`{result.file}`", links, measured(result), f"`{command_of(result)}`")


def _machines(results: Sequence[Result]) -> list[str]:
    """Return the machines and versions, with the results of each."""
    by_machine: dict[tuple[str, str], list[str]] = {}
    for result in results:
        by_machine.setdefault((machine(result), versions(result)), []).append(f"`{result.file}`")
    rows = [(place, told, ", ".join(files)) for (place, told), files in by_machine.items()]
    table = Table.of(("machine", "versions", "results"), [row for row in rows if any(row[:2])])
    return ["## On which machines, with which versions", "", *table.markdown(), ""] if table.rows else []


def _missing(found: Results) -> list[str]:
    rows = tuple((f"`{name}.json`", f"`{COMMANDS[name]}`") for name in missing(found))
    if not rows:
        return []
    text = "Benchmarks that have no file in `benchmarks/results/`; what they would show is left out."
    return ["## Not there", "", text, "", *Table(("file", "made by"), rows).markdown(), ""]


def missing(found: Results) -> list[str]:
    """Return the benchmarks that are looked for and not there."""
    return [name for name in COMMANDS if found.get(name) is None]
