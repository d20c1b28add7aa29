"""What a run shows: a bar and lines for people, JSON lines for programs, and the exit status."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape

from rainopt.app.console import open_consoles, progress_bar
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.inputs import Job
from rainopt.app.runner import run
from rainopt.app.task import FileRecord, Task


def follow(jobs: Sequence[Job], task: Task, processes: int, json_lines: bool) -> int:
    """Run all jobs, show how it goes, and return the exit status.

    Results go to standard output, progress and errors to standard error. The bar appears on a terminal only.
    """
    out, err = open_consoles()
    count: Counter[str] = Counter()
    progress = progress_bar(err)
    try:
        with progress:
            overall = progress.add_task("images", total=len(jobs))
            # One image in tiles is long work of its own.
            current = progress.add_task("tiles", total=1.0, visible=False)

            def report(job: Job, share: float) -> None:
                name = escape(job.source.name)
                progress.update(current, completed=share, description=name, visible=share < 1)

            # Where both are one screen, lines must go above the bar.
            shown = err if err.is_terminal and out.is_terminal else out
            if task.header and not json_lines:
                shown.print(escape(task.header))
            for record in run(jobs, task, processes, report):
                count[record.status] += 1
                progress.advance(overall)
                _show(record, json_lines, shown, err)
                if sys.stdout is not None:  # closed by `>&-`
                    sys.stdout.flush()
    except KeyboardInterrupt:
        left = len(jobs) - sum(count.values())
        err.print(f"interrupted: {count['ok']} done, {left} left; run the same command again to go on")
        return INTERRUPTED
    if len(jobs) > 1 and not json_lines:
        parts = [f"{count['ok']} {task.done}"]
        parts += [f"{count[status]} {status}" for status in ("skipped", "failed") if count[status]]
        err.print(", ".join(parts))
    return FAILED if count["failed"] else OK


def _show(record: FileRecord, json_lines: bool, out: Console, err: Console) -> None:
    if json_lines:
        # Written past rich, which would wrap and colour it; in ASCII, which every stream can encode.
        print(json.dumps(record.as_dict()), file=sys.stdout)
    if record.status == "failed":
        err.print(f"[red]failed[/red]  {escape(record.error or '')}")
    elif json_lines:
        pass
    elif record.status == "skipped":
        out.print(f"{escape(record.input)}: kept {escape(record.output or '')} (--overwrite to do it again)")
    else:
        out.print(escape(record.line()))
