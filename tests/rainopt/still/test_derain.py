import functools
import itertools

import numpy as np
import pytest

import rainopt
from data_tools import RainDirection, RainSpec, add_rain
from rainopt import (
    Direction,
    SolverStatus,
    UDGWeights,
    derain,
    estimate_angle,
    solve_udg,
)
from rainopt.arrays import to_numpy
from rainopt.direction import planes as work_planes
from rainopt.direction.estimate import PRESENT
from rainopt.geometry.warp import Upright
from rainopt.image import luminance
from rainopt.optim.udg import CHECK_EVERY, UDGSolution
from rainopt.still import derain as pipeline
from rainopt.still import rain_layer
from rainopt.still.derain import decompose


@functools.cache
def photograph(name="astronaut"):
    data = pytest.importorskip("skimage.data")
    return getattr(data, name)()


def frozen(array):
    array.setflags(write=False)
    return array


@functools.cache
def rainy(angle=12.0, rows=(0, 128), columns=(120, 280), name="astronaut"):
    """Part of a photograph without and with rendered rain, (clean, rainy), float32."""
    spec = RainSpec(angle=angle, angle_spread=1.0, density=8000.0, intensity=0.6)
    out = add_rain(photograph(name)[slice(*rows), slice(*columns)], spec, np.random.default_rng(0))
    return frozen(out.clean), frozen(out.rainy)


def planes_last(image):
    return np.moveaxis(image, -1, 0)


# What is left alone


@pytest.mark.parametrize("angle", [0, 17, -45, 60, 90, None])
@pytest.mark.parametrize("colour", [0.0, 0.37, 1.0, (0.2, 0.5, 0.9), (1.0, 0.0, 0.3)])
def test_flat_images_do_not_change(angle, colour):
    image = np.full((24, 30) if np.ndim(colour) == 0 else (24, 30, 3), colour, np.float32)
    d = derain(image, angle=angle)
    np.testing.assert_array_equal(d.background, image)
    assert not d.rain.any()


@pytest.mark.parametrize("colour", [0.0, 0.37, (0.2, 0.5, 0.9)])
@pytest.mark.parametrize("angle", [0, 17])
def test_flat_images_are_solved_at_once(colour, angle):
    # The energy is that of rounding errors, and no gap is small beside it.
    image = np.full((24, 30) if np.ndim(colour) == 0 else (24, 30, 3), colour, np.float32)
    assert derain(image, angle=angle).solution.status is SolverStatus.CONVERGED


@pytest.mark.parametrize("angle", [0.0, 12.0, -70.0])
@pytest.mark.parametrize("tile", [0, 64])
def test_pixels_without_rain_keep_every_bit(angle, tile):
    image = rainy()[1]
    d = derain(image, angle=angle, tile=tile)
    dry = d.rain == 0
    assert 0.05 < dry.mean() < 1
    np.testing.assert_array_equal(d.background[dry], image[dry])
    assert np.all(d.background[~dry] <= image[~dry])


def test_the_input_is_kept():
    image = rainy()[1].copy()
    kept = image.copy()
    d = derain(image)
    np.testing.assert_array_equal(image, kept)
    assert not np.shares_memory(d.background, image)


# What comes out


@pytest.mark.parametrize("angle", [0.0, 12.0, 50.0])
def test_luminance_falls_by_the_rain(angle):
    image = rainy()[1]
    d = derain(image, angle=angle)
    grey = luminance(planes_last(image))
    np.testing.assert_allclose(luminance(planes_last(d.background)), grey - d.rain, atol=1e-6)
    assert d.background.dtype == d.rain.dtype == np.float32
    assert np.all((d.rain >= 0) & (d.rain <= grey + 1e-6))
    assert d.background.min() >= 0
    assert d.background.max() <= 1


