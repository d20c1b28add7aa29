"""How well the direction of rain is found, how far its confidence is to be believed, and how long it takes.

DIR holds pictures that are no part of the project (any folder may be missing):

  DIR/clean/NAME                     clean photographs; rain is rendered over them as well
  DIR/photos_labelled/NAME           photographs of rain; angles.csv beside them has columns file, angle_deg
  DIR/photos/NAME                    photographs of rain, labelled by eye in benchmarks/angle/photo_angles.csv
  DIR/pairs/SET/{rain,norain}/NAME   rainy pictures and the same without rain

The JSON has a part for each table:

  rendered     seeded rain over clean photographs, one direction, evenly in -60 to 60 degrees: the presets `light` and
               `medium`, and `faint`, few and dim streaks. "fit" are the photographs, every second by name, that the
               confidence is fitted on, "check" the others (another crop of a scene may be among the former), "all" both
  multi        the preset `multi`, two or three directions: how many are found within 3 degrees, how many are false
  labelled     photos_labelled, beside always saying 0, and with --tilt beside TILT on the window in the middle of the
               luminance, nothing of the scene taken out, which searches -45 to 45 degrees by itself
  photos       by visibility of the rain, 1 little to 3 dominant; 0 is none, where only false alarms count. Of two
               directions the first is the truth
  pairs        each set; the truth is the direction of luminance of rainy minus clean, see `layer_angle`
  clean        confidences where there is no rain
  calibration  how often a confidence came true (rain, and within 4 degrees) on pictures that it was not fitted on;
               "mix" has the weight of each set
  fit          with --fit: `rainopt.direction.estimate.CALIBRATION` fitted anew, beside the present constants
  speed        medians of warm runs, with the stages of each; the 12 megapixels are 3000 x 4000
  aims         what is asked of these figures, and whether it is reached

Errors are in degrees. "present" is the share of pictures whose rain is reported, "right where present" the share of
these that is within 4 degrees.

  python -m benchmarks.angle.accuracy --data DIR --json results.json --sheet sheet.png --tilt
  python -m benchmarks.angle.accuracy --data DIR --limit 4      a quick look
  python -m benchmarks.angle.accuracy --data DIR --fit          new constants for the confidence
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.angle.fit import CLOSE, check_calibration, refit
from benchmarks.angle.sets import CHECK, FIT, RENDERED, Finding, collect, examine
from benchmarks.angle.speed import speed, tilt_errors
from benchmarks.angle.tables import print_all
from benchmarks.common import finish
from benchmarks.layer_angle import angle_error
from benchmarks.options import Data, Json, Limit, Sheet, benchmark
from rainopt.app.sheet import Row, write_sheet
from rainopt.commands.overlay import draw_directions
from rainopt.direction.estimate import PRESENT, Direction

WITHIN = (1.0, 2.0, 5.0)  # degrees
FOUND = 3.0  # degrees, of one of several directions
SURE = 0.5
QUANTILES = (0.5, 0.75, 0.9, 0.95, 1.0)
SHOWN = 12  # worst rendered pictures, and clean ones of the highest confidence, on the sheet
ABREAST = 4
# What, where it is in the results, the sense and the aim.
AIMS = (
    ("light and medium rain, median", ("rendered", "light_and_medium", "all", "median"), "at most", 0.5),
    ("light and medium rain, share within 2", ("rendered", "light_and_medium", "all", "within_2"), "at least", 0.97),
    ("labelled photographs, mean", ("labelled", "mean"), "at most", 1.8),
    ("labelled photographs, worst", ("labelled", "worst"), "at most", 6.0),
    ("pairs rain100l_dev, worst", ("pairs", "rain100l_dev", "worst"), "at most", 1.5),
    ("clean photographs, share sure of rain", ("clean", "all", "sure"), "at most", 0.05),
    ("512 x 512, seconds", ("speed", "512x512", "median_s"), "at most", 0.04),
    ("12 megapixels, seconds", ("speed", "12_megapixel", "median_s"), "at most", 0.2),
)


def errors_of(findings: list[Finding]) -> dict[str, Any]:
    """Return the statistics of the errors of pictures whose truth is known."""
    known = [f for f in findings if f.picture.truths]
    present = [f for f in known if f.estimate.confidence >= PRESENT]
    errors = [f.error for f in known]
    if not errors:
        return {"pictures": 0}
    return {
        "pictures": len(errors),
        "median": statistics.median(errors),
        "mean": statistics.fmean(errors),
        "worst": max(errors),
        **{f"within_{limit:g}": share(e <= limit for e in errors) for limit in WITHIN},
        "present": len(present) / len(known),
        "right_where_present": share(f.error <= CLOSE for f in present),
    }


def share(hits: Any) -> float | None:
    """Return the share of true values; None of nothing."""
    hits = [bool(hit) for hit in hits]
    return sum(hits) / len(hits) if hits else None


def each(findings: list[Finding]) -> list[dict[str, Any]]:
    """Return the numbers of every picture."""
    return [
        {
            "name": f.picture.name,
            "true_angle": f.picture.truths[0] if f.picture.truths else None,
            "angle": f.estimate.angle,
            "confidence": f.estimate.confidence,
        }
        for f in findings
    ]


def halves(findings: list[Finding], measure: Callable[[list[Finding]], dict[str, Any]]) -> dict[str, Any]:
    """Measure both halves and all."""
    parts = {half: [f for f in findings if f.picture.half == half] for half in (FIT, CHECK)}
    return {name: measure(part) for name, part in {**parts, "all": findings}.items() if part}


def rendered(groups: dict[str, list[Finding]]) -> dict[str, Any]:
    """Return the errors on rendered rain of one direction."""
    sets = {name: groups[name] for name in RENDERED if name in groups}
    if not sets:
        return {}
    both = sets["light"] + sets["medium"]
    return {name: halves(found, errors_of) for name, found in {**sets, "light_and_medium": both}.items()}


def several(findings: list[Finding]) -> dict[str, Any]:
    """Return how many of several directions are found, and how many are none."""
    hit = total = false = 0
    for f in findings:
        angles = [d.angle for d in f.estimate.directions]
        hit += sum(any(angle_error(a, t) <= FOUND for a in angles) for t in f.picture.truths)
        false += sum(all(angle_error(a, t) > FOUND for t in f.picture.truths) for a in angles)
        total += len(f.picture.truths)
    first = share(any(angle_error(f.estimate.angle, t) <= FOUND for t in f.picture.truths) for f in findings)
    return {
        "pictures": len(findings),
        "directions": total,
        "recall": hit / total,
        "false_per_picture": false / len(findings),
        "strongest_is_one": first,
    }


def labelled(findings: list[Finding], with_tilt: bool) -> dict[str, Any]:
    """Return the errors on photographs with hand-set labels, beside those of other answers."""
    zero = [f.miss(0.0) for f in findings]
    result = {**errors_of(findings), "always_0": {"mean": statistics.fmean(zero), "worst": max(zero)}}
    if with_tilt:
        result["tilt"] = tilt_errors(findings)
    return {**result, "each": each(findings)}


def dry(findings: list[Finding]) -> dict[str, Any]:
    """Return the confidences of pictures without rain."""
    found = np.array([f.estimate.confidence for f in findings])
    return {
        "pictures": len(found),
        "quantiles": {f"{q:g}": float(np.quantile(found, q)) for q in QUANTILES},
        "sure": share(found >= SURE),
        "present": share(found >= PRESENT),
    }


def clean(findings: list[Finding]) -> dict[str, Any]:
    """Return the confidences of clean photographs, and which are the highest."""
    return {**halves(findings, dry), "highest": each(by_confidence(findings)[:8])}


def by_confidence(findings: list[Finding]) -> list[Finding]:
    """Sort, the highest confidence first."""
    return sorted(findings, key=lambda f: -f.estimate.confidence)


def summarise(findings: list[Finding], with_tilt: bool, with_fit: bool, with_speed: bool = True) -> dict[str, Any]:
    """Return all parts for which there are pictures, and those that were asked for."""
    groups: dict[str, list[Finding]] = {}
    for f in findings:
        groups.setdefault(f.picture.group, []).append(f)

    def below(prefix: str) -> dict[str, list[Finding]]:
        return {name.removeprefix(prefix): groups[name] for name in sorted(groups) if name.startswith(prefix)}

    photos = {
        f"visibility_{name}": {**(dry(f) if name == "0" else errors_of(f)), "each": each(f)}
        for name, f in below("photos/").items()
    }
    parts: dict[str, Any] = {
        "rendered": rendered(groups),
        "multi": several(groups["multi"]) if "multi" in groups else None,
        "labelled": labelled(groups["labelled"], with_tilt) if "labelled" in groups else None,
        "photos": photos,
        "pairs": {name: {**errors_of(f), "each": each(f)} for name, f in below("pairs/").items()},
        "clean": clean(groups["clean"]) if "clean" in groups else None,
        "calibration": check_calibration(findings),
        "fit": refit(findings) if with_fit else None,
        "speed": speed() if with_speed else None,
    }
    results = {name: part for name, part in parts.items() if part}
    return {**results, "aims": aims(results)}


def aims(results: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what is asked of the results that are there, and whether it is reached."""
    rows = []
    for what, path, sense, aim in AIMS:
        value: Any = results
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            reached = value <= aim if sense == "at most" else value >= aim
            rows.append({"what": what, "value": value, "sense": sense, "aim": aim, "reached": reached})
    return rows


