"""The files that are made: held against those that are there, or written in their place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.report.blocks import MARK, Page, Plot
from benchmarks.report.plots.style import svg
from rainopt.io.atomic import replacing

HEAD = 4096  # bytes of a file in which our mark is looked for


def plots_of(pages: Iterable[Page]) -> dict[str, Plot]:
    """Return all plots by the names of their files."""
    plots = (section.plot for page in pages for section in page.sections)
    return {f"{plot.name}.svg": plot for plot in plots if plot is not None}


def stale(folder: Path, made: Iterable[str]) -> list[Path]:
    """Return the files of a folder that this command wrote once and does not make any more."""
    kept = set(made)
    files = [file for file in folder.glob("*") if file.suffix in (".md", ".svg") and file.is_file()]
    return sorted(file for file in files if file.name not in kept and MARK in _head(file))


def differences(folder: Path, texts: Mapping[str, str], plots: Mapping[str, Plot]) -> list[str]:
    """Return in words how the files of a folder differ from what would be written.

    Pages are compared as they are. Plots are compared by the figures that they show, which each names by a digest:
    another version of matplotlib draws the same a little differently.
    """
    lines = []
    for name, text in texts.items():
        there = _text(folder / name)
        if there is None:
            lines.append(f"'{name}' is not there")
        elif there != text:
            lines.append(f"'{name}' differs in line {_first_difference(there, text)}")
    for name, plot in plots.items():
        there = _text(folder / name)
        if there is None:
            lines.append(f"'{name}' is not there")
        elif described(plot) not in there:
            lines.append(f"'{name}' shows other figures")
    return lines + [f"'{file.name}' is not made any more" for file in stale(folder, [*texts, *plots])]


def write(folder: Path, texts: Mapping[str, str], plots: Mapping[str, Plot]) -> list[Path]:
    """Write all files, draw the plots, and remove what is not made any more; return what was removed.

    Raises
    ------
    ImportError
        If matplotlib is not installed; nothing has been written then.
    """
    drawn = {name: svg(plot.draw, plot.data, described(plot)) for name, plot in plots.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in [*((name, text.encode()) for name, text in texts.items()), *drawn.items()]:
        put(folder / name, content)
    old = stale(folder, [*texts, *plots])
    for file in old:
        file.unlink()
    return old


def put(file: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that holds this already keeps its time."""
    if not file.is_file() or file.read_bytes() != content:
        with replacing(file, overwrite=True) as target:
            target.write(content)


def described(plot: Plot) -> str:
    """Return what the file of a plot says of itself."""
    return f"{MARK}; figures {plot.digest}"


def _text(file: Path) -> str | None:
    return file.read_bytes().decode("utf-8", "replace") if file.is_file() else None


def _head(file: Path) -> str:
    with file.open("rb") as opened:
        return opened.read(HEAD).decode("utf-8", "replace")


def _first_difference(one: str, other: str) -> int:
    lines: Sequence[tuple[str, str]] = list(zip(one.split("\n"), other.split("\n"), strict=False))
    return next((k for k, (a, b) in enumerate(lines, 1) if a != b), len(lines) + 1)
