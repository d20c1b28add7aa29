import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.arrays import to_numpy
from rainopt.optim.objectives import UDGWeights
from rainopt.optim.primal_dual import StepLengths, prox_data
from rainopt.optim.prox import positive, project_ball, project_interval, prox_rain, shrink, shrink_singular_values

VALUE = st.floats(-3, 3, allow_subnormal=False)
WEIGHT = st.floats(0, 2, allow_subnormal=False)
HEIGHT = st.floats(0, 3, allow_subnormal=False)
GRID = np.linspace(-4, 4, 401)
# A point that is off by d costs d²/2 too much, so near candidates catch small errors and the grid large ones.
NEAR = np.concatenate([sign * np.logspace(-5, 0, 40) for sign in (-1, 1)])


def candidates(point, low=-np.inf, high=np.inf):
    return np.clip(np.concatenate([GRID, point + NEAR, [0.0, low, high, point]]), low, high)


def require_minimiser(objective, point, low=-np.inf, high=np.inf):
    assert low <= point <= high
    others = candidates(point, low, high)
    others = others[np.isfinite(others)]
    assert objective(point) <= np.min(objective(others)) + 1e-12


@given(VALUE, WEIGHT)
def test_shrink_is_the_proximal_point_of_the_absolute_value(v, t):
    point = float(shrink(np.asarray(v), t))
    require_minimiser(lambda x: t * np.abs(x) + 0.5 * (x - v) ** 2, point)


@given(VALUE, WEIGHT, st.one_of(st.none(), HEIGHT))
def test_prox_rain_is_the_proximal_point_of_sparsity_and_box(v, t, ceiling):
    top = None if ceiling is None else np.asarray(ceiling)
    point = float(prox_rain(np.asarray(v), t, top))
    box = (-np.inf, np.inf) if ceiling is None else (0.0, ceiling)
    require_minimiser(lambda x: t * np.abs(x) + 0.5 * (x - v) ** 2, point, *box)


@given(VALUE, VALUE, WEIGHT)
def test_moreau_splits_a_value_into_shrinkage_and_ball(v, u, t):
    v, u = np.asarray(v), np.asarray(u)
    ball = project_ball(v, t)
    np.testing.assert_allclose(shrink(v, t) + ball, v, atol=1e-15)
    assert abs(ball) <= t * (1 + 1e-15) + 1e-15
    np.testing.assert_allclose(ball, np.clip(v, -t, t), atol=1e-15)
    # Proximal points never lie further apart than the values.
    assert abs(shrink(v, t) - shrink(u, t)) <= abs(v - u) + 1e-15


def test_projections_leave_projected_points_where_they_are(xp, rng):
    v = xp.asarray(3 * rng.standard_normal((4, 5)))
    low, high = xp.asarray(-rng.random((4, 5))), xp.asarray(rng.random((4, 5)))
    for project in (positive, lambda a: project_interval(a, low, high), lambda a: project_ball(a, 0.5)):
        once = project(v)
        np.testing.assert_allclose(to_numpy(project(once)), to_numpy(once), rtol=0, atol=1e-15)
    inside = to_numpy(project_interval(v, low, high))
    np.testing.assert_array_equal(inside, np.clip(to_numpy(v), to_numpy(low), to_numpy(high)))
    np.testing.assert_array_equal(to_numpy(positive(v)), np.maximum(to_numpy(v), 0))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_and_arrays_broadcast(xp, rng, dtype):
    v = xp.asarray(rng.standard_normal((2, 3, 4)).astype(dtype))
    ceiling = xp.asarray(rng.random((3, 4)).astype(dtype))
    for out in (shrink(v, 0.1), shrink(v, ceiling), project_ball(v, 0.2), positive(v), prox_rain(v, 0.1, ceiling)):
        assert out.dtype == v.dtype
        assert tuple(out.shape) == (2, 3, 4)
    rain = to_numpy(prox_rain(v, 0.1, ceiling))
    assert np.all((rain >= 0) & (rain <= to_numpy(ceiling)))


