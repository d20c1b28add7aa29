"""How right the direction of rain is, and what its confidence is worth."""

from __future__ import annotations

from typing import Any

from benchmarks.report.blocks import Page, Section, Table, page_of
from benchmarks.report.figures import percent, places, plain
from benchmarks.report.names import of_set, words
from benchmarks.report.reading import Result, Results, at, items, number, pairs, word

QUESTION = "How right is the direction of rain, and what is its confidence worth?"
SENSES = {"at most": "≤", "at least": "≥"}
HEADER = ("pictures of", "number", "median, °", "mean, °", "worst, °", "within 1°", "within 2°", "within 5°")


def page(found: Results) -> Page | None:
    """Return the page."""
    angle = found.get("angle")
    if angle is None:
        return None
    text = (
        "The direction of the rain as `rainopt.estimate_angle` finds it, in degrees from upright, against the truth. "
        "Its confidence is the probability that rain is there and falls so."
    )
    sections = [_aims(angle), _errors(angle), _photographs(angle), _dry(angle), _calibration(angle), _several(angle)]
    return page_of("angle", "Direction of rain", QUESTION, text, sections)


def _aims(angle: Result) -> Section:
    rows = []
    for one in items(angle.values, "aims"):
        reach = f"{SENSES.get(word(one, 'sense'), word(one, 'sense'))} {_aim(number(one, 'aim'))}"
        reached = at(one, "reached")
        told = {True: "yes", False: "**no**"}.get(reached, "") if isinstance(reached, bool) else ""
        rows.append((word(one, "what"), plain(number(one, "value")), reach, told))
    return Section(
        "What was to be reached",
        "Errors in degrees, shares of 1, times in seconds.",
        Table.of(("what", "measured", "reach", "reached"), rows),
        (angle,),
    )


def _aim(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(name: str, one: Any) -> tuple[str, ...]:
    degrees = (places(number(one, key), 2) for key in ("median", "mean", "worst"))
    shares = (percent(number(one, f"within_{limit}")) for limit in (1, 2, 5))
    return (name, plain(number(one, "pictures")), *degrees, *shares)


def _errors(angle: Result) -> Section:
    rendered = [(f"rendered rain, {words(name)}", at(one, "all")) for name, one in pairs(angle.values, "rendered")]
    sets = [(of_set(name), one) for name, one in pairs(angle.values, "pairs")]
    rows = [_row(name, one) for name, one in [*rendered, *sets]]
    rows.append(_row("real rain, labelled", angle.at("labelled")))
    for key, name in (
        ("always_0", "the same, upright each time"),
        ("tilt", "the same, TILT with one window, as published"),
    ):
        rows.append(_row(name, angle.at("labelled", key)))
    return Section(
        "Errors",
        "Rain rendered over clean photographs, pairs whose rain layer tells the truth, and photographs of real rain "
        "with labels that are good to about two degrees. `faint` is rain much of which nobody would see.",
        Table.of(HEADER, rows),
        (angle,),
        limits="In very heavy rain, and where rain is hardly to be seen, single pictures are far off; the worst of "
        "each is in the table.",
    )


def _photographs(angle: Result) -> Section:
    rows = []
    for name, one in pairs(angle.values, "photos"):
        told = name.replace("visibility_", "visibility ")
        rows.append((*_row(told, one), percent(number(one, "present"))))
    return Section(
        "Real photographs, labelled by eye",
        "By how well a person sees the rain: 0 is not at all, 3 is clearly. The last column is the share in which "
        "the estimator reports rain.",
        Table.of((*HEADER, "rain reported"), rows),
        (angle,),
        limits="The labels are one person's, set on enlarged crops, and rain of real photographs seldom has one "
        "direction.",
    )


def _dry(angle: Result) -> Section:
    rows = []
    for name, one in pairs(angle.values, "clean"):
        shares = (percent(number(one, key), 1) for key in ("sure", "present"))
        told = {"fit": "that the confidence was fitted on", "check": "held out", "all": "all"}.get(name, name)
        rows.append((told, plain(number(one, "pictures")), *shares))
    return Section(
        "Photographs without rain",
        "How often rain is seen where there is none.",
        Table.of(("photographs", "number", "confidence of a half and more", "rain reported"), rows),
        (angle,),
    )


def _calibration(angle: Result) -> Section:
    rows = []
    for one in items(angle.values, "calibration", "bins"):
        limits = f"{places(number(one, 'from'), 1)} to {places(number(one, 'to'), 1)}"
        shares = (percent(number(one, key)) for key in ("confidence", "right"))
        rows.append((limits, plain(number(one, "pictures")), *shares))
    error = places(number(angle.values, "calibration", "ece"), 3)
    return Section(
        "What the confidence is worth",
        f"Of pictures by their confidence, how many are right. The expected calibration error is {error}.",
        Table.of(("confidence", "pictures", "mean confidence", "right"), rows),
        (angle,),
        limits="In the middle there are few pictures, and more of them are right than the confidence says or fewer.",
    )


def _several(angle: Result) -> Section:
    multi = angle.at("multi")
    rows = [
        ("pictures", plain(number(multi, "pictures"))),
        ("directions in them", plain(number(multi, "directions"))),
        ("directions found", percent(number(multi, "recall"), 1)),
        ("false ones a picture", places(number(multi, "false_per_picture"), 3)),
    ]
    return Section(
        "Several directions at once",
        "Rain of the preset `multi`, which falls in up to three directions.",
        Table.of(("what", "measured"), rows),
        (angle,),
    )
