import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rainopt.arrays import to_numpy
from rainopt.optim.objectives import NO_PRIOR, RainPrior, UDGWeights
from rainopt.optim.primal_dual import StepLengths, prox_data
from rainopt.optim.prox import positive, project_ball, project_interval, prox_rain, shrink, shrink_singular_values

VALUE = st.floats(-3, 3, allow_subnormal=False)
WEIGHT = st.floats(0, 2, allow_subnormal=False)
HEIGHT = st.floats(0, 3, allow_subnormal=False)
GRID = np.linspace(-4, 4, 401)
# A point that is off by d costs d²/2 too much, so near candidates catch small errors and the grid large ones.
NEAR = np.concatenate([sign * np.logspace(-5, 0, 40) for sign in (-1, 1)])


@given(VALUE, WEIGHT, st.one_of(st.none(), HEIGHT), st.one_of(st.none(), st.tuples(HEIGHT, WEIGHT)))
@example(0.5, 1.0, None, (5.0, 3.0))  # crosses the kink at 0 on its way to the excess
@example(10.0, 5.0, None, (5.0, 1.0))  # would cross the excess on its way to 0
def test_prox_rain_is_the_proximal_point_of_sparsity_time_and_box(v, t, ceiling, time):
    excess, pull = time or (0.0, 0.0)
    told = (None, None) if time is None else map(np.asarray, time)
    point = float(prox_rain(np.asarray(v), t, None if ceiling is None else np.asarray(ceiling), *told))
    low, high = (-np.inf, np.inf) if ceiling is None else (0.0, ceiling)
    assert low <= point <= high
    others = np.clip(np.concatenate([GRID, point + NEAR, [0.0, ceiling or 0.0, excess]]), low, high)

    def objective(x):
        return t * np.abs(x) + pull * np.abs(x - excess) + 0.5 * (x - v) ** 2

    assert objective(point) <= np.min(objective(others)) + 1e-12
    if ceiling is None and pull == 0:
        assert point == shrink(np.asarray(v), t)


@given(VALUE, VALUE, WEIGHT)
def test_moreau_splits_a_value_into_shrinkage_and_ball(v, u, t):
    v, u = np.asarray(v), np.asarray(u)
    ball = project_ball(v, t)
    np.testing.assert_allclose(shrink(v, t) + ball, v, atol=1e-15)
    np.testing.assert_allclose(ball, np.clip(v, -t, t), atol=1e-15)
    # Proximal points never lie further apart than the values.
    assert abs(shrink(v, t) - shrink(u, t)) <= abs(v - u) + 1e-15


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_projections_are_those_of_numpy_and_keep_the_dtype(xp, rng, dtype):
    v, low, high = (a.astype(dtype) for a in (3 * rng.standard_normal((2, 4, 5)), -rng.random((4, 5)), rng.random(5)))
    value, bottom, top = (xp.asarray(a) for a in (v, low, high))
    np.testing.assert_array_equal(to_numpy(project_interval(value, bottom, top)), np.clip(v, low, high))
    np.testing.assert_array_equal(to_numpy(positive(value)), np.maximum(v, 0))
    shrunk = (shrink(value, 0.1), shrink(value, top), prox_rain(value, 0.1, top), prox_rain(value, top, top, top, top))
    for out in (*shrunk, project_ball(value, 0.2), positive(value), project_interval(value, bottom, top)):
        assert out.dtype == value.dtype
        assert tuple(out.shape) == (2, 4, 5)


@given(
    st.floats(0, 2),
    VALUE,
    VALUE,
    st.floats(0, 0.5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.floats(0.05, 3),
    st.floats(0.05, 3),
    st.booleans(),
)
def test_prox_data_is_the_minimiser_over_both_layers(o, b_hat, r_hat, sparsity, share, trust, step_b, step_r, bounded):
    weights = UDGWeights(0, 0, 0, sparsity, bounded)
    steps = StepLengths(step_b, step_r, 1.0, 1.0, 1.0, 1.0)
    excess = share * o
    prior = RainPrior(excess=np.asarray(excess), trust=np.asarray(trust)) if trust else NO_PRIOR
    b, r = (float(v) for v in prox_data(*(np.asarray(v) for v in (o, b_hat, r_hat)), weights, steps, prior))

    def objective(b, r):
        quadratic = (b - b_hat) ** 2 / (2 * step_b) + (r - r_hat) ** 2 / (2 * step_r)
        return 0.5 * (b + r - o) ** 2 + sparsity * np.abs(r) + trust * np.abs(r - excess) + quadratic

    low, high = (0.0, o) if bounded else (-np.inf, np.inf)
    assert low <= r <= high
    offsets = np.concatenate([NEAR, [0.0], np.linspace(-4, 4, 81)])
    others_r = np.clip(np.concatenate([r + offsets, [0.0, excess]]), low, high)
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


@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 10**6), WEIGHT)
def test_singular_value_shrinkage_is_the_proximal_point_of_the_nuclear_norm(rows, columns, seed, t):
    rng = np.random.default_rng(seed)
    V = rng.standard_normal((rows, columns))
    X = shrink_singular_values(V, t)

    def objective(Z):
        return t * np.linalg.norm(Z, "nuc") + 0.5 * np.sum((Z - V) ** 2)

    # (V - X) / t is a subgradient at X: of spectral norm 1 at most, and ⟨V - X, X⟩ = t ‖X‖_*. No other point is better.
    assert np.linalg.norm(V - X, 2) <= t + 1e-12
    assert np.vdot(V - X, X) == pytest.approx(t * np.linalg.norm(X, "nuc"), abs=1e-12)
    others = [X + step * rng.standard_normal(V.shape) for step in np.logspace(-5, 0, 30)]
    assert objective(X) <= min(map(objective, others)) + 1e-12


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_singular_value_shrinkage_of_a_batch(xp, rng, dtype):
    V = rng.standard_normal((3, 4, 6)).astype(dtype)
    out = shrink_singular_values(xp.asarray(V), 0.8)
    assert out.dtype == xp.asarray(V).dtype
    for one, shrunk in zip(V, to_numpy(out), strict=True):
        np.testing.assert_allclose(shrunk, shrink_singular_values(one.astype(float), 0.8), atol=1e-5)
