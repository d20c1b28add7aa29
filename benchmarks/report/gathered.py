"""The parts of `benchmarks.quality`, each in the place of the benchmark that it is of, where that has no result."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.report.reading import Result, Results
from benchmarks.report.sources import is_quick

GATHERED = "quality"
DATA = "DIR"  # what the pictures are, if they are no samples
# By part: the benchmark, and the key that it lies at there, if at any.
PARTS: dict[str, tuple[str, str | None]] = {
    "still": ("solver_quality", None),
    "angle": ("angle", None),
    "background": ("video_quality", None),
    "video": ("video_rows", "clips"),
    "living": ("video_living", None),
    "flicker": ("video_flicker", "clips"),
    "traces": ("traces", None),
    "networks": ("net_quality", "sets"),
    "darker": ("darker", None),
}


def is_whole(result: Result) -> bool:
    """Return whether a result of `benchmarks.quality` is of real pictures, and not in its quick form."""
    return result.at("pictures") == DATA and not is_quick(result)


def with_parts(found: Results) -> Results:
    """Return results in which the parts of `benchmarks.quality` stand for benchmarks that have no result of their own.

    Their own hold more, pictures one by one and peers. Of sample photographs nothing is taken: their figures compare
    trees, not methods.
    """
    whole = found.get(GATHERED)
    if whole is None or not is_whole(whole):
        return found
    head = {key: whole.at(key) for key in ("environment", "measured") if whole.at(key) is not None}
    parts = {}
    for part, (name, key) in PARTS.items():
        values = whole.at(part)
        if isinstance(values, Mapping):
            parts[name] = Result(name, whole.file, head | ({key: values} if key else dict(values)))
    return Results(parts | dict(found.by_name), found.gpu)
