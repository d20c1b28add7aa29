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


@pytest.mark.parametrize("picture", [flat(900, 1300), flat(9, 13, 128 * 257, np.uint16), flat(9, 13, 128 / 255, float)])
def test_sizes_and_depths_mean_the_same(picture):
    sheet = sheet_of([Row([picture], [""])])
    assert (sheet[GAP : GAP + 9, GAP : GAP + 13] == 128).all()


def test_large_pictures_are_fitted_whole():
    sheet = sheet_of([Row([flat(3000, 1000, 0)], [""])])
    dark = sheet[..., 0] < 128
    assert dark.any(axis=1).sum() == CELL[1]
    assert dark.any(axis=0).sum() == pytest.approx(CELL[1] / 3, abs=1)


@pytest.mark.parametrize("caption", ["x" * 500, "雨 \udcff", "Ünïcode"])
def test_captions_stay_below_their_picture(caption):
    sheet = sheet_of([Row([flat(20, 20), flat(20, 20)], [caption, ""])], (100, 60))
    under = sheet[GAP + 20 : GAP + 20 + CAPTION]
    assert under[:, : GAP + 100].min() < 128
    assert (under[:, GAP + 100 :] == 255).all()


def test_rows_and_captions_are_asked_for():
    with pytest.raises(ValueError, match="at least one row"):
        sheet_of([])
    with pytest.raises(ValueError, match="argument 2 is shorter"):
        sheet_of([Row([flat(5, 5)], [])])


def test_a_sheet_is_written_whole_with_its_folder(tmp_path):
    rows = [Row([flat(20, 20)], ["a"])]
    path = write_sheet(tmp_path / "new" / "sheet.png", rows)
    np.testing.assert_array_equal(read_image(path), sheet_of(rows))
    with pytest.raises(ImageFileExistsError):
        write_sheet(path, rows, overwrite=False)
