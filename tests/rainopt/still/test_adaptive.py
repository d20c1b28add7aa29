import functools
from dataclasses import astuple, replace

import numpy as np
import pytest
from skimage import data

from data_tools import RainSpec, add_rain
from rainopt import SolverStatus, psnr, solve_udg, udg_energy
from rainopt.arrays import CPU, KERNELS, to_numpy
from rainopt.image import frame_luminance
from rainopt.optim.objectives import RainPrior
from rainopt.still import adaptive
from rainopt.still.adaptive import (
    FEW,
    MANY,
    PILOT,
    RAIN,
    SCENE,
    Removal,
    density,
    mixed,
    solve_adaptive,
    streak_likelihood,
)

KINDS = pytest.mark.parametrize("kind", ["light", "heavy"])


@functools.cache
def rendered(kind, seed=0, name="coffee", rows=(20, 140), columns=(100, 260)):
    """Luminance of part of a photograph, (clean, rainy), float32, the rain upright."""
    grey = frame_luminance(getattr(data, name)()[slice(*rows), slice(*columns)] / 255)
    rng = np.random.default_rng(seed)
    out = add_rain(grey.astype(np.float32), replace(RainSpec.sample(kind, rng), angle=0.0), rng)
    for layer in (out.clean, out.rainy):
        layer.setflags(write=False)
    return out.clean, out.rainy


def rainy(kind="light", dtype=np.float64):
    return rendered(kind)[1].astype(dtype)


def layer_of(O, removal, *limits):
    return solve_adaptive(O, removal, *limits)[0].rain


def streaks(seed, count, shape=(200, 240)):
    """Upright streaks one pixel wide, on nothing."""
    rng = np.random.default_rng(seed)
    layer = np.zeros((shape[0] + 60, shape[1]))
    for _ in range(count):
        i, j, length = rng.integers(shape[0] + 30), rng.integers(shape[1]), rng.integers(20, 40)
        layer[i : i + length, j] += rng.uniform(0.1, 0.4)
    return layer[30:-30]


def drawn(rows=(None, None), columns=(50, 52), height=0.3):
    O = np.full((120, 100), 0.4)
    O[slice(*rows), slice(*columns)] += height
    return O


def striped(height=0.2):
    """One upright streak, two pixels wide, on a flat image."""
    return drawn((30, 90), (50, 52), height)


# How dense the rain is


def test_the_density_grows_with_the_number_of_streaks(rng):
    counts = (1, 20, 100, 500, 600, 700, 1000, 2000, 10_000)
    densities = np.array([[density(streaks(seed, count)) for count in counts] for seed in range(3)])
    assert np.all(densities[:, :3] == 0)
    assert np.all(densities[:, -2:] == 1)
    means = densities.mean(axis=0)
    assert np.all(np.diff(means) >= 0)
    assert 0.1 < means[3] < means[4] < 0.9
    # What is normally distributed is dense.
    assert density(0.5 + 0.05 * rng.standard_normal((100, 120))) == 1


