"""Marks: what is protected stays, what is called rain is not doubted, and all else is as it would be."""

import functools

import numpy as np
import pytest

import rainopt
from rainopt import UDGWeights, derain
from rainopt.arrays import to_numpy
from rainopt.host_steps import fetched
from rainopt.image import frame_luminance
from rainopt.still.adaptive import CERTAIN, certain
from tests.support.photographs import rainy

H, W = 128, 160
ASKED = {"angle": 12.0, "max_iter": 60, "tol": 0.0}


@functools.cache
def unmarked():
    return derain(rainy()[1], **ASKED)


def marked(marks, **asked):
    return derain(rainy()[1], marks=marks, **ASKED | asked)


def inside():
    marks = np.zeros((H, W), np.float32)
    marks[40:90, 30:110] = 1
    return marks


@pytest.mark.parametrize("dtype", [np.int8, np.float64])
def test_marks_of_zeros_change_no_bit(dtype):
    d = marked(np.zeros((H, W), dtype))
    np.testing.assert_array_equal(d.background, unmarked().background)
    np.testing.assert_array_equal(d.rain, unmarked().rain)


def test_what_is_protected_comes_out_as_it_went_in_and_all_else_as_it_would():
    grey = frame_luminance(rainy()[1])
    box = inside() > 0
    plain, d = derain(grey, **ASKED), derain(grey, marks=(-inside()).astype(np.int8), **ASKED)
    assert plain.rain[box].any()
    np.testing.assert_array_equal(d.background[box], grey[box])
    np.testing.assert_array_equal(d.rain, np.where(box, 0, plain.rain))
    np.testing.assert_array_equal(d.background[~box], plain.background[~box])
    # Colours, too: those beside it may follow the streaks that are left to tell the colour of the rain.
    d = marked(-inside())
    np.testing.assert_array_equal(d.background[box], rainy()[1][box])


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_protection_counts_by_its_share(share):
    grey = frame_luminance(rainy()[1])
    d = derain(grey, marks=np.full((H, W), -share, np.float32), **ASKED)
    np.testing.assert_allclose(d.rain, (1 - share) * derain(grey, **ASKED).rain, atol=1e-7)


def test_an_image_of_a_dark_exposure_is_protected_to_the_bit():
    dark = np.rint(rainy()[1] * 1000).astype(np.uint16)
    d = derain(dark, marks=-inside(), **ASKED)
    np.testing.assert_array_equal(np.rint(65535 * d.background[inside() > 0]), dark[inside() > 0])


def test_more_is_taken_the_surer_the_rain_and_never_more_than_is_there():
    box = inside() > 0
    layers = [marked(share * inside()).rain for share in (0, 0.3, 0.6, 1)]
    taken = [float(layer[box].mean()) for layer in layers]
    assert taken == sorted(taken)
    assert taken[-1] > 1.1 * taken[0]
    assert (layers[-1] >= 0).all()
    assert (layers[-1] <= frame_luminance(rainy()[1]) + 1e-6).all()
    # Far from the marks next to nothing happens; near to them streaks go on.
    beyond = np.ones((H, W), bool)
    beyond[10:120, 5:140] = False
    assert np.abs(layers[-1] - layers[0])[beyond].mean() < 0.1 / 255


def test_of_two_streaks_far_brighter_than_the_rain_the_one_that_is_marked_goes():
    rng = np.random.default_rng(0)
    clean = 0.3 + rng.normal(0, 0.005, (160, 200)).astype(np.float32)
    image = clean.copy()
    for row, column in zip(rng.integers(0, 120, 50), rng.permutation(200)[:50], strict=True):
        image[row : row + 40, column] += 0.08
    here, there = np.s_[30:100, 60:63], np.s_[30:100, 140:143]
    for bright in (here, there):
        image[bright] += 0.5
    marks = np.zeros(image.shape, np.float32)
    marks[22:108, 52:71] = 1
    plain, d = derain(image, angle=0.0), derain(image, angle=0.0, marks=marks)
    left = [np.abs(layer.background - clean)[bright].mean() for bright in (here, there) for layer in (plain, d)]
    assert left[0] > 0.2
    assert left[1] < 0.05
    assert left[3] == pytest.approx(left[2], rel=0.02)


