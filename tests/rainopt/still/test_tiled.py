import itertools
from dataclasses import replace

import numpy as np
import pytest

from data_tools import RainSpec, add_rain
from rainopt import SolverStatus, UDGWeights, derain
from rainopt.optim.udg import CHECK_EVERY
from rainopt.still import rain_layer
from tests.support.photographs import photograph, rainy


def large(angle=12.0):
    return rainy(angle, rows=(0, 400), columns=(50, 550), name="coffee")[1]


@pytest.mark.parametrize(("tile", "angle"), [(192, 12.0), (160, -30.0), (128, 60.0)])
def test_tiles_agree_with_the_whole(tile, angle):
    whole, tiled = derain(large(angle), angle=angle, tile=0), derain(large(angle), angle=angle, tile=tile)
    assert np.abs(tiled.background - whole.background).max() <= 2 / 255
    # No seam: the difference does not jump, neither at a cut nor elsewhere.
    for axis in (0, 1):
        step = np.abs(np.diff(tiled.rain - whole.rain, axis=axis)).mean(axis=1 - axis)
        assert step.max() < 1 / 255
    assert tiled.solution.background is None
    assert tiled.solution.rain is None
    assert tiled.solution.iterations >= 1
    assert float(tiled.solution.gap) >= 0


def test_tiles_agree_at_the_edge_of_the_image_at_a_slight_angle():
    # At 0.3° the rows of a tile jut out by fewer pixels than those of the whole, and there are streaks at the edge.
    rng = np.random.default_rng(0)
    image = 0.3 + rng.normal(0, 0.01, (420, 300))
    for column in (0, 1, 298, 299):
        for row in range(0, 420, 60):
            image[row + rng.integers(0, 20) : row + rng.integers(30, 55), column] += rng.uniform(0.05, 0.3)
    whole, tiled = (derain(image, angle=0.3, tile=tile, max_iter=100, tol=0.0) for tile in (0, 160))
    assert np.abs(tiled.background - whole.background).max() <= 1 / 255


@pytest.mark.slow
def test_a_large_photograph_in_tiles_of_the_usual_overlap():
    scene = np.tile(np.pad(photograph("coffee"), ((0, 0), (0, 600), (0, 0)), "reflect"), (4, 1, 1))
    spec = RainSpec(angle=20.0, density=4000.0, length=80.0)
    image = add_rain(scene, spec, np.random.default_rng(0)).rainy
    whole, tiled = derain(image, tile=0), derain(image, tile=700)
    assert whole.angle == tiled.angle
    assert np.abs(tiled.background - whole.background).max() <= 2 / 255


def test_a_side_may_be_a_small_integer_of_numpy():
    image = rainy()[1]
    few, some = (derain(image, angle=12.0, tile=tile).background for tile in (np.uint8(64), 64))
    np.testing.assert_array_equal(few, some)


def test_an_image_no_larger_than_a_tile_is_not_tiled():
    image = rainy()[1]
    whole = derain(image, angle=12.0, tile=0)
    for tile in (None, 160, 5000):
        d = derain(image, angle=12.0, tile=tile)
        np.testing.assert_array_equal(d.background, whole.background)
        assert d.solution.rain is not None


@pytest.mark.parametrize(("tile", "calls"), [(0, 1), (None, 1), (64, 6), (100, 4)])
def test_progress_rises_to_one(tile, calls):
    shares = []
    derain(rainy()[1], angle=12.0, max_iter=5, tile=tile, progress=shares.append)
    assert len(shares) == calls
    assert all(0 < a < b for a, b in itertools.pairwise(shares))
    assert shares[-1] == 1


@pytest.fixture
def solves(monkeypatch):
    """Record the images, the limits and the iterations of all solves with weights that are given."""
    calls, solve = [], rain_layer.minimise

    def recorded(O, weights, **settings):
        solution = solve(O, weights, **settings)
        calls.append((O, settings["max_iter"], settings["tol"], solution.iterations))
        return solution

    monkeypatch.setattr(rain_layer, "minimise", recorded)
    return calls


@pytest.mark.parametrize("tile", [0, 160])
@pytest.mark.parametrize("middle", ["smooth", "flat"])
def test_a_large_image_is_solved_as_well_as_asked_whatever_its_middle_shows(monkeypatch, tile, middle):
    image = large().copy()
    image[90:310, 140:360] = 0.4567 if middle == "flat" else np.linspace(0.2, 0.6, 220)[:, None, None]
    settings = {"angle": 12.0, "tol": 0.005, "max_iter": 2000}
    whole = derain(image, tile=0, **settings)
    assert whole.solution.status is SolverStatus.CONVERGED
    # Large images take the number of iterations from their busiest window.
    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 128)
    d = derain(image, tile=tile, **settings)
    assert d.solution.status is SolverStatus.CONVERGED
    assert d.solution.iterations <= 2 * whole.solution.iterations


def test_the_busiest_window_is_the_pilot_and_what_it_needs_is_enough_with_a_margin(monkeypatch, solves):
    image = np.full((200, 500), 0.5, np.float32)
    image[:, 380:] = rainy(12.0, rows=(0, 200), columns=(50, 170), name="coffee")[1][..., 0]
    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 128)
    derain(image, angle=12.0, tile=160, weights=UDGWeights())
    (pilot, _, tol, alone), *others = solves
    assert tol > 0
    assert pilot.shape[0] == 128
    assert np.abs(np.diff(pilot, axis=1)).mean() > 0.01
    # All tiles take as many, or their seams would show.
    assert len(others) % 8 == 0
    assert {tol for _, _, tol, _ in others} == {0}
    assert {most for _, most, _, _ in others[:8]} == {alone + CHECK_EVERY}


def test_an_easy_pilot_is_made_up_for(monkeypatch):
    solve = rain_layer.minimise

    def easy(O, weights, **settings):
        solution = solve(O, weights, **settings)
        return replace(solution, iterations=10) if settings["tol"] > 0 else solution

    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 96)
    monkeypatch.setattr(rain_layer, "minimise", easy)
    settings, shares = {"angle": 12.0, "tile": 100, "weights": UDGWeights()}, []
    d = derain(rainy(12.0)[1], progress=shares.append, **settings)
    assert d.solution.status is SolverStatus.CONVERGED
    assert d.solution.iterations in [35 * 2**k for k in range(1, 4)]
    # The bar does not run backwards while the tiles are done again.
    assert shares == sorted(shares)
    assert shares[-1] == 1
    d = derain(rainy(12.0)[1], max_iter=15, **settings)
    assert d.solution.status is SolverStatus.MAX_ITER
    assert d.solution.iterations == 15