@pytest.mark.parametrize("angle", [-65.0, -20.0, 0.0, 12.0, 40.0])
def test_rendered_rain_is_removed(angle):
    clean, image = rainy(angle)
    d = derain(image, angle=angle)
    assert rainopt.psnr(d.background, clean) > rainopt.psnr(image, clean) + 3
    # The wrong direction finds far less.
    other = derain(image, angle=angle - 35 if angle > 0 else angle + 35)
    assert rainopt.psnr(d.background, clean) > rainopt.psnr(other.background, clean) + 2


def test_angle_and_confidence():
    image = rainy(12.0)[1]
    estimated = derain(image)
    assert estimated.angle == estimate_angle(image).angle
    assert estimated.confidence == estimate_angle(image).confidence
    assert abs(estimated.angle - 12) < 3
    given = derain(image, angle=estimated.angle)
    assert given.confidence is None
    np.testing.assert_array_equal(given.background, estimated.background)


def test_settings_reach_the_solver():
    image = rainy()[1]
    d = derain(image, angle=12.0, max_iter=3, tol=0)
    assert d.solution.iterations == 3
    assert d.solution.status is SolverStatus.MAX_ITER
    assert d.solution.background.shape == Upright(12.0, *image.shape[:2]).shape
    assert derain(image, angle=12.0, tol=0.5).solution.iterations <= derain(image, angle=12.0).solution.iterations
    # A price on rain above any gain.
    nothing = derain(image, angle=12.0, weights=UDGWeights(sparsity=10.0))
    np.testing.assert_array_equal(nothing.background, image)


@pytest.mark.parametrize("shape", [(8, 8), (8, 60), (60, 8), (9, 13, 3)])
@pytest.mark.parametrize("angle", [None, -89.0, -45.0, 0.0, 30.0, 45.0, 90.0])
def test_small_images(rng, shape, angle):
    d = derain(rng.random(shape, dtype=np.float32), angle=angle)
    assert d.background.shape == shape
    assert d.rain.shape == shape[:2]
    assert np.isfinite(d.background).all()


# Layouts


def test_grey_images_are_their_own_luminance():
    image = luminance(planes_last(rainy()[1]))
    grey = derain(image, angle=12.0)
    assert grey.background.shape == image.shape
    np.testing.assert_array_equal(grey.background, image - grey.rain)
    np.testing.assert_array_equal(derain(image[..., None], angle=12.0).background[..., 0], grey.background)
    colour = derain(np.repeat(image[..., None], 3, axis=2), angle=12.0)
    for channel in range(3):
        np.testing.assert_allclose(colour.background[..., channel], grey.background, atol=1e-5)


def test_alpha_is_passed_through(rng):
    image = rainy()[1]
    alpha = rng.random((*image.shape[:2], 1), dtype=np.float32)
    plain, with_alpha = derain(image, angle=12.0), derain(np.dstack([image, alpha]), angle=12.0)
    np.testing.assert_array_equal(with_alpha.background[..., :3], plain.background)
    np.testing.assert_array_equal(with_alpha.background[..., 3:], alpha)
    grey = derain(image[..., 1], angle=12.0)
    grey_alpha = derain(np.dstack([image[..., 1], alpha]), angle=12.0)
    np.testing.assert_array_equal(grey_alpha.background[..., 0], grey.background)
    np.testing.assert_array_equal(grey_alpha.background[..., 1:], alpha)


@pytest.mark.parametrize("axis", [0, 1, -3, -2])
def test_channels_may_be_anywhere(axis):
    image = rainy()[1]
    expected = derain(image)
    for count in (1, 3):
        moved = np.moveaxis(image[..., :count], -1, axis)
        d = derain(moved, channel_axis=axis)
        assert d.background.shape == moved.shape
        if count == 3:
            np.testing.assert_array_equal(np.moveaxis(d.background, axis, -1), expected.background)
            np.testing.assert_array_equal(d.rain, expected.rain)


def test_images_taller_than_a_band_of_rows():
    spec = RainSpec(angle=-10.0, density=3000.0)
    clean = photograph()[:, 200:240]
    image = add_rain(clean, spec, np.random.default_rng(0)).rainy
    assert len(image) > 256
    d = derain(image, angle=-10.0)
    first = derain(np.ascontiguousarray(planes_last(image)), angle=-10.0, channel_axis=0)
    np.testing.assert_array_equal(planes_last(d.background), first.background)
    np.testing.assert_allclose(luminance(planes_last(d.background)), luminance(planes_last(image)) - d.rain, atol=1e-6)


