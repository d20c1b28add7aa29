"""Datasets whose pairs are told by folders and names: each public one, and what may be unusual in it."""

import re
import sys
import unicodedata

import pytest

from data_tools.layouts.read import LayoutError, Pair, detect, read_dataset


def test_rain100_in_two_folders(data, rows):
    numbers = [10, 2, 1, 100]
    root = data(*(f"rain/rain-{n:03}.png" for n in numbers), *(f"norain/norain-{n:03}.png" for n in numbers))
    layout = detect(root)
    assert layout.name == "rain100"
    assert rows(layout) == [(f"rain/rain-{n:03}.png", f"norain/norain-{n:03}.png") for n in sorted(numbers)]
    assert layout.problems == ()
    assert layout.message == "Rain100L/H: 4 pairs"
    assert next(iter(layout)) == Pair(
        root / "rain/rain-001.png", root / "norain/norain-001.png", "norain/norain-001.png", None, "rain/rain-001"
    )


def test_rain100_of_the_authors_site(data):
    root = data(
        *(f"rain_data_train_Light/rain/X2/norain-{n}x2.png" for n in (1, 2, 10)),
        *(f"rain_data_train_Light/norain/norain-{n}.png" for n in (1, 2, 10)),
        "rain_data_test_Light/rain/X2/norain-001x2.png",
        "rain_data_test_Light/norain/norain-001.png",
        root="Rain200L",
    )
    layout = detect(root)
    assert (layout.name, layout.problems) == ("rain100", ())
    assert [pair.clean.name for pair in layout] == ["norain-001.png", "norain-1.png", "norain-2.png", "norain-10.png"]
    assert layout.message == "Rain100L/H: 4 pairs, 3 in split 'train', 1 in split 'test'"
    assert {pair.split for pair in detect(root / "rain_data_train_Light")} == {"train"}


def test_rain100_in_one_folder_with_rain_layers(data, rows):
    root = data(
        *(f"RainTrainL/{kind}-{n}.png" for kind in ("rain", "norain", "rainstreak", "rainregion") for n in (1, 2))
    )
    layout = detect(root)
    assert layout.name == "rain100"
    assert rows(layout) == [(f"RainTrainL/rain-{n}.png", f"RainTrainL/norain-{n}.png") for n in (1, 2)]
    assert layout.notes == ("not read: 4 images in 'RainTrainL'",)
    assert layout.pairs[0].split == "train"
    assert rows(detect(root / "RainTrainL")) == [(f"rain-{n}.png", f"norain-{n}.png") for n in (1, 2)]


def test_rain1400_with_both_parts(data):
    root = data(
        *(f"testing/rainy_image/{n}_{k}.jpg" for n in (901, 902) for k in range(1, 15)),
        *(f"testing/ground_truth/{n}.jpg" for n in (901, 902)),
        *(f"training/rainy_image/1_{k}.jpg" for k in range(1, 15)),
        "training/ground_truth/1.jpg",
    )
    layout = detect(root)
    assert layout.name == "rain1400"
    assert str(layout) == (
        "Rain1400: 14 rainy images for each of 3 clean ones, 42 pairs, 14 in split 'train', 28 in split 'test'"
    )
    assert layout.problems == ()
    assert [pair.rainy.stem for pair in layout][:16] == [f"901_{k}" for k in range(1, 15)] + ["902_1", "902_2"]
    assert layout.pairs[0].scene == "testing/ground_truth/901.jpg"
    assert detect(root / "testing").message.endswith("28 pairs, split 'test'")


def test_rain1400_names_what_is_missing(data):
    root = data(
        *(f"rainy_image/{n}_{k}.jpg" for n in (1, 2, 4) for k in (1, 2, 3)),
        *(f"ground_truth/{n}.jpg" for n in (1, 2, 3)),
    )
    (root / "rainy_image/2_2.jpg").unlink()
    layout = detect(root)
    assert len(layout) == 5
    assert layout.problems == (
        *(f"'rainy_image/4_{k}.jpg' has no clean image in 'ground_truth'" for k in (1, 2, 3)),
        "'ground_truth/3.jpg' has no rainy image in 'rainy_image'",
        "'ground_truth/2.jpg' has 2 rainy images where others have 3",
    )
    assert layout.message == "Rain1400: 5 pairs of 2 scenes, 5 problems"


def test_a_lone_number_is_no_version_where_names_agree(data):
    root = data("rain/1.png", "rain/2.png", "rain/2_1.png", "norain/1.png", "norain/2.png")
    layout = detect(root)
    assert layout.name == "folders"
    assert layout.problems == ("'rain/2_1.png' has no clean image in 'norain'",)
    assert len(read_dataset(root, "rain1400")) == 3


def test_rain13k(data):
    parts = ["train/Rain13K", "test/Rain100H", "test/Test2800"]
    root = data(
        *(f"{part}/{side}/{name}" for part in parts for side in ("input", "target") for name in ("1.jpg", "2_1.jpg")),
        root="Datasets",
    )
    layout = detect(root)
    assert (layout.name, layout.problems) == ("rain13k", ())
    assert layout.message == "Rain13K: 6 pairs, 2 in split 'train', 4 in split 'test'"
    assert detect(root / "train" / "Rain13K").message == "Rain13K: 2 pairs"
    assert detect(root / "test" / "Test2800").message == "Rain13K: 2 pairs, split 'test'"
    assert len({pair.name for pair in layout}) == 6


