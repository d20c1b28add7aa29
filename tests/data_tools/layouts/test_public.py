"""Datasets as others publish them: recognised by their folders and names, and every image paired."""

import re

import pytest

from data_tools.layouts.read import LAYOUTS, LayoutError, detect, read_dataset

CITY = "aachen/aachen_000004_000019_leftImg8bit"
BLUR = "_rain_alpha_0.01_beta_0.005_dropsize_0.01_pattern_"


@pytest.mark.parametrize(
    ("name", "split", "tree"),
    [
        (
            "outdoor",
            "test",
            "test/in/im_0601_s80_a04.png=test/gt/im_0601.png test/in/im_0601_s100_a06.png=test/gt/im_0601.png "
            "test/in/im_0602_s80_a04.png=test/gt/im_0602.png test/in/im_0602_s100_a06.png=test/gt/im_0602.png",
        ),
        ("outdoor", None, "data/im_0001_s80_a04.png=gt/im_0001.png data/im_0001_s85_a05.png=gt/im_0001.png"),
        (
            "raindrop",
            "train",
            "train/data/0_rain.png=train/gt/0_clean.png train/data/10_rain.png=train/gt/10_clean.png",
        ),
        ("raindrop", "test", "test_b/data/7_rain.jpg=test_b/gt/7_clean.jpg"),
        (
            "raincityscapes",
            "val",
            f"leftImg8bit_rain/val/{CITY}{BLUR}1.png=leftImg8bit/val/{CITY}.png "
            f"leftImg8bit_rain/val/{CITY}{BLUR}12.png=leftImg8bit/val/{CITY}.png",
        ),
        (
            "nturain",
            "train",
            "Dataset_Training_Synthetic/t1_Rain_01/00001.jpg=Dataset_Training_Synthetic/t1_GT/00001.jpg "
            "Dataset_Training_Synthetic/t1_Rain_02/00001.jpg=Dataset_Training_Synthetic/t1_GT/00001.jpg",
        ),
        ("nturain", "test", "Dataset_Testing_Synthetic/a1_Rain/2.jpg=Dataset_Testing_Synthetic/a1_GT/2.jpg"),
        (
            "gtrain",
            "train",
            "GT-RAIN_train/Oinari_0-0/Oinari_0-0-Webcam-R-000.png=GT-RAIN_train/Oinari_0-0/Oinari_0-0-Webcam-C-000.png "
            "GT-RAIN_train/Oinari_0-0/Oinari_0-0-Webcam-R-011.png=GT-RAIN_train/Oinari_0-0/Oinari_0-0-Webcam-C-000.png",
        ),
        # Where each frame has a clean one, that is its own.
        ("gtrain", None, "s/s-R-000.png=s/s-C-000.png s/s-R-001.png=s/s-C-001.png"),
    ],
)
def test_a_dataset_is_recognised_and_paired(data, rows, name, split, tree):
    layout = detect(data(*re.split("[= ]", tree)))
    assert layout.name == name
    assert {"=".join(pair) for pair in rows(layout)} == set(tree.split())
    assert {pair.split for pair in layout} == {split}
    assert (layout.problems, layout.notes) == ((), ())
    assert layout.message.startswith(LAYOUTS[name])


def test_outdoor_rain_names_truths_with_fewer_rains_than_others(data):
    rains = [f"in/im_0001_s{s}_a0{a}.png" for s in (80, 85, 90, 95, 100) for a in (4, 5, 6)]
    layout = detect(
        data(*rains, *(rain.replace("0001", "0002") for rain in rains[1:]), "gt/im_0001.png", "gt/im_0002.png")
    )
    assert layout.message.startswith("Outdoor-Rain: 29 pairs of 2 scenes")
    assert layout.problems == ("'gt/im_0002.png' has 14 rainy images where others have 15",)


def test_raincityscapes_leaves_the_rest_of_cityscapes_aside(data):
    clean = [f"leftImg8bit/train/{CITY}.png", "leftImg8bit/train/bonn/bonn_0_0_leftImg8bit.png"]
    layout = detect(data(f"leftImg8bit_rain/train/{CITY}{BLUR}1.png", *clean))
    assert (len(layout), layout.problems) == (1, ())
    assert layout.notes == ("1 clean image in 'leftImg8bit' without a rainy one",)


def test_real_clips_of_nturain_have_no_truth(data, rows):
    root = data("real/ra1_Rain/1.jpg", "real/rb3_Rain/1.jpg", "synthetic/b4_Rain/1.jpg", "synthetic/b4_GT/1.jpg")
    assert rows(detect(root)) == [
        ("real/ra1_Rain/1.jpg", None),
        ("real/rb3_Rain/1.jpg", None),
        ("synthetic/b4_Rain/1.jpg", "synthetic/b4_GT/1.jpg"),
    ]
    assert len(read_dataset(root / "real", "nturain")) == 2


def test_estimates_of_gt_rain_are_no_truth(data):
    layout = detect(data(*(f"{scene}/{scene}-Webcam-{n}.png" for scene in "ab" for n in ("R-000", "C-000", "P-000"))))
    assert len(layout) == 2
    assert layout.notes == ("not read: 2 images that are estimates of clean ones",)


def test_names_that_say_little_mean_rain_beside_their_truth_alone(data):
    root = data("data/1.png", "2.png", "in/3.png")
    assert detect(root).name == "unpaired"
    with pytest.raises(LayoutError, match="is no dataset known here"):
        detect(data("data/1.png", "in/3.png", root="other"))
