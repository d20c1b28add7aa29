import numpy as np
import pytest

from benchmarks.angle.fit import CHECK_MIX, calibration_curve, logistic, mixed, sigmoid
from benchmarks.angle.sets import CHECK, FIT, Finding, Picture
from rainopt import AngleEstimate


def test_logistic_recovers_coefficients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 3)) * (1, 3, 0.5) + (0, 2, -1)
    truth = np.array([0.5, 1.5, -0.7, 2.0])
    right = (rng.random(len(X)) < sigmoid(truth[0] + X @ truth[1:])).astype(float)
    np.testing.assert_allclose(logistic(X, right, np.ones(len(X))), truth, atol=0.15)
    # Weights that undo a selection give the same curve.
    keep = rng.random(len(X)) < np.where(right > 0, 0.2, 1.0)
    weight = np.where(right[keep] > 0, 5.0, 1.0)
    np.testing.assert_allclose(logistic(X[keep], right[keep], weight), truth, atol=0.25)


def test_logistic_stays_finite_where_a_line_separates_and_a_feature_is_constant():
    X = np.column_stack([np.linspace(-1, 1, 40), np.ones(40)])
    c = logistic(X, (X[:, 0] > 0).astype(float), np.ones(40))
    assert np.isfinite(c).all()
    assert c[1] > 1
    assert c[2] == pytest.approx(0, abs=1e-9)


def test_curve_of_calibrated_confidences_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(200_000)
    curve = calibration_curve(confidence, (rng.random(200_000) < confidence).astype(float), np.ones(200_000))
    assert curve["ece"] < 0.005
    # ∫ p (1 - p) dp
    assert curve["brier"] == pytest.approx(1 / 6, abs=0.005)
    assert sum(b["pictures"] for b in curve["bins"]) == 200_000


def test_curve_of_overconfidence_has_its_error():
    right = np.tile([1.0, 0.0, 1.0, 0.0, 0.0], 10)
    curve = calibration_curve(np.full(50, 0.9), right, np.ones(50))
    assert curve["ece"] == pytest.approx(0.5)
    assert curve["brier"] == pytest.approx(0.4 * 0.01 + 0.6 * 0.81)
    assert curve["bins"][9] == pytest.approx(
        {"from": 0.9, "to": 1.0, "pictures": 50, "weight": 1.0, "right": 0.4, "confidence": 0.9}
    )
    assert "right" not in curve["bins"][0]


def test_curve_heeds_weights_and_the_ends():
    curve = calibration_curve(np.array([0.0, 1.0]), np.array([0.0, 0.0]), np.array([3.0, 1.0]))
    assert curve["ece"] == pytest.approx(0.25)
    assert curve["bins"][9]["pictures"] == 1


def test_mixed_gives_each_set_its_share():
    def finding(group, half=CHECK):
        return Finding(Picture(group, "x", half, (), lambda: np.zeros(1)), AngleEstimate(0.0, 0.0), None, None)

    found = [finding("clean"), finding("faint"), finding("faint"), finding("clean", FIT), finding("other")]
    chosen, weight = mixed(found, CHECK, CHECK_MIX)
    assert [f.picture.group for f in chosen] == ["clean", "faint", "faint"]
    assert weight == pytest.approx(np.array([0.5, 0.07, 0.07]) / 0.64)
