"""What is left of rain in real photographs."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import decibels, percent, places, plain
from benchmarks.report.names import of_method, of_set
from benchmarks.report.plots.kept import draw
from benchmarks.report.reading import Result, Results, number, pairs

QUESTION = "What is left of rain in real photographs, which have no truth?"
INPUT = "input"
HEADER = ("method", "left of the streaks", "darker than their sides", "colour over the input's")


def page(found: Results) -> Page | None:
    """Return the page."""
    traces = found.get("traces")
    if traces is None:
        return None
    text = (
        "Photographs of real rain have no truth. So clear streaks are found in each rainy photograph, by the eyes of "
        "`rainopt`, and what is left of their contrast in a result is measured across the same places: 100 % in the "
        "rainy picture, less where rain is gone. Detail is what is kept of the gradients of the picture away from "
        "all that may be rain; 100 % is all of it. Both are needed: a black picture has no traces, and the rainy one "
        "all its detail."
    )
    return page_of("traces", "Traces of real rain", QUESTION, text, [_narrow(traces), _wide(traces), _perfect(traces)])


def _narrow(traces: Result) -> Section:
    means = pairs(traces.values, "means")
    rows = [
        (of_method(name), *_traces(one), percent(number(one, "detail")), decibels(number(one, "psnr")))
        for name, one in means
    ]
    count = plain(number(traces.values, "photographs"))
    return Section(
        "Clear streaks",
        f"Means over {count or 'some'} photographs.",
        Table.of((*HEADER, "detail kept elsewhere", "PSNR against the rainy picture elsewhere, dB"), rows),
        (traces,),
        _plot(traces),
        limits="What `rainopt` does not see as a streak is not counted, which may be to its favour; even a perfect "
        "result is not at 0, as the last table tells, and only a difference well above that means something. A PSNR "
        "of 100 stands for the same picture.",
    )


def _traces(one: Any) -> tuple[str, str, str]:
    left, dark = (percent(number(one, key), 1) for key in ("left", "dark"))
    return left, dark, places(number(one, "chroma_ratio"), 2)


def _plot(traces: Result) -> Plot | None:
    each: dict[str, list[list[float]]] = {}
    for _, photograph in pairs(traces.values, "each"):
        for name, one in pairs(photograph, "methods"):
            left, detail = number(one, "left"), number(one, "detail")
            if name != INPUT and left is not None and detail is not None:
                each.setdefault(name, []).append([left, detail])
    means = {}
    for name, one in pairs(traces.values, "means"):
        left, detail = number(one, "left"), number(one, "detail")
        if left is not None and detail is not None:
            means[name] = [left, detail]
    if not means.keys() - {INPUT}:
        return None
    perfect = [value for _, one in pairs(traces.values, "truths") if (value := number(one, "left")) is not None]
    data = {"each": each, "means": means, "perfect": perfect}
    return Plot(
        "traces", "What is left of streaks against the detail that is kept, by method and photograph", data, draw
    )


def _wide(traces: Result) -> Section:
    rows = [(of_method(name), *_traces(one)) for name, one in pairs(traces.values, "wide", "means")]
    count = plain(number(traces.values, "wide", "photographs"))
    narrow, wide = (number(traces.values, *path, "means", "rainopt", "left") for path in ((), ("wide",)))
    more = "`rainopt` leaves more of them than of narrow ones. " if narrow and wide and wide > narrow else ""
    return Section(
        "Wide streaks, near the camera",
        f"Streaks of 5 pixels and more, in the {count or 'few'} photographs that show some.",
        Table.of(HEADER, rows),
        (traces,),
        limits=f"{more}Drops on the lens, splashes and mist are no streaks and are not measured here; they stay.",
    )


def _perfect(traces: Result) -> Section:
    rows = [
        (of_set(name), percent(number(one, "left"), 1), percent(number(one, "dark"), 1), plain(number(one, "pictures")))
        for name, one in pairs(traces.values, "truths")
    ]
    return Section(
        "What a perfect result scores",
        "The same of the truths of pairs of rainy and clean pictures: the scene goes on under a streak and has a "
        "contrast of its own there.",
        Table.of(("set", "left of the streaks", "darker than their sides", "pictures"), rows),
        (traces,),
    )
