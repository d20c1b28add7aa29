"""What was found on graphics cards."""

from __future__ import annotations

from typing import Any

from benchmarks.gpu.report import IMAGES, REACH
from benchmarks.report.blocks import Page, Section, Table, page_of
from benchmarks.report.figures import duration, places, plain
from benchmarks.report.reading import Result, Results, at, items, number, pairs, word

QUESTION = "How fast, and how right, is it on a graphics card?"
LIBRARIES = ("cupy", "torch", "numpy")
HEADER = ("what", "cupy", "torch", "numpy, on the CPU beside it", "unit", "reach", "reached")


def page(found: Results) -> Page | None:
    """Return the page."""
    sections: list[Section | None] = []
    for card in found.gpu:
        sections += [_timings(card), _video(card), _parity(card), _training(card)]
    text = (
        "What `benchmarks/gpu/run.sh` found on a card, which may take no more than minutes and stops each step at a "
        "limit. Times are medians by events of the device, of pictures that lie on it."
    )
    return page_of("gpu", "On a GPU", QUESTION, text, sections)


def name_of(card: Result) -> str:
    """Return the name of a card."""
    return word(card.values, "steps", "facts", "device", "name") or card.name


def _timings(card: Result) -> Section:
    rows, whole = [], ""
    for title, what, key, unit, reach in REACH:
        # A part of what is above it is indented there.
        whole = whole if title.startswith(" ") else title.partition(",")[0]
        name = f"{whole}: {title.strip()}" if title.startswith(" ") else title
        values = [_value(card.at("steps", "timings", f"{what}, {library}"), key) for library in LIBRARIES]
        if not unit:
            values[2] = None  # A share of the bandwidth of the card.
        cells = [plain(value) for value in values]
        best = [value for value in values[:2] if value is not None]
        rows.append((name, *cells, unit, reach.replace("<=", "≤").replace(">=", "≥"), _reached(best, reach)))
    ended = word(card.values, "steps", "timings", "ended")
    return Section(
        f"{name_of(card)}: times",
        "Beside what was to be reached; the last column is that of the better of both libraries.",
        Table.of(HEADER, [row for row in rows if any(row[1:4])], names=1),
        (card,),
        limits=f"This step ended: {ended}." if ended and ended != "ok" else "",
    )


def _value(timing: Any, key: str) -> float | None:
    if key == "images_per_s":
        median = number(timing, "median_ms")
        return 1e3 * IMAGES / median if median else None
    return number(timing, key)


def _reached(values: list[float], reach: str) -> str:
    sign, _, limit = reach.partition(" ")
    if not values or not limit:
        return ""
    good = min(values) <= float(limit) if sign == "<=" else max(values) >= float(limit)
    return "yes" if good else "**no**"


def _video(card: Result) -> Section:
    rows = []
    for name, one in pairs(card.values, "steps", "video"):
        speeds = [plain(number(one, key)) for key in ("frames_per_s", "frames_per_s_without_start")]
        if any(speeds) or word(one, "error"):
            rows.append((name, *speeds, "ended at its limit" if word(one, "error") else ""))
    ended = word(card.values, "steps", "video", "ended")
    return Section(
        f"{name_of(card)}: video of 1080p from file to file",
        "Decoding and coding are on the CPU, and bound what any device could reach.",
        Table.of(("what", "frames a second", "without the start", "note"), rows),
        (card,),
        limits=f"This step ended: {ended}." if ended and ended != "ok" else "",
    )


def _parity(card: Result) -> Section:
    found: dict[str, dict[str, str]] = {}
    unchecked = []
    for name, one in pairs(card.values, "steps", "parity"):
        what, _, library = name.rpartition(", ")
        values = [
            value for key, inner in pairs(one) if key not in ("cases", "wrong") and (value := number(inner)) is not None
        ]
        wrong = [str(case)[:40] for case in items(one, "wrong")]
        if values and library in LIBRARIES:
            worst = max(values)
            text = "0" if worst == 0 else f"{worst:.1e}".replace("-", "−")
            found.setdefault(what, {})[library] = f"{text}, wrong: {wrong[0]}" if wrong else text
        elif wrong:
            unchecked.append(f"{name} ({wrong[0]})")
    rows = [(what, *(one.get(library, "") for library in LIBRARIES[:2])) for what, one in sorted(found.items())]
    return Section(
        f"{name_of(card)}: parity with the CPU",
        "The largest difference of each kernel and function from what the CPU gives, on inputs that are drawn anew "
        "each time.",
        Table.of(("what", *LIBRARIES[:2]), rows),
        (card,),
        limits=f"Not checked: {', '.join(unchecked)}." if unchecked else "",
    )


def _training(card: Result) -> Section:
    training = card.at("steps", "training")
    rows = [
        ("steps a second", plain(number(training, "steps_per_second"))),
        ("steps done", plain(number(training, "trained", "last", "number"))),
        ("steps planned", plain(number(training, "plan", "steps"))),
        ("pictures a step", plain(number(training, "plan", "batch"))),
        ("time", duration(number(training, "trained", "seconds"))),
        ("waiting for data, share", places(number(training, "trained", "last", "waiting"), 3)),
    ]
    file = word(at(training, "trained"), "file")
    return Section(
        f"{name_of(card)}: training",
        f"The recipe that was next in turn{f', `{file}`' if file else ''}, for the time that was left.",
        Table.of(("what", "measured"), rows),
        (card,),
    )
