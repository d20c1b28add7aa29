import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy import integrate
from skimage import data

from rainopt.metrics.scene_statistics import (
    EXPONENTS,
    FEATURES,
    LEAST_CONTRAST,
    NEIGHBOURS,
    PATCH,
    contrast,
    fit_aggd,
    halved,
    patch_features,
)


def aggd(rng, alpha, left, right, count=200_000):
    """Draw samples: the side by the ratio of the widths, and |x|^α of a gamma distribution."""
    negative = rng.random(count) < left / (left + right)
    size = rng.gamma(1 / alpha, size=count) ** (1 / alpha)
    return np.where(negative, -left * size, right * size)


@pytest.mark.parametrize(
    ("alpha", "left", "right"), [(2, 1.5, 1.5), (1, 0.5, 0.5), (0.6, 0.1, 0.3), (1.3, 2, 0.7), (4, 1, 1.4)]
)
def test_the_estimator_finds_the_parameters_of_samples(rng, alpha, left, right):
    found = fit_aggd(np.stack([aggd(rng, alpha, left, right), aggd(rng, alpha, right, left)]))
    assert found[0] == pytest.approx(alpha, rel=0.05)
    assert found[1] == pytest.approx([left, right], rel=0.05)
    assert found[2] == pytest.approx([right, left], rel=0.05)


def test_gauss_and_laplace_are_exponents_2_and_1(rng):
    samples = np.stack([rng.normal(0, 3, 200_000), rng.laplace(0, 3, 200_000)])
    alpha, left, right = fit_aggd(samples)
    assert alpha == pytest.approx([2, 1], rel=0.03)
    # exp(-x² / 2σ²) has the width σ √2, exp(-|x| / b) the width b.
    assert left == pytest.approx([3 * np.sqrt(2), 3], rel=0.03)
    assert right == pytest.approx([3 * np.sqrt(2), 3], rel=0.03)


@given(st.floats(1e-3, 1e3), st.integers(0, 100))
def test_widths_scale_with_the_samples_and_swap_with_the_sign(factor, seed):
    samples = np.random.default_rng(seed).normal(0.2, 1, (2, 500))
    alpha, left, right = fit_aggd(samples)
    turned = fit_aggd(-factor * samples)
    assert turned[0] == pytest.approx(alpha, rel=1e-9)
    assert turned[1] == pytest.approx(factor * right, rel=1e-9)
    assert turned[2] == pytest.approx(factor * left, rel=1e-9)


def test_a_side_without_samples_has_no_width_and_no_samples_have_no_shape(rng):
    alpha, left, right = fit_aggd(np.stack([np.abs(rng.normal(0, 3, 1000)), np.zeros(1000)]))
    assert left[0] == 0
    assert right[0] > 0
    assert EXPONENTS[0] <= alpha[0] <= EXPONENTS[1]
    assert np.isnan([alpha[1], left[1], right[1]]).all()


def test_contrast_is_that_of_a_loop_over_pixels(rng):
    luma = 255 * rng.random((9, 11))
    normalised, deviation = contrast(luma)
    weights = np.array([[np.exp(-(i**2 + j**2) / 2 / (7 / 6) ** 2) for j in range(-3, 4)] for i in range(-3, 4)])
    weights /= weights.sum()
    padded = np.pad(luma, 3, mode="edge")
    for i in range(9):
        for j in range(11):
            window = padded[i : i + 7, j : j + 7]
            mean = np.sum(weights * window)
            sigma = np.sqrt(np.sum(weights * (window - mean) ** 2))
            assert deviation[i, j] == pytest.approx(sigma, rel=1e-9)
            assert normalised[i, j] == pytest.approx((luma[i, j] - mean) / (sigma + 1), abs=1e-9)


