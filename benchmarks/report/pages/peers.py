"""Other packages on the same work, in the same process."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Plot, Section, Table, page_of
from benchmarks.report.figures import duration, percent, plain, span, times, unit_of_time
from benchmarks.report.names import words
from benchmarks.report.plots.bars import draw
from benchmarks.report.reading import Result, Results, at, items, number, pairs, word

QUESTION = "How fast are others at the same work?"
OWN = "rainopt"


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
        sections += [_task(task, peers) for task in items(peers.values, "tasks")]
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
        bars.append(_bar("the same energy of deraining", "pyproximal", ratio, ours, theirs))
    for task in items(found.at("peers", "tasks")):
        for peer in items(task, "peers"):
            ratio, ours, theirs = times_ours(task, peer), number(task, "ours", "median_s"), number(peer, "median_s")
            if ratio:
                plain_one = at(peer, "plain") is True
                bars.append(_bar(word(task, "task"), word(peer, "name"), ratio, ours, theirs, plain_one))
    return bars


def _bar(
    task: str, name: str, ratio: float, ours: float | None, theirs: float | None, is_plain: bool = False
) -> dict[str, Any]:
    head = f"{task} (rainopt: {duration(ours)})" if ours else task
    label = f"{times(ratio)}, {duration(theirs)}" if theirs else times(ratio)
    return {"task": head, "name": name, "ratio": ratio, "label": label, "plain": is_plain}


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


def _task(task: Any, peers: Result) -> Section:
    ours = at(task, "ours")
    keys = list(dict.fromkeys(key for one in (ours, *items(task, "peers")) for key, _ in pairs(one, "result")))
    rows = [(word(ours, "name") or OWN, *_timed(ours), plain(number(ours, "threads")), "", *_found(ours, keys))]
    missing = []
    for peer in items(task, "peers"):
        name = " ".join(filter(None, (word(peer, "name"), word(peer, "version"))))
        name += ", plain re-implementation" if at(peer, "plain") is True else ""
        if word(peer, "missing"):
            missing.append(f"{name}: {word(peer, 'missing')}")
            continue
        threads = plain(number(peer, "threads"))
        rows.append((name, *_timed(peer), threads, times(times_ours(task, peer)), *_found(peer, keys)))
    header = ("by", "median", "unit", "least to most", "threads", "times ours", *map(words, keys))
    title = word(task, "task") or "a task"
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
    return plain(scale * median), unit, span(number(one, "min_s"), number(one, "max_s"), scale)


def _found(one: Any, keys: list[str]) -> list[str]:
    cells = []
    for key in keys:
        value = at(one, "result", key)
        cells.append(value if isinstance(value, str) else plain(number(value), 5))
    return cells
