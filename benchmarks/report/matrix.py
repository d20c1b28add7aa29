"""Tables of methods by sets: what most results about quality are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.report.blocks import Table
from benchmarks.report.figures import score
from benchmarks.report.names import of_method, of_set
from benchmarks.report.reading import number, pairs

Sets = Sequence[tuple[str, Sequence[tuple[str, Any]]]]  # of each set its name, and by method what was found


def scores(found: Any) -> str:
    """Return PSNR and SSIM of what was found."""
    return score(number(found, "psnr"), number(found, "ssim"))


def matrix(
    sets: Sets, cell: Callable[[Any], str] = scores, first: str = "method", of: Callable[[str], str] = of_set
) -> Table:
    """Return a table with a row for each method and a column for each set."""
    methods = list(dict.fromkeys(method for _, one in sets for method, _ in one))
    rows = [(of_method(method), *(cell(dict(one).get(method)) for _, one in sets)) for method in methods]
    return Table.of((first, *(of(name) for name, _ in sets)), rows)


def sets_of(value: Any, inner: str | None = None) -> Sets:
    """Return the sets of an object of JSON, whose methods are its values or lie at a key of each."""
    return [(name, pairs(one, *([inner] if inner else []))) for name, one in pairs(value)]


def without(sets: Sets, method: str) -> Sets:
    """Return sets without one of their methods."""
    return [(name, [one for one in found if one[0] != method]) for name, found in sets]


def dots(sets: Sets, key: str = "psnr") -> list[dict[str, Any]]:
    """Return by set the numbers of its methods, as a plot of dots takes them."""
    rows = []
    for name, one in sets:
        values = {method: number(found, key) for method, found in one}
        values = {method: value for method, value in values.items() if value is not None}
        if values:
            rows.append({"row": name, "values": values})
    return rows


def below_input(sets: Sets, key: str = "psnr") -> list[str]:
    """Return in words where a method is below the rainy picture itself."""
    lines = []
    for name, one in sets:
        before = number(dict(one).get("input"), key)
        if before is None:
            continue
        worse = [of_method(method) for method, found in one if (number(found, key) or before) < before]
        if worse:
            lines.append(f"{of_set(name)}: {', '.join(worse)}")
    return lines