def test_layout_in_memory_does_not_matter():
    image = rainy()[1]
    expected = derain(image, angle=12.0).background
    wide = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    for view in (np.asfortranarray(image), wide[::2, ::2], image[::-1].copy()[::-1]):
        np.testing.assert_array_equal(derain(view, angle=12.0).background, expected)


# Invariances


@pytest.mark.parametrize("angle", [12.0, -45.0, 63.0])
def test_a_mirrored_image_has_the_mirrored_result(angle):
    image = rainy()[1]
    settings = {"max_iter": 100, "tol": 0, "weights": UDGWeights()}
    d, mirrored = derain(image, angle=angle, **settings), derain(image[:, ::-1], angle=-angle, **settings)
    np.testing.assert_allclose(mirrored.background[:, ::-1], d.background, atol=1e-5)
    np.testing.assert_allclose(mirrored.rain[:, ::-1], d.rain, atol=1e-5)
    # Weights chosen from the image hang on the height of the streaks, of which a mirrored image samples others.
    d, mirrored = derain(image, angle=angle), derain(image[:, ::-1], angle=-angle)
    assert np.abs(mirrored.background[:, ::-1] - d.background).mean() < 1e-3


def test_a_mirrored_image_has_the_mirrored_result_with_its_angle_estimated():
    image = rainy()[1]
    d, mirrored = derain(image), derain(image[:, ::-1])
    assert mirrored.angle == pytest.approx(-d.angle, abs=0.4)
    assert np.abs(mirrored.background[:, ::-1] - d.background).mean() < 0.5 / 255


def test_an_image_on_its_side_has_its_result_on_its_side():
    image = rainy()[1]
    settings = {"max_iter": 100, "tol": 0}
    d = derain(image, angle=12.0, **settings)
    turned = derain(np.swapaxes(image, 0, 1), angle=78.0, **settings)
    np.testing.assert_allclose(np.swapaxes(turned.background, 0, 1), d.background, atol=1e-5)


def test_dtypes_agree():
    coarse = np.rint(rainy()[1] * 255).astype(np.uint8)
    settings = {"angle": 12.0, "max_iter": 100, "tol": 0}
    expected = derain(coarse / np.float32(255), **settings)
    for image in (coarse, coarse.astype(np.uint16) * 257, coarse / 255.0):
        d = derain(image, **settings)
        assert d.background.dtype == np.float32
        np.testing.assert_allclose(d.background, expected.background, atol=1e-5)


