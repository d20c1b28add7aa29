"""How long things take: a photograph, the command, the solver, the kernels, datasets, rendered rain."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Section, Table, page_of
from benchmarks.report.figures import percent, places, plain, significant, span, times, unit_of_time
from benchmarks.report.names import words
from benchmarks.report.reading import Result, Results, number, pairs

QUESTION = "How long does a photograph take, the command, the solver, a dataset?"
WAITED = (
    ("derain a photograph of 481 × 321, in memory", ("derain", "481x321")),
    ("derain a photograph of 12 megapixels, in memory", ("derain", "12_megapixel")),
    ("find its direction of rain: 512 × 512", ("angle", "512x512")),
    ("find its direction of rain: 12 megapixels", ("angle", "12_megapixel")),
    ("`rainopt derain photo.jpg`, 12 megapixels, start and files included", ("command", "derain_12_megapixel_jpeg")),
    ("`rainopt --help`", ("command", "help")),
)


def page(found: Results) -> Page | None:
    """Return the page."""
    speed, synth = found.get("speed"), found.get("synth")
    sections: list[Section | None] = []
    if speed is not None:
        sections += [_waited(speed), _stages(speed), _solver(speed), _kernels(speed), _build(speed)]
    if synth is not None:
        sections += [_rendered(synth), _dataset(synth)]
    text = (
        "Wall times on a CPU, after a first run that is not counted, so that compiled kernels are there. They hold "
        "for the machine that is named under each table, while it did nothing else; on another one only their ratios "
        "say much."
    )
    return page_of("speed", "Speed", QUESTION, text, sections)


def _waited(speed: Result) -> Section:
    rows = [(name, *_time(speed.at(*path)), places(number(speed.at(*path), "peak_rss_mb"), 0)) for name, path in WAITED]
    return Section(
        "What a person waits for",
        "One photograph, with everything at its default: the direction of the rain and all weights are found from the "
        "picture. The command starts a Python of its own each time.",
        Table.of(("what", "median", "unit", "least to most", "most memory, MB"), rows),
        (speed,),
    )


def _time(value: Any) -> tuple[str, str, str]:
    median = number(value, "median_s")
    if median is None:
        return "", "", ""
    scale, unit = unit_of_time(median)
    return significant(scale * median), unit, span(number(value, "min_s"), number(value, "max_s"), scale)


def _stages(speed: Result) -> Section:
    stages = pairs(speed.values, "derain", "12_megapixel", "stages_s")
    total = dict(stages).get("total")
    of_total = number(total)
    rows = []
    for name, seconds in stages:
        value = number(seconds)
        rows.append((words(name), plain(value), percent(value / of_total) if value is not None and of_total else ""))
    return Section(
        "Where the time of a photograph goes",
        "The stages of `rainopt.derain` on the picture of 12 megapixels: what would be saved by making one of them "
        "faster.",
        Table.of(("stage", "seconds", "share"), rows),
        (speed,),
    )


def _solver(speed: Result) -> Section:
    rows = []
    for name, one in pairs(speed.values, "solver"):
        threads = name.removeprefix("threads_")
        if threads == name:
            continue
        rows.append(
            (
                threads,
                plain(number(one, "median_s")),
                plain(number(one, "iterations")),
                percent(number(one, "relative_gap"), 1),
                plain(number(one, "floor", "seconds_arithmetic")),
                plain(number(one, "floor", "seconds_memory")),
                times(number(one, "times_floor")),
            )
        )
    header = ("threads", "seconds", "iterations", "certified gap", "floor of arithmetic, s", "floor of memory, s")
    return Section(
        "The solver beside what the hardware allows",
        "`solve_udg` on 1024 × 2048 pixels of float32. The gap is a bound, computed from the dual problem, on how "
        "far the energy is above its minimum. The floors are measured in the same run: the bytes that must be moved "
        "over the bandwidth of memory, and the operations that must be done over the arithmetic that the cores "
        "reach. The last column is the time over the larger floor; nothing could be below 1.",
        Table.of((*header, "times the larger floor"), rows),
        (speed,),
    )


def _kernels(speed: Result) -> Section:
    rows = []
    for name, one in pairs(speed.values, "kernels"):
        fast, written = number(one, "median_s"), number(one, "as_written_s")
        ratio = times(written / fast) if fast and written is not None else ""
        scaled = (plain(None if value is None else 1e3 * value) for value in (fast, written))
        rows.append((words(name), *scaled, ratio))
    return Section(
        "Kernels",
        "What a photograph passes besides the solver, by compiled kernels and as the same is written on arrays.",
        Table.of(("operation", "kernel, ms", "as written, ms", "times faster"), rows),
        (speed,),
    )


def _build(speed: Result) -> Section:
    keys = ("seconds", "core_seconds", "peak_mib", "read_mb", "written_mb", "pairs")
    rows = [(name, *(plain(number(one, key)) for key in keys)) for name, one in pairs(speed.values, "build")]
    return Section(
        "Building a dataset from a clip",
        "`raindata build` of one clip of 1080p under rain of two presets: pairs of rainy frames and backgrounds.",
        Table.of(("rain", "seconds", "core-seconds", "most memory, MiB", "read, MB", "written, MB", "pairs"), rows),
        (speed,),
    )


def _rendered(synth: Result) -> Section:
    rows = []
    for name, one in pairs(synth.values, "render"):
        rows.append((name, *_time(one), plain(number(one, "mp_per_s"))))
    return Section(
        "Rendering rain",
        "`data_tools.add_rain` over one megapixel, with its exact truth.",
        Table.of(("preset", "median", "unit", "least to most", "megapixels a second"), rows),
        (synth,),
    )


def _dataset(synth: Result) -> Section:
    command = synth.at("command")
    rows = []
    for name, one in pairs(command):
        workers = name.removeprefix("workers_")
        if workers != name:
            rows.append((workers, plain(number(one, "median_s")), plain(number(one, "mp_per_s"))))
    pictures, size = (plain(number(command, key)) for key in ("pictures", "megapixels"))
    return Section(
        "Writing a dataset of rendered rain",
        f"`raindata synth`, {pictures} pictures of {size} megapixels together, from files to files.",
        Table.of(("processes", "seconds", "megapixels a second"), rows),
        (synth,),
    )