def draw_sheet(path: Path, findings: list[Finding]) -> None:
    """Write the labelled photographs, the worst of light and medium rain, and clean ones of the highest confidence."""
    real = [f for f in findings if f.picture.group == "labelled"]
    rain = sorted((f for f in findings if f.picture.group in ("light", "medium")), key=lambda f: -f.error)
    none = by_confidence([f for f in findings if f.picture.group == "clean"])
    rows = []
    for part in (real, rain[:SHOWN], none[:SHOWN]):
        for i in range(0, len(part), ABREAST):
            row = part[i : i + ABREAST]
            rows.append(Row([shown(f) for f in row], [caption(f) for f in row]))
    if rows:
        write_sheet(path, rows)


def shown(finding: Finding) -> np.ndarray:
    """Return a picture with lines in the directions that were found, or in the best guess where none was."""
    estimate = finding.estimate
    return draw_directions(finding.picture.load(), estimate.directions or (Direction(estimate.angle, 1.0),))


def caption(finding: Finding) -> str:
    """Return what is to be read below a picture."""
    picture, estimate = finding.picture, finding.estimate
    truth = f", true {picture.truths[0]:.1f}" if picture.truths else ""
    return f"{picture.group} {Path(picture.name).stem[-22:]}: {estimate.angle:.1f}{truth} ({estimate.confidence:.2f})"


@benchmark(__doc__)
def main(
    data: Data,
    limit: Limit = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the constants of the confidence anew.")] = False,
    sheet: Sheet = None,
    tilt: Annotated[bool, typer.Option("--tilt", help="TILT on the labelled photographs as well.")] = False,
    target: Json = None,
) -> None:
    """Measure the pictures in a folder."""
    try:
        pictures = collect(data, limit)
    except (FileNotFoundError, ValueError) as error:
        raise typer.BadParameter(str(error)) from None
    if not pictures:
        raise typer.BadParameter(
            "--data must hold pictures in a folder 'clean', 'photos_labelled', 'photos' or 'pairs'; see --help"
        )

    findings = [examine(picture) for picture in pictures]
    results = summarise(findings, tilt, fit)
    print_all(results)
    if sheet:
        draw_sheet(sheet, findings)
    finish({"benchmark": "angle", **results}, target)


if __name__ == "__main__":
    main()
