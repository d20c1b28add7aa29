"""Whatever has no page of its own: every figure of those result files, as it lies there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from benchmarks.report.blocks import Page, Section, Table, page_of
from benchmarks.report.figures import plain
from benchmarks.report.names import words
from benchmarks.report.reading import Result, number

QUESTION = "What else was measured?"
MOST = 60  # rows of a table
WIDEST = 12  # columns
LEFT_OUT = ("environment", "measured", "benchmark", "each")  # told elsewhere, or a row for each picture


def page(results: list[Result]) -> Page | None:
    """Return the page of results that no other page tells of."""
    text = (
        "Results that no other page tells of, as they lie in their files. What the words mean is told by the "
        "`--help` of the commands."
    )
    sections = [section for result in results for section in _sections(result)]
    return page_of("others", "Other results", QUESTION, text, sections)


def _sections(result: Result) -> Iterator[Section]:
    """Yield a table of each object whose values are objects of figures, and one of the rest."""
    rest = {}
    for key, value in result.values.items():
        if key in LEFT_OUT:
            continue
        table = _matrix(value)
        if table is None:
            rest[key] = value
        else:
            yield _section(result, words(key), table, len(table.rows))
    rows = list(_figures(rest, ()))
    if rows:
        yield _section(
            result,
            "" if rest.keys() == result.values.keys() - set(LEFT_OUT) else "further figures",
            Table.of(("figure", "value"), rows[:MOST]),
            len(rows),
        )


def _section(result: Result, part: str, table: Table, rows: int) -> Section:
    name = words(result.name)
    title = name[:1].upper() + name[1:]
    same = not part or part == name
    more = f"And {rows - MOST} more, in `benchmarks/results/{result.file}`." if rows > MOST else ""
    short = Table(table.header, table.rows[:MOST])
    return Section(title if same else f"{title}: {part}", f"From `{result.file}`.", short, (result,), limits=more)


def _matrix(value: Any) -> Table | None:
    """Return a table of an object whose values are objects of figures; None where it is none."""
    if not isinstance(value, Mapping) or len(value) < 2 or not all(isinstance(one, Mapping) for one in value.values()):
        return None
    flat = {name: dict(_figures(one, ())) for name, one in value.items()}
    columns = list(dict.fromkeys(column for one in flat.values() for column in one))
    if not columns or len(columns) > WIDEST:
        return None
    rows = [(words(name), *(one.get(column, "") for column in columns)) for name, one in flat.items()]
    return Table.of(("", *columns), rows)


def _figures(value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield where the numbers and words of JSON lie, and what they are."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in LEFT_OUT:
                yield from _figures(inner, (*path, words(key)))
    elif isinstance(value, list):
        for k, inner in enumerate(value):
            yield from _figures(inner, (*path, str(k + 1)))
    elif isinstance(value, str):
        yield ", ".join(path), value
    elif isinstance(value, bool):
        yield ", ".join(path), "yes" if value else "no"
    elif value is not None:
        yield ", ".join(path), plain(number(value), 4)
