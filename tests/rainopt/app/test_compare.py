"""Three panels that show what was there, what is left, and what was taken."""

import tracemalloc

import numpy as np
import pytest

from rainopt.app.compare import CAPTION, GAP, PANEL_WIDTH, RAIN_GAIN, side_by_side


def panels(sheet):
    """Cut a sheet along its documented layout."""
    width = (sheet.shape[1] - 2 * GAP) // 3
    return [sheet[CAPTION:, k * (width + GAP) : k * (width + GAP) + width] for k in range(3)]


@pytest.mark.parametrize(("height", "width"), [(8, 8), (40, 60)])
def test_small_8_bit_pictures_are_shown_as_they_are(rng, height, width):
    rainy, dry = rng.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    rain = rng.random((height, width), dtype=np.float32)
    rain[0] = 0
    sheet = side_by_side(rainy, dry, rain)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (height + CAPTION, 3 * width + 2 * GAP, 3)
    first, second, third = panels(sheet)
    np.testing.assert_array_equal(first, rainy)
    np.testing.assert_array_equal(second, dry)
    np.testing.assert_array_equal(third, np.rint(255 * np.minimum(RAIN_GAIN * rain, 1))[..., None].repeat(3, 2))
    for gap in (width, 2 * width + GAP):
        assert (sheet[CAPTION:, gap : gap + GAP] == 255).all()


def test_each_panel_has_a_caption():
    image = np.zeros((200, 300, 3), np.uint8)
    sheet = side_by_side(image, image, np.zeros((200, 300), np.float32))
    for k in range(3):
        assert (sheet[:CAPTION, k * (300 + GAP) : k * (300 + GAP) + 300] < 128).any()


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize(("dtype", "full"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1)])
def test_every_kind_of_image_looks_alike(rng, channels, dtype, full):
    levels = rng.integers(0, 256, (24, 32, channels or 1))
    image = (levels * (full / 255)).astype(dtype)
    if channels is None:
        image = image[..., 0]
    first, second, _ = panels(side_by_side(image, image, np.zeros((24, 32), np.float32)))
    shown = levels[..., :3] if (channels or 1) >= 3 else levels[..., :1].repeat(3, axis=2)
    np.testing.assert_array_equal(first, shown)
    np.testing.assert_array_equal(second, shown)


@pytest.mark.parametrize("width", [PANEL_WIDTH + 1, 2 * PANEL_WIDTH, 3 * PANEL_WIDTH - 1])
def test_a_pixel_of_a_wide_picture_is_the_mean_of_its_block(rng, width):
    rainy = rng.integers(0, 256, (30, width, 3), dtype=np.uint8)
    first = panels(side_by_side(rainy, rainy, rng.random((30, width), dtype=np.float32)))[0]
    step = -(-width // PANEL_WIDTH)
    assert first.shape == (-(-30 // step), -(-width // step), 3)
    whole = width // step  # blocks at the edge are smaller
    blocks = rainy[: 30 // step * step, : whole * step].reshape(30 // step, step, whole, step, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(first[: 30 // step, :whole], blocks, atol=0.5 + 1e-9)
    edge = rainy[: 30 // step * step, -(width % step or step) :].reshape(30 // step, step, -1, 3).mean(axis=(1, 2))
    np.testing.assert_allclose(first[: 30 // step, -1], edge, atol=0.5 + 1e-9)


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
