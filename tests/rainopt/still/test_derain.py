import functools

import numpy as np
import pytest

import rainopt
from data_tools import RainDirection, RainSpec, add_rain
from rainopt import SolverStatus, UDGWeights, derain, estimate_angle
from rainopt.arrays import to_numpy
from rainopt.direction import evidence
from rainopt.direction import planes as work_planes
from rainopt.direction.estimate import PRESENT, Direction
from rainopt.geometry.warp import Upright
from rainopt.image import frame_luminance
from rainopt.optim.udg import UDGSolution
from rainopt.still.settings import StillSettings
from tests.support.photographs import photograph, rainy

FIXED = {"angle": 12.0, "max_iter": 100, "tol": 0}


# What is left alone


@pytest.mark.parametrize("angle", [0, 17, -45, 60, 90, None])
def test_flat_images_do_not_change_and_are_solved_at_once(angle):
    # The energy is that of rounding errors, and no gap is small beside it.
    for colour in (0.0, 0.37, 1.0, (0.2, 0.5, 0.9), (1.0, 0.0, 0.3)):
        image = np.full((24, 30) if np.ndim(colour) == 0 else (24, 30, 3), colour, np.float32)
        d = derain(image, angle=angle)
        np.testing.assert_array_equal(d.background, image)
        assert not d.rain.any()
        assert d.solution.status is (SolverStatus.NOTHING_TO_DO if angle is None else SolverStatus.CONVERGED)


@pytest.mark.parametrize("angle", [0.0, 12.0, -70.0])
@pytest.mark.parametrize("tile", [0, 64])
def test_luminance_falls_by_the_rain_and_pixels_without_it_keep_every_bit(angle, tile):
    image = rainy()[1].copy()
    d = derain(image, angle=angle, tile=tile)
    grey = frame_luminance(image)
    np.testing.assert_allclose(frame_luminance(d.background), grey - d.rain, atol=1e-6)
    assert d.background.dtype == d.rain.dtype == np.float32
    assert np.all((d.rain >= 0) & (d.rain <= grey + 1e-6))
    assert np.all((d.background >= 0) & (d.background <= image))
    dry = d.rain == 0
    assert 0.05 < dry.mean() < 1
    np.testing.assert_array_equal(d.background[dry], image[dry])
    # The input is kept.
    np.testing.assert_array_equal(image, rainy()[1])
    assert not np.shares_memory(d.background, image)


def test_a_dry_photograph_comes_back_as_it_went_in():
    image, shares = photograph("coffee"), []
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


def test_a_dry_picture_keeps_every_level():
    image = np.random.default_rng(0).integers(0, 65535, (60, 70, 3), endpoint=True, dtype=np.uint16)
    d = derain(image)
    assert d.directions == ()
    np.testing.assert_array_equal(np.rint(65535 * d.background.astype(float)), image)


# What is removed


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


@functools.cache
def crossed():
    """Part of a photograph in rain that falls in two directions."""
    directions = (RainDirection(-15.0, 1.0), RainDirection(15.0, 0.8))
    spec = RainSpec(angle=0.0, angle_spread=0.5, density=15000.0, directions=directions)
    return add_rain(photograph()[:400, :400], spec, np.random.default_rng(1))


def test_rain_in_two_directions_is_removed_in_both():
    out, shares = crossed(), []
    d = derain(out.rainy, progress=shares.append)
    assert sorted(direction.angle for direction in d.directions) == pytest.approx([-15, 15], abs=1)
    assert d.angle == d.directions[0].angle
    single = derain(out.rainy, angle=d.angle)
    assert [direction.angle for direction in single.directions] == [d.angle]
    rainy_db, single_db, both_db = (rainopt.psnr(x, out.clean) for x in (out.rainy, single.background, d.background))
    assert single_db > rainy_db + 1
    assert both_db > single_db + 0.5
    # Together the layers never exceed the image.
    assert (d.rain <= frame_luminance(out.rainy) + 1e-6).all()
    # Progress runs once through both.
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert 0.5 in shares


def test_several_angles_that_are_given_are_as_those_that_are_found():
    out = crossed()
    found = derain(out.rainy)
    for angles in (tuple(d.angle for d in found.directions), np.array([d.angle for d in found.directions])):
        given = derain(out.rainy, angle=angles)
        np.testing.assert_array_equal(given.rain, found.rain)
        assert [d.share for d in given.directions] == [0.5, 0.5]
        assert (given.angle, given.confidence) == (found.angle, None)


def test_one_angle_in_a_sequence_is_that_angle():
    one, alone = (StillSettings(angle=angle) for angle in ((12,), 12.0))
    assert one == alone
    assert one.directions == (Direction(12.0, 1.0),)
    image = rainy()[1]
    one, alone = (derain(image, angle=angle, max_iter=5) for angle in ([12.0], 12.0))
    np.testing.assert_array_equal(one.background, alone.background)
    assert (one.angle, one.directions) == (alone.angle, alone.directions)


