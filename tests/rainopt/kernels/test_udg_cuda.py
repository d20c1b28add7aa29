"""The iteration in tiles against that in bands, and the graphs that it is started by."""

import numpy as np
import pytest

from rainopt.kernels import launch
from rainopt.kernels.graphs import Repeated
from rainopt.kernels.udg_cpu import Bands
from rainopt.kernels.udg_cuda import DOUBLE, INFORMED, PLAIN, Tiles, _covered, variants
from rainopt.kernels.udg_tiles_cuda import Tile
from rainopt.kernels.udg_variants_cuda import DEPTHS, TILES
from rainopt.optim.fused import constants
from rainopt.optim.objectives import UDGWeights
from rainopt.optim.primal_dual import StepLengths

SMALL = Tile(wide=6, strips=2, strip=4)  # so that small images have several


def pair(cuda, shape, dtype="float32", known="", bounded=True, tile=SMALL, depth=2):
    """Both solvers of one problem; ``known`` names the fields that are given, by their first two letters."""
    rng = np.random.default_rng(len(known) + sum(shape))
    O = rng.random(shape).astype(dtype)
    fields = {
        "factors": 3 * rng.random(shape),
        "ceiling": O * rng.random(shape),
        "start": 0.3 * O * rng.random(shape),
        "excess": O * rng.random(shape),
        "trust": 0.1 * rng.random(shape),
    }
    given = {name: field.astype(dtype) for name, field in fields.items() if name[:2] in known.split()}
    weights = UDGWeights(bounded=bounded)
    numbers = constants(weights, StepLengths.for_weights(weights))
    options = {"bounded": bounded, "sparsity": weights.sparsity}
    there = {name: cuda(field) for name, field in given.items()}
    return (
        Bands(O, numbers, **options, **given, threads=1),
        Tiles(cuda(O), numbers, **options, **there, tile=tile if cuda.simulated else None, depth=depth),
    )


def agree(cuda, bands, tiles, tolerance):
    (energy, gap), (energy_there, gap_there) = bands.certify(), cuda.back(tiles.certify())
    assert energy_there.dtype == gap_there.dtype == np.float64
    np.testing.assert_allclose(energy_there, energy, rtol=1e-5)
    np.testing.assert_allclose(gap_there, gap, rtol=1e-4, atol=1e-6)
    for expected, found in zip(bands.result(), cuda.back(tiles.result()), strict=True):
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        np.testing.assert_allclose(found, expected, atol=tolerance)


@pytest.mark.parametrize(
    ("shape", "options"),
    [
        ((5, 7), {}),
        ((2, 1, 4, 3), {"dtype": "float64"}),
        ((1, 1), {"known": "st"}),
        ((1, 6), {"known": "fa ce", "depth": 1}),
        ((9, 1), {"known": "fa ex tr"}),
        ((4, 5), {"known": "ce ex tr st"}),
        ((4, 5), {"bounded": False, "depth": 1}),
        ((4, 5), {"bounded": False, "known": "fa ex tr", "dtype": "float64"}),
    ],
)
def test_tiles_and_bands_agree(cuda, shape, options):
    bands, tiles = pair(cuda, shape, **options)
    bands.advance(3)
    tiles.advance(3)
    agree(cuda, bands, tiles, 1e-12 if options.get("dtype") == "float64" else 2e-6)


@pytest.mark.gpu
@pytest.mark.parametrize("known", ["", "fa ce st", "ex tr"])
@pytest.mark.parametrize(("shape", "depth"), [((300, 517), 3), ((3, 64, 130), 1), ((129, 61), 5)])
def test_tiles_and_bands_agree_on_pictures(cuda, shape, depth, known):
    bands, tiles = pair(cuda, shape, known=known, depth=depth)
    # Plain launches, launches that become a graph, and a graph.
    for iterations in (25, 75, 7):
        bands.advance(iterations)
        tiles.advance(iterations)
    agree(cuda, bands, tiles, 1e-4)


@pytest.mark.slow
def test_how_iterations_are_divided_does_not_matter(cuda):
    at_once, parted = (pair(cuda, (4, 5))[1] for _ in range(2))
    at_once.advance(4)
    for part in (1, 2, 1):
        parted.advance(part)
    for one, other in zip(cuda.back(at_once.result()), cuda.back(parted.result()), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.slow
def test_images_with_gaps_and_none_at_all(cuda):
    wide = np.random.default_rng(1).random((3, 4, 10), dtype=np.float32)
    weights = UDGWeights()
    numbers = constants(weights, StepLengths.for_weights(weights))
    for given in (wide[:, :, ::2], wide[:0], wide[:, :, :0]):
        there = Tiles(cuda(given), numbers, bounded=True, sparsity=0.01, depth=1)
        here = Bands(np.ascontiguousarray(given), numbers, bounded=True, sparsity=0.01) if given.size else None
        there.advance(1)
        assert there.certify()[0].shape == given.shape[:1]
        if here is None:
            assert there.result()[0].shape == given.shape
        else:
            here.advance(1)
            agree(cuda, here, there, 2e-6)


@pytest.mark.slow
def test_what_is_started_is_counted(cuda):
    _, tiles = pair(cuda, (4, 5))
    with launch.recording() as record:
        tiles.advance(4)
        assert record.launches == 2
        # One tile of 4 + 4 columns and 4 + 4 rows, that reads the picture once; twelve fields are written, seven read.
        assert record.moved == 2 * 4 * (7 * 4 * _covered(5, tiles.tile.wide, 2) + 6 * 20)
        tiles.certify()
    assert record.launches == 3
    with launch.recording() as other:
        pass
    assert other.launches == 0


def test_tiles_cover_what_they_read_beyond_their_halos():
    # Tiles of eight columns with a halo of two: from -2 to 5, from 2 to 9, from 6 to 13.
    assert _covered(10, 8, 2) == 6 + 8 + 4
    assert _covered(1, 8, 3) == 1


def test_what_is_repeated_runs_every_time(cuda):
    runs = []
    repeated = Repeated(lambda place: runs.append(place))
    if cuda.simulated:
        for _ in range(3):
            repeated("here")
        assert runs == ["here"] * 3


@pytest.mark.gpu
def test_a_graph_starts_what_was_recorded_in_one_call(cuda):
    bands, tiles = pair(cuda, (60, 90), depth=3)
    for _ in range(4):
        bands.advance(25)
    with launch.recording() as record:
        for _ in range(4):
            tiles.advance(25)
    assert record.launches == 4 * 10
    assert record.calls == 10 + 3
    agree(cuda, bands, tiles, 1e-4)


def test_variants_are_the_same_iteration(cuda):
    image = cuda(np.random.default_rng(4).random((5, 6) if cuda.simulated else (200, 300), dtype=np.float32))
    results = [cuda.back(run(image).result())[1] for run in variants().values()]
    assert len(results) > 1
    for result in results[1:]:
        np.testing.assert_allclose(result, results[0], atol=1e-5)


def test_tiles_fit_into_the_memory_and_the_registers_of_a_block():
    for tile, itemsize in [(INFORMED, 4), (PLAIN, 4), (DOUBLE, 8), *((tile, 4) for tile in TILES)]:
        assert (4 * tile.high + 3 * tile.strips) * tile.wide * itemsize <= 48 * 1024
        assert tile.wide * tile.strips <= 1024
        assert tile.wide * tile.strips * (tile.registers or 255) <= 65536
        assert tile.wide % 32 == 0
        assert tile.deepest >= max(DEPTHS)
