import functools
from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from data_tools import RainSpec, add_rain
from rainopt import SolverStatus, psnr, solve_udg, udg_energy
from rainopt.arrays import to_numpy
from rainopt.optim.objectives import RainPrior
from rainopt.still import adaptive
from rainopt.still.adaptive import FEW, MANY, PILOT, Removal, density, mixed, solve_adaptive, streak_likelihood

LUMA = np.array([0.299, 0.587, 0.114])
KINDS = ("light", "heavy")


@functools.cache
def rendered(kind, seed=0, name="coffee", rows=(20, 140), columns=(100, 260)):
    """Luminance of part of a photograph, (clean, rainy), float32, the rain upright."""
    picture = getattr(data, name)()[slice(*rows), slice(*columns)] / 255
    grey = picture @ LUMA if picture.ndim == 3 else picture
    rng = np.random.default_rng(seed)
    out = add_rain(grey.astype(np.float32), replace(RainSpec.sample(kind, rng), angle=0.0), rng)
    for layer in (out.clean, out.rainy):
        layer.setflags(write=False)
    return out.clean, out.rainy


def rainy(kind="light", dtype=np.float64, **where):
    return rendered(kind, **where)[1].astype(dtype)


def streaks(rng, count, shape=(200, 240)):
    """Upright streaks one pixel wide, on nothing."""
    layer = np.zeros((shape[0] + 60, shape[1]))
    for _ in range(count):
        i, j, length = rng.integers(shape[0] + 30), rng.integers(shape[1]), rng.integers(20, 40)
        layer[i : i + length, j] += rng.uniform(0.1, 0.4)
    return layer[30:-30]


def striped(value=0.4, height=0.2):
    """One upright streak, two pixels wide, on a flat image."""
    O = np.full((120, 100), value)
    O[30:90, 50:52] += height
    return O


# How dense the rain is


@pytest.mark.parametrize("seed", range(3))
def test_few_streaks_are_sparse_and_many_are_dense(seed):
    rng = np.random.default_rng(seed)
    for count in (1, 20, 100):
        assert density(streaks(rng, count)) == 0
    for count in (2000, 10_000):
        assert density(streaks(rng, count)) == 1


def test_densities_of_libraries_agree(other_xp, rng):
    layer = streaks(rng, 600)
    assert 0 < density(layer) < 1
    np.testing.assert_allclose(density(other_xp.asarray(layer)), density(layer), rtol=1e-9)


def test_the_density_grows_with_the_number_of_streaks():
    means = [
        np.mean([density(streaks(np.random.default_rng(seed), count)) for seed in range(3)])
        for count in (100, 500, 600, 700, 1000, 4000)
    ]
    assert means == sorted(means)
    assert (means[0], means[-1]) == (0, 1)
    assert 0.1 < means[1] < means[2] < 0.9


def test_what_is_normally_distributed_is_dense(rng):
    assert density(0.5 + 0.05 * rng.standard_normal((100, 120))) == 1


@pytest.mark.parametrize("count", [100, 600, 2000])
def test_the_scale_and_the_mean_of_a_layer_do_not_matter(count):
    layer = streaks(np.random.default_rng(3), count)
    expected = density(layer)
    for factor in (1e-3, 0.5, 8.0):
        np.testing.assert_allclose(density(factor * layer), expected, rtol=1e-9)
        np.testing.assert_allclose(density(layer + factor), expected, rtol=1e-6)
    np.testing.assert_allclose(density(layer.astype(np.float32)), expected, atol=1e-3)
    np.testing.assert_allclose(density(layer[:, ::-1]), expected, atol=1e-9)
    np.testing.assert_allclose(density(layer[::-1]), expected, atol=1e-9)


