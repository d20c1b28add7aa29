import importlib
import math

import numpy as np
import pytest

from rainopt.optim.robust_pca import robust_pca

SHAPES = [(12, 12), (9, 14), (15, 8)]
WINDOW = (40, 40)  # BLAS splits larger matrices among threads, which take long where the cores are busy


def problem(shape, seed=0, wrong=0.1):
    """A matrix of rank 2 with a share of its elements grossly wrong, moved along a random direction."""
    rng = np.random.default_rng(seed)
    low_rank = rng.standard_normal((shape[0], 2)) @ rng.standard_normal((2, shape[1]))
    sparse = np.where(rng.random(shape) < wrong, rng.uniform(-8, 8, shape), 0)
    J = rng.standard_normal(shape)
    return low_rank + sparse - 0.7 * J, J, low_rank, sparse


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_agrees_with_a_general_convex_solver(shape, moves):
    cvxpy = importlib.import_module("cvxpy")
    D, J, _, _ = problem(shape)
    A, E, step = cvxpy.Variable(shape), cvxpy.Variable(shape), cvxpy.Variable()
    weight = 1 / math.sqrt(shape[0])
    objective = cvxpy.normNuc(A) + weight * cvxpy.sum(cvxpy.abs(E))
    reference = cvxpy.Problem(cvxpy.Minimize(objective), [D + (step * J if moves else 0) == A + E])
    reference.solve(solver="CLARABEL")
    found = robust_pca(D, J if moves else None, tol=1e-8, max_iter=5000)
    assert found.converged
    assert found.objective == pytest.approx(float(reference.value), rel=1e-6)
    np.testing.assert_allclose(found.low_rank, A.value, atol=1e-3)
    np.testing.assert_allclose(found.sparse, E.value, atol=1e-3)
    assert found.step == (pytest.approx(float(step.value), abs=1e-4) if moves else 0)


@pytest.mark.parametrize("moves", [False, True])
@pytest.mark.parametrize("shape", [*SHAPES[1:], WINDOW])
@pytest.mark.parametrize("kind", ["recoverable", "noise"])
def test_the_gap_is_a_certificate_of_optimality(kind, shape, moves):
    D, J, _, _ = problem(shape, seed=1)
    if kind == "noise":
        D = np.random.default_rng(2).random(shape)
    weight, J = 0.3, J if moves else 0 * J
    for tol in (1e-2, 1e-8):
        found = robust_pca(D, J if moves else None, weight=weight, tol=tol, max_iter=20000)
        assert found.converged
        np.testing.assert_allclose(found.low_rank + found.sparse, D + found.step * J, atol=1e-12)
        energy = np.linalg.norm(found.low_rank, "nuc") + weight * np.abs(found.sparse).sum()
        assert found.objective == pytest.approx(energy, rel=1e-9)
        # ⟨Y, D⟩ is below the energy of every split where Y is in the two dual balls and the step cannot help.
        Y = found.multiplier
        assert np.linalg.norm(Y, 2) <= 1 + 1e-12
        assert np.abs(Y).max() <= weight * (1 + 1e-12)
        assert abs(np.vdot(Y, J)) <= 1e-12 * np.linalg.norm(J)
        assert found.gap == pytest.approx(found.objective - np.vdot(Y, D), abs=1e-9)
        assert found.gap <= tol * found.objective


def test_the_parts_are_recovered():
    D, J, low_rank, sparse = problem(WINDOW, seed=5, wrong=0.05)
    found = robust_pca(D, J, tol=1e-8, max_iter=5000)
    np.testing.assert_allclose(found.low_rank, low_rank, atol=1e-4)
    np.testing.assert_allclose(found.sparse, sparse, atol=1e-4)
    assert found.step == pytest.approx(0.7, abs=1e-6)


@pytest.mark.parametrize("scale", [1e-6, 255.0])
def test_scale_does_not_matter(scale):
    D, J, _, _ = problem((12, 12))
    found, scaled = robust_pca(D, J), robust_pca(scale * D, J)
    np.testing.assert_allclose(scaled.low_rank, scale * found.low_rank, rtol=1e-6, atol=1e-9 * scale)
    assert scaled.step == pytest.approx(scale * found.step, rel=1e-6)
    assert scaled.iterations == found.iterations


def test_a_start_at_the_optimum_is_kept():
    D, J, _, _ = problem((12, 12))
    found = robust_pca(D, J, tol=1e-6)
    again = robust_pca(D, J, tol=1e-6, start=found)
    assert again.iterations < found.iterations / 5
    assert again.objective == pytest.approx(found.objective, rel=2e-6)


def test_too_few_iterations_are_owned_up_to():
    D, J, _, _ = problem((12, 12))
    found = robust_pca(D, J, max_iter=3, tol=1e-9)
    assert not found.converged
    assert found.iterations == 3
    assert found.gap > 1e-9 * found.objective


def test_a_matrix_of_zeros_has_zero_parts():
    found = robust_pca(np.zeros((5, 6)))
    assert found.converged
    assert found.objective == 0
    assert not found.low_rank.any()


@pytest.mark.parametrize(
    ("D", "settings", "message"),
    [
        (np.ones(3), {}, "must be"),
        (np.ones((0, 3)), {}, "at least 1"),
        (np.full((3, 3), np.nan), {}, "`D` must be finite"),
        (np.ones((3, 3)), {"jacobian": np.ones((3, 4))}, "shape"),
        (np.ones((3, 3)), {"jacobian": np.full((3, 3), np.inf)}, "`jacobian` must be finite"),
        (np.ones((3, 3)), {"jacobian": np.zeros((3, 3))}, "must not be 0"),
        (np.ones((3, 3)), {"weight": 0.0}, "`weight`"),
        (np.ones((3, 3)), {"weight": -1.0}, "`weight`"),
        (np.ones((3, 3)), {"tol": -1.0}, "`tol`"),
        (np.ones((3, 3)), {"max_iter": 0}, "`max_iter`"),
        (np.ones((3, 3)), {"start": robust_pca(np.ones((4, 4)))}, "shape"),
    ],
)
def test_wrong_input_is_refused(D, settings, message):
    with pytest.raises(ValueError, match=message):
        robust_pca(D, **settings)
