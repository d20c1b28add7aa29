"""What ``raindata verify`` shows."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from data_tools.layouts.read import LayoutError
from data_tools.manifest.file import ManifestError
from data_tools.verify.dataset import Report, verify
from rainopt.app.console import open_consoles, progress_bar

OK, FAILED = 0, 1
# Of one kind of finding; the rest is counted. JSON has all.
SHOWN = 20


def follow_verify(dataset: Path, layout: str | None, processes: int, as_json: bool) -> int:
    """Check a dataset, print what was found, and return the exit status."""
    out, err = open_consoles()
    try:
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=None)
            report = verify(
                dataset,
                layout,
                processes=processes,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except (LayoutError, ManifestError) as error:
        if str(error).startswith("`layout`"):
            raise typer.BadParameter(str(error), param_hint="--layout") from None
        if as_json:
            print(json.dumps({"ok": False, "error": str(error)}), file=sys.stdout)
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        return FAILED
    if as_json:
        print(json.dumps(report.as_dict()), file=sys.stdout)
    else:
        _show(report, out)
    return OK if report.ok else FAILED


def _show(report: Report, out: Console) -> None:
    out.print(escape(report.message))
    holds = Table("split", "pairs", title="holds", title_justify="left")
    for split, count in report.splits.items():
        holds.add_row(escape(split or "(none)"), str(count))
    sizes = Table("rows x columns", "pairs")
    for (rows, columns), count in list(report.sizes.items())[:SHOWN]:
        sizes.add_row(f"{rows} x {columns}", str(count))
    for table in (holds, sizes):
        if table.row_count:
            out.print(table)
    for note in report.notes:
        out.print(f"note: {escape(note)}")
    if report.ok:
        out.print(f"nothing is wrong with {report.pairs} pairs of {report.scenes} scenes")
        return
    kinds: dict[str, list] = {}
    for finding in report.findings:
        kinds.setdefault(finding.kind, []).append(finding)
    wrong = Table("wrong", "where", "what", title="findings", title_justify="left")
    for kind, findings in kinds.items():
        for finding in findings[:SHOWN]:
            wrong.add_row(kind, escape(finding.where), escape(finding.message))
        if len(findings) > SHOWN:
            wrong.add_row(kind, "...", f"and {len(findings) - SHOWN} more; --json lists all")
    out.print(wrong)
    counts = ", ".join(f"{len(findings)} {kind}" for kind, findings in kinds.items())
    out.print(f"{len(report.findings)} findings: {counts}")
