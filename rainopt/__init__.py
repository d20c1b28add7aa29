"""Remove rain from photographs and video without any training.

Names load on first use, so that `rainopt --help` and programs that need one function start quickly.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rainopt.angle import AngleEstimate, Direction, estimate_angle
    from rainopt.background import BackgroundEstimate, percentile_background
    from rainopt.io import read_image, write_image
    from rainopt.metrics import psnr, ssim
    from rainopt.naturalness import niqe
    from rainopt.objectives import UDGWeights, udg_energy
    from rainopt.pipeline import Decomposition, derain
    from rainopt.udg import SolverStatus, UDGSolution, solve_udg
    from rainopt.video import open_video, read_frames

_HOME = {
    "AngleEstimate": "angle",
    "BackgroundEstimate": "background",
    "Decomposition": "pipeline",
    "Direction": "angle",
    "SolverStatus": "udg",
    "UDGSolution": "udg",
    "UDGWeights": "objectives",
    "derain": "pipeline",
    "estimate_angle": "angle",
    "niqe": "naturalness",
    "open_video": "video",
    "percentile_background": "background",
    "psnr": "metrics",
    "read_frames": "video",
    "read_image": "io",
    "solve_udg": "udg",
    "ssim": "metrics",
    "udg_energy": "objectives",
    "write_image": "io",
}
__all__ = [
    "AngleEstimate",
    "BackgroundEstimate",
    "Decomposition",
    "Direction",
    "SolverStatus",
    "UDGSolution",
    "UDGWeights",
    "derain",
    "estimate_angle",
    "niqe",
    "open_video",
    "percentile_background",
    "psnr",
    "read_frames",
    "read_image",
    "solve_udg",
    "ssim",
    "udg_energy",
    "write_image",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"rainopt.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