def test_decompose_writes_the_dtype_that_is_asked_for():
    image = np.rint(rainy()[1] * 255).astype(np.uint8)
    d = derain(image, angle=12.0)
    for dtype in (np.uint8, np.uint16):
        full = np.iinfo(dtype).max
        coarse = decompose(image, dtype, angle=12.0)
        assert coarse.background.dtype == dtype
        np.testing.assert_array_equal(coarse.background, np.rint(d.background * full).astype(dtype))
        dry = d.rain == 0
        np.testing.assert_array_equal(coarse.background[dry], image[dry].astype(dtype) * (full // 255))


@pytest.mark.parametrize("channel_axis", [0, -1])
@pytest.mark.parametrize("angle", [12.0, None])
def test_libraries_agree(other_xp, channel_axis, angle):
    image = np.ascontiguousarray(np.moveaxis(rainy()[1][:64, :72], -1, channel_axis))
    settings = {"angle": angle, "channel_axis": channel_axis, "max_iter": 20, "tol": 0}
    expected = derain(image, **settings)
    d = derain(other_xp.asarray(image), **settings)
    for name in ("background", "rain"):
        value = getattr(d, name)
        assert isinstance(value, type(other_xp.asarray(image)))
        assert value.dtype == other_xp.float32
        np.testing.assert_allclose(to_numpy(value), getattr(expected, name), atol=1e-5)
    assert d.angle == expected.angle


@pytest.mark.parametrize("dtype", ["uint8", "float64"])
def test_torch_tensors_of_any_dtype(torch, dtype):
    image = rainy()[1][:40, :48]
    image = np.rint(image * 255).astype(np.uint8) if dtype == "uint8" else image.astype(dtype)
    d = derain(torch.as_tensor(image), angle=12.0)
    assert d.background.dtype == torch.float32
    np.testing.assert_allclose(d.background, derain(image, angle=12.0).background, atol=1e-5)


def test_the_same_twice():
    image = rainy()[1]
    np.testing.assert_array_equal(derain(image).background, derain(image).background)


# Tiles


@pytest.mark.parametrize(("tile", "angle"), [(192, 12.0), (160, -30.0), (128, 60.0)])
def test_tiles_agree_with_the_whole(tile, angle):
    image = rainy(angle, rows=(0, 400), columns=(50, 550), name="coffee")[1]
    whole, tiled = derain(image, angle=angle, tile=0), derain(image, angle=angle, tile=tile)
    difference = tiled.rain - whole.rain
    assert np.abs(tiled.background - whole.background).max() <= 2 / 255
    # No seam: the difference does not jump, neither at a cut nor elsewhere.
    for axis in (0, 1):
        step = np.abs(np.diff(difference, axis=axis)).mean(axis=1 - axis)
        assert step.max() < 1 / 255
    assert tiled.solution.background is None
    assert tiled.solution.rain is None
    assert tiled.solution.iterations >= 1
    assert float(tiled.solution.gap) >= 0


@pytest.mark.parametrize("tile", [0, 160])
@pytest.mark.parametrize("middle", ["smooth", "flat"])
def test_a_large_image_is_solved_as_well_as_asked_whatever_its_middle_shows(monkeypatch, tile, middle):
    image = rainy(12.0, rows=(0, 400), columns=(50, 550), name="coffee")[1].copy()
    image[90:310, 140:360] = 0.4567 if middle == "flat" else np.linspace(0.2, 0.6, 220)[:, None, None]
    settings = {"angle": 12.0, "tol": 0.005, "max_iter": 2000}
    whole = derain(image, tile=0, **settings)
    assert whole.solution.status is SolverStatus.CONVERGED
    # Large images take the number of iterations from their busiest window.
    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 128)
    d = derain(image, tile=tile, **settings)
    assert d.solution.status is SolverStatus.CONVERGED
    assert d.solution.iterations <= 2 * whole.solution.iterations


@pytest.mark.slow
def test_a_large_photograph_in_tiles_of_the_usual_overlap():
    scene = np.tile(np.pad(photograph("coffee"), ((0, 0), (0, 600), (0, 0)), "reflect"), (4, 1, 1))
    spec = RainSpec(angle=20.0, density=4000.0, length=80.0)
    image = add_rain(scene, spec, np.random.default_rng(0)).rainy
    whole, tiled = derain(image, tile=0), derain(image, tile=700)
    assert whole.angle == tiled.angle
    assert np.abs(tiled.background - whole.background).max() <= 2 / 255


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


# What is refused


@pytest.mark.parametrize("shape", [(1, 1), (1, 40), (40, 1), (7, 40), (40, 7, 3)])
def test_images_too_small_for_a_streak(xp, shape):
    with pytest.raises(ValueError, match="`image` must be at least 8 pixels on each side to show a streak, got"):
        derain(xp.zeros(shape, dtype=xp.float32))


@pytest.mark.parametrize("shape", [(), (9,), (2, 9, 9, 3)])
def test_wrong_ranks(xp, shape):
    with pytest.raises(ValueError, match=r"`image` must be \(H, W\) or \(H, W, C\), got shape"):
        derain(xp.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 9), (9, 0), (9, 9, 0), (0, 0, 3)])
def test_empty_images(shape):
    with pytest.raises(ValueError, match="`image` must not be empty, got shape"):
        derain(np.zeros(shape))


