"""Which scenes a person should look at first: those of which the automatic measure is least sure.

Each measure m of a scene has a threshold t, from which on `data_tools.build` accepts, and a range r, as wide as its
doubt. Its margin ``(m - t) / r``, with the sign of what is good and within [-1, 1], is 0 where the measure would just
accept. The worst margin of all pairs of a scene is that of the scene:

* the score is ``(1 + margin) / 2``, 1 where all is well beyond doubt, and below 0.5 where it would be looked at;
* the uncertainty is ``(d + 1 - |margin|) / 2``, d being 1 for a scene with doubts and else 0. So what has doubts comes
  first, and within it and without it what lies nearest to a threshold.

What a background as a whole is expected to have is no measure: frames are taken until it just reaches what is asked
for, and it lies at its threshold nearly always. Scenes without any measure, as of rendered rain, have the score 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from data_tools.build.marks import ASTRAY, DRIFTS, SHARP, SHORT, SMEARED
from data_tools.build.pairs import LEAST_VALID
from data_tools.decisions.scenes import Scene
from data_tools.manifest.pictures import REVIEW
from data_tools.manifest.record import ManifestHeader, PairRecord
from rainopt.video.quality import ACCEPTED

ACCEPTS = 0.5  # score from which on a scene without doubts is accepted
# Not of use in a judgement, but to be seen.
SHOWN = ("background_psnr", "background_frames", "percentile", "rain_share", "living_share", "astray")


@dataclass(frozen=True)
class Judged:
    """What the automatic measure thinks of a scene."""

    score: float
    uncertainty: float
    automatic: str
    doubts: tuple[str, ...]


def accepts_from(header: ManifestHeader) -> float:
    """Return the decibels that a dataset's settings ask of a background."""
    settings: Any = header.extra.get("build")
    asked = settings.get("accept") if isinstance(settings, dict) else None
    return float(asked) if isinstance(asked, int | float) else ACCEPTED


def judge(scene: Scene, accept: float) -> Judged:
    """Return score, uncertainty and doubts of a scene; `accept` is what `accepts_from` returns."""
    # Threshold, range, and whether more is better.
    limits = {
        "sharpness": (SHARP, SHARP - SMEARED, 1),
        "drift": (DRIFTS, ASTRAY - DRIFTS, -1),
        "expected_psnr": (accept - SHORT, SHORT, 1),
        "valid_share": (LEAST_VALID, LEAST_VALID / 2, 1),
    }
    margin, doubts, doubtful = 1.0, dict[str, None](), False
    for record in scene.records:
        facts = record.extra
        for name, (threshold, width, sign) in limits.items():
            value = facts.get(name)
            if isinstance(value, int | float):
                margin = min(margin, max(sign * (value - threshold) / width, -1.0))
        said = facts.get("doubts")
        doubts |= dict.fromkeys(str(one) for one in said) if isinstance(said, list) else {}
        doubtful |= facts.get("status") == REVIEW
    doubtful |= bool(doubts)
    score = (1 + margin) / 2
    if doubtful:
        score = min(score, ACCEPTS - 1e-6)  # what no measure tells, such as dense rain
    uncertainty = (doubtful + 1 - abs(margin)) / 2
    return Judged(round(score, 6), round(uncertainty, 6), REVIEW if doubtful else "accepted", tuple(doubts))


def measures(records: Sequence[PairRecord]) -> dict[str, Any]:
    """Return what is known of the records of a scene, by name: numbers, the worst of its pairs where they differ."""
    found: dict[str, Any] = {}
    least = ("sharpness", "expected_psnr", "valid_share")
    for name in (*least, "drift", *SHOWN):
        values = [value for record in records if isinstance(value := record.extra.get(name), int | float)]
        if values:
            found[name] = min(values) if name in least else max(values)
    angles = [record.angle for record in records if record.angle is not None]
    return found | ({"angle": angles[0]} if angles else {})
