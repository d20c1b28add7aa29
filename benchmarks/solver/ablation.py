"""What each ingredient of `rainopt.still.adaptive` is worth: `derain` in full, without each, at other strengths.

DIR is laid out as for `benchmarks.solver.quality`. The sets are those of DIR/pairs, and rain of the presets light,
medium, heavy and multi over the middle of the first, third, ... photograph of DIR/clean by name. Parameters were chosen
on these photographs, some on the pairs too, so the figures tell what contributes, not how well it does on pictures that
had no part in the choice; for that see "rendered" of `benchmarks.solver.quality`, which takes the other photographs.

For each set: mean PSNR on the 16-235 luma of MATLAB (protocol y_matlab), results rounded to 8 bits, angle estimated:

  fixed            default weights for every pixel, `derain(weights=UDGWeights())`
  full             `derain` as it is
  no_ceiling       the layer not bounded by the height of the streaks
  always_sparse    the recipe for few streaks, whatever the skewness and the parallel lines say
  always_dense     the recipe for many
  no_parallel      which recipe, by the skewness alone
  no_reweighting   sparsity not divided by the first layer
  no_texture       sparsity not raised in texture
  no_gain          the layer not multiplied in the end
  one_direction    the strongest direction only

and the full one at strength 0.5, 1 and 2. "clean" is what the same photographs lose without any rain where they are
derained nonetheless, at their best-guess angle: PSNR of derain(x, angle=estimate_angle(x).angle) against x. One angle
is given there, so one_direction is the full one.

  python -m benchmarks.solver.ablation --data DIR --json results.json
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Data, Json, Limit, benchmark
from benchmarks.pictures import CHOSEN_ON, PROTOCOL, RENDERED, halved, pairs, rendered, sets_of_pairs, to_bytes
from benchmarks.solver.quality import decibels
from rainopt import AngleEstimate, UDGWeights, derain, estimate_angle
from rainopt.direction.evidence import Evidence
from rainopt.still import adaptive, rain

Case = tuple[np.ndarray, np.ndarray, float | None]  # picture, truth, angle or None where it is to be estimated


def strongest(evidence: Evidence, vote: Any = rain.vote) -> AngleEstimate:
    """Return the estimate with no direction but the strongest."""
    estimate: AngleEstimate = vote(evidence)
    return replace(estimate, directions=estimate.directions[:1])


@dataclass(frozen=True)
class Variant:
    """One way to derain: settings of `derain`, and what is put in the place of names in its modules meanwhile."""

    settings: dict[str, Any] = field(default_factory=dict)
    patches: tuple[tuple[Any, str, Any], ...] = ()

    def __call__(self, image: np.ndarray, angle: float | None = None) -> np.ndarray:
        """Return the image without rain, rounded as in a file of 8 bits."""
        with patched(self):
            return to_bytes(derain(image, angle=angle, **self.settings).background)


@contextmanager
def patched(variant: Variant) -> Iterator[None]:
    """Put the patches of a variant into the modules for a while."""
    with ExitStack() as stack:
        for module, name, value in variant.patches:
            stack.enter_context(mock.patch.object(module, name, value))
        yield


FULL = Variant()
ANY_LINES = ((adaptive, "SCENE", -1.0), (adaptive, "RAIN", 0.0))  # as if all lines were parallel
VARIANTS = {
    "fixed": Variant({"weights": UDGWeights()}),
    "full": FULL,
    "no_ceiling": Variant(patches=((rain, "streak_height", lambda evidence, angle: 1.0),)),
    "always_sparse": Variant(patches=((adaptive, "density", lambda rain: 0.0),)),
    "always_dense": Variant(patches=((adaptive, "density", lambda rain: 1.0), *ANY_LINES)),
    "no_parallel": Variant(patches=ANY_LINES),
    "no_reweighting": Variant(patches=((adaptive, "FAINT", 1e6),)),
    "no_texture": Variant(patches=((adaptive, "DOUBT", 0.0),)),
    "no_gain": Variant(patches=((adaptive, "FEW", replace(adaptive.FEW, gain=1.0)),)),
    "one_direction": Variant(patches=((rain, "vote", strongest),)),
}
STRENGTHS = {"0.5": Variant({"strength": 0.5}), "1": FULL, "2": Variant({"strength": 2.0})}


def measure(cases: Iterable[Case]) -> dict[str, Any]:
    """Derain each picture by every variant, and return mean PSNRs; empty where there are no pictures."""
    inputs = []
    values: dict[str, list[float]] = {key: [] for key in VARIANTS}
    strengths: dict[str, list[float]] = {key: [] for key in STRENGTHS}
    for image, truth, angle in cases:
        inputs.append(decibels(image, truth))
        for key, variant in VARIANTS.items():
            values[key].append(decibels(variant(image, angle), truth))
        for key, variant in STRENGTHS.items():
            # Strength 1 is the full one, which has been measured.
            strengths[key].append(values["full"][-1] if variant is FULL else decibels(variant(image, angle), truth))
    if not inputs:
        return {}
    return {
        "pictures": len(inputs),
        "input": statistics.fmean(inputs),
        "psnr": {key: statistics.fmean(each) for key, each in values.items()},
        "strength": {key: statistics.fmean(each) for key, each in strengths.items()},
    }


def collect(data: Path, limit: int | None) -> dict[str, Iterator[Case]]:
    """Return the pictures of each set that ``data`` holds, at most ``limit`` of each."""
    sets = {f"pairs/{folder.name}": _estimated(pairs(folder, limit)) for folder in sets_of_pairs(data)}
    if (data / "clean").is_dir():
        for preset in RENDERED:
            sets[f"rendered/{preset}"] = _estimated(rendered(data / "clean", preset, CHOSEN_ON, limit))
    return sets


def guessed(folder: Path, limit: int | None) -> Iterator[Case]:
    """Yield clean photographs with the angle that rain in them would most likely have."""
    for _, _, image in halved(folder, CHOSEN_ON, limit):
        yield image, image, estimate_angle(image).angle


def _estimated(found: Iterable[tuple[str, np.ndarray, np.ndarray]]) -> Iterator[Case]:
    return ((rainy, clean, None) for _, rainy, clean in found)


def print_results(sets: dict[str, dict[str, Any]], clean: dict[str, Any]) -> None:
    """Print PSNRs by variant, with what the full one is better or worse by, and by strength."""
    columns = {**sets, **({"clean": clean} if clean else {})}
    header = ("", *(f"{name} ({c['pictures']})" for name, c in columns.items()))
    note = "; clean: what is left of it" if clean else ""

    def cell(c: dict[str, Any], key: str) -> str:
        value, full = c["psnr"][key], c["psnr"]["full"]
        return f"{value:.2f}" if key == "full" else f"{value:.2f} ({value - full:+.2f})"

    given = ("input", *("" if c is clean else f"{c['input']:.2f}" for c in columns.values()))
    rows = [given, *((key, *(cell(c, key) for c in columns.values())) for key in VARIANTS)]
    print_table(f"PSNR on Y (MATLAB), and the difference to the full one{note}", header, rows)
    rows = [(key, *(f"{c['strength'][key]:.2f}" for c in columns.values())) for key in STRENGTHS]
    print_table(f"PSNR on Y by strength{note}", ("strength", *header[1:]), rows)


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, target: Json = None) -> None:
    """Measure the variants on the sets in a folder."""
    found = collect(data, limit)
    if not found:
        raise typer.BadParameter("--data must hold a folder 'pairs' or a folder 'clean'; see --help")
    sets = {name: measured for name, cases in found.items() if (measured := measure(cases))}
    clean = measure(guessed(data / "clean", limit)) if (data / "clean").is_dir() else {}
    clean.pop("input", None)
    results: dict[str, Any] = {"benchmark": "ablation", "protocol": PROTOCOL, "sets": sets}
    if clean:
        results["clean"] = clean
    if sets or clean:
        print_results(sets, clean)
    finish(results, target)


if __name__ == "__main__":
    main()