def test_jrgr(data, rows):
    root = data(
        *(f"train/{side}/{n}.png" for side in ("Os", "Bs") for n in (1, 2)),
        *(f"train/Ot/real{n}.jpg" for n in (2, 10)),
        "train/Os/3.png",
        "test/Ot/t.jpg",
    )
    layout = detect(root)
    assert layout.name == "jrgr"
    assert rows(layout) == [
        ("test/Ot/t.jpg", None),
        ("train/Os/1.png", "train/Bs/1.png"),
        ("train/Os/2.png", "train/Bs/2.png"),
        ("train/Ot/real2.jpg", None),
        ("train/Ot/real10.jpg", None),
    ]
    assert layout.problems == ("'train/Os/3.png' has no clean image in 'train/Bs'",)
    assert layout.message == (
        "JRGR: 2 pairs, 3 rainy images without a clean one, 4 in split 'train', 1 in split 'test', 1 problem"
    )
    assert layout.pairs[0].scene == "test/Ot/t.jpg"


def test_jrgr_with_several_rains_of_one_street_and_truth_for_the_real_ones(data, rows):
    root = data(
        "Os/aachen_0_leftImg8bit_rain_alpha_0.01.png",
        "Os/aachen_0_leftImg8bit_rain_alpha_0.02.png",
        "Bs/aachen_0_leftImg8bit.png",
        "Ot/1.png",
        "Ot/2.png",
        "Bt/2.png",
        "Bt/3.png",
    )
    layout = detect(root)
    assert [clean for _, clean in rows(layout)] == [*(["Bs/aachen_0_leftImg8bit.png"] * 2), None, "Bt/2.png"]
    assert layout.problems == ()
    assert layout.notes == ("1 clean image in 'Bt' without a rainy one",)


@pytest.mark.parametrize(("rainy", "clean"), [("rain", "norain"), ("Rain", "clean"), ("input", "GT")])
def test_folders_of_the_same_names(data, rows, rainy, clean):
    names = ["a.png", "b/a.png", "b/雨 ö.png"]
    layout = detect(data(*(f"{side}/{name}" for side in (rainy, clean) for name in names)))
    assert (layout.name, layout.problems) == ("folders", ())
    assert rows(layout) == [(f"{rainy}/{name}", f"{clean}/{name}") for name in names]
    assert layout.message == "folders of pairs: 3 pairs"


@pytest.mark.parametrize(
    "tree",
    [
        # Numbers need not have the same zeros, but the same digits go first.
        "rainy/rain-1.png=norain/norain-001.png",
        "rainy/rain-001.png=norain/norain-1.png",
        "rain/rain-1.png=norain/norain-1.png rain/rain-001.png=norain/norain-001.png",
        # Rainy images may lie in a folder beside the clean ones, and in subfolders.
        "rainy/rain-001.png=norain-001.png",
        "rain/light/1.png=norain/1.png rain/heavy/1.png=norain/1.png",
        # Suffixes need not agree, and decide between clean images of one stem.
        "rain/2.jpg=norain/2.png rain/3.JPEG=norain/3.Tif",
        "rain/1.JPG=norain/1.jpg norain/1.png",
        "rain/1.png=norain/1.png rain/1.jpg=norain/1.png",
        # Numbered versions are told without Rain1400's names of folders.
        "rain/1_1.png=norain/1.png rain/1_2.png=norain/1.png",
    ],
)
def test_names_that_belong_together(data, rows, tree):
    layout = detect(data(*re.split("[= ]", tree)))
    assert {"=".join(pair) for pair in rows(layout)} == {word for word in tree.split() if "=" in word}
    assert layout.problems == ()


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (
            "norain/1.png norain/1.bmp",
            "'rain/1.jpg' could belong to several clean images in 'norain': '1.bmp', '1.png'",
        ),
        ("norain/01.png norain/001.png", "could belong to several clean images in 'norain': '001.png', '01.png'"),
        # Words that only begin like rain are kept.
        ("rain/rainbow.png norain/1.png norain/bow.png", "'rain/rainbow.png' has no clean image in 'norain'"),
        ("norain/1.png norain/3.png", "'norain/3.png' has no rainy image in 'rain'"),
        ("norain/1.png other/rainy/1.png", "folder 'other/rainy' with 1 image has no other side beside it"),
    ],
)
def test_names_that_belong_to_none_or_several(data, rows, names, problem):
    layout = detect(data("rain/1.jpg", "rain/ok.png", "norain/ok.png", *names.split()))
    assert ("rain/ok.png", "norain/ok.png") in rows(layout)
    assert problem in "; ".join(layout.problems)


def test_of_several_clean_folders_the_usual_one_is_taken_or_none(data, rows):
    assert rows(detect(data("rain/1.png", "norain/1.png", "gt/1.png", root="b"))) == [("rain/1.png", "norain/1.png")]
    with pytest.raises(LayoutError, match="input' could belong to 'norain', 'gt'"):
        detect(data("input/1.png", "norain/1.png", "gt/1.png"))


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names differ by case or form there not at all")
def test_case_and_composed_letters_decide_only_where_they_must(data):
    layout = detect(data("rain/a.png", "rain/A.png", "norain/a.png", "norain/A.png"))
    assert all(pair.rainy.name == pair.clean.name for pair in layout)
    composed, apart = (unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD"))
    assert len(detect(data(f"rain/{composed}.png", f"norain/{apart}.png", root="b"))) == 1


def test_splits_are_told_by_whole_words(data):
    words = {"Training": "train", "val": "val", "RainTrainH": "train", "rain_heavy_test": "test", "test/train": "train"}
    for number, (folder, split) in enumerate((words | dict.fromkeys(("contest", "latest", "strain"))).items()):
        layout = detect(data(f"{folder}/rain/1.png", f"{folder}/norain/1.png", root=str(number)))
        assert [pair.split for pair in layout] == [split]
