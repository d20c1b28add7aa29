"""What a run of `run.sh` found, as tables beside what was to be reached.

  python -m benchmarks.gpu.report OUT/gpu.json

Nothing but the standard library is imported here, since the driver prints it on a machine that may lack everything.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

IMAGES = 32  # of the batch
# Title, name of the finding, the number in it that counts, its unit, what was to be reached.
REACH: tuple[tuple[str, str, str, str, str], ...] = (
    ("solve_udg 1024 x 2048, 50 iterations", "solve_udg", "median_ms", "ms", "<= 3"),
    ("  bytes over the bandwidth of a copy", "solve_udg", "share_of_bandwidth", "", ">= 0.5"),
    ("derain, 12 megapixels resident", "derain", "median_ms", "ms", "<= 40"),
    ("  angle given", "derain, angle given", "median_ms", "ms", ""),
    ("  exposure alone", "derain, exposure alone", "median_ms", "ms", ""),
    ("  angle alone", "derain, angle alone", "median_ms", "ms", ""),
    ("  angle alone, ridges by the host", "derain, angle alone, ridges by the host", "median_ms", "ms", ""),
    ("batch of 32, 512 x 512, 50 iterations", "batch", "images_per_s", "images/s", ">= 1500"),
    ("background, 100 frames 1080p RGB resident", "background", "median_ms", "ms", "<= 8"),
    ("SPANet 512 x 512, float32", "spanet, float32", "median_ms", "ms", "<= 8"),
    ("SPANet 512 x 512, bf16 autocast", "spanet, bf16", "median_ms", "ms", "<= 8"),
)
LIBRARIES = ("cupy", "torch", "numpy")
TALLEST = 15  # lines of a list
BEST = 3  # variants a size


def lines_of(results: dict[str, Any]) -> list[str]:
    """Return the report as lines of text."""
    steps: dict[str, Any] = results.get("steps", {})
    lines = ["", "steps"]
    for name, step in steps.items():
        lines.append(f"  {name:<14} {step.get('seconds', 0):>7} s  {step.get('ended')}")
    for part in (_facts, _parity, _counts, _tests, _training, _video, _timings):
        try:
            lines += part(steps)
        # A step that was stopped leaves half of what is looked for; the rest is told.
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            lines.append(f"  ({part.__name__[1:]}: {type(error).__name__}: {error})")
    return lines


def _facts(steps: dict[str, Any]) -> list[str]:
    facts = steps.get("facts", {})
    lines = ["", f"device: {facts.get('device')}  cores: {facts.get('cores')}", f"versions: {facts.get('versions')}"]
    for name, value in facts.items():
        if name.startswith("copy_bytes"):
            lines.append(f"  {name}: {_shown(value / 1e12 if isinstance(value, float) else value)} TB/s")
    if facts.get("missing"):
        lines.append(f"  missing: {facts['missing']}")
    return lines


def _timings(steps: dict[str, Any]) -> list[str]:
    found = steps.get("timings", {})
    lines = ["", f"{'timings':<44}" + "".join(f"{name:>12}" for name in LIBRARIES) + "   to be reached"]
    for title, name, number, unit, reach in REACH:
        cells = [_number(found.get(f"{name}, {library}"), number) for library in LIBRARIES]
        lines.append(f"  {title:<42}" + "".join(f"{cell:>12}" for cell in cells) + f"   {reach} {unit}")
    return lines


def _number(finding: Any, number: str) -> str:
    if not isinstance(finding, dict):
        return "-"
    if "error" in finding:
        return "failed"
    if number == "images_per_s":
        return _shown(IMAGES / (1e-3 * finding["median_ms"]))
    return _shown(finding.get(number, "-"))


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, (int, float)) else str(value)[:60]


def _video(steps: dict[str, Any]) -> list[str]:
    lines = ["", "video 1080p, frames/s (from outside; without the start); to be reached: 100, or the decoder named"]
    for name, value in steps.get("video", {}).items():
        if isinstance(value, dict) and ("frames_per_s" in value or "error" in value):
            speeds = [_shown(value[key]) for key in ("frames_per_s", "frames_per_s_without_start") if key in value]
            lines.append(f"  {name:<36} {'  '.join(speeds) or value.get('error')}")
    return lines


def _parity(steps: dict[str, Any]) -> list[str]:
    lines = ["", "parity with the CPU; to be reached: images 1e-4, energies 1e-5"]
    for name, value in steps.get("parity", {}).items():
        if not isinstance(value, dict):
            continue
        wrong = value.get("wrong")
        told = ", ".join(f"{key} {_shown(number)}" for key, number in value.items() if key != "wrong")
        lines.append(f"  {name:<44} {told}")
        lines += [f"      wrong: {case}" for case in (wrong or [])[:6]]
    return lines


def _counts(steps: dict[str, Any]) -> list[str]:
    lines = ["", "launches and copies of one call"]
    for name, value in steps.get("timings", {}).items():
        if not name.startswith("counts of ") or not isinstance(value, dict):
            continue
        name = name.removeprefix("counts of ")
        if "error" in value:
            lines.append(f"  {name:<36} {value['error'][:100]}")
            continue
        copies = "; ".join(f"{kind} {c['count']} x, {c['bytes']:.0f} B" for kind, c in value["copies"].items())
        lines.append(f"  {name:<36} {value['launches']} launches, {value['kernel_ms']:.3f} ms; {copies}")
        lines += [f"      {k['ms']:8.3f} ms {k['count']:5d} x {k['kernel'][:80]}" for k in value["longest"][:3]]
    told = steps.get("timings", {}).get("host time of derain", [])
    lines += ["host time of derain", *(f"  {line}" for line in told)] if isinstance(told, list) else []
    sizes: dict[str, list[tuple[float, str]]] = {}
    for name, value in steps.get("variants", {}).items():
        if isinstance(value, dict) and "median_ms" in value:
            variant, size, _ = name.rsplit(", ", 2)
            sizes.setdefault(size, []).append((value["median_ms"], variant))
    for size, timed in sizes.items():
        lines += [f"  variant {size}: {_shown(ms)} ms {variant}" for ms, variant in sorted(timed)[:BEST]]
    return lines


def _tests(steps: dict[str, Any]) -> list[str]:
    lines = ["", "gpu tests"]
    for file, found in steps.get("marked_tests", {}).items():
        if isinstance(found, dict):
            lines.append(f"  {file}: {found.get('summary', found)}")
            lines += [f"    {line[:150]}" for line in found.get("failed", [])[:TALLEST]]
    return lines


def _training(steps: dict[str, Any]) -> list[str]:
    step = steps.get("training", {})
    return [
        "",
        f"training: {step.get('plan')}, {_shown(step.get('steps_per_second'))} steps/s",
        f"  {step.get('trained')}",
    ]


def main() -> None:
    """Print it."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m benchmarks.gpu.report OUT/gpu.json")
    print("\n".join(lines_of(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))))


if __name__ == "__main__":
    main()
