"""All pages, in their order."""

from __future__ import annotations

from benchmarks.report.blocks import Page
from benchmarks.report.gathered import GATHERED, is_whole
from benchmarks.report.pages import (
    angle,
    gpu,
    networks,
    others,
    peers,
    photographs,
    scaling,
    speed,
    tasks,
    traces,
    video,
)
from benchmarks.report.reading import Results

SUBJECTS = (speed, peers, photographs, traces, video, networks, angle, tasks, scaling, gpu)


def pages_of(found: Results) -> list[Page]:
    """Return the pages that there is anything to show on; what none of the subjects tells of is on the last.

    What `benchmarks.quality` gathers is told by the pages of its parts.
    """
    pages = [page for subject in SUBJECTS if (page := subject.page(found)) is not None]
    told = {file for page in pages for file in page.sources}
    rest = [result for result in (*found.by_name.values(), *found.gpu) if result.file not in told]
    rest = [result for result in rest if result.name != GATHERED or not is_whole(result)]
    last = others.page(rest)
    return pages if last is None else [*pages, last]
