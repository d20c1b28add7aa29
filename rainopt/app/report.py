"""What a run shows: a bar and lines for people, JSON lines for programs, and the exit status."""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from rainopt.app.console import open_consoles, progress_bar
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.inputs import Job, Plan
from rainopt.app.runner import compiling_told, run
from rainopt.app.search import some
from rainopt.app.task import FileRecord, Task
from rainopt.io.own_results import note_results

NOTE_EVERY = 1.0  # seconds


def follow(jobs: Sequence[Job], task: Task, processes: int, json_lines: bool) -> int:
    """Run all jobs, show how it goes, and return the exit status.

    Results go to standard output; progress, errors, and what was left out to standard error. The bar appears on a
    terminal only. What was written is noted, so that it is no input later (`rainopt.io.own_results`).
    """
    out, err = open_consoles()
    tally, begin = _Tally(), time.time()
    progress, noted = progress_bar(err), -math.inf
    try:
        with progress, compiling_told(err.print):
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
                tally.add(record)
                # Now and then, so that a run that is killed leaves hardly any result that is not noted.
                if time.monotonic() - noted > NOTE_EVERY:
                    note_results(tally.written(task))
                    noted = time.monotonic()
                progress.advance(overall)
                _show(record, json_lines, shown, err)
                if sys.stdout is not None:  # closed by `>&-`
                    sys.stdout.flush()
    except KeyboardInterrupt:
        tally.add_finished(jobs, task, begin)
        left = len(jobs) - sum(tally.count.values())
        err.print(f"interrupted: {tally.count['ok']} done, {left} left; run the same command again to go on")
        return INTERRUPTED
    finally:
        note_results(tally.written(task))
    if len(jobs) > 1 and not json_lines:
        err.print(escape(tally.summary(task.done)))
    for note in jobs.notes if isinstance(jobs, Plan) else ():
        err.print(escape(note))
    return FAILED if tally.count["failed"] else OK


@dataclass
class _Tally:
    """What became of the files of a run."""

    count: Counter[str] = field(default_factory=Counter)
    untouched: dict[str, list[str]] = field(default_factory=dict)  # why: which
    outputs: list[Path] = field(default_factory=list)

    def add(self, record: FileRecord) -> None:
        self.count[record.status] += 1
        if record.untouched is not None:
            self.untouched.setdefault(record.untouched, []).append(record.input)
        if record.output is not None and record.status != "failed":
            self.outputs.append(Path(record.output))

    def add_finished(self, jobs: Sequence[Job], task: Task, begin: float) -> None:
        """Count what workers have still finished, since ``begin``, while they were stopped."""
        told = set(self.outputs)
        for job in jobs:
            if job.target is None or job.target in told:
                continue
            with suppress(OSError):
                if all(path.stat().st_mtime >= begin for path in _results(task, job.target)):
                    self.count["ok"] += 1
                    self.outputs.append(job.target)

    def summary(self, done: str) -> str:
        """Return "31 derained, 10 left as they are: no rain seen (a.jpg, ...), 1 failed"."""
        left = sum(len(names) for names in self.untouched.values())
        parts = [f"{self.count['ok'] - left} {done}"]
        for why, names in self.untouched.items():
            as_is = "left as it is" if len(names) == 1 else "left as they are"
            parts.append(f"{len(names)} {as_is}: {why} ({some(names)})")
        parts += [f"{self.count[status]} {status}" for status in ("skipped", "failed") if self.count[status]]
        return ", ".join(parts)

    def written(self, task: Task) -> list[Path]:
        """Return all files that the outputs stand for."""
        return [path for target in self.outputs for path in _results(task, target)]


def _results(task: Task, target: Path) -> Iterable[Path]:
    """Return all files that a target stands for."""
    results: Callable[[Path], Iterable[Path]] = getattr(task, "results", lambda target: [target])
    return results(target)


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
