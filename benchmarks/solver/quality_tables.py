"""The tables of the benchmark of quality."""

from __future__ import annotations

from typing import Any

from benchmarks.common import print_table

INF_DB = 100.0  # what a picture that is left alone counts as, so that means stay finite
CLOSE = (3.0, 5.0)  # degrees


def print_sets(sets: dict[str, dict[str, Any]]) -> None:
    """Print the tables of the paired sets."""
    rows = []
    for name, s in sets.items():
        dry = zip(s["psnr"].values(), s["ssim"].values(), strict=True)
        cells = [f"{db:.2f} / {similar:.4f}" for db, similar in dry]
        cost = s["seconds"]["estimated_angle"], s["iterations"]["estimated_angle"]
        rows.append((name, s["pictures"], *cells, f"{cost[0]:.3f}", f"{cost[1]:.0f}"))
    header = ("set", "pictures", "input", "angle known", "angle estimated", "s / picture", "iterations")
    print_table("PSNR / SSIM on Y (MATLAB)", header, rows)
    rows = []
    for name, s in sets.items():
        e = s["angle_error"]
        if e["mean"] is not None:
            within = [f"{100 * e[f'within_{limit:g}']:.0f} %" for limit in CLOSE]
            rows.append((name, f"{e['mean']:.2f}", f"{e['median']:.2f}", f"{e['worst']:.1f}", *within))
    shares = (f"within {limit:g}" for limit in CLOSE)
    print_table("Error of the estimated angle, degrees", ("set", "mean", "median", "worst", *shares), rows)


def print_rendered(sets: dict[str, dict[str, Any]]) -> None:
    """Print the table of the rendered rain."""
    rows = [
        (
            name,
            s["pictures"],
            s["left_alone"],
            *(f"{s['psnr'][key]:.2f} / {s['ssim'][key]:.4f}" for key in ("input", "derained")),
            f"{s['gain']:+.2f}",
            f"{s['seconds']:.3f}",
        )
        for name, s in sets.items()
    ]
    header = ("preset", "pictures", "left alone", "input", "angle estimated", "gain, dB", "s / picture")
    print_table("Rain rendered over every second clean photograph: PSNR / SSIM on Y (MATLAB)", header, rows)


def print_clean(clean: dict[str, Any]) -> None:
    """Print the table of the clean photographs."""
    rows = [
        (
            name,
            clean["pictures"],
            clean["left_alone"],
            f"{c['mean']:.2f}",
            "" if c["mean_of_changed"] is None else f"{c['mean_of_changed']:.2f}",
            ", ".join(f"{w['psnr']:.1f} ({w['name']})" for w in c["worst"]),
        )
        for name, c in (("RGB", clean["rgb"]), ("Y", clean["y"]))
    ]
    header = ("on", "pictures", "left alone", "mean", "mean of changed", "worst")
    print_table(f"Clean photographs: PSNR of derain(x) against x, {INF_DB:g} where left alone", header, rows)
