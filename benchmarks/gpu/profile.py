"""What a device does in one call: launches, copies between host and device, and the kernels that take longest."""

from __future__ import annotations

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.gpu.place import Place

TOLD = 14  # kernels


def counted(place: Place, call: Callable[[], Any]) -> dict[str, Any]:
    """Return what the device did in one warm call, by its own trace: kernels of any library count."""
    import torch

    call()
    place.wait()
    kind = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kind.CUDA if torch.cuda.is_available() else kind.CPU]) as profiler:
        call()
        place.wait()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(file))
        events = json.loads(file.read_text(encoding="utf-8"))["traceEvents"]
    kernels: dict[str, list[float]] = defaultdict(list)
    copies: dict[str, list[float]] = defaultdict(list)
    for event in events:
        what = event.get("cat")
        if what == "kernel":
            kernels[event["name"][:90]].append(event["dur"])
        elif what in ("gpu_memcpy", "gpu_memset"):
            copies[event["name"]].append(float(event.get("args", {}).get("bytes", 0)))
    longest = sorted(kernels.items(), key=lambda entry: -sum(entry[1]))[:TOLD]
    return {
        "launches": sum(map(len, kernels.values())),
        "kernel_ms": sum(map(sum, kernels.values())) / 1e3,
        "copies": {name: {"count": len(sizes), "bytes": sum(sizes)} for name, sizes in copies.items()},
        "longest": [{"kernel": name, "count": len(took), "ms": sum(took) / 1e3} for name, took in longest],
    }
