"""The table of the README: the figures that a newcomer wants, good ones and others."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.report.blocks import Table
from benchmarks.report.figures import decibels, duration, gain, percent, places, plain, times
from benchmarks.report.names import of_set
from benchmarks.report.pages.peers import quality, times_ours, titled
from benchmarks.report.pages.photographs import gains
from benchmarks.report.pages.tasks import headline
from benchmarks.report.reading import Results, at, items, number, pairs, word
from benchmarks.report.sources import command_of, is_quick, machine

BEGIN = "<!-- benchmarks: begin -->"
END = "<!-- benchmarks: end -->"
TASKS = 2  # of peers, at most
GAIN = "psnr_gain_db"
TOOLBOX = "pyproximal"
HEADER = ("what", "measured", "beside it", "again by")

Row = tuple[str, str, str, str]


class MarkersError(ValueError):
    """A README that does not say where the table is to be."""


def table(found: Results) -> str:
    """Return the lines between the markers; of results of a quick form nothing is told here."""
    found = Results({name: one for name, one in found.by_name.items() if not is_quick(one)}, found.gpu)
    rows = [row for make in ROWS for row in make(found) if row[1]]
    speed = found.get("speed")
    on = f" on {machine(speed)}" if speed is not None and machine(speed) else ""
    lines = [
        f"Measured{on}. PSNR is on luma, against the picture over which rain was rendered. All "
        "tables and plots, with when, on which tree and with which versions each was measured, are in "
        "[docs/benchmarks](docs/benchmarks/index.md); `python -m benchmarks.report` writes them, and this table, "
        "from `benchmarks/results/`.",
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
    return [("the energy of deraining, minimised", f"{times(known[0])} faster", beside, _again(found, "solver_peers"))]


def _peers(found: Results) -> list[Row]:
    """Return of the first tasks the quickest package; how much of an algorithm's rain goes is told by other rows."""
    rows: list[Row] = []
    for task, title in titled(found.get("peers")):
        timed = [(ratio, peer) for peer in items(task, "peers") if (ratio := times_ours(task, peer))]
        packages = [(ratio, peer) for ratio, peer in timed if at(peer, "plain") is not True]
        if not packages or number(task, "ours", "result", GAIN) is not None or len(rows) == TASKS:
            continue
        ratio, peer = min(packages, key=lambda one: one[0])
        if word(peer, "package") == TOOLBOX and found.get("solver_peers") is not None:
            continue  # The row before tells it.
        measured = f"{times(ratio)} faster" if ratio >= 1 else f"{times(1 / ratio)} slower"
        beside = f"the quickest package of {len(packages)}: " if packages[1:] else ""
        beside += " ".join(filter(None, (word(peer, "name"), word(peer, "version"))))
        reached = [quality(at(task, "ours")), quality(peer)]
        beside += f", {reached[1]} beside our {reached[0]}" if all(reached) else ""
        rows.append((title, measured, beside, _again(found, "peers")))
    return rows


def _naive(found: Results) -> list[Row]:
    """Return the first task in which gains in PSNR of plain re-implementations are told, beside ours."""
    for task, title in titled(found.get("peers")):
        ours = number(task, "ours", "result", GAIN)
        theirs = [
            (value, word(peer, "name")) for peer in items(task, "peers") if (value := number(peer, "result", GAIN))
        ]
        if ours is not None and theirs:
            beside = "; ".join(f"{name}: {gain(value)} dB" for value, name in sorted(theirs, reverse=True))
            return [(title, f"{gain(ours)} dB", beside, _again(found, "peers"))]
    return []


def _rendered(found: Results) -> list[Row]:
    quality = found.get("solver_quality")
    by_preset = gains(quality.values) if quality is not None else {}
    if not by_preset:
        return []
    told = ", ".join(f"{gain(after - before)} dB ({preset})" for preset, (before, after) in by_preset.items())
    rainy = ", ".join(decibels(before) for before, _ in by_preset.values())
    beside = f"PSNR of the rainy pictures: {rainy} dB"
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


def _tasks(found: Results) -> list[Row]:
    """Return how the figures that say most change from the rainy to the derained picture, and the clean ones."""
    told, dry = [], []
    for task in items(found.at("tasks", "tasks")):
        _, values = headline(task)
        if {"rainy", "rainopt"} <= values.keys():
            told.append(f"{word(task, 'task')}: {places(values['rainy'], 2)} → {places(values['rainopt'], 2)}")
            dry.append(places(values.get("clean"), 2) or "not known")
    beside = f"F1 of boxes, share of right words; without rain: {', '.join(dry)}"
    return [("detectors in the rain, derained", "; ".join(told), beside if told else "", _again(found, "tasks"))]


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
    _naive,
    _rendered,
    _traces,
    _dry,
    _tasks,
    _least,
    _wide,
    _frames,
)
