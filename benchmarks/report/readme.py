"""The table of the README: the figures that a newcomer wants, good ones and others."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.report.blocks import Table
from benchmarks.report.figures import decibels, duration, gain, percent, places, plain, times
from benchmarks.report.names import of_set
from benchmarks.report.pages.gpu import milliseconds, name_of
from benchmarks.report.pages.peers import times_ours
from benchmarks.report.pages.photographs import gains
from benchmarks.report.reading import Results, at, items, number, pairs, word
from benchmarks.report.sources import command_of, machine

BEGIN = "<!-- benchmarks: begin -->"
END = "<!-- benchmarks: end -->"
TASKS = 2  # of peers, at most
HEADER = ("what", "measured", "beside it", "again by")

Row = tuple[str, str, str, str]


class MarkersError(ValueError):
    """A README that does not say where the table is to be."""


def table(found: Results) -> str:
    """Return the lines between the markers."""
    rows = [row for make in ROWS for row in make(found) if row[1]]
    speed = found.get("speed")
    on = f" on {machine(speed)}" if speed is not None and machine(speed) else ""
    lines = [
        f"Measured{on}; PSNR is on luma, against rain that was rendered over clean photographs. [All tables and "
        "plots](docs/benchmarks/index.md) say when, on which tree and with which versions; `python -m "
        "benchmarks.report` writes them, and this table, from `benchmarks/results/`.",
        "",
        *Table.of(HEADER, rows).markdown(),
    ]
    return "\n".join(lines)


def put_in(text: str, inner: str) -> str:
    """Return a README with the table between its markers.

    Raises
    ------
    MarkersError
        If the markers are not there once each, in their order.
    """
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise MarkersError(f"the README must hold '{BEGIN}' and below it '{END}', each once")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{inner}\n\n{END}{after}"


def _again(found: Results, name: str) -> str:
    result = found.get(name)
    return "" if result is None else f"`{command_of(result)}`"


def _photograph(found: Results) -> list[Row]:
    again, command = _again(found, "speed"), found.at("speed", "command", "derain_12_megapixel_jpeg")
    seconds = number(found.at("speed", "derain", "12_megapixel"), "median_s")
    peak = number(command, "peak_rss_mb")
    whole = duration(number(command, "median_s"))
    beside = f"{whole} as a command, start and files included" if whole else ""
    beside += f", {plain(peak)} MB at most" if whole and peak else ""
    for card in found.gpu[:1]:
        median = milliseconds(card, "derain")
        beside += f"; {duration(median / 1e3)} on a GPU, {name_of(card)}" if median else ""
    return [("a photograph of 12 megapixels", duration(seconds), beside, again)]


def _video(found: Results) -> list[Row]:
    name = "video_speed" if found.get("video_speed") is not None else "speed"
    video = found.at(name, "derain_1080p") or found.at(name, "video", "derain_1080p")
    still, moving = (plain(number(video, camera, "frames_per_s"), 2) for camera in ("still", "panning"))
    beside = f"{moving} where the camera moves" if moving else ""
    return [("video of 1080p, file to file", f"{still} frames/s" if still else "", beside, _again(found, name))]


def _energy(found: Results) -> list[Row]:
    ratios = pairs(found.at("solver_peers", "ratio"))
    known = sorted((value for _, one in ratios if (value := number(one))), reverse=True)
    if not known:
        return []
    theirs = number(found.at("solver_peers", "pyproximal", "median_s"))
    beside = f"pyproximal takes {duration(theirs)}" + (
        f"; {times(known[-1])} on one thread of ours" if known[1:] else ""
    )
    return [("the same energy, minimised", f"{times(known[0])} faster", beside, _again(found, "solver_peers"))]


def _peers(found: Results) -> list[Row]:
    """Return of the first tasks the quickest package."""
    rows: list[Row] = []
    for task in items(found.at("peers", "tasks")):
        timed = [(ratio, peer) for peer in items(task, "peers") if (ratio := times_ours(task, peer))]
        packages = [(ratio, peer) for ratio, peer in timed if at(peer, "plain") is not True]
        if packages and len(rows) < TASKS:
            ratio, peer = min(packages, key=lambda one: one[0])
            name = " ".join(filter(None, (word(peer, "name"), word(peer, "version"))))
            measured = f"{times(ratio)} faster" if ratio >= 1 else f"{times(1 / ratio)} slower"
            beside = f"the quickest package of {len(packages)}: {name}" if packages[1:] else name
            rows.append((word(task, "task"), measured, beside, _again(found, "peers")))
    return rows


def _naive(found: Results) -> str:
    """Return what plain re-implementations reach, where their task tells PSNR."""
    told = []
    for task in items(found.at("peers", "tasks")):
        ours = number(task, "ours", "result", "psnr")
        for peer in items(task, "peers"):
            theirs = number(peer, "result", "psnr")
            if at(peer, "plain") is True and theirs is not None and ours is not None:
                told.append(f"{word(peer, 'name')} {decibels(theirs)} dB beside our {decibels(ours)} dB")
    return "; ".join(told[:2])


def _rendered(found: Results) -> list[Row]:
    quality = found.get("solver_quality")
    by_preset = gains(quality.values) if quality is not None else {}
    if not by_preset:
        return []
    told = ", ".join(f"{gain(after - before)} dB ({preset})" for preset, (before, after) in by_preset.items())
    rainy = ", ".join(decibels(before) for before, _ in by_preset.values())
    beside = "; ".join(filter(None, (f"PSNR of the rainy pictures: {rainy} dB", _naive(found))))
    return [("rendered rain", told, beside, _again(found, "solver_quality"))]


def _traces(found: Results) -> list[Row]:
    means = found.at("traces", "means")
    left, detail = number(means, "rainopt", "left"), number(means, "rainopt", "detail")
    if left is None or detail is None:
        return []
    measured = f"{percent(left)} of the streaks are left, {percent(detail)} of the detail elsewhere is kept"
    perfect = [value for _, one in pairs(found.at("traces", "truths")) if (value := number(one, "left")) is not None]
    beside = []
    if perfect:
        beside.append(f"a perfect result scores {places(100 * min(perfect), 0)} to {percent(max(perfect))}")
    refined = number(means, "refine", "left"), number(means, "refine", "detail")
    if refined[0] is not None:
        beside.append(f"`--refine`: {percent(refined[0])} and {percent(refined[1])}")
    return [("real photographs", measured, "; ".join(beside), _again(found, "traces"))]


def _dry(found: Results) -> list[Row]:
    clean = found.at("solver_quality", "clean")
    count, alone = number(clean, "pictures"), number(clean, "left_alone")
    changed = decibels(number(clean, "y", "mean_of_changed"))
    measured = f"{plain(alone)} of {plain(count)} come back as they were" if count and alone is not None else ""
    beside = f"the others at {changed} dB" if changed else ""
    return [("photographs without rain", measured, beside, _again(found, "solver_quality"))]


def _angle(found: Results) -> list[Row]:
    rendered = number(found.at("angle", "rendered", "light_and_medium", "all"), "median")
    real = number(found.at("angle", "labelled"), "mean")
    beside = f"mean of {places(real, 1)}° on real photographs, labelled to 2°" if real is not None else ""
    measured = f"median error of {places(rendered, 2)}°" if rendered is not None else ""
    return [("direction of the rain", measured, beside, _again(found, "angle"))]


def _tasks(found: Results) -> list[Row]:
    rows: list[Row] = []
    for task in items(found.at("tasks", "tasks")):
        f1 = {word(row, "input"): number(row, "f1") for row in items(task, "rows")}
        rainy, derained, dry = (f1.get(name) for name in ("rainy", "rainopt", "clean"))
        if rainy is not None and derained is not None:
            beside = f"{places(rainy, 2)} in the rain" + (f", {places(dry, 2)} without" if dry is not None else "")
            rows.append((word(task, "task"), f"F1 of {places(derained, 2)}", beside, _again(found, "tasks")))
    return rows[:1]


def _least(found: Results) -> list[Row]:
    """Return the set of pairs that gains least."""
    gained = []
    for name, one in pairs(found.at("solver_quality", "sets")):
        before, after = number(one, "psnr", "input"), number(one, "psnr", "estimated_angle")
        if before is not None and after is not None:
            gained.append((after - before, name, before, after))
    if not gained[1:]:
        return []
    least, name, before, after = min(gained)
    beside = f"the least gain of {len(gained)} published sets: {decibels(before)} → {decibels(after)}"
    return [(f"**not good:** {of_set(name)}", f"{gain(least)} dB", beside, _again(found, "solver_quality"))]


def _wide(found: Results) -> list[Row]:
    left = number(found.at("traces", "wide", "means"), "rainopt", "left")
    beside = "drops on the lens, splashes and mist stay altogether"
    measured = f"{percent(left)} are left" if left is not None else ""
    return [("**not good:** wide streaks near the camera", measured, beside, _again(found, "traces"))]


def _frames(found: Results) -> list[Row]:
    """Return the clip on which frames, each derained as a photograph, are furthest below the rainy ones."""
    lost = []
    for name, one in pairs(found.at("net_spanet", "real")):
        before, after = (number(one, "methods", method, "psnr") for method in ("input", "rainopt"))
        if before is not None and after is not None:
            lost.append((after - before, name))
    if not lost or min(lost)[0] >= 0:
        return []
    least, name = min(lost)
    beside = f"`{name}`, weak real rain: scene is taken with it"
    for one in items(found.at("video_judged", "real")):
        before, after = number(one, "input"), number(one, "rainopt")
        if word(one, "name") == name and before is not None and after is not None:
            beside += f"; the same clip as a video: {gain(after - before)} dB"
    return [("**not good:** a frame as a single photograph", f"{gain(least)} dB", beside, _again(found, "net_spanet"))]


ROWS: tuple[Callable[[Results], list[Row]], ...] = (
    _photograph,
    _video,
    _energy,
    _peers,
    _rendered,
    _traces,
    _dry,
    _angle,
    _tasks,
    _least,
    _wide,
    _frames,
)
