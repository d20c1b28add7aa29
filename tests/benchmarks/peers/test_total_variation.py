import numpy as np
import pytest

from benchmarks.peers import total_variation as tv
from benchmarks.peers.total_variation import Route, energy, fewest, iterations_to, least_energy

# Each half of m columns moves towards the other by w / m, as one column's edge weighs on m pixels.
HALF = 4
EDGE = np.repeat([[0.2, 0.8]], 8, axis=0).repeat(HALF, axis=1)
DENOISED = np.where(EDGE < 0.5, 0.2 + tv.WEIGHT / HALF, 0.8 - tv.WEIGHT / HALF)


def test_the_energy_by_hand():
    O = np.array([[0.0, 1.0], [0.0, 0.0]])
    assert energy(O, O) == pytest.approx(2 * tv.WEIGHT)
    assert energy(np.zeros((2, 2)), O) == pytest.approx(0.5)
    assert least_energy(EDGE) == pytest.approx(energy(DENOISED, EDGE), rel=1e-6)


@pytest.mark.parametrize(
    ("module", "routes", "iterations"),
    [
        ("rainopt", tv.our_routes, 1000),
        ("prox_tv", tv.prox_tv_routes, 2000),
        ("pyproximal", tv.pyproximal_routes, 300),
    ],
)
def test_every_route_denoises_an_edge_as_it_should(module, routes, iterations):
    pytest.importorskip(module, reason="a peer of the extra `peers`")
    for route in routes():
        np.testing.assert_allclose(route.run(EDGE, iterations), DENOISED, atol=1e-3, err_msg=route.name)


def test_the_weight_of_split_bregman_is_the_inverse():
    # It holds on to the border, so its minimum is another by a little.
    restoration = pytest.importorskip("skimage.restoration", reason="of the extras `data` and `peers`")
    O = tv.noisy(96)
    (route,) = tv.skimage_routes()
    reached, least = energy(route.run(O, 500), O), least_energy(O)
    assert least < reached < 1.02 * least
    for other in (0.5 / tv.WEIGHT, 2 / tv.WEIGHT):
        assert reached < energy(restoration.denoise_tv_bregman(O, other, 500, 1e-12, isotropic=False), O)


@pytest.mark.parametrize("first", [1, 2, 3, 31, 32, 33, 100])
def test_the_fewest_is_the_first(first):
    assert fewest(lambda n: n >= first, most=100) == first
    assert fewest(lambda n: n > 100, most=100) is None


def test_what_ends_above_the_least_is_told():
    stuck = Route("stuck", lambda O, iterations: O)
    assert iterations_to(stuck, EDGE, energy(DENOISED, EDGE)) == (1, False)
