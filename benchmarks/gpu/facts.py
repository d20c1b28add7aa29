"""Step 0: what the machine is, which versions are there, how fast it copies; compiles the kernels of the CPU."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from functools import partial
from importlib import metadata
from typing import Any

from benchmarks.gpu.notes import Notes, arguments

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "numba-cuda",
    "llvmlite",
    "torch",
    "cupy-cuda13x",
    "cupy-cuda12x",
    "av",
    "array-api-compat",
    "lightning-fabric",
    "opencv-python-headless",
)
# All that the steps import from outside; what is missing is worth knowing before anything else.
IMPORTS = (
    "array_api_compat",
    "av",
    "cupy",
    "cv2",
    "imageio",
    "lazy_loader",
    "lightning_fabric",
    "numba",
    "numba.cuda",
    "PIL",
    "portalocker",
    "pydantic",
    "pytest",
    "rich",
    "safetensors",
    "scipy",
    "skimage",
    "tensorboard",
    "tifffile",
    "torch",
    "typer",
)
COPIED = 1 << 30  # bytes


def versions() -> dict[str, str | None]:
    """Return the versions of what matters; None where it is not there."""
    found: dict[str, str | None] = {"python": sys.version.split()[0]}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = None
    return found


def missing() -> list[str]:
    """Return what cannot be imported, and why."""
    found = []
    for name in IMPORTS:
        try:
            importlib.import_module(name)
        except Exception as error:
            found.append(f"{name}: {type(error).__name__}: {error}"[:200])
    return found


def device() -> dict[str, Any]:
    """Return what the driver says of the device."""
    query = "name,driver_version,memory.total,clocks.sm,clocks.mem,power.limit,pcie.link.gen.current"
    told = subprocess.run(
        ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader"], capture_output=True, text=True, timeout=20
    )
    return dict(zip(query.split(","), map(str.strip, told.stdout.strip().split(",")), strict=False))


def multiprocessors() -> dict[str, int]:
    """Return the numbers of the device that kernels are laid out by."""
    import torch

    found = torch.cuda.get_device_properties(0)
    return {"multiprocessors": found.multi_processor_count, "l2_bytes": found.L2_cache_size}


def cpu_kernels() -> str:
    """Compile the CPU's kernels, so that no later step waits for them."""
    told = subprocess.run([sys.executable, "-m", "rainopt.kernels"], capture_output=True, text=True, timeout=50)
    return (told.stdout + told.stderr).strip()[-400:]


def main() -> None:
    """Note all of it."""
    asked = arguments()
    notes = Notes(asked.notes)
    notes.attempt("versions", versions)
    notes.attempt("missing", missing)
    notes.note("cores", len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count())
    from benchmarks.gpu.place import copied_bytes_per_second, places

    if not asked.rehearse:
        notes.attempt("device", device)
        notes.attempt("layout", multiprocessors)
    size = 1 << 22 if asked.rehearse else COPIED

    for place in places(notes, asked.rehearse):
        notes.attempt(f"copy_bytes_per_second_{place.name}", partial(copied_bytes_per_second, place, size))
    notes.attempt("cpu_kernels", cpu_kernels)


if __name__ == "__main__":
    main()
