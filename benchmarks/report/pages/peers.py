"""Other packages on the same work, in the same process."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import duration, gain, percent, places, plain, significant, span, times, unit_of_time
from benchmarks.report.names import heading
from benchmarks.report.plots.bars import draw
from benchmarks.report.reading import Result, Results, at, items, number, pairs, word

QUESTION = "How fast are others at the same work?"
OWN = "rainopt"
QUALITIES = {"db": " dB", "deg": "°"}  # endings of keys, and their units
ROUNDED = ("psnr", "within")


def page(found: Results) -> Page | None:
    """Return the page."""
    peers, solver = found.get("peers"), found.get("solver_peers")
    sections: list[Section | None] = []
    bars = bars_of(found)
    plot = (
        Plot("peers", "How many times longer than rainopt peers take for the same work", bars, draw) if bars else None
    )
    if solver is not None:
        sections.append(_solver(solver))
    if peers is not None:
        sections += [_task(task, title, peers) for task, title in titled(peers)]
    for k, section in enumerate(sections):
        if section is not None and section.table.rows and plot is not None:
            sections[k] = Section(**(vars(section) | {"plot": plot}))
            break
    text = (
        "Each peer does the same work as `rainopt`, in the same process and on the same input. *Times ours* is its "
        "median time over ours: above 1, it is slower, below 1, it is faster. Where no package of a published "
        "algorithm could be installed, a plain re-implementation of ours stands for it and is marked as such; its "
        "time is that of plain numpy code and no verdict on what its authors' program would take."
    )
    return page_of("peers", "Beside other packages", QUESTION, text, sections)


def bars_of(found: Results) -> list[dict[str, Any]]:
    """Return what the plot shows: by peer its task, name, times ours, both times, and whether it is a plain one."""
    bars = []
    ratio = number(found.at("solver_peers", "ratio"), *_threads(found.get("solver_peers"))[-1:])
    if ratio:
        threads = _threads(found.get("solver_peers"))[-1]
        ours = number(found.at("solver_peers", "rainopt", "threads", threads, "median_s"))
        theirs = number(found.at("solver_peers", "pyproximal", "median_s"))
        bars.append(_bar(f"the energy of deraining, threads: {threads}", "pyproximal", ratio, ours, theirs))
    for task, title in titled(found.get("peers")):
        ours, reached = number(task, "ours", "median_s"), quality(at(task, "ours"))
        for peer in items(task, "peers"):
            ratio, theirs = times_ours(task, peer), number(peer, "median_s")
            if ratio:
                bar = _bar(title, word(peer, "name"), ratio, ours, theirs, reached, quality(peer))
                bars.append(bar | {"plain": at(peer, "plain") is True})
    return bars


def titled(peers: Result | None) -> list[tuple[Any, str]]:
    """Return the tasks with their names, and with the work where two have one name."""
    tasks = items(peers.values if peers is not None else None, "tasks")
    names = [word(task, "task") for task in tasks]
    works = [word(task, "work") for task in tasks]
    titles = [f"{name}, {work}" if names.count(name) > 1 else name for name, work in zip(names, works, strict=True)]
    return [(task, title or "a task") for task, title in zip(tasks, titles, strict=True)]


def quality(one: Any) -> str:
    """Return how good a result is, where that is told beside the time: its first figure in decibels or degrees."""
    for key, value in pairs(one, "result"):
        figure = number(value)
        if figure is not None and key.endswith(tuple(QUALITIES)):
            unit = QUALITIES[key.rpartition("_")[2]]
            return f"{gain(figure) if 'gain' in key else places(figure, 1)}{unit}"
    return ""


def _bar(
    task: str,
    name: str,
    ratio: float,
    ours: float | None,
    theirs: float | None,
    reached: str = "",
    theirs_reached: str = "",
) -> dict[str, Any]:
    head = ", ".join(filter(None, (duration(ours), reached)))
    label = ", ".join(filter(None, (times(ratio), duration(theirs), theirs_reached)))
    head = f"{task} (rainopt: {head})" if head else task
    return {"task": head, "name": name, "ratio": ratio, "label": label, "plain": False}


def times_ours(task: Any, peer: Any) -> float | None:
    """Return how many times longer a peer takes; None where it did not run."""
    ratio = number(peer, "times_ours")
    ours, theirs = number(task, "ours", "median_s"), number(peer, "median_s")
    if ratio is None and ours and theirs:
        ratio = theirs / ours
    return ratio if ratio and ratio > 0 else None


def _threads(solver: Result | None) -> list[str]:
    """Return the numbers of threads that both were timed with, ascending."""
    names = [name for name, value in pairs(solver.values if solver else None, "ratio") if number(value)]
    return sorted(names, key=lambda name: (len(name), name))


def _solver(solver: Result) -> Section:
    rows = []
    for threads in _threads(solver):
        one = solver.at("rainopt", "threads", threads)
        iterations = plain(number(solver.values, "rainopt", "iterations"))
        ranges = span(number(one, "min_s"), number(one, "max_s"))
        rows.append((f"{OWN}, threads: {threads}", plain(number(one, "median_s")), ranges, iterations, "", ""))
    theirs = solver.at("pyproximal")
    rows.append(
        (
            " ".join(filter(None, ("pyproximal", word(solver.values, "environment", "versions", "pyproximal")))),
            plain(number(theirs, "median_s")),
            span(number(theirs, "min_s"), number(theirs, "max_s")),
            plain(number(theirs, "iterations")),
            ", ".join(
                times(number(solver.values, "ratio", threads)) + f" (threads of ours: {threads})"
                for threads in _threads(solver)
            ),
            percent(number(theirs, "relative_excess"), 2),
        )
    )
    tried, method = len(items(solver.values, "tried")), word(theirs, "method")
    size = " × ".join(plain(number(side)) for side in items(solver.values, "shape"))
    spread = number(solver.values, "minimum", "relative_spread")
    agreed = f" On a tiny picture, the minima of both and of cvxpy agree to {spread:.0e}." if spread else ""
    return Section(
        "The energy of deraining",
        f"The energy that `solve_udg` minimises, on {size} pixels: the same weights, boundary and box for both. "
        f"pyproximal runs until its energy is as near to ours as the last column says; {tried} pairs of a method and "
        f"a step length were tried for it, and the quickest, {method}, is timed.{agreed}",
        Table.of(("solver", "median, s", "least to most, s", "iterations", "times ours", "energy above ours"), rows),
        (solver,),
        limits="pyproximal is a general toolbox that solves far more problems than this one, and works on one core.",
    )


def _task(task: Any, title: str, peers: Result) -> Section:
    ours = at(task, "ours")
    keys = list(dict.fromkeys(key for one in (ours, *items(task, "peers")) for key in _flat(at(one, "result"))))
    rows = [(word(ours, "name") or OWN, OWN, *_timed(ours), plain(number(ours, "threads")), "", *_found(ours, keys))]
    missing = []
    for peer in items(task, "peers"):
        name, package = word(peer, "name"), " ".join(filter(None, (word(peer, "package"), word(peer, "version"))))
        package = "plain re-implementation" if at(peer, "plain") is True else package
        if word(peer, "missing"):
            missing.append(f"{name}: {word(peer, 'missing')}")
            continue
        threads = plain(number(peer, "threads"))
        rows.append((name, package, *_timed(peer), threads, times(times_ours(task, peer)), *_found(peer, keys)))
    header = ("by", "package", "median", "unit", "least to most", "threads", "times ours", *map(heading, keys))
    return Section(
        title[:1].upper() + title[1:],
        f"The work: {word(task, 'work') or 'not told'}.",
        Table.of(header, rows),
        (peers,),
        limits=f"Not run: {'; '.join(missing)}." if missing else "",
    )


def _timed(one: Any) -> tuple[str, str, str]:
    median = number(one, "median_s")
    if median is None:
        return "", "", ""
    scale, unit = unit_of_time(median)
    return significant(scale * median), unit, span(number(one, "min_s"), number(one, "max_s"), scale)


def _found(one: Any, keys: list[str]) -> list[str]:
    found = _flat(at(one, "result"))
    cells = []
    for key in keys:
        value, figure = found.get(key), number(found.get(key))
        rounded = places(figure, 2) if key.startswith(ROUNDED) or key.endswith(tuple(QUALITIES)) else plain(figure, 5)
        cells.append(value if isinstance(value, str) else rounded)
    return cells


def _flat(result: Any) -> dict[str, Any]:
    """Return what a result tells, of its objects a key for each of theirs."""
    found: dict[str, Any] = {}
    for key, value in pairs(result):
        if isinstance(value, dict):
            found |= {f"{inner}, {key}": one for inner, one in value.items()}
        else:
            found[key] = value
    return found
