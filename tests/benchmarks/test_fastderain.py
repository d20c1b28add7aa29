"""The peer FastDeRain: its energy, its ADMM against a general solver, and its shifts."""

from itertools import pairwise

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.video.fastderain import (
    FastDeRainWeights,
    _adjoint,
    derained_by_fastderain,
    energy,
    rain_layer,
    shifted,
    shifted_back,
    upright_shifts,
)

WEIGHTS = FastDeRainWeights(along=0.7, sparsity=0.4, across=0.9, time=1.1)


def small_video():
    rng = np.random.default_rng(4)
    O = np.repeat(rng.uniform(0.1, 0.5, (1, 6, 7)), 4, axis=0)
    O[1, :5, 2] += 0.3
    O[3, 1:, 5] += 0.2
    return O + rng.uniform(0, 0.05, O.shape)


def least_energy(O, weights):
    """Return the minimum by an interior-point solver that knows nothing of the splitting."""
    cvxpy = pytest.importorskip("cvxpy")
    T, H, W = O.shape
    frames = [cvxpy.Variable((H, W)) for _ in range(T)]
    B = [O[t] - frames[t] for t in range(T)]
    cost = sum(weights.along * cvxpy.sum(cvxpy.abs(cvxpy.diff(R, axis=0))) for R in frames)
    cost += sum(weights.sparsity * cvxpy.sum(cvxpy.abs(R)) for R in frames)
    cost += sum(weights.across * cvxpy.sum(cvxpy.abs(cvxpy.diff(b, axis=1))) for b in B)
    cost += sum(weights.time * cvxpy.sum(cvxpy.abs(b - a)) for a, b in pairwise(B))
    bounds = [bound for R, o in zip(frames, O, strict=True) for bound in (R >= 0, o >= R)]
    return cvxpy.Problem(cvxpy.Minimize(cost), bounds).solve(solver=cvxpy.CLARABEL)


@pytest.mark.slow
def test_the_minimum_is_that_of_a_general_solver():
    O = small_video()
    R = rain_layer(O, WEIGHTS, max_iter=1500, tol=0)
    assert ((R >= 0) & (R <= O)).all()
    assert energy(O, R, WEIGHTS) == pytest.approx(least_energy(O, WEIGHTS), rel=1e-4)


def test_more_iterations_come_nearer_and_the_penalty_does_not_matter():
    O = small_video()
    reached = [energy(O, rain_layer(O, WEIGHTS, max_iter=count, tol=0), WEIGHTS) for count in (3, 30, 300)]
    assert reached == sorted(reached, reverse=True)
    other = energy(O, rain_layer(O, WEIGHTS, beta=5.0, max_iter=1000, tol=0), WEIGHTS)
    assert other == pytest.approx(reached[-1], rel=1e-2)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_adjoint_of_differences(axis):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 4, 5))
    y = rng.normal(size=np.diff(x, axis=axis).shape)
    assert np.vdot(np.diff(x, axis=axis), y) == pytest.approx(np.vdot(x, _adjoint(y, axis)))


@pytest.mark.parametrize("angle", [0.0, 20.0, -35.0])
def test_shifts_set_streaks_upright_and_back(angle):
    video = np.zeros((1, 30, 60), np.float32)
    rows = np.arange(30)
    video[0, rows, 30 + np.rint(np.tan(np.deg2rad(angle)) * rows).astype(int)] = 1
    shifts = upright_shifts(30, angle)
    upright = shifted(video, shifts)
    assert np.ptp(upright[0].argmax(axis=1)) <= 1
    assert (shifted_back(upright, shifts) == video).all()


def test_streaks_of_a_frame_go_and_the_scene_stays():
    clean = np.repeat(photograph(48, 64)[None] // 2, 8, axis=0).astype(int)
    rainy = clean.copy()
    for k in range(8):
        rainy[k, 5:35, 6 + 7 * k : 8 + 7 * k] += 60
    result = derained_by_fastderain(rainy.astype(np.uint8))
    wrong, was = (float(np.abs(one - clean).mean()) for one in (result.astype(int), rainy))
    assert wrong < 0.3 * was
