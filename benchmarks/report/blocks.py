"""What a page is made of, and how it reads as Markdown: tables, plots, sections."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks.report.reading import Result
from benchmarks.report.sources import told

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURE = 24  # letters of a cell that is a figure, at most; with its interval
MARK = "Written by python -m benchmarks.report"  # Of every file that is ours, and may be replaced or removed.


@dataclass(frozen=True)
class Table:
    """A table of texts; the first column is its rows' names."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, header: Sequence[str], rows: Iterable[Sequence[str]], names: int = 1) -> Table:
        """Return a table without the rows and columns that hold no figure; the first ``names`` columns are none."""
        full = [tuple(row) for row in rows if any(row[names:])]
        kept = [k for k in range(len(header)) if k < names or any(row[k] for row in full)]
        return cls(tuple(header[k] for k in kept), tuple(tuple(row[k] for k in kept) for row in full))

    def markdown(self) -> list[str]:
        """Return the lines of the table."""
        align = ["---" if self._is_text(k) else "---:" for k in range(len(self.header))]
        return [_row(self.header), _row(align), *(_row(row) for row in self.rows)]

    def _is_text(self, column: int) -> bool:
        cells = [row[column] for row in self.rows if row[column]]
        return column == 0 or not all(len(cell) <= FIGURE and cell.lstrip("+−≤≥ ")[:1].isdigit() for cell in cells)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|').replace(chr(10), ' ') for cell in cells)} |"


@dataclass(frozen=True)
class Plot:
    """A plot: what is drawn, as JSON, and how.

    Attributes
    ----------
    name
        Of the file, without its ending.
    alt
        What it shows, for those who cannot see it.
    data
        What is drawn; all that ``draw`` looks at.
    draw
        Draws it with matplotlib, which is imported there alone.
    """

    name: str
    alt: str
    data: Any
    draw: Callable[[Any], Figure]

    @property
    def digest(self) -> str:
        """Return what changes with the data."""
        return hashlib.sha256(json.dumps(self.data, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes
    ----------
    title
        Its heading.
    text
        What the table means, in sentences.
    table
        The figures.
    sources
        The results that they are from.
    plot
        Drawn above the table.
    limits
        What the figures do not say, or what is not good, in sentences.
    """

    title: str
    text: str
    table: Table
    sources: tuple[Result, ...]
    plot: Plot | None = None
    limits: str = ""

    def markdown(self) -> list[str]:
        """Return the lines of the section."""
        lines = [f"## {self.title}", "", self.text, ""]
        if self.plot is not None:
            lines += [f"![{self.plot.alt}]({self.plot.name}.svg)", ""]
        if self.table.rows:
            lines += [*self.table.markdown(), ""]
        if self.limits:
            lines += [self.limits, ""]
        for source in self.sources:
            lines += [told(source), ""]
        return lines


@dataclass(frozen=True)
class Page:
    """A page of the documentation; ``name`` is that of its file, without the ending, ``question`` what it answers."""

    name: str
    title: str
    question: str
    text: str
    sections: tuple[Section, ...] = field(default=())

    def markdown(self) -> str:
        """Return the page."""
        lines = [f"<!-- {MARK}; what is changed here is lost. -->", "", f"# {self.title}", "", self.text, ""]
        for section in self.sections:
            lines += section.markdown()
        return "\n".join(lines).rstrip() + "\n"

    @property
    def sources(self) -> dict[str, Result]:
        """Return the results that the page tells of, by file."""
        return {source.file: source for section in self.sections for source in section.sources}


def page_of(name: str, title: str, question: str, text: str, sections: Iterable[Section | None]) -> Page | None:
    """Return a page of the sections that have anything to show; None where none has."""
    full = tuple(one for one in sections if one is not None and (one.table.rows or one.plot is not None))
    return Page(name, title, question, text, full) if full else None
