"""The measurements: scenes under rain, derained, shown to a detector, and judged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from benchmarks.tasks.asked import Detectors, Seen
from benchmarks.tasks.bootstrap import rows
from benchmarks.tasks.boxes import Box, Judged, best_threshold, judge, together
from benchmarks.tasks.inputs import CLEAN, RAINY, Input, rained
from benchmarks.tasks.looks import with_boxes, with_lines
from benchmarks.tasks.people import Scene, figures, outcome
from benchmarks.tasks.reading import Reading, compare, text_figures
from benchmarks.tasks.signs import Sign, with_signs
from rainopt.app.sheet import Row

UNMARKED_THRESHOLD = 0.3  # where nobody has marked people, the score from which the clean picture's boxes count
TEXT_SEED = 31
Find = Callable[[np.ndarray], list[Seen]]


def people_task(
    title: str,
    scenes: Sequence[Scene],
    strengths: Sequence[str] | None,
    methods: Mapping[str, Input],
    detectors: Detectors,
) -> tuple[dict[str, Any], list[Row]]:
    """Return what becomes of people in some scenes, and rows to look at.

    Parameters
    ----------
    title
        Name of the task.
    scenes
        Without rain; or with rain of their own.
    strengths
        The rain that each is seen under, in turn; None: their own.
    methods, detectors
        What derains, and what detects.
    """
    find = partial(detectors.find, "people")
    shown: dict[str, list[list[np.ndarray]]] = {name: [] for name in methods}
    found: dict[str, list[list[list[Seen]]]] = {name: [] for name in methods}
    dry: list[list[Seen] | None] = []
    for number, scene in enumerate(scenes):
        _say(f"{title}: {scene.name}")
        rains = [scene.picture] if strengths is None else [rained(scene.picture, s, number) for s in strengths]
        dry.append(None if strengths is None else find(scene.picture))
        for name, method in methods.items():
            shown[name].append([method(rainy) for rainy in rains])
            found[name].append([find(picture) for picture in shown[name][-1]])
    if strengths is not None:
        shown = {CLEAN: [[scene.picture] for scene in scenes]} | shown
        found = {CLEAN: [[boxes or []] for boxes in dry]} | found
    threshold = _threshold(scenes, next(iter(found.values())))
    outcomes = {
        name: [
            outcome(scene, [_scored(one) for one in seen], None if without is None else _scored(without), threshold)
            for scene, seen, without in zip(scenes, each, dry, strict=True)
        ]
        for name, each in found.items()
    }
    task = {
        "task": title,
        "truth": "what is found in the clean picture" if scenes[0].truths is None else "people marked by eye",
        "rain": ["real"] if strengths is None else list(strengths),
        "pictures": len(scenes),
        "people": sum(one.judged.truths for one in outcomes[next(iter(found))]),
        "threshold": threshold,
        "rows": rows(outcomes, partial(figures, threshold=threshold), RAINY),
    }
    return task, [_people_row(k, scene, shown, found, threshold, strengths, dry) for k, scene in enumerate(scenes)]


def text_tasks(
    photographs: Sequence[tuple[str, np.ndarray]],
    strengths: Sequence[str],
    methods: Mapping[str, Input],
    detectors: Detectors,
) -> tuple[list[dict[str, Any]], list[Row]]:
    """Return what becomes of words on signs, a task for each strength of rain, and rows to look at."""
    find = partial(detectors.find, "text")
    read: dict[str, dict[str, list[Reading]]] = {s: {name: [] for name in (CLEAN, *methods)} for s in strengths}
    looks = []
    for number, (name, photograph) in enumerate(photographs):
        _say(f"text: {name}")
        clean, signs = with_signs(photograph, np.random.default_rng([TEXT_SEED, number]))
        lines = find(clean)
        for strength in strengths:
            read[strength][CLEAN].append(_read(signs, lines))
            rainy = rained(clean, strength, number)
            pictures, captions = [with_lines(clean, lines)], [_words(CLEAN, read[strength][CLEAN][-1])]
            for method, derained in methods.items():
                picture = derained(rainy)
                seen = find(picture)
                read[strength][method].append(_read(signs, seen))
                pictures.append(with_lines(picture, seen))
                captions.append(_words(method, read[strength][method][-1]))
            looks.append(Row(pictures, captions, f"text: {name}, {strength} rain"))
    tasks = [
        {
            "task": f"text, OCR, {strength} rain",
            "truth": "the words that were drawn",
            "rain": [strength],
            "pictures": len(photographs),
            "words": sum(one.words for one in each[CLEAN]),
            "rows": rows(each, text_figures, RAINY),
        }
        for strength, each in read.items()
    ]
    return tasks, looks


def _threshold(scenes: Sequence[Scene], found: Sequence[Sequence[Sequence[Seen]]]) -> float:
    """Return the score that is best for the input that comes first, the clean or the rainy one.

    So what is derained is never favoured.
    """
    judged: list[Judged] = [
        judge(_scored(boxes), scene.truths, scene.ignored)
        for scene, each in zip(scenes, found, strict=True)
        if scene.truths is not None
        for boxes in each
    ]
    return best_threshold(together(judged)) if judged else UNMARKED_THRESHOLD


def _people_row(
    k: int,
    scene: Scene,
    shown: Mapping[str, Sequence[Sequence[np.ndarray]]],
    found: Mapping[str, Sequence[Sequence[Sequence[Seen]]]],
    threshold: float,
    strengths: Sequence[str] | None,
    dry: Sequence[Sequence[Seen] | None],
) -> Row:
    """Return a scene under the middle one of its rains, with boxes."""
    middle = 0 if strengths is None else len(strengths) // 2
    sure = [one.box for one in dry[k] or () if one.score >= threshold]
    truths = sure if scene.truths is None else scene.truths
    pictures, captions = [], []
    for name, each in shown.items():
        which = 0 if name == CLEAN else middle
        boxes = [one for one in found[name][k][which] if one.score >= threshold]
        picture, told = with_boxes(each[k][which], boxes, truths, scene.ignored)
        pictures.append(picture)
        captions.append(f"{name}: {told}")
    rain = "real" if strengths is None else strengths[middle]
    return Row(pictures, captions, f"people: {scene.name}, {rain} rain")


def _scored(seen: Sequence[Seen]) -> list[tuple[Box, float]]:
    return [(one.box, one.score) for one in seen]


def _read(signs: Sequence[Sign], lines: Sequence[Seen]) -> Reading:
    return compare([(sign.box, sign.word) for sign in signs], [(line.box, line.text) for line in lines])


def _words(name: str, reading: Reading) -> str:
    return f"{name}: {reading.right} of {reading.words} words, {reading.wrong} letters wrong"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
