"""Regions that are left alone: boxes and masks, in photographs as in arrays."""

import pickle

import numpy as np
import pytest

from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.keep import NOTHING, Keep, KeepError, put_back
from rainopt.app.results import OutputSettings
from rainopt.commands.derain_photo import PhotoRecord
from rainopt.io import read_image, write_image


def test_boxes_and_masks_add_up(here):
    mask = np.zeros((10, 12), np.uint8)
    mask[9], mask[0] = 255, 127
    write_image(here / "mask.png", mask)
    keep = Keep.of([" 2, 1,3,4", "mask.png"])
    expected = np.zeros((10, 12), bool)
    expected[1:5, 2:5] = expected[9] = True
    np.testing.assert_array_equal(keep.pixels(10, 12, "a"), expected)
    # Worker processes get it whole, and the file may change.
    write_image(here / "mask.png", 255 - mask)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(keep)).pixels(10, 12, "a"), expected)
    assert Keep.of(["2,1,3,4", "mask.png"]).as_json() != keep.as_json() == pickle.loads(pickle.dumps(keep)).as_json()
    assert NOTHING.pixels(10, 12, "a") is None


@pytest.mark.parametrize("kind", [np.uint16, np.float32])
def test_a_mask_of_any_kind_is_white_from_the_middle_on(here, kind):
    top = 65535 if kind is np.uint16 else 1
    grey = np.array([[0, 0.4], [0.6, 1]])[..., None].repeat(3, axis=-1)
    write_image(here / "m.tif", (grey * top).astype(kind))
    np.testing.assert_array_equal(Keep.of(["m.tif"]).pixels(2, 2, "a"), [[False, False], [True, True]])


@pytest.mark.parametrize("text", ["1,2,3", "1,2,0,4", "-1,2,3,4", "1.5,2,3,4", "1 2 3 4", ",,,"])
def test_what_is_no_box_is_told_what_one_is(text):
    with pytest.raises(KeepError, match=r"must be X,Y,W,H"):
        Keep.of([text])


def test_masks_that_say_nothing_or_do_not_fit(here):
    with pytest.raises(KeepError, match=r"'gone.png' .*; a box is given as X,Y,W,H"):
        Keep.of(["gone.png"])
    write_image(here / "black.png", np.zeros((4, 4), np.uint8))
    with pytest.raises(KeepError, match=r"'black.png' has no white pixel; paint white"):
        Keep.of(["black.png"])
    write_image(here / "white.png", np.full((4, 4), 255, np.uint8))
    with pytest.raises(KeepError, match=r"'a.jpg' has 5 x 4 pixels, and the mask 'white.png' of --keep 4 x 4; make"):
        Keep.of(["white.png"]).pixels(4, 5, "a.jpg")


@pytest.mark.parametrize(("dtype", "channels"), [(np.uint8, 3), (np.uint16, 4), (np.uint8, 0)])
def test_kept_pixels_of_a_photograph_come_out_as_they_went_in(here, rng, dtype, channels):
    shape = (20, 30, channels) if channels else (20, 30)
    image = rng.integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)
    write_image(here / "a.png", image)

    def work(pixels):
        return Derained(pixels * np.float32(0.5 / np.iinfo(dtype).max), np.ones((20, 30), np.float32), False, {})

    output = OutputSettings(keep=Keep.of(["3,4,5,6"]), save_rain=True)
    record = photo_to_photo(here / "a.png", here / "b.png", output, work, PhotoRecord)
    kept = np.zeros((20, 30), bool)
    kept[4:10, 3:8] = True
    got = read_image(here / "b.png")
    np.testing.assert_array_equal(got[kept], image[kept])
    assert np.abs(got[~kept].astype(int) - image[~kept] / 2).max() <= 1
    rain = read_image(here / "b_rain.png")
    assert not rain[kept].any()
    assert (rain[~kept] == rain.max()).all()
    assert record.rain == pytest.approx(1 - kept.mean())
    assert put_back(image, image, None) is image