@pytest.mark.parametrize("shape", [(1, 1), (3, 3), (64, 70)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_layer_is_not_dense(xp, shape, dtype):
    for value in (0.0, 0.1, 0.37, 0.9, 1.0):
        assert density(xp.full(shape, value, dtype=getattr(xp, dtype))) == 0


# The recipe


def test_the_ends_are_the_two_recipes():
    for dense, recipe in ((0.0, FEW), (1.0, MANY)):
        found = mixed(dense, 1.0)
        for name in ("sparsity", "lambda_y", "gain", "ceiling"):
            np.testing.assert_allclose(getattr(found, name), getattr(recipe, name), rtol=1e-12)


@pytest.mark.parametrize("name", ["sparsity", "lambda_y", "gain", "ceiling"])
def test_what_lies_between_goes_from_one_end_to_the_other(name):
    values = np.array([getattr(mixed(dense, 1.0), name) for dense in np.linspace(0, 1, 11)])
    steps = np.diff(values) * np.sign(getattr(MANY, name) - getattr(FEW, name))
    assert np.all(steps > 0)


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
    likelihood = to_numpy(streak_likelihood(xp.asarray(striped(height=height))))
    assert likelihood.shape == (120, 100)
    assert likelihood[40:80, 50:52].min() > 0.95
    likelihood[:, 50:52] = 0
    assert likelihood.max() < 1e-6


def test_a_brighter_streak_is_likelier():
    middle = [float(streak_likelihood(striped(height=h))[60, 50]) for h in (0.001, 0.003, 0.01, 0.03, 0.1)]
    assert middle == sorted(middle)
    assert middle[0] < 0.3 < 0.9 < middle[-1]


@pytest.mark.parametrize("sigma", [0.01, 0.05, 0.2])
def test_noise_is_unlikely(rng, sigma):
    likelihood = streak_likelihood(np.clip(0.5 + sigma * rng.standard_normal((120, 100)), 0, 1))
    assert likelihood.mean() < 0.2
    assert np.mean(likelihood > 0.5) < 0.15


@pytest.mark.parametrize("name", ["grass", "gravel", "brick"])
def test_texture_is_unlikely(name):
    texture = getattr(data, name)()[:200, :200] / 255
    assert streak_likelihood(texture).mean() < 0.2


def test_a_streak_in_texture_is_less_likely_than_on_nothing(rng):
    noise = 0.15 * rng.standard_normal((120, 100))
    alone, hidden = streak_likelihood(striped(height=0.1)), streak_likelihood(striped(height=0.1) + noise)
    assert hidden[40:80, 50:52].mean() < 0.8 * alone[40:80, 50:52].mean()


def drawn(**parts):
    O = np.full((120, 100), 0.4)
    for rows, columns, height in parts.values():
        O[slice(*rows), slice(*columns)] += height
    return O


@pytest.mark.parametrize(
    "O",
    [
        drawn(line=((50, 52), (None, None), 0.3)),
        drawn(short=((50, 52), (20, 60), 0.3)),
        drawn(edge=((None, None), (50, None), 0.3)),
        drawn(dark=((None, None), (50, 52), -0.3)),
        drawn(bar=((None, None), (30, 60), 0.3)),
        np.linspace(0, 1, 100) * np.ones((120, 1)),
        np.zeros((120, 100)),
        np.full((120, 100), 0.37),
        np.ones((1, 1)),
    ],
    ids=["line", "short line", "edge", "dark streak", "bar", "ramp", "black", "constant", "point"],
)
def test_what_no_streak_looks_like(xp, O):
    np.testing.assert_allclose(to_numpy(streak_likelihood(xp.asarray(O))), 0, atol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_likelihoods_are_from_0_to_1_and_mirror(kind, dtype):
    O = rainy(kind, dtype)
    likelihood = streak_likelihood(O)
    assert likelihood.dtype == dtype
    assert np.all((likelihood >= 0) & (likelihood <= 1))
    assert likelihood.max() > 0.9
    atol = 1e-9 if dtype == np.float64 else 1e-2
    np.testing.assert_allclose(streak_likelihood(O[:, ::-1])[:, ::-1], likelihood, rtol=0, atol=atol)
    np.testing.assert_allclose(streak_likelihood(O[::-1])[::-1], likelihood, rtol=0, atol=atol)


# The layer


@pytest.mark.parametrize(("kind", "gain"), [("light", 0.3), ("heavy", 1.0)])
def test_rendered_rain_is_removed_better_than_with_default_weights(kind, gain):
    ours, default, before = [], [], []
    for name in ("astronaut", "coffee", "chelsea", "camera"):
        for seed in (0, 1):
            clean, O = rendered(kind, seed, name, (20, 180), (100, 280))
            before.append(psnr(O, clean))
            ours.append(psnr(O - solve_adaptive(O, Removal())[0].rain, clean))
            default.append(psnr(O - solve_udg(O).rain, clean))
    assert np.mean(ours) > np.mean(default) + gain
    assert np.mean(ours) > np.mean(before) + 5


def test_light_rain_is_sparse_and_heavy_rain_dense():
    for seed in (0, 1):
        for name in ("astronaut", "coffee", "camera"):
            where = (seed, name, (20, 180), (100, 280))
            assert solve_adaptive(rendered("light", *where)[1], Removal(), 1, 0)[1] < 0.3
            assert solve_adaptive(rendered("heavy", *where)[1], Removal(), 1, 0)[1] > 0.7


@pytest.mark.parametrize("kind", KINDS)
def test_more_strength_removes_more(kind):
    O = rainy(kind)
    means = [
        float(solve_adaptive(O, Removal(strength=s), 600, 0.01)[0].rain.mean()) for s in (1e-4, 0.1, 0.5, 1.0, 1.5, 4.0)
    ]
    assert np.all(np.diff(means) > 0)
    assert means[0] < 1e-3 * means[3]
    assert means[1] < 0.5 * means[3]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("removal", [Removal(), Removal(0.2, 5.0), Removal(dense=0.0), Removal(dense=1.0)])
def test_the_rain_is_in_its_box_to_the_last_bit(kind, dtype, removal):
    O = rainy(kind, dtype)
    s, dense = solve_adaptive(O, removal, 30, 0)
    assert s.rain.dtype == s.background.dtype == dtype
    assert s.rain.shape == O.shape
    assert np.all(s.rain >= 0)
    assert np.all(s.rain <= O)
    assert s.rain.max() > 0
    assert 0 <= dense <= 1


@pytest.mark.parametrize("dense", [0.0, 1.0])
@pytest.mark.parametrize("height", [0.0, 0.02, 0.1])
def test_nothing_is_taken_off_far_above_the_height_of_the_streaks(dense, height):
    recipe = mixed(dense, 1.0)
    rain = solve_adaptive(rainy("heavy"), Removal(height, dense=dense), 50, 0)[0].rain
    bound = recipe.gain * recipe.ceiling * height
    assert rain.max() <= bound * (1 + 1e-12)
    assert rain.max() >= 0.9 * bound


@pytest.mark.parametrize("value", [0.0, 0.37, 1.0])
def test_a_flat_image_has_no_rain(value):
    s, _ = solve_adaptive(np.full((40, 50), value), Removal())
    np.testing.assert_allclose(s.rain, 0, atol=1e-12)
    np.testing.assert_allclose(s.background, value, atol=1e-12)
    assert s.status is SolverStatus.CONVERGED


@pytest.mark.parametrize("shape", [(1, 30), (30, 1), (1, 1), (4, 5)])
def test_small_images(rng, shape):
    O = rng.random(shape)
    s, dense = solve_adaptive(O, Removal())
    assert s.rain.shape == shape
    assert np.all((s.rain >= 0) & (s.rain <= O))
    assert 0 <= dense <= 1


# The certificate


@pytest.mark.parametrize("kind", KINDS)
def test_converged_means_that_the_gap_is_within_tol(kind):
    previous = 0
    for tol in (0.5, 0.1, 0.02):
        s, _ = solve_adaptive(rainy(kind), Removal(), 3000, tol)
        assert s.status is SolverStatus.CONVERGED
        assert 0 < s.gap <= tol * s.energy
        assert s.iterations >= previous
        previous = s.iterations
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


# The settings


def test_the_kind_of_rain_that_is_given_is_used():
    O = rainy("light")
    found, dense = solve_adaptive(O, Removal(), 50, 0)
    again, same = solve_adaptive(O, Removal(dense=dense), 50, 0)
    assert same == dense
    np.testing.assert_array_equal(again.rain, found.rain)
    layers = []
    for given in (0.0, 0.4, 1.0):
        s, told = solve_adaptive(O, Removal(dense=given), 50, 0)
        assert told == given
        layers.append(float(s.rain.mean()))
    # The recipe for many streaks takes more.
    assert layers[0] < layers[1] < layers[2]


def test_texture_is_left_and_streaks_are_not(monkeypatch):
    texture = data.gravel()[:120, :120] / 255
    streak = striped()

    def means(removal):
        return [float(solve_adaptive(O, removal, 100, 0)[0].rain.mean()) for O in (texture, streak)]

    sparse, dense = means(Removal(dense=0.0)), means(Removal(dense=1.0))
    monkeypatch.setattr(adaptive, "streak_likelihood", np.ones_like)
    trusting = means(Removal(dense=0.0))
    assert sparse[0] < 0.6 * trusting[0]
    np.testing.assert_allclose(sparse[1], trusting[1], rtol=0.05)
    # Where rain is dense, no pixel is doubted.
    assert means(Removal(dense=1.0)) == dense


# The array


@pytest.mark.parametrize("kind", KINDS)
def test_libraries_agree(other_xp, kind):
    O = rainy(kind)[:40, :40]
    here, dense = solve_adaptive(O, Removal(), 25, 0)
    there, same = solve_adaptive(other_xp.asarray(O), Removal(), 25, 0)
    np.testing.assert_allclose(same, dense, atol=1e-9)
    for name in ("background", "rain"):
        value = getattr(there, name)
        assert isinstance(value, type(other_xp.asarray(O)))
        np.testing.assert_allclose(to_numpy(value), getattr(here, name), rtol=0, atol=1e-9)
    np.testing.assert_allclose(float(there.energy), float(here.energy), rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_torch_tensors_are_solved_as_arrays_are(torch, kind):
    O = rainy(kind, np.float32)
    tensor = torch.as_tensor(O)
    here, there = solve_adaptive(O, Removal())[0], solve_adaptive(tensor, Removal())[0]
    assert isinstance(there.rain, torch.Tensor)
    assert there.rain.dtype == torch.float32
    np.testing.assert_allclose(there.rain, here.rain, rtol=0, atol=1e-6)
    assert there.iterations == here.iterations


@pytest.mark.parametrize("kind", KINDS)
def test_precisions_agree(kind):
    single, double = (solve_adaptive(rainy(kind, dtype), Removal(), 100, 0)[0] for dtype in (np.float32, np.float64))
    np.testing.assert_allclose(single.rain, double.rain, rtol=0, atol=1e-4)


def test_layout_in_memory_does_not_matter_and_the_input_is_kept():
    O = rainy("heavy")
    kept = O.copy()
    expected, dense = solve_adaptive(O, Removal(), 40, 0)
    wide = np.zeros((*O.shape, 2))
    wide[..., 1] = O
    for view in (np.asfortranarray(O), wide[..., 1], O[::-1].copy()[::-1], O.T.copy().T):
        s, same = solve_adaptive(view, Removal(), 40, 0)
        np.testing.assert_allclose(same, dense, rtol=0, atol=1e-12)
        np.testing.assert_allclose(s.rain, expected.rain, rtol=0, atol=1e-12)
        np.testing.assert_allclose(s.background, expected.background, rtol=0, atol=1e-12)
    O.setflags(write=False)
    np.testing.assert_array_equal(solve_adaptive(O, Removal(), 40, 0)[0].rain, expected.rain)
    np.testing.assert_array_equal(O, kept)


def test_the_order_of_bytes_does_not_matter():
    O = rainy("light")
    np.testing.assert_array_equal(
        solve_adaptive(O.astype(">f8"), Removal(), 40, 0)[0].rain, solve_adaptive(O, Removal(), 40, 0)[0].rain
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_mirrored_image_has_mirrored_layers(kind):
    O = rainy(kind)
    s, dense = solve_adaptive(O, Removal(), 100, 0)
    mirrored, same = solve_adaptive(O[:, ::-1], Removal(), 100, 0)
    np.testing.assert_allclose(same, dense, rtol=0, atol=1e-9)
    np.testing.assert_allclose(mirrored.rain[:, ::-1], s.rain, rtol=0, atol=1e-9)
    np.testing.assert_allclose(mirrored.background[:, ::-1], s.background, rtol=0, atol=1e-9)


def test_threads_change_nothing(thread_count):
    O = rainy("heavy", np.float32, rows=(0, 300))
    layers = []
    for count in (1, 2, 4):
        thread_count(count)
        layers.append(solve_adaptive(O, Removal(), 40, 0)[0].rain)
    np.testing.assert_array_equal(layers[1], layers[0])
    np.testing.assert_array_equal(layers[2], layers[0])
