"""``raindata verify``."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import typer

from data_tools.commands.options import CleanFolder, Dataset, Layout, Match, RainyFolder, dataset_named
from rainopt.app.exit_codes import FAILED, OK
from rainopt.app.options import Jobs, JsonLines

if TYPE_CHECKING:
    from rich.console import Console

    from data_tools.verify.dataset import Verification

# So many findings of one kind are shown and the rest is counted; JSON has all.
SHOWN = 20


def verify(
    dataset: Dataset = None,
    layout: Layout = None,
    rainy: RainyFolder = None,
    clean: CleanFolder = None,
    match: Match = None,
    jobs: Jobs = 1,
    json_lines: JsonLines = False,
) -> None:
    """Check a dataset, of ours or a public one: is every pair whole, and do the splits share nothing?

    Found are missing partners, corrupt files, different sizes, wrong range, rainy and clean exchanged, misaligned
    pairs, scenes that are in two splits, frames that do not belong into their sequence, and, with a manifest, changed
    files and rain that does not repeat its truth.

    **Examples**

    - `raindata verify Rain100L`
    - `raindata verify --rainy storm/frames --clean storm/truth --match '[0-9]+$'`

    Exit status: 0 nothing is wrong, 1 something is (each is named), 2 wrong usage, 130 interrupted.
    """
    from rich.markup import escape

    from data_tools.layouts.read import LayoutError
    from data_tools.manifest.file import ManifestError
    from data_tools.verify.dataset import verify as check
    from rainopt.app.console import open_consoles, progress_bar

    out, err = open_consoles()
    try:
        with progress_bar(err) as progress:
            task = progress.add_task("pairs", total=None)
            report = check(
                dataset_named(dataset, layout, rainy, clean, match),
                layout,
                processes=jobs,
                progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
    except (LayoutError, ManifestError) as error:
        if str(error).startswith("`layout`"):
            raise typer.BadParameter(str(error), param_hint="--layout") from None
        if json_lines:
            print(json.dumps({"ok": False, "error": str(error)}), file=sys.stdout)
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    if json_lines:
        print(json.dumps(report.as_dict()), file=sys.stdout)
    else:
        _show(report, out)
    raise typer.Exit(OK if report.ok else FAILED)


def _show(report: Verification, out: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    from data_tools.layouts.files import counted

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
        what = f"{report.pairs} pairs of {report.scenes} scenes"
        if report.pairs and report.unpaired == report.pairs:
            what = counted(report.pairs, "image")
            what += f" of {counted(report.scenes, 'scene')}" if report.scenes < report.pairs else ""
            what += "; whether they are rainy cannot be told without clean ones"
        out.print(f"nothing is wrong with {what}")
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