@pytest.mark.parametrize("count", [100, 600, 2000])
def test_the_scale_the_mean_and_the_library_of_a_layer_do_not_matter(xp, count):
    layer = streaks(3, count)
    expected = density(layer)
    np.testing.assert_allclose(density(xp.asarray(layer)), expected, rtol=1e-9)
    for factor in (1e-3, 0.5, 8.0):
        np.testing.assert_allclose(density(factor * layer), expected, rtol=1e-9)
        np.testing.assert_allclose(density(layer + factor), expected, rtol=1e-6)
    np.testing.assert_allclose(density(layer.astype(np.float32)), expected, atol=1e-3)
    for mirrored in (layer[:, ::-1], layer[::-1]):
        np.testing.assert_allclose(density(mirrored), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (64, 70)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_layer_is_not_dense(xp, shape, dtype):
    for value in (0.0, 0.1, 0.37, 0.9, 1.0):
        assert density(xp.full(shape, value, dtype=getattr(xp, dtype))) == 0


# The recipe


def test_recipes_go_from_few_streaks_to_many():
    values = np.array([astuple(mixed(dense, 1.0)) for dense in np.linspace(0, 1, 11)])
    np.testing.assert_allclose(values[[0, -1]], [astuple(FEW), astuple(MANY)], rtol=1e-12)
    assert np.all(np.diff(values, axis=0) * np.sign(values[-1] - values[0]) > 0)


@pytest.mark.parametrize("dense", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("strength", [0.1, 0.5, 2.0, 4.0])
def test_strength_divides_the_sparsity(dense, strength):
    plain, asked = mixed(dense, 1.0), mixed(dense, strength)
    np.testing.assert_allclose(asked.sparsity * strength, plain.sparsity, rtol=1e-12)
    np.testing.assert_allclose(asked.lambda_y**2, plain.lambda_y**2 * strength, rtol=1e-12)
    assert asked.gain == plain.gain
    # Less strength is no reason to leave half a streak.
    np.testing.assert_allclose(asked.ceiling, plain.ceiling * max(strength, 1), rtol=1e-12)


# What looks like a streak


@pytest.mark.parametrize("height", [0.1, 0.2, 0.5])
def test_a_lone_streak_is_likely_and_nothing_else(xp, height):
    likelihood = to_numpy(streak_likelihood(xp.asarray(striped(height))))
    assert likelihood.shape == (120, 100)
    assert likelihood[40:80, 50:52].min() > 0.95
    likelihood[:, 50:52] = 0
    assert likelihood.max() < 1e-6
    # The brighter, the likelier.
    fainter = [float(streak_likelihood(striped(share * height))[60, 50]) for share in (0.01, 0.03, 0.1, 1)]
    assert fainter == sorted(fainter)
    assert fainter[0] < 0.75


@pytest.mark.parametrize("what", [0.01, 0.05, 0.2, "grass", "gravel", "brick"])
def test_noise_and_texture_are_unlikely(rng, what):
    if isinstance(what, str):
        picture = getattr(data, what)()[:200, :200] / 255
    else:
        picture = np.clip(0.5 + what * rng.standard_normal((120, 100)), 0, 1)
    assert streak_likelihood(picture).mean() < 0.2


def test_a_streak_in_texture_is_less_likely_than_on_nothing(rng):
    noise = 0.15 * rng.standard_normal((120, 100))
    alone, hidden = streak_likelihood(striped(0.1)), streak_likelihood(striped(0.1) + noise)
    assert hidden[40:80, 50:52].mean() < 0.8 * alone[40:80, 50:52].mean()


@pytest.mark.parametrize(
    "O",
    [
        drawn((50, 52), (None, None)),
        drawn((50, 52), (20, 60)),
        drawn(columns=(50, None)),
        drawn(height=-0.3),
        drawn(columns=(30, 60)),
        np.linspace(0, 1, 100) * np.ones((120, 1)),
        np.zeros((120, 100)),
        np.full((120, 100), 0.37),
        np.ones((1, 1)),
    ],
    ids=["line", "short line", "edge", "dark streak", "bar", "ramp", "black", "constant", "point"],
)
def test_what_no_streak_looks_like(O):
    np.testing.assert_allclose(streak_likelihood(O), 0, atol=1e-6)


# The layer


@pytest.mark.parametrize(("kind", "gain"), [("light", 0.3), ("heavy", 1.0)])
def test_rendered_rain_is_removed_better_than_with_default_weights(kind, gain):
    scores = []
    for name in ("astronaut", "coffee", "chelsea", "camera"):
        for seed in (0, 1):
            clean, O = rendered(kind, seed, name, (20, 180), (100, 280))
            layers = (0, solve_udg(O).rain, layer_of(O, Removal()))
            scores.append([psnr(O - layer, clean) for layer in layers])
    before, default, ours = np.mean(scores, axis=0)
    assert ours > default + gain
    assert ours > before + 5


def test_light_rain_is_sparse_and_heavy_rain_dense():
    for seed in (0, 1):
        for name in ("astronaut", "coffee", "camera"):
            where = (seed, name, (20, 180), (100, 280))
            assert solve_adaptive(rendered("light", *where)[1], Removal(), 1, 0)[1] < 0.3
            assert solve_adaptive(rendered("heavy", *where)[1], Removal(), 1, 0)[1] > 0.7
    # The more other lines there are, the less it is believed to be dense.
    believed = [solve_adaptive(rainy("heavy"), Removal(parallel=p), 1, 0)[1] for p in (SCENE, (SCENE + RAIN) / 2, RAIN)]
    np.testing.assert_allclose(believed, believed[-1] * np.array([0, 0.5, 1]), atol=1e-12)


@KINDS
def test_more_strength_removes_more(kind):
    strengths = (1e-4, 0.1, 0.5, 1.0, 1.5, 4.0)
    means = [float(layer_of(rainy(kind), Removal(strength=s), 600, 0.01).mean()) for s in strengths]
    assert np.all(np.diff(means) > 0)
    assert means[0] < 1e-3 * means[3]
    assert means[1] < 0.5 * means[3]


@KINDS
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("removal", [Removal(), Removal(0.2, 5.0), Removal(dense=0.0), Removal(dense=1.0)])
def test_the_rain_is_in_its_box_to_the_last_bit(kind, dtype, removal):
    O = rainy(kind, dtype)
    s, dense = solve_adaptive(O, removal, 30, 0)
    assert s.rain.dtype == s.background.dtype == dtype
    assert s.rain.shape == O.shape
    assert np.all((s.rain >= 0) & (s.rain <= O))
    assert s.rain.max() > 0
    assert 0 <= dense <= 1


@pytest.mark.parametrize("dense", [0.0, 1.0])
@pytest.mark.parametrize("height", [0.0, 0.02, 0.1])
def test_nothing_is_taken_off_far_above_the_height_of_the_streaks(dense, height):
    recipe = mixed(dense, 1.0)
    rain = layer_of(rainy("heavy"), Removal(height, dense=dense), 50, 0)
    bound = recipe.gain * recipe.ceiling * height
    assert rain.max() <= bound * (1 + 1e-12)
    assert rain.max() >= 0.9 * bound


# The certificate


@KINDS
def test_converged_means_that_the_gap_is_within_tol(kind):
    for tol in (0.1, 0.02):
        s, _ = solve_adaptive(rainy(kind), Removal(), 3000, tol)
        assert s.status is SolverStatus.CONVERGED
        assert 0 < s.gap <= tol * s.energy
    s, _ = solve_adaptive(rainy(kind), Removal(), 7, 0)
    assert (s.status, s.iterations) == (SolverStatus.MAX_ITER, 7)
    assert s.gap > 0.02 * s.energy


def test_the_energy_of_dense_rain_is_that_of_its_recipe():
    # Dense rain has neither factors on its sparsity nor gain.
    O = rainy("heavy")
    s, _ = solve_adaptive(O, Removal(dense=1.0), 100, 0)
    weights = replace(PILOT, sparsity=MANY.sparsity, lambda_y=MANY.lambda_y)
    np.testing.assert_allclose(udg_energy(O, s.background, s.rain, weights), s.energy, rtol=1e-9)
    best = solve_udg(O, weights=weights, max_iter=3000, tol=1e-3)
    assert s.energy - s.gap <= best.energy
    height = 0.1
    bounded, _ = solve_adaptive(O, Removal(height, dense=1.0), 3000, 0.01)
    prior = RainPrior(ceiling=np.minimum(O, MANY.ceiling * height))
    best = solve_udg(O, weights=weights, max_iter=3000, tol=1e-3, prior=prior)
    np.testing.assert_allclose(bounded.energy, best.energy, rtol=0.01)


# What is told of the rain


def test_the_kind_of_rain_that_is_given_is_used():
    O = rainy("light")
    found, dense = solve_adaptive(O, Removal(), 50, 0)
    again, same = solve_adaptive(O, Removal(dense=dense), 50, 0)
    assert same == dense
    np.testing.assert_array_equal(again.rain, found.rain)
    # The recipe for many streaks takes more.
    layers = [float(layer_of(O, Removal(dense=given), 50, 0).mean()) for given in (0.0, 0.4, 1.0)]
    assert layers[0] < layers[1] < layers[2]


def test_texture_is_left_and_streaks_are_not(monkeypatch):
    texture = data.gravel()[:120, :120] / 255

    def means(dense):
        return [float(layer_of(O, Removal(dense=dense), 100, 0).mean()) for O in (texture, striped())]

    sparse, dense = means(0.0), means(1.0)
    monkeypatch.setattr(adaptive, "streak_likelihood", np.ones_like)
    trusting = means(0.0)
    assert sparse[0] < 0.6 * trusting[0]
    np.testing.assert_allclose(sparse[1], trusting[1], rtol=0.05)
    # Where rain is dense, no pixel is doubted.
    assert means(1.0) == dense


@pytest.mark.parametrize("shape", [(1, 1), (3, 7), (150, 3), (300, 40)])
@pytest.mark.parametrize("power", [1.0, 0.6])
def test_doubt_by_the_kernel_is_that_of_the_written_means(rng, monkeypatch, shape, power):
    O = rng.random(shape, dtype=np.float32)
    layer = O * (rng.random(shape) < 0.2).astype(np.float32)
    found = adaptive.doubt(O, layer, power)
    monkeypatch.delitem(KERNELS, ("doubt", CPU))
    np.testing.assert_allclose(found, adaptive.doubt(O, layer, power), rtol=1e-5)


# The array


@KINDS
def test_libraries_and_precisions_agree(other_xp, kind):
    O = rainy(kind)[:40, :40]
    here, dense = solve_adaptive(O, Removal(), 25, 0)
    for dtype, atol in (("float64", 1e-9), ("float32", 1e-4)):
        there, same = solve_adaptive(other_xp.asarray(O.astype(dtype)), Removal(), 25, 0)
        np.testing.assert_allclose(same, dense, atol=100 * atol)
        for name in ("background", "rain"):
            value = getattr(there, name)
            assert isinstance(value, type(other_xp.asarray(O)))
            assert value.dtype == getattr(other_xp, dtype)
            np.testing.assert_allclose(to_numpy(value), getattr(here, name), rtol=0, atol=atol)
        np.testing.assert_allclose(float(there.energy), float(here.energy), rtol=10 * atol)


def test_layout_in_memory_and_the_order_of_bytes_do_not_matter():
    O = rainy()
    expected = layer_of(O, Removal(), 40, 0)
    for view in (np.asfortranarray(O), O[::-1].copy()[::-1], O.astype(">f8")):
        np.testing.assert_allclose(layer_of(view, Removal(), 40, 0), expected, rtol=0, atol=1e-12)