def test_each_direction_is_sought_in_what_the_ones_before_have_left(monkeypatch):
    def quarter(grey, *_, **__):
        return grey / 4, UDGSolution(None, None, 1.0, 0.0, 1, SolverStatus.CONVERGED)

    monkeypatch.setattr("rainopt.still.rain_layer.rain_layer", quarter)
    grey = frame_luminance(crossed().rainy)
    d = derain(grey)
    assert len(d.directions) == 2
    np.testing.assert_allclose(d.rain, (0.25 + 0.75 / 4) * grey, rtol=1e-5)


def test_streaks_thinner_than_a_block_are_not_taken_for_faint_ones(monkeypatch):
    rng = np.random.default_rng(0)
    clean = np.full((300, 400), 0.3, np.float32)
    image = clean.copy()
    for row, column in zip(rng.integers(0, 260, 90), rng.permutation(400)[:90], strict=True):
        image[row : row + 36, column] = 0.9
    # Judged by the means of 4 x 4 pixels, a streak is a quarter of its height.
    monkeypatch.setattr(work_planes, "WORK_PIXELS", image.size // 16)
    assert rainopt.psnr(derain(image, angle=0.0).background, clean) > rainopt.psnr(image, clean) + 10


def test_evidence_is_gathered_once_and_not_at_all_where_nothing_is_to_be_learnt(monkeypatch):
    calls, find_ridges = [], evidence.find_ridges
    monkeypatch.setattr(evidence, "find_ridges", lambda *arguments: calls.append(0) or find_ridges(*arguments))
    derain(rainy()[1])
    assert len(calls) == len(evidence.SCALES)
    derain(rainy()[1], angle=12.0, weights=UDGWeights())
    assert len(calls) == len(evidence.SCALES)


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_a_veil_is_removed_on_request_only(monkeypatch, dtype):
    clean = photograph().astype(np.float32) / 255
    if dtype is np.uint8:
        # A large picture is reduced before it is looked for.
        monkeypatch.setattr(work_planes, "WORK_PIXELS", 100_000)
    veiled = clean + 0.2 * (1 - clean)
    image = veiled if dtype is np.float32 else np.rint(255 * veiled).astype(np.uint8)
    left, taken = derain(image), derain(image, veil=True)
    assert left.veil is None
    assert taken.veil.shape == clean.shape[:2]
    assert rainopt.psnr(taken.background, clean) > rainopt.psnr(left.background, clean) + 6
    # It is what lies over the scene without streaks.
    veil = taken.veil[..., None]
    np.testing.assert_allclose(taken.background, np.clip((left.background - veil) / (1 - veil), 0, 1), atol=0.01)


# The settings


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


def test_strength_is_monotone_and_zero_removes_nothing():
    clean, image = rainy(12.0)
    layers = [derain(image, angle=12.0, strength=s) for s in (0, 0.1, 1, 4)]
    taken = [float(d.rain.mean()) for d in layers]
    assert taken == sorted(taken)
    assert taken[0] == 0 < taken[1] < taken[-1]
    np.testing.assert_array_equal(layers[0].background, image)
    assert layers[0].solution.status is SolverStatus.NOTHING_TO_DO
    # Weights from the image are better than one set for all.
    fixed = derain(image, angle=12.0, weights=UDGWeights())
    assert rainopt.psnr(layers[2].background, clean) > rainopt.psnr(fixed.background, clean)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tile": -1}, "`tile` must be at least 0, got -1"),
        ({"max_iter": 0}, "`max_iter` must be a whole number of at least 1"),
        ({"tol": -1.0}, "`tol` must be .*at least 0"),
        ({"tol": float("nan")}, "`tol` must be .*at least 0"),
        ({"strength": -1.0}, "`strength`"),
        ({"strength": 2.0, "weights": UDGWeights()}, "not both"),
        *(({"angle": a}, r"`angle` must be in \(-90, 90\] degrees, got") for a in (-90, 90.5, 360, np.nan, np.inf)),
        *(({"angle": [3.0, a]}, r"`angle` must be in \(-90, 90\] degrees, got") for a in (-90, 90.5, np.nan, -np.inf)),
        *(({"angle": a}, f"`angle` must be one to 3 angles, got {len(a)}") for a in ((), (0.0, 10.0, 20.0, 30.0))),
        ({"angle": (3.0, 40.0, 3.9)}, "`angle` must hold angles at least 1 degree apart, got 3 and 3.9"),
        # Lines repeat after 180 degrees.
        ({"angle": [89.8, -89.7]}, "`angle` must hold angles at least 1 degree apart, got 89.8 and -89.7"),
        *(({"channel_axis": axis}, "`channel_axis` must name an axis") for axis in (3, -4, None)),
    ],
    ids=str,
)
def test_settings_out_of_range(settings, message):
    # A dry image is no reason to accept what would be refused in rain.
    for tile in ({}, {"tile": 12}):
        with pytest.raises(ValueError, match=message):
            derain(np.zeros((20, 20, 3)), **{**tile, **settings})


