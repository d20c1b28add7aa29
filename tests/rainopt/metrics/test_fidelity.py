import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt import psnr, ssim

PROTOCOLS = ("rgb", "y_matlab", "y_full")


@pytest.fixture
def pair(rng):
    a = rng.random((30, 40, 3))
    return a, np.clip(a + 0.1 * rng.standard_normal(a.shape), 0, 1)


@given(st.floats(0.01, 0.5), st.floats(0, 0.5))
def test_a_constant_error_has_a_known_psnr(error, level):
    a, b = np.full((4, 5, 3), level), np.full((4, 5, 3), level + error)
    # Images are computed in single precision.
    expected = -20 * np.log10(error)
    assert psnr(a, b) == pytest.approx(expected, abs=1e-3)
    assert psnr(a, b, "y_full") == pytest.approx(expected, abs=1e-3)
    assert psnr(a, b, "y_matlab") == pytest.approx(expected + 20 * np.log10(255 / 219), abs=1e-3)


def test_an_error_of_one_step_of_8_bits():
    a = np.full((4, 5, 3), 100, np.uint8)
    assert psnr(a, a + np.uint8(1)) == pytest.approx(20 * np.log10(255), abs=1e-4)


def test_luma_protocols_differ_by_the_ratio_of_their_scales(pair):
    a, b = pair
    assert psnr(a, b, "y_matlab") - psnr(a, b, "y_full") == pytest.approx(20 * np.log10(255 / 219), abs=1e-4)
    grey = psnr(a[..., 0], b[..., 0], "y_matlab") - psnr(a[..., 0], b[..., 0], "y_full")
    assert grey == pytest.approx(20 * np.log10(255 / 219), abs=1e-4)


def test_matlab_luma_is_that_of_rgb2ycbcr(pair):
    color = pytest.importorskip("skimage.color")
    a, b = pair
    x, y = (color.rgb2ycbcr(image)[..., 0] for image in (a, b))
    assert psnr(a, b, "y_matlab") == pytest.approx(20 * np.log10(255) - 10 * np.log10(np.mean((x - y) ** 2)), abs=1e-4)


def test_rgb_is_the_mean_over_all_channels(pair):
    a, b = pair
    assert psnr(a, b) == pytest.approx(-10 * np.log10(np.mean((a - b) ** 2)), abs=1e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_equal_images(pair, protocol):
    assert psnr(pair[0], pair[0], protocol) == float("inf")
    assert ssim(pair[0], pair[0], protocol) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_both_are_symmetric_and_fall_with_the_error(pair, protocol):
    a, b = pair
    for metric in (psnr, ssim):
        assert metric(a, b, protocol) == pytest.approx(metric(b, a, protocol), rel=1e-12)
        assert metric(a, (a + b) / 2, protocol) > metric(a, b, protocol)
    assert ssim(a, b, protocol) < 1


@pytest.mark.parametrize("protocol", ["rgb", "y_full"])
def test_grey_images_count_as_three_equal_channels(pair, protocol):
    a, b = (image[..., 0] for image in pair)
    colour = [np.repeat(image[..., None], 3, axis=2) for image in (a, b)]
    for metric in (psnr, ssim):
        assert metric(a, b, protocol) == pytest.approx(metric(*colour, protocol), rel=1e-6)


@pytest.mark.parametrize("shape", [(11, 11), (11, 25), (40, 33), (24, 30, 3)])
def test_ssim_is_that_of_scikit_image(rng, shape):
    metrics = pytest.importorskip("skimage.metrics")
    a = rng.random(shape).astype(np.float32)
    b = np.clip(a + 0.2 * rng.standard_normal(shape), 0, 1).astype(np.float32)
    full = metrics.structural_similarity(
        a.astype(np.float64),
        b.astype(np.float64),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1.0,
        channel_axis=-1 if len(shape) == 3 else None,
        full=True,
    )[1]
    assert ssim(a, b) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-9)


def test_ssim_on_luma_is_that_of_the_luma_image(pair):
    metrics = pytest.importorskip("skimage.metrics")
    a, b = (image.astype(np.float32).astype(np.float64) for image in pair)
    for protocol, weights, offset in (
        ("y_full", np.array([0.299, 0.587, 0.114]), 0.0),
        ("y_matlab", np.array([65.481, 128.553, 24.966]) / 255, 16 / 255),
    ):
        x, y = (image @ weights + offset for image in (a, b))
        full = metrics.structural_similarity(
            x, y, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0, full=True
        )[1]
        assert ssim(a, b, protocol) == pytest.approx(full[5:-5, 5:-5].mean(), abs=1e-9)


def test_dtypes_and_libraries_agree_and_alpha_is_ignored(xp, rng):
    a, b = rng.integers(0, 256, (2, 20, 20, 3)).astype(np.uint8)
    alpha = rng.integers(0, 256, (20, 20, 1)).astype(np.uint8)
    for metric in (psnr, ssim):
        expected = metric(a, b)
        assert metric(xp.asarray(a), xp.asarray(b)) == pytest.approx(expected, rel=1e-12)
        assert metric(a / 255.0, (b.astype(np.uint16) * 257)) == pytest.approx(expected, rel=1e-6)
        assert metric(np.dstack([a, alpha]), b) == pytest.approx(expected, rel=1e-12)
        assert isinstance(metric(xp.asarray(a), xp.asarray(b)), float)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_input_is_refused(metric):
    a = np.zeros((12, 13, 3))
    with pytest.raises(ValueError, match=r"`a` and `b` must have one shape, got \(12, 13, 3\) and \(13, 12, 3\)"):
        metric(a, a.transpose(1, 0, 2))
    with pytest.raises(ValueError, match="`protocol` must be one of rgb, y_matlab, y_full, got 'y'"):
        metric(a, a, "y")
    with pytest.raises(ValueError, match="finite"):
        metric(a, a * np.nan)
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        metric(a, a + 100)
    with pytest.raises(TypeError, match="uint8, uint16 or floating point"):
        metric(a, a.astype(int))


@pytest.mark.parametrize("shape", [(10, 11), (11, 10), (1, 1), (5, 40, 3)])
def test_images_smaller_than_the_window_have_no_ssim(shape):
    with pytest.raises(ValueError, match="`a` must be at least 11 x 11 pixels for SSIM, got"):
        ssim(np.zeros(shape), np.zeros(shape))