def test_half_size_is_that_of_pillow_over_a_mirrored_border(rng):
    plane = 255 * rng.random((22, 36))
    padded = np.pad(plane, 8, mode="symmetric").astype(np.float32)
    expected = np.asarray(Image.fromarray(padded).resize((26, 19), Image.Resampling.BICUBIC))[4:-4, 4:-4]
    assert halved(plane) == pytest.approx(expected, abs=1e-3)


def test_features_are_those_of_each_patch_at_both_sizes(rng):
    luma = 255 * rng.random((2 * PATCH, 3 * PATCH)) ** 2
    features, sharpness = patch_features(luma)
    assert features.shape == (6, 36)
    assert len(FEATURES) == len(set(FEATURES)) == 36
    planes = {"full": contrast(luma)[0], "half": contrast(halved(luma))[0]}
    for patch in (0, 2, 4):
        row, column = divmod(patch, 3)
        value = dict(zip(FEATURES, features[patch], strict=True))
        for size, side in (("full", 96), ("half", 48)):
            c = planes[size][row * side : (row + 1) * side, column * side : (column + 1) * side]
            alpha, left, right = (float(v[0]) for v in fit_aggd(c.reshape(1, -1)))
            assert value[f"{size} size, contrast: exponent"] == pytest.approx(alpha)
            assert value[f"{size} size, contrast: width"] == pytest.approx((left + right) / 2)
            for name, (down, across) in NEIGHBOURS.items():
                pairs = [
                    c[i, j] * c[i + down, j + across]
                    for i in range(side)
                    for j in range(side)
                    if i + down < side and 0 <= j + across < side
                ]
                alpha, left, right = (float(v[0]) for v in fit_aggd(np.array([pairs])))
                assert value[f"{size} size, {name}: exponent"] == pytest.approx(alpha)
                assert value[f"{size} size, {name}: left width"] == pytest.approx(left)
                assert value[f"{size} size, {name}: right width"] == pytest.approx(right)
        deviation = contrast(luma)[1][row * 96 : (row + 1) * 96, column * 96 : (column + 1) * 96]
        assert sharpness[patch] == pytest.approx(deviation.mean())


def test_the_mean_of_a_product_is_that_of_its_distribution():
    features, _ = patch_features(data.camera()[:192, 192:384].astype(np.float64))
    for row in features:
        value = dict(zip(FEATURES, row, strict=True))
        alpha = value["full size, down: exponent"]
        mass, moment = 0.0, 0.0
        for sign, side in ((-1, "left"), (1, "right")):
            beta = value[f"full size, down: {side} width"]
            mass += integrate.quad(lambda x: np.exp(-((x / beta) ** alpha)), 0, np.inf)[0]  # noqa: B023
            moment += sign * integrate.quad(lambda x: x * np.exp(-((x / beta) ** alpha)), 0, np.inf)[0]  # noqa: B023
        assert value["full size, down: mean"] == pytest.approx(moment / mass, rel=1e-3)


def test_flat_patches_and_even_slopes_do_not_count(rng):
    image = np.full((2 * PATCH, 5 * PATCH), 128.0)
    image[:, : 2 * PATCH] = rng.integers(60, 196, (2 * PATCH, 2 * PATCH))
    # The window brings contrast into the first column of flat patches, and into no further one.
    assert len(patch_features(image)[0]) == 6
    # It has contrast only in the outer patches, where the border repeats.
    slope = np.tile(np.linspace(0, 255, 4 * PATCH), (PATCH, 1))
    assert len(patch_features(slope)[0]) == 2


def test_a_patch_with_an_edge_just_beyond_it_is_left_out():
    image = np.zeros((PATCH, 2 * PATCH))
    image[:, PATCH + 2 :] = 255
    # Only the last column of the first patch has contrast, so that products across are all 0.
    assert np.sqrt(np.mean(contrast(image)[0][:, :PATCH] ** 2)) > LEAST_CONTRAST
    features, sharpness = patch_features(image)
    assert len(features) == len(sharpness) == 1
    assert np.isfinite(features).all()
