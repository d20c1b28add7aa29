"""Images that hold both sides of a pair: which half is rainy, and what becomes of the halves."""

import numpy as np
import pytest

from data_tools.layouts.files import LayoutError
from data_tools.layouts.halves import file_of, picture_size, read_picture
from data_tools.layouts.read import detect, read_dataset
from rainopt.io import ImageFileError, read_image
from tests.support.datasets import photograph, put, rainy_of

PLACES = ((0, 0), (100, 100), (40, 200))


@pytest.fixture(scope="module")
def pairs():
    clean = [photograph(name, at) for name in ("astronaut", "coffee") for at in PLACES]
    return [(rainy_of(image, "medium", seed), image) for seed, image in enumerate(clean)]


def side_by_side(root, pairs, left):
    for number, (rainy, clean) in enumerate(pairs):
        part = "train" if number % 2 else "test"
        put(root / part / f"{number}.png", np.hstack([rainy, clean] if left else [clean, rainy]))
    return root


@pytest.mark.parametrize("half", ["left", "right"])
def test_the_half_with_streaks_is_the_rainy_one(tmp_path, pairs, half):
    layout = detect(side_by_side(tmp_path, pairs, half == "left"))
    assert layout.name == f"rainy-{half}"
    assert f"the {half} half of each image is taken as the rainy one: it has the brighter streaks" in layout.notes[0]
    assert [pair.name for pair in layout] == ["test/0", "test/2", "test/4", "train/1", "train/3", "train/5"]
    for pair in layout:
        rainy, clean = pairs[int(pair.name[-1])]
        assert np.array_equal(read_picture(pair.rainy), rainy)
        assert np.array_equal(read_picture(pair.clean), clean)
        assert picture_size(pair.rainy) == clean.shape[:2]
        assert pair.split == pair.name[:-2]
    other = {"left": "rainy-right", "right": "rainy-left"}[half]
    assert np.array_equal(read_picture(read_dataset(tmp_path, other).pairs[0].rainy), pairs[0][1])


def test_halves_that_do_not_tell_are_asked_about(tmp_path, pairs):
    side_by_side(tmp_path, [(clean, clean) for _, clean in pairs], True)
    with pytest.raises(
        LayoutError, match=r"which half is rainy cannot be told .* 'rainy-left' or 'rainy-right', or 'unp"
    ):
        detect(tmp_path)
    assert len(read_dataset(tmp_path, "rainy-left")) == len(read_dataset(tmp_path, "unpaired")) == 6


def test_photographs_are_no_two_halves(tmp_path, pairs):
    for number, pair in enumerate(pairs):
        put(tmp_path / f"{number}.png", pair[0])
    assert detect(tmp_path).name == "unpaired"


def test_a_half_is_no_file(tmp_path, pairs):
    layout = detect(side_by_side(tmp_path, pairs, True))
    with pytest.raises(ImageFileError, match="#left' does not exist"):
        read_image(layout.pairs[0].rainy)
    assert file_of(layout.pairs[0].rainy) == (tmp_path / "test" / "0.png", "left")
    put(tmp_path / "odd.png", np.zeros((8, 9, 3), np.uint8))
    with pytest.raises(LayoutError, match="has 9 columns, which cannot be a rainy half and a clean one"):
        read_picture(tmp_path / "odd.png#right")
