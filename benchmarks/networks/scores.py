"""PSNR and SSIM of several methods on the same pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks.pictures import PROTOCOL, to_bytes
from rainopt.metrics.fidelity import psnr, ssim

Method = Callable[[np.ndarray], Any]
UNTOUCHED = 100.0
"""PSNR in dB of a picture that is left alone."""
Triple = tuple[np.ndarray, np.ndarray, np.ndarray | None]
"""Rainy and clean picture, and where the clean one can be trusted, (H, W) bool; None: everywhere."""


def scored(methods: Mapping[str, Method], triples: Sequence[Triple]) -> dict[str, Any]:
    """Return mean PSNR (of each pair at most `UNTOUCHED`) and SSIM of each method; where there is a mask, over it."""
    found: dict[str, Any] = {}
    for name, method in methods.items():
        scores = []
        for rainy, clean, valid in triples:
            result = np.asarray(method(rainy))
            result = result if result.dtype == np.uint8 else to_bytes(result)
            scores.append((min(psnr(result, clean, PROTOCOL, valid), UNTOUCHED), ssim(result, clean, PROTOCOL, valid)))
        if scores:
            found[name] = {"psnr": float(np.mean(scores, axis=0)[0]), "ssim": float(np.mean(scores, axis=0)[1])}
    return {"pairs": len(triples), "methods": found}


def cell(score: Mapping[str, float] | None) -> str:
    """Return a score as tables show it."""
    return "" if score is None else f"{score['psnr']:.2f} / {score['ssim']:.4f}"
