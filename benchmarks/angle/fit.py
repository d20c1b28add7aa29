"""The confidence of an angle: fitting the logistic curve behind it, and how far it is to be believed."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import numpy as np

from benchmarks.angle.sets import CHECK, FIT, Finding
from rainopt.direction import estimate as estimator

CLOSE = 4.0  # degrees; what "right" means for the confidence
RIDGE = 0.1  # of the penalty on coefficients of features that have variance 1, in pictures
BINS = 10
# Shares of the sets in what is fitted, and in what the result is checked on; sets that are missing are left out.
FIT_MIX = {
    "clean": 0.5,
    "light": 0.05,
    "medium": 0.05,
    "faint": 0.14,
    "pairs/streaks": 0.05,
    "pairs/heavy": 0.05,
    "photos/1": 0.02,
    "photos/2": 0.07,
    "photos/3": 0.07,
}
CHECK_MIX = {
    "clean": 0.5,
    "light": 0.05,
    "medium": 0.05,
    "faint": 0.14,
    "pairs/rain100l_dev": 0.1,
    "labelled": 0.16,
}


def mixed(findings: list[Finding], half: str, mix: dict[str, float]) -> tuple[list[Finding], np.ndarray]:
    """Return the findings of one half in the sets of a mix, and weights that sum to 1 and give each set its share."""
    chosen = [f for f in findings if f.picture.half == half and f.picture.group in mix]
    count = Counter(f.picture.group for f in chosen)
    weight = np.array([mix[f.picture.group] / count[f.picture.group] for f in chosen])
    return chosen, weight / max(weight.sum(), 1e-12)


def logistic(features: np.ndarray, right: np.ndarray, weight: np.ndarray, ridge: float = RIDGE) -> np.ndarray:
    """Fit ``P(right) = 1 / (1 + exp(-(c₀ + features · c)))`` by Newton's method; return c, (1 + features,).

    Parameters
    ----------
    features
        (n, k).
    right
        (n,) of 0 and 1.
    weight
        (n,), brought to sum n.
    ridge
        Penalty ``½ ridge ‖b‖²`` on the coefficients b of the standardised features; the constant is free.
    """
    mean, deviation = features.mean(axis=0), features.std(axis=0)
    deviation[deviation == 0] = 1
    X = np.column_stack([np.ones(len(features)), (features - mean) / deviation])
    w = weight * len(weight) / weight.sum()
    penalty = ridge * np.eye(X.shape[1])
    penalty[0, 0] = 1e-9  # where all are right or all wrong

    def loss(b: np.ndarray) -> float:
        return float(w @ (np.logaddexp(0, X @ b) - right * (X @ b)) + 0.5 * b @ penalty @ b)

    b = np.zeros(X.shape[1])
    for _ in range(100):
        p = sigmoid(X @ b)
        slope = X.T @ (w * (right - p)) - penalty @ b
        step = np.linalg.solve((X * (w * p * (1 - p))[:, None]).T @ X + penalty, slope)
        while loss(b + step) > loss(b) and np.abs(step).max() > 1e-12:
            step /= 2
        b = b + step
        if np.abs(step).max() < 1e-9:
            break
    c = b[1:] / deviation
    return np.concatenate([[b[0] - c @ mean], c])


def sigmoid(x: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(-x)), without overflow."""
    return np.exp(-np.logaddexp(0, -x))


def calibration_curve(confidence: np.ndarray, right: np.ndarray, weight: np.ndarray) -> dict[str, Any]:
    """Return how often confidences came true, in equal bins of [0, 1].

    ``ece`` is the mean distance, over all weight, of a bin's mean confidence from the share that was right; ``brier``
    the mean square distance of confidences from 0 for wrong and 1 for right.
    """
    weight = weight / weight.sum()
    owner = np.minimum((BINS * confidence).astype(int), BINS - 1)
    bins: list[dict[str, Any]] = []
    error = 0.0
    for k in range(BINS):
        inside = owner == k
        mass = float(weight[inside].sum())
        entry: dict[str, Any] = {"from": k / BINS, "to": (k + 1) / BINS, "pictures": int(inside.sum()), "weight": mass}
        if mass > 0:
            share, mean = (float(weight[inside] @ values[inside]) / mass for values in (right, confidence))
            entry |= {"right": share, "confidence": mean}
            error += mass * abs(share - mean)
        bins.append(entry)
    return {"bins": bins, "ece": error, "brier": float(weight @ (confidence - right) ** 2)}


def check_calibration(findings: list[Finding]) -> dict[str, Any] | None:
    """Return the calibration curve of the reported confidences on the second half; None where there is none."""
    chosen, weight = mixed(findings, CHECK, CHECK_MIX)
    if not chosen:
        return None
    right = np.array([f.error <= CLOSE for f in chosen], dtype=float)
    curve = calibration_curve(np.array([f.estimate.confidence for f in chosen]), right, weight)
    return {"mix": share_of_sets(chosen, weight), "pictures": len(chosen), **curve}


def refit(findings: list[Finding]) -> dict[str, Any] | None:
    """Fit `rainopt.direction.estimate.CALIBRATION` anew on the first half; None where there is nothing to tell apart.

    ``loss`` is the mean negative logarithm of the probability given to what was the case, for both halves.
    """
    X, right, weight, mix = _samples(findings, FIT, FIT_MIX)
    if not 0 < right.sum() < len(right):
        return None
    fitted = [round(float(c), 2) for c in logistic(X, right, weight)]
    result: dict[str, Any] = {"mix": mix, "pictures": len(right), "constants": {}}
    check = _samples(findings, CHECK, CHECK_MIX)[:3]
    for name, constants in (("fitted", fitted), ("present", list(estimator.CALIBRATION))):
        result["constants"][name] = {
            "values": constants,
            "loss": {
                half: log_loss(np.array(constants), *samples)
                for half, samples in ((FIT, (X, right, weight)), (CHECK, check))
                if len(samples[1])
            },
        }
    return result


def log_loss(constants: np.ndarray, features: np.ndarray, right: np.ndarray, weight: np.ndarray) -> float:
    """Return the weighted mean negative log likelihood."""
    score = constants[0] + features @ constants[1:]
    return float(weight @ (np.logaddexp(0, score) - right * score) / weight.sum())


def share_of_sets(chosen: list[Finding], weight: np.ndarray) -> dict[str, float]:
    """Return the weight of each set, rounded as it is stated."""
    total: dict[str, float] = {}
    for finding, w in zip(chosen, weight, strict=True):
        total[finding.picture.group] = total.get(finding.picture.group, 0.0) + float(w)
    return {name: round(share, 4) for name, share in total.items()}


def _samples(
    findings: list[Finding], half: str, mix: dict[str, float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, float]]:
    """Return features at the first peak, whether it is right, weights, and the mix; no pictures without ridges."""
    chosen, weight = mixed([f for f in findings if f.description is not None], half, mix)
    features = np.array([f.description for f in chosen]).reshape(len(chosen), len(estimator.CALIBRATION) - 1)
    right = np.array([f.miss(math.nan if f.peak is None else f.peak) <= CLOSE for f in chosen], dtype=float)
    return features, right, weight, share_of_sets(chosen, weight)
