"""How long the angle takes: `estimate_angle` with its stages, and TILT."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from benchmarks.angle.sets import Finding
from benchmarks.common import rainy_photograph, timed
from rainopt import estimate_angle
from rainopt.direction.estimate import vote
from rainopt.direction.evidence import SCALES, gather
from rainopt.direction.planes import work_planes
from rainopt.direction.ridges import find_ridges
from rainopt.direction.tilt import tilt
from rainopt.image import luminance

SIZES = {"512x512": ((512, 512), 1.0), "12_megapixel": ((3000, 4000), 2.0)}  # shape, enlargement
ANGLE = 10.0
REPEAT = 9


def speed() -> dict[str, Any]:
    """Time `estimate_angle` and its stages, each warm."""
    results: dict[str, Any] = {}
    for name, (shape, scale) in SIZES.items():
        image = rainy_photograph(*shape, angle=ANGLE, scale=scale)
        clock, found = timed(partial(estimate_angle, image), REPEAT, warm=2)
        planes = work_planes(image)
        stages: dict[str, Callable[[], Any]] = {
            "work_planes": partial(work_planes, image),
            "find_ridges": partial(all_ridges, planes, luminance(planes)),
            "vote": partial(vote, gather(planes)),
        }
        results[name] = {
            "shape": list(image.shape),
            "work_shape": list(planes.shape),
            **clock.as_dict(),
            "stages_s": {stage: timed(run, REPEAT)[0].median for stage, run in stages.items()},
            "angle": found.angle,
            "true_angle": ANGLE,
            "confidence": found.confidence,
        }
    return results


def all_ridges(planes: np.ndarray, grey: np.ndarray) -> list[Any]:
    """Find the ridges of all widths, one after the other."""
    return [find_ridges(planes, grey, sigma) for sigma in SCALES]


def tilt_errors(findings: list[Finding]) -> dict[str, Any]:
    """Return the errors of TILT on one window of the luminance, and its seconds a picture."""
    rows: list[dict[str, Any]] = []
    for finding in findings:
        layer = np.asarray(luminance(work_planes(finding.picture.load())))
        start = time.perf_counter()
        found = tilt(layer)
        seconds = time.perf_counter() - start
        name, status = finding.picture.name, found.status.name
        rows.append({"name": name, "angle": found.angle, "status": status, "seconds": seconds})
    errors = [f.miss(row["angle"]) for f, row in zip(findings, rows, strict=True)]
    return {
        "mean": statistics.fmean(errors),
        "median": statistics.median(errors),
        "worst": max(errors),
        "converged": sum(row["status"] == "CONVERGED" for row in rows),
        "seconds": statistics.fmean(row["seconds"] for row in rows),
        "each": rows,
    }
