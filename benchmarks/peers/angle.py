"""The angle of rendered rain: of a rainy photograph, and of a window of the rain layer alone, which is TILT's own task.

Times are of one picture: their median, least and most over the pictures, each once, after one that is not counted.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import Timing, photograph, timed
from benchmarks.layer_angle import angle_error
from benchmarks.peers.plain_tilt import plain_tilt
from benchmarks.peers.rows import Outcome, Peer, task
from benchmarks.pictures import grey, to_bytes
from data_tools import RainSpec, add_rain
from rainopt import estimate_angle
from rainopt.direction.tilt import tilt

SHAPES, QUICK_SHAPES = ((512, 512), (321, 481)), ((321, 481),)  # another photograph each
ANGLES, QUICK_ANGLES = (-35.0, -10.0, 15.0, 40.0), (-10.0,)
INNER_TOL = 1e-2  # duality gap; streaks are not so much alike that a smaller one finds them better
SIGMA, BINS = 1.0, 180  # pixels, of the gradients; of the histogram of the structure tensor


class Rained(NamedTuple):
    """A rainy photograph (H, W, 3) uint8, its rain layer (H, W), and the true angle."""

    rainy: np.ndarray
    layer: np.ndarray
    angle: float


def angle(repeat: int, quick: bool) -> list[dict[str, Any]]:
    """Compare estimators on photographs, and TILT with TILT on rain layers."""
    shapes, angles = (QUICK_SHAPES, QUICK_ANGLES) if quick else (SHAPES, ANGLES)
    cases = [rained(shape, a, seed) for shape in shapes for seed, a in enumerate(angles)]
    count = f"{len(cases)} pictures under medium rain, {min(angles):g}° to {max(angles):g}°"

    def peer(name: str, module: str, find: Callable[[Rained], float], plain: bool = False) -> Peer:
        return Peer(name, partial(outcome, find, cases), module, plain)

    photo = task(
        "angle of rain in a photograph",
        count,
        ("rainopt estimate_angle", partial(outcome, lambda case: estimate_angle(case.rainy).angle, cases)),
        [
            peer("TILT of the luminance", "scipy", lambda case: plain_tilt(grey(case.rainy)), plain=True),
            peer("structure tensor of scikit-image", "skimage", lambda case: structure_angle(grey(case.rainy))),
        ],
    )
    layer = task(
        "TILT of a rain layer",
        f"the layers of {count}, a window in the middle",
        ("rainopt tilt", partial(outcome, lambda case: tilt(case.layer, inner_tol=INNER_TOL).angle, cases)),
        [peer("TILT as in the paper", "scipy", lambda case: plain_tilt(case.layer), plain=True)],
    )
    return [photo, layer]


def rained(shape: tuple[int, int], angle: float, seed: int) -> Rained:
    """Return a photograph under rain that falls at an angle."""
    clean = photograph(*shape)
    spec = RainSpec(angle=angle, length=40.0, width=1.5, density=5000.0)
    rainy = to_bytes(add_rain(clean, spec, np.random.default_rng(seed)).rainy)
    return Rained(rainy, grey(rainy) - grey(clean), angle)


def outcome(find: Callable[[Rained], float], cases: list[Rained]) -> Outcome:
    """Time an estimator on every picture, and tell its errors in degrees."""
    find(cases[0])
    runs = [timed(partial(find, case), 1, warm=0) for case in cases]
    errors = [angle_error(found, case.angle) for (_, found), case in zip(runs, cases, strict=True)]
    result = {
        "median_error_deg": statistics.median(errors),
        "worst_error_deg": max(errors),
        "within_3_deg": statistics.fmean(error <= 3 for error in errors),
    }
    return Timing(tuple(clock.median for clock, _ in runs)), result


def structure_angle(image: np.ndarray) -> float:
    """Return the peak of the histogram of orientations of an image, degrees, by scikit-image's structure tensor."""
    from skimage.feature import structure_tensor

    rr, rc, cc = structure_tensor(image, sigma=SIGMA, order="rc")
    degrees = np.degrees(0.5 * np.arctan2(-2 * rc, cc - rr))
    votes, edges = np.histogram(degrees, BINS, (-90.0, 90.0), weights=np.hypot(rr - cc, 2 * rc))
    smooth = 2 * votes + np.roll(votes, 1) + np.roll(votes, -1)
    return float(edges[int(np.argmax(smooth))] + 0.5 * 180 / BINS)
