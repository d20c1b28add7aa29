"""What a wrong angle costs the network: Yu et al. 2021, Table 4, on rendered rain over scenes it was not trained on.

Mean PSNR (y_matlab) of the shipped network with the angle that it finds itself, that `rainopt` finds, the true one, and
the true one wrong by ±5, ±10 and ±20 degrees (means over both signs).

  python -m benchmarks.networks.angle --data DIR --json results.json
"""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks.common import finish, print_table
from benchmarks.networks.scenes import Scene, derained, scenes
from benchmarks.options import MODEL, Data, Json, Limit, Model, benchmark
from benchmarks.pictures import PROTOCOL
from rainnet.infer.derain import find_angle
from rainnet.models.base import Network
from rainnet.weights.checkpoint import load
from rainopt import estimate_angle
from rainopt.geometry.lines import line_angle
from rainopt.metrics.fidelity import psnr

ERRORS = (0, 5, 10, 20)
PRESETS = ("light", "medium")


def measure(network: Network, each: list[Scene]) -> dict[str, Any]:
    """Return mean PSNR by angle, and how far the two estimates miss."""
    found = {
        "network": [find_angle(network, scene.rainy, by="network", device="cpu") or 0.0 for scene in each],
        "rainopt": [estimate_angle(scene.rainy).angle for scene in each],
    }
    scores = {"input": statistics.fmean(psnr(scene.rainy, scene.clean, PROTOCOL) for scene in each)}
    for name, angles in found.items():
        pairs = zip(each, angles, strict=True)
        scores[f"found by {name}"] = statistics.fmean(derained(network, scene, angle) for scene, angle in pairs)
    for error in ERRORS:
        signs = (1, -1) if error else (1,)
        values = [derained(network, s, line_angle(s.angle + sign * error)) for s in each for sign in signs]
        scores[f"true ± {error}°" if error else "true"] = statistics.fmean(values)
    missed = {
        name: statistics.median(abs(line_angle(a - s.angle)) for a, s in zip(angles, each, strict=True))
        for name, angles in found.items()
    }
    return {"pictures": len(each), "psnr": scores, "median_angle_error": missed}


@benchmark(__doc__)
def main(data: Data, limit: Limit = None, model: Model = MODEL, target: Json = None) -> None:
    """Measure on the presets with one direction."""
    network = load(model)
    sets = {preset: measure(network, scenes(data, preset, limit)) for preset in PRESETS}
    names = next(iter(sets.values()))["psnr"]
    rows = [(name, *(f"{s['psnr'][name]:.2f}" for s in sets.values())) for name in names]
    rows += [
        (f"error of {name}, degrees", *(f"{s['median_angle_error'][name]:.2f}" for s in sets.values()))
        for name in ("network", "rainopt")
    ]
    print_table("PSNR on Y (MATLAB) by angle", ("angle", *sets), rows)
    finish({"benchmark": "net_angle", "protocol": PROTOCOL, "sets": sets}, target)


if __name__ == "__main__":
    main()
