import numpy as np
import pytest

from data_tools.manifest.contact_sheet import CAPTION, GAP, contact_sheet


def grey(height, width, level=128, dtype=np.uint8):
    return np.full((height, width), level, dtype)


def test_pictures_are_brought_to_one_width_and_rows_below_each_other():
    rows = [("one", [grey(50, 100), grey(100, 100)]), ("two", [grey(30, 60)])]
    sheet = contact_sheet(rows, width=80)
    assert sheet.dtype == np.uint8
    # The highest of a row decides: 80 of (40, 80), and 40 below.
    assert sheet.shape == (80 + 40 + 2 * CAPTION + GAP, 2 * 80 + GAP, 3)
    assert (sheet[CAPTION : CAPTION + 40, :80] == 128).all()
    assert (sheet[CAPTION + 40 : CAPTION + 80, :80] == 255).all()
    assert (sheet[CAPTION : CAPTION + 80, 80 + GAP :] == 128).all()
    assert (sheet[:, 80 : 80 + GAP][CAPTION : CAPTION + 80] == 255).all()
    second = 80 + GAP + CAPTION
    assert (sheet[second + CAPTION :, :80] == 128).all()
    assert (sheet[second + CAPTION :, 80:] == 255).all()


@pytest.mark.parametrize(
    "picture",
    [
        grey(20, 20),
        grey(20, 20, 128 * 257, np.uint16),
        grey(20, 20, 128 / 255, np.float32),
        grey(20, 20, 128 / 255, np.float64),
        np.repeat(grey(20, 20)[..., None], 3, axis=2),
        np.repeat(grey(20, 20, 128 * 257, np.uint16)[..., None], 3, axis=2),
        np.repeat(grey(20, 40)[..., None], 3, axis=2)[::-1, ::2],
    ],
)
def test_depths_and_channels_mean_the_same(picture):
    assert (contact_sheet([("", [picture])], width=32)[CAPTION:] == 128).all()


def test_floats_beyond_the_range_are_cut():
    sheet = contact_sheet([("", [np.full((8, 8), -0.5), np.full((8, 8), 1.5)])], width=8)
    assert (sheet[CAPTION:, :8] == 0).all()
    assert (sheet[CAPTION:, -8:] == 255).all()


def test_colours_stay_in_their_places():
    picture = np.zeros((10, 10, 3), np.uint8)
    picture[..., 0] = 200
    assert (contact_sheet([("", [picture])], width=10)[CAPTION:] == (200, 0, 0)).all()


@pytest.mark.parametrize("caption", ["plain", "Ünïcode ☂ 雨", "\udcff no UTF-8", "x" * 500])
def test_captions_are_written_above_their_row(caption):
    sheet = contact_sheet([(caption, [grey(10, 10)]), ("", [grey(10, 10)])], width=100)
    assert sheet[:CAPTION].min() < 128
    assert (sheet[CAPTION : CAPTION + 100] == 128).all()
    assert (sheet[CAPTION + 100 : -100] == 255).all()


def test_thin_pictures_keep_a_row():
    assert contact_sheet([("", [grey(1, 5000)])], width=50).shape == (CAPTION + 1, 50, 3)


@pytest.mark.parametrize("rows", [[], [("", [])], [("", [grey(5, 5)]), ("", [])]])
def test_no_picture_is_no_sheet(rows):
    with pytest.raises(ValueError, match="at least one row, and each row a picture"):
        contact_sheet(rows)