@pytest.mark.parametrize("count", [5, 7])
def test_wrong_numbers_of_channels(count):
    with pytest.raises(ValueError, match=f"`image` must have 1 to 4 channels .* got {count} on axis -1 of shape"):
        derain(np.zeros((9, 10, count)))


@pytest.mark.parametrize("axis", [3, -4, None])
def test_wrong_channel_axes(axis):
    with pytest.raises(ValueError, match="`channel_axis` must name an axis"):
        derain(np.zeros((9, 10, 3)), channel_axis=axis)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 299])
def test_non_finite_images(value, row):
    image = np.full((300, 9, 3), 0.5)
    image[row, 3, 1] = value
    with pytest.raises(ValueError, match="`image` must be finite"):
        derain(image)


@pytest.mark.parametrize("value", [-0.1, 1.5, 255.0])
def test_floats_out_of_range(value):
    image = np.full((20, 20), 0.5)
    image[7, 7] = value
    with pytest.raises(ValueError, match=r"`image` of floats must lie in \[0, 1\]"):
        derain(image)


@pytest.mark.parametrize("dtype", [bool, int, np.int16, complex])
def test_wrong_dtypes(dtype):
    with pytest.raises(TypeError, match="`image` must be uint8, uint16 or floating point, got"):
        derain(np.zeros((20, 20), dtype))


def test_lists_are_not_images():
    with pytest.raises(TypeError, match=r"`image` must be arrays of one library .* got list"):
        derain([[0.0, 1.0]])


@pytest.mark.parametrize("angle", [-90, 90.5, 360, float("nan"), float("inf")])
def test_angles_out_of_range(angle):
    with pytest.raises(ValueError, match=r"`angle` must be in \(-90, 90\] degrees, got"):
        derain(np.zeros((20, 20)), angle=angle)


def test_other_settings_out_of_range():
    image = np.zeros((20, 20))
    for settings, message in (
        ({"tile": -1}, "`tile` must be at least 0, got -1"),
        ({"max_iter": 0}, "`max_iter` must be a whole number of at least 1"),
        ({"tol": -1.0}, "`tol` must be at least 0"),
        ({"tol": float("nan")}, "`tol` must be at least 0"),
    ):
        for tile in ({}, {"tile": 12}):
            with pytest.raises(ValueError, match=message):
                derain(image, **{**tile, **settings})


# How many iterations a large image gets


def solved(monkeypatch):
    """Record the luminance and the iterations of every upright solve."""
    calls = []
    solve = rain_layer._solve_upright

    def recording(grey, angle, weights, max_iter, tol, centre=None):
        calls.append((np.asarray(grey), max_iter, tol))
        return solve(grey, angle, weights, max_iter, tol, centre)

    monkeypatch.setattr(rain_layer, "_solve_upright", recording)
    return calls


def test_the_busiest_window_is_the_pilot(monkeypatch):
    image = np.full((200, 500), 0.5, np.float32)
    image[:, 380:] = rainy(12.0, rows=(0, 200), columns=(50, 170), name="coffee")[1][..., 0]
    calls = solved(monkeypatch)
    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 128)
    derain(image, angle=12.0, tile=160)
    pilot, _, tol = calls[0]
    assert tol > 0
    assert pilot.shape == (128, 128)
    assert np.abs(np.diff(pilot, axis=1)).mean() > 0.01
    assert all(tol == 0 for _, _, tol in calls[1:])


def test_the_pilot_has_a_margin_where_it_is_a_part(monkeypatch):
    image = rainy(12.0)[1]
    monkeypatch.setattr(rain_layer, "PILOT_SIDE", 96)
    calls = solved(monkeypatch)
    d = derain(image, angle=12.0, tile=100, weights=UDGWeights())
    alone = solve_alone(calls[0][0])
    assert calls[1][1] == alone + CHECK_EVERY
    assert d.solution.iterations % (alone + CHECK_EVERY) == 0


