"""Photographs of 321 x 481 under rendered rain, or pairs of a folder, without their rain.

Every peer may choose one setting of a few: the best on the mean of these very pictures, which favours it. The one that
needs an angle is told the true one. Times are of one picture: median, least and most over the pictures, each once,
after one that is not counted.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from benchmarks.common import Timing, timed
from benchmarks.layer_angle import layer_angle
from benchmarks.peers.plain_stills import bilateral, guided, median_across, printed_udg
from benchmarks.peers.rows import Outcome, Peer, task
from benchmarks.pictures import PROTOCOL, grey, opaque, pairs, sets_of_pairs, to_bytes
from data_tools import RainSpec, add_rain
from data_tools.rain.presets import draw_fields
from rainopt import UDGWeights, derain, psnr

SHAPE = (321, 481)
PRESETS, QUICK_PRESETS = ("light", "medium", "heavy"), ("medium",)
PAIRS, QUICK_PAIRS = 8, 2  # of each set
SEED = 11
# The best of a grid for light, medium and heavy rain.
PRINTED = [UDGWeights.paper(*w) for w in ((0.005, 0.05, 0.02), (0.002, 0.1, 0.02), (0.005, 0.05, 0.05))]
ITERATIONS = 40
GROWTH = 1.05  # of the penalties of the printed algorithm


class Pair(NamedTuple):
    """A rainy and a clean picture (H, W, 3) uint8, the angle of the rain between them, and the set it is of."""

    rainy: np.ndarray
    clean: np.ndarray
    angle: float
    group: str


Way = Callable[[Pair], np.ndarray]


def stills(repeat: int, quick: bool, data: Path | None = None) -> list[dict[str, Any]]:
    """Compare derainers on rendered rain, and on the pairs of a folder if there is one."""
    tasks = [_compare("photographs under rendered rain", list(rendered(QUICK_PRESETS if quick else PRESETS)))]
    if data is not None:
        found = list(of_folder(data, QUICK_PAIRS if quick else PAIRS))
        if found:
            tasks.append(_compare("pairs of photographs", found))
    return tasks


def _compare(name: str, cases: list[Pair]) -> dict[str, Any]:
    def peer(name: str, module: str, ways: Mapping[str, Way], plain: bool = False) -> Peer:
        return Peer(name, partial(outcome, ways, cases), module, plain)

    defaults: dict[str, Way] = {"defaults": lambda pair: np.asarray(derain(pair.rainy).background)}
    ours = "rainopt derain", partial(outcome, defaults, cases)
    medians = {f"{width} pixels": partial(_filtered, partial(median_across, width=width)) for width in (9, 15, 25)}
    smooth = {f"sigma {s:g}": partial(_filtered, partial(bilateral, sigma=s)) for s in (0.05, 0.1, 0.2)}
    guides = {
        f"radius {r}, epsilon {e:g}": partial(_filtered, partial(guided, radius=r, epsilon=e))
        for r in (2, 5)
        for e in (1e-3, 1e-2)
    }
    printed = {
        f"tau {w.tau:g}, lambda_x {w.lambda_x:g}, lambda_y {w.lambda_y:g}": partial(_printed, w) for w in PRINTED
    }
    peers = [
        peer("median across the streaks", "scipy", medians, plain=True),
        peer("OpenCV bilateral filter", "cv2", smooth),
        peer("guided filter", "cv2", guides, plain=True),
        peer("UDG as printed, told the angle", "scipy", printed, plain=True),
    ]
    sets = ", ".join(dict.fromkeys(pair.group for pair in cases))
    return task(name, f"{len(cases)} pictures about {SHAPE[0]} x {SHAPE[1]}, RGB uint8: {sets}", ours, peers)


def _filtered(method: Callable[[np.ndarray], np.ndarray], pair: Pair) -> np.ndarray:
    return method(pair.rainy.astype(np.float32) / 255)


def _printed(weights: UDGWeights, pair: Pair) -> np.ndarray:
    return printed_udg(pair.rainy.astype(np.float32) / 255, pair.angle, weights, ITERATIONS, GROWTH)


def outcome(ways: Mapping[str, Way], cases: Sequence[Pair]) -> Outcome:
    """Run every setting on every picture; return the times of the best and how much nearer it is, in dB."""
    before = [score(pair.rainy, pair.clean) for pair in cases]
    best: tuple[float, str, list[float], list[float]] = -np.inf, "", [], []
    for name, way in ways.items():
        way(cases[0])
        runs = [timed(partial(way, pair), 1, warm=0) for pair in cases]
        gains = [
            score(to_bytes(picture), pair.clean) - b for (_, picture), pair, b in zip(runs, cases, before, strict=True)
        ]
        mean = statistics.fmean(gains)
        if mean > best[0]:
            best = mean, name, gains, [clock.median for clock, _ in runs]
    mean, name, gains, seconds = best
    groups = dict.fromkeys(pair.group for pair in cases)
    each = {g: statistics.fmean(x for x, pair in zip(gains, cases, strict=True) if pair.group == g) for g in groups}
    result = {"psnr_gain_db": mean, "least_gain_db": min(gains), "gain_db": each, "setting": name}
    return Timing(tuple(seconds)), result


def score(picture: np.ndarray, clean: np.ndarray) -> float:
    """Return the PSNR on Y."""
    return float(psnr(clean, picture, protocol=PROTOCOL))


def rendered(presets: Sequence[str]) -> Iterator[Pair]:
    """Yield three photographs that come with scikit-image under rain of each preset."""
    from skimage import data

    height, width = SHAPE
    for index, photo in enumerate((data.astronaut(), data.coffee(), data.chelsea())):
        clean = np.ascontiguousarray(photo[:height, :width])
        for preset in presets:
            rng = np.random.default_rng([SEED, index, PRESETS.index(preset)])
            spec = RainSpec(**draw_fields(preset, rng))
            yield _pair(to_bytes(add_rain(clean, spec, rng).rainy), clean, preset)


def of_folder(data: Path, limit: int) -> Iterator[Pair]:
    """Yield the first pairs of each set of a folder."""
    for folder in sets_of_pairs(data):
        for _, rainy, clean in pairs(folder, limit):
            if rainy.ndim == 3 and rainy.shape[2] >= 3:
                yield _pair(opaque(rainy), opaque(clean), folder.name)


def _pair(rainy: np.ndarray, clean: np.ndarray, group: str) -> Pair:
    return Pair(rainy, clean, layer_angle(grey(rainy) - grey(clean)), group)
