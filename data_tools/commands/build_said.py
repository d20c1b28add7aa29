"""What ``raindata build`` says of the videos that it has worked on: tables, sentences, and objects of JSON."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.table import Table

    from data_tools.build.notes import VideoResult
    from data_tools.manifest.record import PairRecord

SEQUENCES = "sequences"  # `data_tools.build.settings.SequenceSettings.kind`
SHOWN = 4  # windows that are named with one reason


def as_dict(result: VideoResult, kind: str) -> dict[str, Any]:
    """Return what JSON says of a video, for a dataset of a kind."""
    accepted = [window for window in result.windows if window.accepted]
    records = result.records
    made = {SEQUENCES: _sequences(records), "frames_taken": len(records)} if kind == SEQUENCES else {}
    values = {
        "video": result.source,
        "name": result.name,
        "frames": result.frames,
        "scenes": len({window.scene for window in result.windows}),
        "windows": len(result.windows),
        "accepted": len(accepted),
        **(made or {"pairs": len(records)}),
        "to_review": sum(record.extra.get("status") == "review" for record in records),
        "expected_psnr": statistics.median(w.expected_psnr for w in accepted) if accepted else None,
        "rejected": {str(window.start): window.reason for window in result.windows if not window.accepted} or None,
        "shortened": {str(window.start): window.reason for window in accepted if window.reason} or None,
        "lost": result.lost,
        "error": result.error,
    }
    return {key: value for key, value in values.items() if value is not None}


def left_out(result: VideoResult, kind: str) -> list[str]:
    """Return a line for each reason for which windows of a video gave nothing, or gave less than they have."""
    starts: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for window in result.windows:
        if window.reason:
            scene = f", scene {window.scene}" if kind == SEQUENCES else ""
            what = "not all" if window.accepted else "no sequence" if kind == SEQUENCES else "no pairs"
            starts[scene, what, window.reason].append(window.start)
    return [
        f"{result.name}{scene}: {what} of the frames from {', '.join(map(str, numbers[:SHOWN]))}"
        f"{f' and {len(numbers) - SHOWN} more windows' if len(numbers) > SHOWN else ''}: {reason}"
        for (scene, what, reason), numbers in starts.items()
    ]


def table_of(results: Sequence[VideoResult], kind: str) -> Table:
    """Return a table of the videos."""
    from rich.markup import escape
    from rich.table import Table

    made = {SEQUENCES: "sequences", "frames_taken": "taken"} if kind == SEQUENCES else {"pairs": "pairs"}
    columns = {"frames": "frames", "scenes": "scenes", "windows": "windows", "accepted": "accepted", **made}
    columns["to_review"] = "to review"
    table = Table("video", *columns.values(), *(() if kind == SEQUENCES else ("expected dB",)))
    for column in table.columns[1:]:
        column.justify = "right"
    for result in sorted(results, key=lambda one: one.name):
        facts = as_dict(result, kind)
        cells = [str(facts[key]) for key in columns]
        if kind != SEQUENCES:
            psnr = facts.get("expected_psnr")
            cells.append("" if psnr is None else f"{psnr:.1f}")
        name = escape(result.name) + (" [red]failed[/red]" if result.error else "")
        table.add_row(name, *cells)
    return table


def summary(records: Sequence[PairRecord] | Any, kind: str) -> str:
    """Return how much a dataset holds, in words."""
    if kind != SEQUENCES:
        return f"{len(records)} pairs"
    count = _sequences(records)
    return f"{len(records)} frames in {count} sequence{'s' if count != 1 else ''}"


def _sequences(records: Iterable[PairRecord]) -> int:
    return len({record.scene for record in records})