def solve_alone(grey):
    def split(O, most, within):
        return solve_udg(O, max_iter=most, tol=within), None

    return rain_layer._solve_upright(grey, 12.0, split, 400, 0.02)[1].iterations


def test_an_easy_pilot_is_made_up_for(monkeypatch):
    monkeypatch.setattr(rain_layer, "_pilot", lambda *_: (10, 0.0))
    shares = []
    d = derain(rainy(12.0)[1], angle=12.0, tile=100, progress=shares.append)
    assert d.solution.status is SolverStatus.CONVERGED
    assert d.solution.iterations in (20, 40, 80, 160, 320)
    # The bar does not run backwards while the tiles are done again.
    assert shares == sorted(shares)
    assert shares[-1] == 1
    d = derain(rainy(12.0)[1], angle=12.0, tile=100, max_iter=15)
    assert d.solution.status is SolverStatus.MAX_ITER
    assert d.solution.iterations == 15


def test_tiles_agree_at_the_edge_of_the_image_at_a_slight_angle():
    # At 0.3° the rows of a tile jut out by fewer pixels than those of the whole, and there are streaks at the edge.
    rng = np.random.default_rng(0)
    image = 0.3 + rng.normal(0, 0.01, (420, 300))
    for column in (0, 1, 298, 299):
        for row in range(0, 420, 60):
            image[row + rng.integers(0, 20) : row + rng.integers(30, 55), column] += rng.uniform(0.05, 0.3)
    whole, tiled = (derain(image, angle=0.3, tile=tile, max_iter=100, tol=0.0) for tile in (0, 160))
    assert np.abs(tiled.background - whole.background).max() <= 1 / 255


def test_a_gradient_is_not_followed(torch):
    image = torch.as_tensor(rainy(12.0)[1].copy()).requires_grad_()
    d = derain(image, angle=12.0)
    assert not d.background.requires_grad
    assert not d.rain.requires_grad


@pytest.mark.parametrize("angle", ["12", True, [12.0]])
def test_an_angle_is_a_number(angle):
    with pytest.raises(TypeError, match="`angle` must be a number of degrees"):
        derain(np.zeros((20, 20)), angle=angle)


# No rain, and rain in several directions


def test_a_dry_photograph_comes_back_as_it_went_in():
    image = photograph("coffee")
    shares = []
    d = derain(image, progress=shares.append)
    assert d.directions == ()
    assert d.confidence < PRESENT
    np.testing.assert_array_equal(np.rint(d.background * 255).astype(np.uint8), image)
    assert not d.rain.any()
    assert d.solution.status is SolverStatus.NOTHING_TO_DO
    assert d.solution.iterations == 0
    assert shares == [1.0]
    # Told the angle, it does as it is told.
    assert derain(image, angle=d.angle).rain.any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_dry_picture_keeps_every_level(dtype):
    image = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (60, 70, 3), endpoint=True, dtype=dtype)
    d = decompose(image, np.dtype(dtype))
    assert d.directions == ()
    np.testing.assert_array_equal(d.background, image)


def crossed():
    clean = photograph("astronaut")[:400, :400]
    spec = RainSpec(
        angle=0.0, angle_spread=0.5, density=15000.0, directions=(RainDirection(-15.0, 1.0), RainDirection(15.0, 0.8))
    )
    return add_rain(clean, spec, np.random.default_rng(1))


def test_rain_in_two_directions_is_removed_in_both():
    out = crossed()
    d = derain(out.rainy)
    assert sorted(direction.angle for direction in d.directions) == pytest.approx([-15, 15], abs=1)
    assert d.angle == d.directions[0].angle
    single = derain(out.rainy, angle=d.angle)
    assert [direction.angle for direction in single.directions] == [d.angle]
    rainy_db, single_db, both_db = (rainopt.psnr(x, out.clean) for x in (out.rainy, single.background, d.background))
    assert single_db > rainy_db + 1
    assert both_db > single_db + 0.5
    # Each layer is taken from what is left, so together they never exceed the image.
    assert (d.rain <= luminance(planes_last(out.rainy)) + 1e-6).all()


