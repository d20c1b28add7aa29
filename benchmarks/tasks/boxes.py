"""Boxes held against true ones: which are right, precision, recall and average precision.

As pedestrian detectors are scored (Dollár et al. 2012, "Pedestrian detection: an evaluation of the state of the art"):
a box is right if it shares at least half of the union with a true one that no better box has taken; boxes over regions
where people cannot be told apart count neither for nor against; and all boxes of people are given the same shape, from
head to foot, because arms and umbrellas make widths arbitrary.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

Box = tuple[float, float, float, float]
"""Left, top, right and bottom in pixels."""

ASPECT = 0.41
"""Width over height of a person."""
HALF = 0.5


def person_box(left: float, top: float, right: float, bottom: float) -> Box:
    """Return the box of the same height and middle that is `ASPECT` times as wide as high."""
    middle, width = (left + right) / 2, ASPECT * (bottom - top)
    return middle - width / 2, top, middle + width / 2, bottom


def overlap(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return max(across, 0.0) * max(down, 0.0)


def area(box: Box) -> float:
    """Return the area of a box."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def iou(one: Box, other: Box) -> float:
    """Return what two boxes share over what they cover together, in [0, 1]; 0 where they cover nothing."""
    both = overlap(one, other)
    union = area(one) + area(other) - both
    return both / union if union > 0 else 0.0


@dataclass(frozen=True)
class Judged:
    """Detections of one picture or of several: their scores, which are right, and how many there were to find."""

    scores: np.ndarray  # (N,) float
    right: np.ndarray  # (N,) bool
    truths: int

    def above(self, threshold: float) -> tuple[int, int]:
        """Return how many boxes score at least ``threshold``, and how many of them are right."""
        kept = self.scores >= threshold
        return int(kept.sum()), int((kept & self.right).sum())


def match(
    found: Sequence[tuple[Box, float]], truths: Sequence[Box], ignored: Sequence[Box] = ()
) -> tuple[list[bool | None], list[int]]:
    """Return of each box with a score whether it is right, None where it does not count; and the truths that none took.

    The best box chooses first, and takes the true one it agrees with most of those that are left, if by `HALF`. One
    that takes none, and of which `HALF` lies in an ignored region, does not count.
    """
    free = list(range(len(truths)))
    right: list[bool | None] = [False] * len(found)
    for k in sorted(range(len(found)), key=lambda k: -found[k][1]):
        box = found[k][0]
        best = max(free, key=lambda one: iou(box, truths[one]), default=None)
        if best is not None and iou(box, truths[best]) >= HALF:
            free.remove(best)
            right[k] = True
        elif any(overlap(box, region) >= HALF * area(box) for region in ignored):
            right[k] = None
    return right, free


def judge(found: Sequence[tuple[Box, float]], truths: Sequence[Box], ignored: Sequence[Box] = ()) -> Judged:
    """Return which of the boxes of one picture are right, less those that do not count."""
    right, _ = match(found, truths, ignored)
    kept = [(score, bool(one)) for (_, score), one in zip(found, right, strict=True) if one is not None]
    return Judged(np.array([score for score, _ in kept], float), np.array([one for _, one in kept], bool), len(truths))


def together(each: Sequence[Judged]) -> Judged:
    """Return the detections of several pictures as one."""
    return Judged(
        np.concatenate([np.empty(0), *(one.scores for one in each)]),
        np.concatenate([np.empty(0, bool), *(one.right for one in each)]),
        sum(one.truths for one in each),
    )


def rates(judged: Judged, threshold: float) -> tuple[float, float, float]:
    """Return precision, recall and F1 of boxes that score at least ``threshold``; what nothing is divided by is 0."""
    kept, right = judged.above(threshold)
    return _ratio(right, kept), _ratio(right, judged.truths), _ratio(2 * right, kept + judged.truths)


def average_precision(judged: Judged) -> float:
    """Return the mean, over recall from 0 to 1, of the best precision at that recall or a higher one.

    The area under the curve itself, as PASCAL VOC has it since 2010. Boxes of equal scores come in together. At recall
    that no score reaches, precision is 0; all is 0 where there is nothing to find.
    """
    if not judged.truths or not len(judged.scores):
        return 0.0
    order = np.argsort(-judged.scores, kind="stable")
    scores, right = judged.scores[order], np.cumsum(judged.right[order])
    last = np.append(np.diff(scores) != 0, True)
    right, kept = right[last], (np.arange(len(scores)) + 1)[last]
    recall, precision = right / judged.truths, right / kept
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0.0) * envelope))


def best_threshold(judged: Judged) -> float:
    """Return the score that F1 is highest for, the highest such; 0 where nothing was found."""
    return max(np.unique(judged.scores)[::-1].tolist(), key=lambda score: rates(judged, score)[2], default=0.0)


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
