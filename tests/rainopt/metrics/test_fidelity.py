import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt import psnr, ssim

# Luma weights and offset in units of full scale.
LUMA = {
    "y_full": (np.array([0.299, 0.587, 0.114]), 0.0),
    "y_matlab": (np.array([65.481, 128.553, 24.966]) / 255, 16 / 255),
}
PROTOCOLS = ("rgb", *LUMA)


@pytest.fixture
def pair(rng):
    a = rng.random((30, 40, 3))
    return a, np.clip(a + 0.1 * rng.standard_normal(a.shape), 0, 1)


def reference_ssim(a, b):
    """SSIM of scikit-image over the valid region."""
    metrics = pytest.importorskip("skimage.metrics")
    a, b = (image.astype(np.float32).astype(np.float64) for image in (a, b))
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 1.0}
    channel_axis = -1 if a.ndim == 3 else None
    full = metrics.structural_similarity(a, b, full=True, channel_axis=channel_axis, **settings)[1]
    return full[5:-5, 5:-5].mean()


@given(st.floats(0.01, 0.5), st.floats(0, 0.5))
def test_a_constant_error_has_a_known_psnr(error, level):
    a, b = np.full((4, 5, 3), level), np.full((4, 5, 3), level + error)
    # Images are computed in single precision.
    expected = -20 * np.log10(error)
    assert psnr(a, b) == pytest.approx(expected, abs=1e-3)
    assert psnr(a, b, "y_full") == pytest.approx(expected, abs=1e-3)
    assert psnr(a, b, "y_matlab") == pytest.approx(expected + 20 * np.log10(255 / 219), abs=1e-3)


def test_psnr_is_the_mean_over_all_channels_or_of_the_luma(pair):
    color = pytest.importorskip("skimage.color")
    a, b = pair
    assert psnr(a, b) == pytest.approx(-10 * np.log10(np.mean((a - b) ** 2)), abs=1e-5)
    x, y = (color.rgb2ycbcr(image)[..., 0] for image in pair)
    matlab = 20 * np.log10(255) - 10 * np.log10(np.mean((x - y) ** 2))
    assert psnr(a, b, "y_matlab") == pytest.approx(matlab, abs=1e-4)
    for x, y in ((a, b), (a[..., 0], b[..., 0])):
        ratio = 20 * np.log10(255 / 219)
        assert psnr(x, y, "y_matlab") - psnr(x, y, "y_full") == pytest.approx(ratio, abs=1e-4)


@pytest.mark.parametrize("shape", [(11, 11), (11, 25), (40, 33), (24, 30, 3)])
def test_ssim_is_that_of_scikit_image(rng, shape):
    a = rng.random(shape).astype(np.float32)
    b = np.clip(a + 0.2 * rng.standard_normal(shape), 0, 1).astype(np.float32)
    assert ssim(a, b) == pytest.approx(reference_ssim(a, b), abs=1e-9)


@pytest.mark.parametrize("protocol", LUMA)
def test_ssim_on_luma_is_that_of_the_luma_image(pair, protocol):
    weights, offset = LUMA[protocol]
    x, y = (image @ weights + offset for image in pair)
    assert ssim(*pair, protocol) == pytest.approx(reference_ssim(x, y), abs=1e-6)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_both_are_symmetric_fall_with_the_error_and_are_best_for_equal_images(pair, protocol):
    a, b = pair
    for metric in (psnr, ssim):
        assert metric(a, b, protocol) == pytest.approx(metric(b, a, protocol), rel=1e-12)
        assert metric(a, (a + b) / 2, protocol) > metric(a, b, protocol)
    assert ssim(a, b, protocol) < 1
    assert psnr(a, a, protocol) == float("inf")
    assert ssim(a, a, protocol) == pytest.approx(1, abs=1e-12)
    if protocol != "y_matlab":
        # Grey images count as three equal channels.
        grey = [image[..., 0] for image in pair]
        colour = [np.repeat(image[..., None], 3, axis=2) for image in grey]
        for metric in (psnr, ssim):
            assert metric(*grey, protocol) == pytest.approx(metric(*colour, protocol), rel=1e-6)


def test_dtypes_and_libraries_agree_and_alpha_is_ignored(xp, rng):
    a, b = rng.integers(0, 256, (2, 20, 20, 4)).astype(np.uint8)
    for metric in (psnr, ssim):
        there = metric(xp.asarray(a), xp.asarray(b))
        assert isinstance(there, float)
        assert there == pytest.approx(metric(a[..., :3] / 255.0, b[..., :3].astype(np.uint16) * 257), rel=1e-6)


@pytest.mark.parametrize("metric", [psnr, ssim])
def test_bad_input_is_refused(metric):
    a = np.zeros((12, 13, 3))
    with pytest.raises(ValueError, match=r"`a` and `b` must have one shape, got \(12, 13, 3\) and \(13, 12, 3\)"):
        metric(a, a.transpose(1, 0, 2))
    with pytest.raises(ValueError, match="`protocol` must be one of rgb, y_matlab, y_full, got 'y'"):
        metric(a, a, "y")
    with pytest.raises(ValueError, match=r"must lie in \[0, 1\]"):
        metric(a, a + 100)


@pytest.mark.parametrize("shape", [(10, 11), (11, 10), (1, 1), (5, 40, 3)])
def test_images_smaller_than_the_window_have_no_ssim(shape):
    with pytest.raises(ValueError, match="`a` must be at least 11 x 11 pixels for SSIM, got"):
        ssim(np.zeros(shape), np.zeros(shape))


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pixels_that_do_not_count_change_nothing(pair, protocol):
    a, b = pair
    where = np.ones(a.shape[:2], bool)
    where[:, 25:] = False
    spoilt = np.where(where[..., None], a, 1 - a)
    assert psnr(spoilt, b, protocol, where) == pytest.approx(psnr(a[:, :25], b[:, :25], protocol))
    assert ssim(spoilt, b, protocol, where) == pytest.approx(ssim(a, b, protocol, where))
    everywhere = np.ones_like(where)
    assert psnr(a, b, protocol, everywhere) == psnr(a, b, protocol)
    assert ssim(a, b, protocol, everywhere) == pytest.approx(ssim(a, b, protocol))
    for measure in (psnr, ssim):
        with pytest.raises(ValueError, match="`where` must be True for some pixel"):
            measure(a, b, protocol, ~everywhere)
        with pytest.raises(ValueError, match="`where` must be bool of shape"):
            measure(a, b, protocol, everywhere[1:])