def test_only_further_directions_ask_for_a_copy_of_the_image(monkeypatch):
    grey, seen = np.ones((16, 16), np.float32), []

    def quarter(image, *_):
        seen.append(image)
        return image / 4, UDGSolution(None, None, 1.0, 0.0, 1, SolverStatus.CONVERGED)

    monkeypatch.setattr(pipeline, "rain_layer", quarter)
    directions = (Direction(0.0, 0.6), Direction(30.0, 0.4))
    rain, _ = pipeline._all_rain(grey, directions, (None, None), None, None, None, None, None)
    assert seen[0] is grey
    assert [float(image[0, 0]) for image in seen] == [1, 0.75]
    np.testing.assert_array_equal(rain, np.float32(0.25 + 0.75 / 4))
    np.testing.assert_array_equal(grey, 1)


def test_progress_runs_once_through_all_directions():
    shares = []
    d = derain(crossed().rainy, progress=shares.append)
    assert len(d.directions) == 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert 0.5 in shares


# How much is removed


def test_strength_is_monotone_and_zero_removes_nothing():
    image = rainy(12.0)[1]
    layers = [derain(image, angle=12.0, strength=s) for s in (0, 0.1, 0.5, 1, 2, 4)]
    taken = [float(d.rain.mean()) for d in layers]
    assert taken == sorted(taken)
    assert taken[0] == 0 < taken[1] < taken[-1]
    np.testing.assert_array_equal(layers[0].background, image)
    assert layers[0].solution.status is SolverStatus.NOTHING_TO_DO


def test_weights_from_the_image_are_better_than_one_set_for_all():
    clean, image = rainy(12.0)
    chosen, fixed = derain(image, angle=12.0), derain(image, angle=12.0, weights=UDGWeights())
    assert rainopt.psnr(chosen.background, clean) > rainopt.psnr(fixed.background, clean)


def test_strength_and_weights_exclude_one_another():
    with pytest.raises(ValueError, match="`strength`"):
        derain(np.zeros((20, 20)), strength=-1.0)
    with pytest.raises(ValueError, match="not both"):
        derain(np.zeros((20, 20)), strength=2.0, weights=UDGWeights())


# The veil


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_a_veil_is_removed_on_request_only(dtype):
    clean = photograph("astronaut").astype(np.float32) / 255
    veiled = clean + 0.2 * (1 - clean)
    image = veiled if dtype is np.float32 else np.rint(255 * veiled).astype(np.uint8)
    left, taken = derain(image), derain(image, veil=True)
    assert left.veil is None
    assert taken.veil.shape == clean.shape[:2]
    before, after = rainopt.psnr(left.background, clean), rainopt.psnr(taken.background, clean)
    assert after > before + 6
    # It is what lies over the scene without streaks.
    np.testing.assert_allclose(
        taken.background,
        np.clip((left.background - taken.veil[..., None]) / (1 - taken.veil[..., None]), 0, 1),
        atol=0.01,
    )


def test_streaks_thinner_than_a_block_are_not_taken_for_faint_ones(monkeypatch):
    rng = np.random.default_rng(0)
    clean = np.full((300, 400), 0.3, np.float32)
    image = clean.copy()
    for row, column in zip(rng.integers(0, 260, 90), rng.permutation(400)[:90], strict=True):
        image[row : row + 36, column] = 0.9
    # Judged by the means of 4 x 4 pixels, a streak is a quarter of its height.
    monkeypatch.setattr(work_planes, "WORK_PIXELS", image.size // 16)
    reduced = derain(image, angle=0.0)
    assert rainopt.psnr(reduced.background, clean) > rainopt.psnr(image, clean) + 10


def test_what_is_told_everything_looks_for_nothing(monkeypatch):
    image = rainy(12.0)[1]
    expected = derain(image, angle=12.0, weights=UDGWeights())
    monkeypatch.setattr(pipeline, "gather", None)
    np.testing.assert_array_equal(derain(image, angle=12.0, weights=UDGWeights()).rain, expected.rain)
