"""Pictures for training: found, checked, read and kept."""

import pickle

import numpy as np
import pytest

from rainnet.data import DataError, pictures_in
from rainnet.data.pictures import Pictures, as_rgb, check_sizes, clean_pictures_in
from rainopt.io import write_image
from rainopt.io.own_results import note_folder, note_results
from tests.support.pairs import with_manifest


def flat(folder, *levels, shape):
    """Write pictures of one grey each."""
    return [write_image(folder / f"{level}.png", np.full((*shape, 3), level, np.uint8)) for level in levels]


def test_they_are_found_below_folders_in_natural_order(tmp_path):
    names = ("b10.png", "b9.png", "a/x.JPG", "a/y.txt", ".hidden.png", "a/.thumbnails/1.png", "c/d/1.tif")
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in pictures_in([tmp_path])]
    assert sorted(found) == ["a/x.JPG", "b10.png", "b9.png", "c/d/1.tif"]
    assert found.index("b9.png") < found.index("b10.png")
    assert pictures_in(tmp_path) == pictures_in([tmp_path, tmp_path / "a", tmp_path / "b9.png"])
    assert pictures_in([tmp_path / "c", tmp_path / "a"]) == [tmp_path / "c/d/1.tif", tmp_path / "a/x.JPG"]
    (tmp_path / "a" / "again").symlink_to(tmp_path)  # a circle ends
    assert len(pictures_in(tmp_path)) == 4


def test_results_among_other_pictures_are_not_trained_on(tmp_path, caplog):
    for name in ("a.png", "out/b.png", "run/pictures/step_1.png", "run/a_derained.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    note_folder(tmp_path / "run")
    note_results([tmp_path / "out" / "b.png"])
    assert pictures_in(tmp_path) == [tmp_path / "a.png"]
    assert "3 results of our own commands are left out" in caplog.text
    assert pictures_in(tmp_path / "out") == [tmp_path / "out" / "b.png"]  # these are meant


def test_folders_without_pictures_are_named(tmp_path):
    with pytest.raises(DataError, match=f"'{tmp_path}/gone' does not exist; check the name"):
        pictures_in([tmp_path / "gone"])
    with pytest.raises(DataError, match=f"'{tmp_path}' holds no picture"):
        pictures_in([tmp_path])
    with pytest.raises(DataError, match="no folder of pictures is named"):
        pictures_in([])


def test_small_and_broken_ones_are_named(tmp_path):
    large, small = flat(tmp_path, 3, shape=(90, 90)), flat(tmp_path, 1, 2, shape=(20, 30))
    assert check_sizes([*large, *small], 20) == dict.fromkeys(large, (90, 90)) | dict.fromkeys(small, (20, 30))
    with pytest.raises(DataError, match=r"1\.png' has 20 x 30 pixels, too few for crops of 24 x 24, and 1 more of 3"):
        check_sizes([*large, *small], 24)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"nonsense")
    with pytest.raises(DataError, match=r"broken\.png' is not a PNG"):
        check_sizes([broken], 16)
    broken.write_bytes(large[0].read_bytes()[:100])
    with pytest.raises(DataError, match=r"broken\.png' is a truncated PNG"):
        Pictures().read(broken)


def test_they_are_kept_within_their_budget(tmp_path):
    paths = flat(tmp_path, 1, 2, 3, shape=(10, 10))
    store = Pictures(budget=2 * 300)
    held = [store.read(path) for path in paths[:2]]
    assert store.read(paths[0]) is held[0]
    store.read(paths[2])  # takes the place of the second, which was used longest ago
    assert store.read(paths[0]) is held[0]
    assert store.read(paths[1]) is not held[1]
    assert Pictures(budget=0).read(paths[0]).shape == (10, 10, 3)
    empty = pickle.loads(pickle.dumps(store))
    assert len(pickle.dumps(store)) < 300
    assert np.array_equal(empty.read(paths[0]), held[0])


def test_all_kinds_of_pictures_become_8_bit_rgb():
    grey = np.array([[0, 7, 255]], np.uint8)
    rgb = np.repeat(grey[:, :, None], 3, axis=2)
    alpha = np.full((1, 3, 1), 9, np.uint8)
    kinds = (grey, rgb, grey.astype(np.uint16) * 257, grey / np.float32(255))
    with_alpha = (np.concatenate([grey[:, :, None], alpha], 2), np.concatenate([rgb, alpha], 2))
    for pixels in kinds + with_alpha:
        assert np.array_equal(as_rgb(pixels), rgb)
        assert as_rgb(pixels).dtype == np.uint8


def test_datasets_are_no_clean_photographs(tmp_path):
    with_manifest(tmp_path / "all" / "set")
    for folder in (tmp_path / "all", tmp_path / "all" / "set", tmp_path / "all" / "set" / "wet"):
        with pytest.raises(DataError, match=r"not all clean; name its clean ones: '.*/all/set/dry'"):
            clean_pictures_in([folder])
    assert len(clean_pictures_in([tmp_path / "all" / "set" / "dry"])) == 3
    # What is left out of a folder of other photographs does not keep them from being trained on.
    note_folder(tmp_path / "all" / "set")
    (photo,) = flat(tmp_path / "all", 7, shape=(20, 20))
    assert clean_pictures_in([tmp_path / "all"]) == [photo]
