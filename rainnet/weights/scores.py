"""Scores of a network, in a small JSON file beside its weights: what it and others reach on sets of pictures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rainopt.io.atomic import replacing

FORMAT, VERSION, SUFFIX = "rainnet-scores", 1, ".scores.json"


@dataclass(frozen=True)
class Mean:
    """What a method reaches on a set, as means over its pictures.

    Attributes
    ----------
    method
        "input", "rainopt", or the name of a network with the options that it was run with.
    psnr
        dB.
    ssim
        At most 1; None where it was not measured.
    """

    method: str
    psnr: float
    ssim: float | None = None


@dataclass(frozen=True)
class SetScores:
    """Scores on one set of pictures.

    Attributes
    ----------
    name, title
        Of the set, and as a reader knows it.
    pictures
        How many there are.
    protocol
        Of PSNR and SSIM, see `rainopt.metrics.fidelity.PROTOCOLS`.
    means
        Of each method.
    """

    name: str
    title: str
    pictures: int
    protocol: str
    means: tuple[Mean, ...]

    def of(self, method: str) -> Mean | None:
        """Return the means of a method, None if it was not run."""
        return next((mean for mean in self.means if mean.method == method), None)


def scores_file(weights: Path) -> Path:
    """Return where the scores of weights lie: ``NAME.scores.json`` beside ``NAME.safetensors``."""
    return weights.with_name(weights.stem + SUFFIX)


def write_scores(weights: Path, scores: Sequence[SetScores]) -> Path:
    """Write scores beside weights, in place of those that are there; raises OSError if that cannot be done."""
    place = scores_file(weights)
    data = {"format": FORMAT, "version": VERSION, "sets": [asdict(one) for one in scores]}
    with replacing(place, True) as file:
        file.write((json.dumps(data, indent=2, allow_nan=False) + "\n").encode())
    return place


def read_scores(weights: Path) -> tuple[SetScores, ...]:
    """Return the scores beside weights; none where there is no such file.

    Raises
    ------
    ValueError
        If the file is not as `write_scores` writes it.
    OSError
        If it cannot be read.
    """
    place = scores_file(weights)
    if not place.exists():
        return ()
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        if (data["format"], data["version"]) != (FORMAT, VERSION):
            raise ValueError(f"it says format {data['format']!r}, version {data['version']!r}")
        return tuple(_set(one) for one in data["sets"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"'{place}' holds no scores of version {VERSION} ({error}); write it again or remove it"
        ) from None


def _set(values: dict[str, Any]) -> SetScores:
    means = tuple(
        Mean(str(one["method"]), float(one["psnr"]), None if one["ssim"] is None else float(one["ssim"]))
        for one in values["means"]
    )
    return SetScores(str(values["name"]), str(values["title"]), int(values["pictures"]), str(values["protocol"]), means)