def test_marks_do_not_tell_how_rain_falls():
    image = np.random.default_rng(0).random((60, 70), np.float32)
    marks = np.ones(image.shape, np.int8)
    dry, told = derain(image, marks=marks), derain(image, marks=marks, angle=0.0)
    assert dry.directions == ()
    np.testing.assert_array_equal(dry.background, image)
    # Told, it is taken though the picture shows none, and more than without the marks.
    assert told.rain.mean() > 1.2 * derain(image, angle=0.0).rain.mean() > 0


def test_marks_count_with_weights_that_are_given_too():
    box, weights = inside() > 0, UDGWeights(sparsity=0.02)
    assert marked(inside(), weights=weights).rain[box].mean() > 1.2 * marked(None, weights=weights).rain[box].mean()


def test_the_sparsity_falls_by_powers_and_never_rises():
    sparsity = np.array([[4.0, 1.0, CERTAIN, CERTAIN / 2]])
    np.testing.assert_array_equal(certain(sparsity, np.zeros((1, 4))), sparsity)
    np.testing.assert_allclose(certain(sparsity, np.ones((1, 4))), [[CERTAIN, CERTAIN, CERTAIN, CERTAIN / 2]])
    half = certain(sparsity, np.full((1, 4), 0.5))
    np.testing.assert_allclose(half, np.sqrt(sparsity * certain(sparsity, np.ones((1, 4)))))


def test_tiles_agree_with_the_whole():
    image = rainy(12.0, rows=(0, 400), columns=(50, 550), name="coffee")[1]
    marks = np.zeros(image.shape[:2], np.float32)
    marks[60:300, 40:260], marks[100:350, 300:420] = 1, -1
    whole, tiled = (derain(image, marks=marks, angle=12.0, tile=tile) for tile in (0, 192))
    assert np.abs(tiled.background - whole.background).max() <= 3 / 255
    np.testing.assert_array_equal(tiled.background[marks < 0], image[marks < 0])
    for axis in (0, 1):
        step = np.abs(np.diff(tiled.rain - whole.rain, axis=axis)).mean(axis=1 - axis)
        assert step.max() < 1 / 255


def test_libraries_agree(other_xp):
    image = np.ascontiguousarray(rainy()[1][:64, :72])
    marks = np.ascontiguousarray(inside()[30:94, 20:92] - 2 * inside()[10:74, 0:72]).clip(-1, 1)
    here = derain(image, marks=marks, angle=12.0, max_iter=20)
    with fetched():
        there = derain(other_xp.asarray(image), marks=other_xp.asarray(marks), angle=12.0, max_iter=20)
    np.testing.assert_allclose(to_numpy(there.background), here.background, atol=1e-4)
    with pytest.raises(TypeError, match="`image, marks` must be arrays of one library"):
        derain(other_xp.asarray(image), marks=marks)


@pytest.mark.parametrize(
    ("marks", "error", "message"),
    [
        (
            np.zeros((H, W + 1)),
            ValueError,
            r"`marks` must be \(H, W\) as the image, \(128, 160\), got shape \(128, 161\)",
        ),
        (np.zeros((H, W, 1)), ValueError, r"`marks` must be \(H, W\) as the image, .* got shape \(128, 160, 1\)"),
        (np.full((H, W), -1.01), ValueError, r"`marks` must be in \[-1, 1\], got values from -1.01 to -1.01"),
        (np.full((H, W), 127, np.int8), ValueError, r"`marks` must be in \[-1, 1\], got values from 127 to 127"),
        (np.full((H, W), np.nan), ValueError, "`marks` must be finite"),
        (np.zeros((H, W), np.uint8), TypeError, r"`marks` must be int8 or floating point in \[-1, 1\], got uint8"),
        (np.zeros((H, W), bool), TypeError, r"`marks` must be int8 or floating point in \[-1, 1\], got bool"),
        ([[0.0]], TypeError, "`marks` must be arrays of one library"),
    ],
    ids=str,
)
def test_what_are_no_marks(marks, error, message):
    # A dry image is no reason to accept what would be refused in rain.
    with pytest.raises(error, match=message):
        derain(np.zeros((H, W, 3)), marks=marks)


def test_marking_what_is_left_of_the_rain_brings_the_picture_nearer_to_the_truth():
    clean, image = rainy()
    plain = derain(image, angle=12.0)
    left = frame_luminance(image) - frame_luminance(clean) - plain.rain
    d = derain(image, angle=12.0, marks=(left > 0.05).astype(np.int8))
    assert rainopt.psnr(d.background, clean) > rainopt.psnr(plain.background, clean) + 0.2
