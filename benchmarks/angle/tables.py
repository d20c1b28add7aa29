"""The tables of the benchmark of angles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.common import print_table

ERRORS = ("pictures", "median", "mean", "within 1", "within 2", "within 5", "worst", "present", "right where present")
HALVES = ("fit", "check")


def print_all(results: dict[str, Any]) -> None:
    """Print a table for each part of the results, in their order."""
    printers: dict[str, Callable[[Any], None]] = {
        "rendered": print_rendered,
        "multi": print_multi,
        "labelled": print_labelled,
        "photos": print_photos,
        "pairs": print_pairs,
        "clean": print_clean,
        "calibration": print_calibration,
        "fit": print_fit,
        "speed": print_speed,
        "aims": print_aims,
    }
    for name, part in results.items():
        printers[name](part)


def print_rendered(part: dict[str, Any]) -> None:
    """Print the errors on rendered rain."""
    rows = [
        (f"{name.replace('_', ' ')}, {half}", *errors(s)) for name, sets in part.items() for half, s in sets.items()
    ]
    print_table("Rendered rain over clean photographs, degrees", ("set, half", *ERRORS), rows)


def print_multi(part: dict[str, Any]) -> None:
    """Print how several directions are found."""
    row = (
        part["pictures"],
        part["directions"],
        percent(part["recall"]),
        f"{part['false_per_picture']:.3f}",
        percent(part["strongest_is_one"]),
    )
    header = ("pictures", "directions", "found", "false a picture", "strongest is one of them")
    print_table("Several directions, within 3 degrees", header, [row])


def print_labelled(part: dict[str, Any]) -> None:
    """Print the errors on labelled photographs."""
    rows = [("estimate_angle", f"{part['mean']:.2f}", f"{part['worst']:.1f}", "")]
    rows.append(("always 0", f"{part['always_0']['mean']:.2f}", f"{part['always_0']['worst']:.1f}", ""))
    if "tilt" in part:
        t = part["tilt"]
        rows.append(("TILT, one window", f"{t['mean']:.2f}", f"{t['worst']:.1f}", f"{t['seconds']:.2f}"))
    print_table("Labelled photographs, degrees", ("method", "mean", "worst", "seconds a picture"), rows)
    print_each("Labelled photographs, each", part["each"])


def print_photos(part: dict[str, Any]) -> None:
    """Print the errors on photographs labelled by eye."""
    # Where no rain is seen only the share with reported rain has a meaning.
    rows = [
        (name.replace("_", " "), *errors(s))
        if "quantiles" not in s
        else (name.replace("_", " "), s["pictures"], *[""] * 6, percent(s["present"]), "")
        for name, s in part.items()
    ]
    print_table("Photographs labelled by eye, degrees", ("rain", *ERRORS), rows)


def print_pairs(part: dict[str, Any]) -> None:
    """Print the errors on the sets of pairs."""
    print_table("Pairs, degrees", ("set", *ERRORS), [(name, *errors(s)) for name, s in part.items()])


def print_clean(part: dict[str, Any]) -> None:
    """Print the confidences on clean photographs."""
    sets = {name: s for name, s in part.items() if name != "highest"}
    quantiles = list(next(iter(sets.values()))["quantiles"])
    rows = [
        (name, s["pictures"], *(f"{q:.3f}" for q in s["quantiles"].values()), percent(s["sure"]), percent(s["present"]))
        for name, s in sets.items()
    ]
    header = ("half", "pictures", *(f"quantile {q}" for q in quantiles), "0.5 or more", "present")
    print_table("Confidence on clean photographs", header, rows)


def print_calibration(part: dict[str, Any]) -> None:
    """Print the calibration curve."""
    rows = []
    for b in part["bins"]:
        known = (percent(b["right"]), f"{b['confidence']:.2f}") if "right" in b else ("", "")
        rows.append((f"{b['from']:.1f} to {b['to']:.1f}", b["pictures"], percent(b["weight"]), *known))
    print_table(
        f"Calibration: expected error {part['ece']:.3f}, Brier score {part['brier']:.3f}",
        ("confidence", "pictures", "weight", "right", "mean confidence"),
        rows,
    )
    print("Weights: " + ", ".join(f"{name} {share:.2f}" for name, share in part["mix"].items()))


def print_fit(part: dict[str, Any]) -> None:
    """Print the constants, ready to be pasted."""
    rows = [
        (
            name,
            ", ".join(f"{c:g}" for c in s["values"]),
            *(f"{s['loss'][h]:.4f}" if h in s["loss"] else "" for h in HALVES),
        )
        for name, s in part["constants"].items()
    ]
    print_table("Constants of the confidence", ("constants", "values", "loss, fit", "loss, check"), rows)
    print(f"CALIBRATION = ({', '.join(f'{c:g}' for c in part['constants']['fitted']['values'])})")


def print_speed(part: dict[str, Any]) -> None:
    """Print times and stages."""
    stages = list(next(iter(part.values()))["stages_s"])
    rows = [
        (
            name.replace("_", " "),
            ms(s["median_s"]),
            *(ms(s["stages_s"][stage]) for stage in stages),
            f"{s['angle']:.2f}",
        )
        for name, s in part.items()
    ]
    print_table("estimate_angle, colour uint8, milliseconds", ("picture", "all", *stages, "angle"), rows)


def print_aims(part: list[dict[str, Any]]) -> None:
    """Print what was asked for and what is reached."""
    rows = [
        (row["what"], f"{row['value']:.3f}", f"{row['sense']} {row['aim']:g}", "yes" if row["reached"] else "no")
        for row in part
    ]
    print_table("Aims", ("figure", "value", "aim", "reached"), rows)


def print_each(title: str, rows: list[dict[str, Any]]) -> None:
    """Print every picture's estimate."""
    cells = [(r["name"], f"{r['true_angle']:.1f}", f"{r['angle']:.1f}", f"{r['confidence']:.2f}") for r in rows]
    print_table(title, ("picture", "true", "estimated", "confidence"), cells)


def errors(s: dict[str, Any]) -> list[str]:
    """Return the cells of `ERRORS`."""
    if not s["pictures"]:
        return ["0", *[""] * (len(ERRORS) - 1)]
    within = [percent(s[name.replace(" ", "_")]) for name in ERRORS[3:6]]
    last = percent(s["present"]), percent(s["right_where_present"])
    return [str(s["pictures"]), f"{s['median']:.2f}", f"{s['mean']:.2f}", *within, f"{s['worst']:.1f}", *last]


def percent(share: float | None) -> str:
    """Return a share in per cent; nothing of nothing."""
    return "" if share is None else f"{100 * share:.1f} %"


def ms(seconds: float) -> str:
    """Return milliseconds."""
    return f"{1e3 * seconds:.1f}"