@given(
    st.floats(0, 2),
    VALUE,
    VALUE,
    st.floats(0, 0.5),
    st.floats(0.05, 3),
    st.floats(0.05, 3),
    st.booleans(),
)
def test_prox_data_is_the_minimiser_over_both_layers(o, b_hat, r_hat, sparsity, step_b, step_r, bounded):
    weights = UDGWeights(0, 0, 0, sparsity, bounded)
    steps = StepLengths(step_b, step_r, 1.0, 1.0, 1.0, 1.0)
    b, r = (float(v) for v in prox_data(*(np.asarray(v) for v in (o, b_hat, r_hat)), weights, steps))

    def objective(b, r):
        quadratic = (b - b_hat) ** 2 / (2 * step_b) + (r - r_hat) ** 2 / (2 * step_r)
        return 0.5 * (b + r - o) ** 2 + sparsity * np.abs(r) + quadratic

    low, high = (0.0, o) if bounded else (-np.inf, np.inf)
    assert low <= r <= high
    offsets = np.concatenate([NEAR, [0.0], np.linspace(-4, 4, 81)])
    others_r = np.clip(np.concatenate([r + offsets, [0.0]]), low, high)
    least = np.min(objective(b + offsets[:, None], others_r[None, :]))
    assert objective(b, r) <= least + 1e-12


@pytest.mark.parametrize(
    "weights", [UDGWeights(), UDGWeights(0.1, 1.0, 1.0, 0.0), UDGWeights.paper(1e-3, 1e-2, 1e-2)], ids=repr
)
def test_step_lengths_fulfil_the_condition_of_convergence(weights):
    steps = StepLengths.for_weights(weights)
    assert steps.step_b * 8 * steps.dual_b <= 1 + 1e-12
    assert steps.step_r * 4 * (steps.dual_along + steps.dual_across) <= 1 + 1e-12
    assert 0 < steps.relax < 2
    assert min(steps.step_b, steps.step_r, steps.dual_b, steps.dual_along, steps.dual_across) > 0


MATRIX = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6))


@given(MATRIX, WEIGHT)
def test_singular_value_shrinkage_is_the_proximal_point_of_the_nuclear_norm(drawn, t):
    rows, columns, seed = drawn
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((rows, columns))
    X = shrink_singular_values(V, t)

    def objective(Z):
        return t * np.linalg.norm(Z, "nuc") + 0.5 * np.sum((Z - V) ** 2)

    # (V - X) / t is a subgradient at X: of spectral norm 1 at most, and ⟨V - X, X⟩ = t ‖X‖_*. No other point is better.
    assert np.linalg.norm(V - X, 2) <= t + 1e-12
    assert np.vdot(V - X, X) == pytest.approx(t * np.linalg.norm(X, "nuc"), abs=1e-12)
    others = [X + step * rng.standard_normal(V.shape) for step in np.logspace(-5, 0, 30)]
    others += [step * V for step in np.linspace(-1, 2, 31)] + [(1 - step) * X for step in np.logspace(-5, 0, 30)]
    assert objective(X) <= min(map(objective, others)) + 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_singular_value_shrinkage_of_a_batch(xp, rng, dtype):
    V = rng.standard_normal((3, 4, 6)).astype(dtype)
    out = shrink_singular_values(xp.asarray(V), 0.8)
    assert out.dtype == xp.asarray(V).dtype
    for one, shrunk in zip(V, to_numpy(out), strict=True):
        values = np.linalg.svd(one, compute_uv=False)
        np.testing.assert_allclose(np.linalg.svd(shrunk, compute_uv=False), np.maximum(values - 0.8, 0), atol=1e-5)
        np.testing.assert_allclose(shrunk, shrink_singular_values(one, 0.8), atol=1e-5)
    # A diagonal matrix is shrunk as its elements are.
    diagonal = np.diag([3.0, -2.0, 0.1])
    np.testing.assert_allclose(shrink_singular_values(diagonal, 0.5), shrink(diagonal, 0.5), atol=1e-14)
    np.testing.assert_allclose(to_numpy(shrink_singular_values(xp.asarray(V), 0.0)), V, atol=1e-5)
