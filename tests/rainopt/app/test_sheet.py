"""One contact sheet for all: pictures in rows, fitted into cells or of one width, with captions or titles."""

import numpy as np
import pytest

from rainopt import read_image
from rainopt.app.sheet import CAPTION, CELL, GAP, Row, sheet_of, write_sheet
from rainopt.io import ImageFileExistsError


def flat(height, width, level=128, dtype=np.uint8):
    return np.full((height, width), level, dtype)


def test_each_picture_lies_in_its_cell_above_its_caption():
    rows = [Row([flat(50, 100), flat(100, 50, 90)], ["one", "two"]), Row([flat(20, 20, 40)], ["three"])]
    sheet = sheet_of(rows, (100, 100))
    assert sheet.dtype == np.uint8
    assert sheet.shape == (2 * (100 + CAPTION + GAP) + GAP, 2 * (100 + GAP) + GAP, 3)
    assert (sheet[GAP : GAP + 50, GAP : GAP + 100] == 128).all()
    assert sheet[GAP + 50 : GAP + 50 + CAPTION, GAP : GAP + 100].min() < 128
    second = 2 * GAP + 100
    assert (sheet[GAP : GAP + 100, second : second + 50] == 90).all()
    below = GAP + 100 + CAPTION + GAP
    assert (sheet[below : below + 20, GAP : GAP + 20] == 40).all()
    assert (sheet[below:, second:] == 255).all()


def test_pictures_of_one_width_lie_in_rows_as_high_as_their_highest_below_their_titles():
    rows = [Row([flat(50, 100), flat(100, 100)], title="one"), Row([flat(30, 60)], title="two")]
    sheet = sheet_of(rows, width=80)
    # The highest of a row decides: 80 of (40, 80), and 40 below.
    assert sheet.shape == (80 + 40 + 2 * CAPTION + 3 * GAP, 2 * 80 + 3 * GAP, 3)
    assert sheet[GAP : GAP + CAPTION].min() < 128
    first, second = GAP + CAPTION, 2 * GAP + 80
    assert (sheet[first : first + 40, GAP : GAP + 80] == 128).all()
    assert (sheet[first + 40 : first + 80, GAP : GAP + 80] == 255).all()
    assert (sheet[first : first + 80, second : second + 80] == 128).all()
    below = first + 80 + GAP
    assert sheet[below : below + CAPTION].min() < 128
    assert (sheet[below + CAPTION : -GAP, GAP : GAP + 80] == 128).all()
    assert (sheet[below + CAPTION :, second:] == 255).all()
    assert sheet_of([Row([flat(1, 5000)])], width=50).shape == (1 + 2 * GAP, 50 + 2 * GAP, 3)


@pytest.mark.parametrize(
    "picture",
    [
        flat(900, 1300),
        flat(9, 13, 128 * 257, np.uint16),
        flat(9, 13, 128 / 255, np.float32),
        np.dstack([flat(9, 13)] * 3),
        np.dstack([flat(9, 26)] * 3 + [flat(9, 26, 7)])[::-1, ::2],
    ],
)
def test_sizes_depths_and_channels_mean_the_same(picture):
    for width in (None, 32):
        sheet = sheet_of([Row([picture])], width=width)
        assert (sheet[GAP : GAP + 9, GAP : GAP + 13] == 128).all()


def test_floats_beyond_the_range_are_cut_and_colours_stay_in_their_places():
    red = np.dstack([flat(8, 8, 1.5, float), flat(8, 8, -0.5, float), flat(8, 8, 0.0, float)])
    assert (sheet_of([Row([red])], width=8)[GAP:-GAP, GAP:-GAP] == (255, 0, 0)).all()


def test_large_pictures_are_fitted_whole():
    sheet = sheet_of([Row([flat(3000, 1000, 0)], [""])])
    dark = sheet[..., 0] < 128
    assert dark.any(axis=1).sum() == CELL[1]
    assert dark.any(axis=0).sum() == pytest.approx(CELL[1] / 3, abs=1)


@pytest.mark.parametrize("text", ["x" * 500, "雨 \udcff", "Ünïcode"])
def test_captions_stay_below_their_picture_and_titles_above_their_row(text):
    sheet = sheet_of([Row([flat(20, 20), flat(20, 20)], [text, ""])], (100, 60))
    under = sheet[GAP + 20 : GAP + 20 + CAPTION]
    assert under[:, : GAP + 100].min() < 128
    assert (under[:, GAP + 100 :] == 255).all()
    sheet = sheet_of([Row([flat(10, 10)], title=text)], width=100)
    assert sheet[:CAPTION].min() < 128
    assert (sheet[GAP + CAPTION : -GAP, GAP:-GAP] == 128).all()


def test_rows_pictures_and_captions_are_asked_for():
    for rows in ([], [Row([])], [Row([flat(5, 5)]), Row([])]):
        with pytest.raises(ValueError, match="at least one row, and each row a picture"):
            sheet_of(rows)
    with pytest.raises(ValueError, match="`captions` must be one a picture or none, got 1 of 2"):
        sheet_of([Row([flat(5, 5)] * 2, ["a"])])


def test_a_sheet_is_written_whole_with_its_folder(tmp_path):
    rows = [Row([flat(20, 20)], ["a"])]
    path = write_sheet(tmp_path / "new" / "sheet.png", rows)
    np.testing.assert_array_equal(read_image(path), sheet_of(rows))
    with pytest.raises(ImageFileExistsError):
        write_sheet(path, rows, overwrite=False)
