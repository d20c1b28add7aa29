"""A comparison as tables: one for each protocol, and one of NIQE."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rich.table import Table
from rich.text import Text

from rainnet.evaluate.report import MethodReport, Report

ABOUT = {
    "rgb": "rgb (all three channels)",
    "y_matlab": "y_matlab (Y of MATLAB's rgb2ycbcr, 16 to 235)",
    "y_full": "y_full (Y of BT.601, 0 to 255)",
}
NONE = "-"


def tables(report: Report) -> list[Table]:
    """Return the tables of a report: methods in rows, the best mean of each column bold.

    Bold are only methods that did as many pictures as any: a mean over fewer may be that over easier ones.
    """
    made = [_fidelity(report, protocol) for protocol in report.protocols if _any(report, protocol)]
    if any(method.niqe is not None for method in report.methods) or not made:
        made.append(_naturalness(report))
    return made


def _any(report: Report, protocol: str) -> bool:
    return any(method.count(protocol) for method in report.methods)


def _fidelity(report: Report, protocol: str) -> Table:
    counts = [method.count(protocol) for method in report.methods]
    psnr = [method.psnr(protocol) for method in report.methods]
    ssim = [method.ssim(protocol) for method in report.methods]
    equal = [method.equal(protocol) for method in report.methods]
    columns = {
        "PSNR, dB": _column([_decibels(p, e, n) for p, e, n in zip(psnr, equal, counts, strict=True)], psnr, counts),
        "SSIM": _column([_number(value, 4) for value in ssim], ssim, counts),
    }
    masked = max(method.masked for method in report.methods)
    over = f", over valid pixels in {masked} of {max(counts)} pictures" if masked else ""
    return _table(f"PSNR and SSIM on {ABOUT[protocol]}{over}", report, counts, columns)


def _naturalness(report: Report) -> Table:
    counts = [sum(score.niqe is not None for score in method.scores) for method in report.methods]
    niqe = [method.niqe for method in report.methods]
    cells = [_number(value, 2) for value in niqe]
    return _table("NIQE, less is better", report, counts, {"NIQE": _column(cells, niqe, counts, best=min)})


def _table(title: str, report: Report, counts: Sequence[int], columns: dict[str, list[Text]]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("method", overflow="fold")
    for name in ("pictures", *columns, "s / picture"):
        table.add_column(name, justify="right", no_wrap=True)
    for row, method in enumerate(report.methods):
        cells = [column[row] for column in columns.values()]
        table.add_row(Text(method.name), _pictures(counts[row], method), *cells, _number(method.seconds, 3))
    return table


def _column(
    cells: Sequence[str],
    values: Sequence[float | None],
    counts: Sequence[int],
    best: Callable[[Sequence[float]], float] = max,
) -> list[Text]:
    """Return cells of which the best is bold."""
    rivals = [value for value, count in zip(values, counts, strict=True) if value is not None and count == max(counts)]
    top = best(rivals) if len(values) > 1 and rivals else None
    return [
        Text(cell, style="bold" if top is not None and value == top and count == max(counts) else "")
        for cell, value, count in zip(cells, values, counts, strict=True)
    ]


def _pictures(count: int, method: MethodReport) -> str:
    return f"{count} ({len(method.failures)} failed)" if method.failures else str(count)


def _decibels(psnr: float | None, equal: int, count: int) -> str:
    """Return the mean, and how many results are the truth itself and left out of it."""
    if psnr is not None and math.isinf(psnr):
        return "inf"
    return f"{_number(psnr, 2)} (+{equal} equal)" if equal else _number(psnr, 2)


def _number(value: float | None, digits: int) -> str:
    return NONE if value is None else f"{value:.{digits}f}"
