"""Pairs of any two folders, by names that are alike or by what a pattern finds in both."""

import contextlib

import pytest

from data_tools.layouts.files import LayoutError
from data_tools.layouts.two_folders import MatchError, read_two_folders


def names(layout):
    return [(pair.name, pair.scene, pair.split) for pair in layout]


def test_names_that_are_alike_belong_together_wherever_the_folders_lie(data):
    root = data("a/wet/train/rain-2.png", "a/wet/train/rain-10.png", "b/c/dry/train/2.jpg", "b/c/dry/train/10.jpg")
    layout = read_two_folders(root / "a" / "wet", root / "b" / "c" / "dry")
    assert names(layout) == [("train/rain-2", "train/2.jpg", "train"), ("train/rain-10", "train/10.jpg", "train")]
    assert all(pair.rainy.is_file() and pair.clean.is_file() for pair in layout)
    assert layout.folders == (root / "a" / "wet", root / "b" / "c" / "dry")
    assert (layout.name, layout.root, layout.problems) == ("folders", root, ())
    with contextlib.chdir(root / "b"):
        assert names(read_two_folders("../a/wet", "c/dry")) == names(layout)


def test_a_pattern_says_what_both_names_share(data):
    root = data("r/scene7_f003_heavy.png", "r/scene7_f004_light.png", "c/truth_of_7.tif", "c/truth_of_8.tif")
    layout = read_two_folders(root / "r", root / "c", r"(?:scene|of_)(\d+)")
    assert [(pair.rainy.name, pair.clean.name) for pair in layout] == [
        ("scene7_f003_heavy.png", "truth_of_7.tif"),
        ("scene7_f004_light.png", "truth_of_7.tif"),
    ]
    assert layout.problems == (f"'{root}/c/truth_of_8.tif' has no rainy image in '{root}/r'",)
    # Without groups, all that is found.
    assert len(read_two_folders(root / "r", root / "c", "(?<=scene)7|(?<=of_)7")) == 2


def test_a_folder_inside_the_other_is_its_own_side(data):
    root = data("1.png", "2.png", "gt/1.png", "gt/2.png")
    for rainy, clean in ((root, root / "gt"), (root / "gt", root)):
        layout = read_two_folders(rainy, clean)
        assert [(pair.rainy, pair.clean) for pair in layout] == [(rainy / n, clean / n) for n in ("1.png", "2.png")]


@pytest.mark.parametrize(
    ("rainy", "clean", "match", "said"),
    [
        ("r", "none", None, "none' is no folder; name the folder of the clean images"),
        ("r", "r", None, "cannot be the folder of the rainy and of the clean images"),
        ("r", "empty", None, "empty' holds no image"),
        ("r", "c", None, "with 1 image and .* with 1 image hold no two images whose names are alike"),
        ("r", "c", "[a-z]+", r"hold no two images that share '\[a-z\]\+'"),
    ],
)
def test_two_folders_without_a_pair_are_told(data, rainy, clean, match, said):
    root = data("r/one.png", "c/two.png", "empty/x.txt")
    with pytest.raises(LayoutError, match=said):
        read_two_folders(root / rainy, root / clean, match)


def test_an_unset_variable_or_no_pattern_is_named(data):
    root = data("r/1.png", "c/1.png")
    with pytest.raises(LayoutError, match="`rainy` must name a folder, got ''; is a variable unset"):
        read_two_folders("", root / "c")
    with pytest.raises(MatchError, match=r"`match` must be a regular expression, got '\(' \(missing"):
        read_two_folders(root / "r", root / "c", "(")