@pytest.mark.parametrize("angle", ["12", True, ["12"], [True, 3.0], {3.0}, b"12"])
def test_angles_are_numbers(angle):
    with pytest.raises(TypeError, match="`angle` must be a number of degrees"):
        derain(np.zeros((20, 20)), angle=angle)


# The image


def with_value(value, row=0):
    image = np.full((300, 9, 3), 0.5)
    image[row, 3, 1] = value
    return image


@pytest.mark.parametrize(
    ("image", "message"),
    [
        *((np.zeros(shape), "must be at least 8 pixels on each side to show a") for shape in ((1, 40), (40, 7, 3))),
        (np.zeros((9, 10, 5)), "must have 1 to 4 channels .* got 5 on axis -1 of shape"),  # as `split_channels` says
        # In the first band of rows, and in the last.
        *((with_value(value, row), "must be finite") for value in (np.nan, -np.inf) for row in (0, 299)),
        *((with_value(value), r"of floats must lie in \[0, 1\]") for value in (-0.1, 1.5, 255.0)),
        ([[0.0, 1.0]], "must be arrays of one library .* got list"),
    ],
)
def test_what_is_no_image(image, message):
    with pytest.raises((ValueError, TypeError), match=f"`image` {message}"):
        derain(image)


@pytest.mark.parametrize("shape", [(8, 8), (8, 60), (60, 8), (9, 13, 3)])
def test_small_images(rng, shape):
    for angle in (None, -89.0, -45.0, 0.0, 30.0, 45.0, 90.0):
        d = derain(rng.random(shape, dtype=np.float32), angle=angle)
        assert d.background.shape == shape
        assert d.rain.shape == shape[:2]
        assert np.isfinite(d.background).all()


def test_grey_images_are_their_own_luminance():
    image = frame_luminance(rainy()[1])
    grey = derain(image, angle=12.0)
    np.testing.assert_array_equal(grey.background, image - grey.rain)
    np.testing.assert_array_equal(derain(image[..., None], angle=12.0).background[..., 0], grey.background)
    colour = derain(np.repeat(image[..., None], 3, axis=2), angle=12.0)
    np.testing.assert_allclose(colour.background, np.repeat(grey.background[..., None], 3, axis=2), atol=1e-5)


def test_alpha_is_passed_through(rng):
    alpha = rng.random((128, 160, 1), dtype=np.float32)
    for image in (rainy()[1], rainy()[1][..., 1:2]):
        plain, with_alpha = derain(image, angle=12.0), derain(np.dstack([image, alpha]), angle=12.0)
        np.testing.assert_array_equal(with_alpha.background[..., :-1], plain.background)
        np.testing.assert_array_equal(with_alpha.background[..., -1:], alpha)


@pytest.mark.parametrize("axis", [0, 1, -3, -2])
def test_channels_may_be_anywhere(axis):
    # More rows than a band holds.
    spec = RainSpec(angle=-10.0, density=3000.0)
    image = add_rain(photograph()[:300, 200:240], spec, np.random.default_rng(0)).rainy
    for count in (1, 3):
        settings = {"angle": -10.0, "max_iter": 20}
        expected = derain(image[..., :count], **settings)
        d = derain(np.ascontiguousarray(np.moveaxis(image[..., :count], -1, axis)), channel_axis=axis, **settings)
        np.testing.assert_array_equal(np.moveaxis(d.background, axis, -1), expected.background)
        np.testing.assert_array_equal(d.rain, expected.rain)


# What must not matter


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


def test_an_image_on_its_side_has_its_result_on_its_side():
    image = rainy()[1]
    turned = derain(np.swapaxes(image, 0, 1), **{**FIXED, "angle": 78.0})
    np.testing.assert_allclose(np.swapaxes(turned.background, 0, 1), derain(image, **FIXED).background, atol=1e-5)


def test_dtypes_agree(torch):
    coarse = np.rint(rainy()[1] * 255).astype(np.uint8)
    expected = derain(coarse / np.float32(255), **FIXED).background
    for image in (coarse, coarse.astype(np.uint16) * 257, coarse / 255.0):
        d = derain(image, **FIXED)
        assert d.background.dtype == np.float32
        np.testing.assert_allclose(d.background, expected, atol=1e-5)
    for image in (torch.as_tensor(coarse), torch.as_tensor(coarse / 255.0).requires_grad_()):
        d = derain(image, **FIXED)
        assert d.background.dtype == torch.float32
        # A gradient is not followed.
        assert not d.background.requires_grad
        assert not d.rain.requires_grad
        np.testing.assert_allclose(d.background, expected, atol=1e-5)


@pytest.mark.parametrize(("channel_axis", "angle"), [(0, None), (-1, 12.0)])
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


def test_layout_in_memory_does_not_matter():
    image = rainy()[1]
    expected = derain(image, angle=12.0).background
    wide = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    for view in (np.asfortranarray(image), wide[::2, ::2], image[::-1].copy()[::-1]):
        np.testing.assert_array_equal(derain(view, angle=12.0).background, expected)
