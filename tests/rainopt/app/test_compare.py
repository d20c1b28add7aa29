"""Three panels that show what was there, what is left, and what was taken."""

import tracemalloc

import numpy as np
import pytest

from rainopt.app.compare import CAPTION, GAP, PANEL_WIDTH, RAIN_GAIN, side_by_side


def panels(sheet):
    """Cut a sheet along its documented layout."""
    width = (sheet.shape[1] - 2 * GAP) // 3
    return [sheet[CAPTION:, k * (width + GAP) : k * (width + GAP) + width] for k in range(3)]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


def test_small_8_bit_pictures_are_shown_as_they_are(rng):
    rainy, dry = rng.integers(0, 256, (2, 40, 60, 3), dtype=np.uint8)
    rain = rng.random((40, 60), dtype=np.float32)
    sheet = side_by_side(rainy, dry, rain)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (40 + CAPTION, 3 * 60 + 2 * GAP, 3)
    first, second, third = panels(sheet)
    np.testing.assert_array_equal(first, rainy)
    np.testing.assert_array_equal(second, dry)
    np.testing.assert_array_equal(third, np.rint(255 * np.minimum(RAIN_GAIN * rain, 1))[..., None].repeat(3, 2))


@pytest.mark.parametrize("shape", [(8, 8), (200, 300)])
def test_each_panel_has_a_caption_gaps_are_white_and_no_rain_is_black(shape):
    grey = np.full((*shape, 3), 90, np.uint8)
    sheet = side_by_side(grey, grey, np.zeros(shape, np.float32))
    assert sheet.shape == (shape[0] + CAPTION, 3 * shape[1] + 2 * GAP, 3)
    first, _, third = panels(sheet)
    assert (first == 90).all()
    assert (third == 0).all()
    for k in range(3):
        left = k * (shape[1] + GAP)
        assert (sheet[:CAPTION, left : left + shape[1]] < 128).any()
        assert (sheet[CAPTION:, left + shape[1] : left + shape[1] + GAP] == 255).all()


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_every_kind_of_image_looks_alike(rng, channels, dtype):
    levels = rng.integers(0, 256, (24, 32, channels or 1))
    full = {"u": lambda: np.iinfo(dtype).max, "f": lambda: 1}[np.dtype(dtype).kind]()
    image = (levels * (full / 255)).astype(dtype)
    if channels is None:
        image = image[..., 0]
    first, second, _ = panels(side_by_side(image, image, np.zeros((24, 32), np.float32)))
    shown = levels[..., :3] if (channels or 1) >= 3 else levels[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(first, shown)
    np.testing.assert_array_equal(second, shown)


@pytest.mark.parametrize("width", [PANEL_WIDTH, PANEL_WIDTH + 1, 3 * PANEL_WIDTH - 1, 3 * PANEL_WIDTH])
def test_wide_pictures_become_smaller_and_no_brighter(rng, width):
    rainy = rng.integers(0, 256, (30, width, 3), dtype=np.uint8)
    sheet = side_by_side(rainy, rainy, rng.random((30, width), dtype=np.float32))
    first = panels(sheet)[0]
    step = -(-width // PANEL_WIDTH)
    assert first.shape == (-(-30 // step), -(-width // step), 3)
    assert first.shape[1] <= PANEL_WIDTH
    assert abs(first.astype(float).mean() - rainy.astype(float).mean()) < 2


def test_a_panel_pixel_is_the_mean_of_its_block(rng):
    width = 2 * PANEL_WIDTH
    rainy = rng.integers(0, 256, (16, width, 3), dtype=np.uint8)
    first = panels(side_by_side(rainy, rainy, np.zeros((16, width), np.float32)))[0]
    blocks = rainy.reshape(8, 2, PANEL_WIDTH, 2, 3).astype(float).mean(axis=(1, 3))
    np.testing.assert_allclose(first, blocks, atol=0.5 + 1e-9)


def test_a_sheet_needs_less_memory_than_deraining():
    rainy = np.zeros((2000, 4000, 3), np.uint8)
    rain = np.zeros((2000, 4000), np.float32)
    tracemalloc.start()
    try:
        side_by_side(rainy, rainy, rain)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak / rain.size < 12
