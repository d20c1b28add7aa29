import os
import random
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.layouts.read import LAYOUTS, LayoutError, Pair, detect, natural_key, read_dataset
from data_tools.manifest.file import PairRecord, write_manifest


@pytest.fixture
def data(tmp_path):
    """Make a tree of empty files under a folder whose name tells nothing."""

    def make(*names, root="data"):
        base = tmp_path / root
        for name in names:
            (base / name).parent.mkdir(parents=True, exist_ok=True)
            (base / name).touch()
        return base

    return make


def text(root, name, content):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def rows(layout):
    """Return what the layout holds, with names relative to its root."""

    def relative(path):
        return None if path is None else path.relative_to(layout.root).as_posix()

    return [(relative(pair.rainy), relative(pair.clean)) for pair in layout]


def test_rain100_in_two_folders(data):
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


@pytest.mark.parametrize(("rainy", "clean"), [("1", "001"), ("001", "1"), ("10", "10")])
def test_rain100_numbers_need_not_have_the_same_zeros(data, rainy, clean):
    root = data(f"rainy/rain-{rainy}.png", f"norain/norain-{clean}.png")
    assert rows(detect(root)) == [(f"rainy/rain-{rainy}.png", f"norain/norain-{clean}.png")]


def test_rain100_of_the_authors_site(data):
    root = data(
        *(f"rain_data_train_Light/rain/X2/norain-{n}x2.png" for n in (1, 2, 10)),
        *(f"rain_data_train_Light/norain/norain-{n}.png" for n in (1, 2, 10)),
        "rain_data_test_Light/rain/X2/norain-001x2.png",
        "rain_data_test_Light/norain/norain-001.png",
        root="Rain200L",
    )
    layout = detect(root)
    assert layout.name == "rain100"
    assert layout.problems == ()
    assert [pair.split for pair in layout] == ["test", "train", "train", "train"]
    assert [pair.clean.name for pair in layout] == ["norain-001.png", "norain-1.png", "norain-2.png", "norain-10.png"]
    assert layout.message == "Rain100L/H: 4 pairs, 3 in split 'train', 1 in split 'test'"
    assert {pair.split for pair in detect(root / "rain_data_train_Light")} == {"train"}


def test_rain100_in_one_folder_with_rain_layers(data):
    root = data(
        *(f"RainTrainL/{kind}-{n}.png" for kind in ("rain", "norain", "rainstreak", "rainregion") for n in (1, 2))
    )
    layout = detect(root)
    assert layout.name == "rain100"
    assert rows(layout) == [(f"RainTrainL/rain-{n}.png", f"RainTrainL/norain-{n}.png") for n in (1, 2)]
    assert layout.notes == ("not read: 4 images in 'RainTrainL'",)
    assert layout.pairs[0].split == "train"
    assert rows(detect(root / "RainTrainL")) == [(f"rain-{n}.png", f"norain-{n}.png") for n in (1, 2)]


def test_rain100_with_the_rainy_folder_beside_the_clean_images(data):
    root = data("rainy/rain-001.png", "rainy/rain-002.png", "norain-001.png", "norain-002.png")
    layout = detect(root)
    assert layout.name == "rain100"
    assert rows(layout) == [(f"rainy/rain-00{n}.png", f"norain-00{n}.png") for n in (1, 2)]
    assert layout.problems == ()


def test_rain1400(data):
    root = data(
        *(f"testing/rainy_image/{n}_{k}.jpg" for n in range(901, 1001) for k in range(1, 15)),
        *(f"testing/ground_truth/{n}.jpg" for n in range(901, 1001)),
    )
    layout = detect(root)
    assert layout.name == "rain1400"
    assert str(layout) == "Rain1400: 14 rainy images for each of 100 clean ones, 1400 pairs, split 'test'"
    assert layout.problems == ()
    assert [pair.rainy.stem for pair in layout][:16] == [f"901_{k}" for k in range(1, 15)] + ["902_1", "902_2"]
    assert len({pair.scene for pair in layout}) == 100
    assert layout.pairs[0].scene == "testing/ground_truth/901.jpg"
    assert detect(root / "testing").message == layout.message


def test_rain1400_with_both_parts(data):
    root = data(
        *(f"{part}/rainy_image/{n}_{k}.jpg" for part, n in (("training", 1), ("testing", 901)) for k in (1, 2)),
        "training/ground_truth/1.jpg",
        "testing/ground_truth/901.jpg",
    )
    layout = detect(root)
    assert [pair.split for pair in layout] == ["test", "test", "train", "train"]
    assert layout.message.startswith("Rain1400: 2 rainy images for each of 2 clean ones, 4 pairs, 2 in split 'train'")


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


def test_rain1400_under_other_folder_names(data):
    root = data("rain/1_1.png", "rain/1_2.png", "norain/1.png")
    assert detect(root).message == "Rain1400: 2 rainy images for 1 clean one, 2 pairs"


def test_a_lone_number_is_no_version_where_names_agree(data):
    root = data("rain/1.png", "rain/2.png", "rain/2_1.png", "norain/1.png", "norain/2.png")
    layout = detect(root)
    assert layout.name == "folders"
    assert layout.problems == ("'rain/2_1.png' has no clean image in 'norain'",)
    assert len(read_dataset(root, "rain1400")) == 3


LISTED = ("real_world/000/000-1/000-1_0_0.png", "real_world/000/gt/000_0_0.png", "real_world/000/000-2/000-2_0_0.png")


@pytest.mark.parametrize("slash", ["", "/", "./"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n", "\r\n\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "ending", " \n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spa_lists(data, slash, ending, last, mark):
    lines = [f"{slash}{LISTED[0]} {slash}{LISTED[1]}", f"{slash}{LISTED[2]} {slash}{LISTED[1]}"]
    content = mark + ending.join(lines) + (ending if last == "ending" else last)
    layout = detect(text(data(*LISTED), "real_world.txt", content))
    assert layout.name == "spa"
    assert rows(layout) == [(LISTED[0], LISTED[1]), (LISTED[2], LISTED[1])]
    assert layout.problems == ()
    assert {pair.scene for pair in layout} == {LISTED[1]}
    assert layout.message == "SPA-Data: 2 rainy images for 1 clean one, 2 pairs, split 'train'"


@pytest.mark.parametrize("place", ["real_world.txt", "real_world/real_world.txt", "real_world/000/list.txt"])
def test_spa_paths_start_at_the_list_or_above(data, place):
    root = text(data(*LISTED), place, f"/{LISTED[0]} /{LISTED[1]}")
    assert rows(detect(root)) == [(LISTED[0], LISTED[1])]
    assert rows(read_dataset(root, "spa")) == [(LISTED[0], LISTED[1])]


def test_spa_a_list_may_lie_in_the_folder_that_its_paths_name(data):
    root = text(data(*LISTED) / "real_world", "real_world.txt", f"/{LISTED[0]} /{LISTED[1]}")
    assert [(pair.rainy.name, pair.clean.name) for pair in detect(root)] == [("000-1_0_0.png", "000_0_0.png")]
    assert len(detect(root / "real_world.txt")) == 1


def test_spa_both_parts(data):
    root = data("Training/rain/1.png", "Training/gt/1.png", "Testing/real_test_1000/rain/000.png")
    data("Testing/real_test_1000/gt/000gt.png")
    text(root, "Training/real_world.txt", "/rain/1.png /gt/1.png")
    text(root, "Testing/real_test_1000.txt", "/real_test_1000/rain/000.png /real_test_1000/gt/000gt.png\n")
    layout = detect(root)
    assert [(pair.rainy.name, pair.clean.name, pair.split) for pair in layout] == [
        ("000.png", "000gt.png", "test"),
        ("1.png", "1.png", "train"),
    ]
    # The folders of the test part pair without their list as well.
    (root / "Testing/real_test_1000.txt").unlink()
    assert detect(root / "Testing/real_test_1000").message == "folders of pairs: 1 pair, split 'test'"


def test_spa_broken_lines_are_named(data):
    root = data("rain/1.png", "rain/2.png", "gt/1.png", "gt/2.png", "gt/3.png")
    lines = [
        "/rain/1.png /gt/1.png",
        "rain/9.png gt/1.png",
        "rain/2.png gt/8.png",
        "rain/2.png",
        "../data/rain/2.png gt/2.png",
        "C:/rain/2.png gt/2.png",
        "rain/1.png gt/3.png",
        "rain/1.png gt/1.png",
    ]
    layout = detect(text(root, "pairs.txt", "\n".join(lines)))
    assert rows(layout) == [("rain/1.png", "gt/1.png")]
    assert layout.problems == (
        "'pairs.txt', line 2: 'rain/9.png' is missing",
        "'pairs.txt', line 3: 'gt/8.png' is missing",
        "'pairs.txt', line 4: is not two names of images: 'rain/2.png'",
        "'pairs.txt', line 5: '../data/rain/2.png' leaves the dataset's folder",
        "'pairs.txt', line 6: 'C:/rain/2.png' leaves the dataset's folder",
        "'pairs.txt', line 7: 'rain/1.png' has another clean image in 'pairs.txt', line 1",
    )
    assert layout.notes == ("a pair repeated: 1 line", "not read: 3 images that no list names")


def test_spa_two_lists_of_one_pair(data):
    root = data("rain/1.png", "gt/1.png")
    text(root, "train.txt", "rain/1.png gt/1.png")
    layout = detect(text(root, "real_test_1000.txt", "rain/1.png gt/1.png"))
    assert [pair.split for pair in layout] == ["test"]
    assert layout.problems == ("'train.txt', line 1: 'rain/1.png' is in another split in 'real_test_1000.txt', line 1",)


def test_spa_names_with_spaces_backslashes_and_other_case(data):
    root = data("rain/a b.png", "gt/a b.PNG", "rain/ö 雨.png", "gt/ö.png")
    text(root, "real_world.txt", "rain/a b.png gt/a b.png\n\\rain\\ö 雨.png\t\\gt\\ö.png")
    assert rows(detect(root)) == [("rain/a b.png", "gt/a b.PNG"), ("rain/ö 雨.png", "gt/ö.png")]


def test_a_readme_is_no_list(data):
    root = text(data("rain/1.png", "norain/1.png"), "readme.txt", b"rainy clean\n\xff\xfe see 1.png\n")
    assert detect(root).name == "folders"
    with pytest.raises(LayoutError, match=r"readme\.txt' is no list of pairs"):
        detect(root / "readme.txt")
    with pytest.raises(LayoutError, match="a text with lines such as"):
        read_dataset(root, "spa")


def test_a_list_of_files_elsewhere_does_not_hide_the_folders(data):
    root = text(data("rain/1.png", "norain/1.png"), "train.txt", "there/1.png there/2.png")
    layout = detect(root)
    assert (layout.name, len(layout)) == ("folders", 1)
    assert layout.notes == ("not read: 'train.txt' names no images that are here",)
    (root / "rain/1.png").unlink()
    (root / "norain/1.png").unlink()
    with pytest.raises(LayoutError, match=r"no pair is whole: 'train\.txt', line 1: 'there/1\.png' is missing"):
        detect(root)


def test_rain13k(data):
    parts = ["train/Rain13K", "test/Rain100H", "test/Test2800"]
    root = data(
        *(f"{part}/{side}/{name}" for part in parts for side in ("input", "target") for name in ("1.jpg", "2_1.jpg")),
        root="Datasets",
    )
    layout = detect(root)
    assert layout.name == "rain13k"
    assert layout.problems == ()
    assert layout.message == "Rain13K: 6 pairs, 2 in split 'train', 4 in split 'test'"
    assert detect(root / "train" / "Rain13K").message == "Rain13K: 2 pairs"
    assert detect(root / "test" / "Test2800").message == "Rain13K: 2 pairs, split 'test'"
    assert len({pair.name for pair in layout}) == 6


def test_jrgr(data):
    root = data(
        *(f"train/{side}/{n}.png" for side in ("Os", "Bs") for n in (1, 2)),
        *(f"train/Ot/real{n}.jpg" for n in (1, 2, 10)),
        "train/Os/3.png",
        "test/Ot/t.jpg",
    )
    layout = detect(root)
    assert layout.name == "jrgr"
    assert rows(layout) == [
        ("test/Ot/t.jpg", None),
        ("train/Os/1.png", "train/Bs/1.png"),
        ("train/Os/2.png", "train/Bs/2.png"),
        ("train/Ot/real1.jpg", None),
        ("train/Ot/real2.jpg", None),
        ("train/Ot/real10.jpg", None),
    ]
    assert layout.problems == ("'train/Os/3.png' has no clean image in 'train/Bs'",)
    assert layout.message == (
        "JRGR: 2 pairs, 4 rainy images without a clean one, 5 in split 'train', 1 in split 'test', 1 problem"
    )
    assert layout.pairs[0].scene == "test/Ot/t.jpg"


def test_jrgr_with_several_rains_of_one_street_and_truth_for_the_real_ones(data):
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


@pytest.mark.parametrize("rainy", ["rain", "rainy", "Rain", "input"])
@pytest.mark.parametrize("clean", ["norain", "clean", "GT", "ground_truth"])
def test_folders_of_the_same_names(data, rainy, clean):
    names = ["a.png", "b/a.png", "b/雨 ö.png"]
    layout = detect(data(*(f"{side}/{name}" for side in (rainy, clean) for name in names)))
    assert layout.name == "folders"
    assert rows(layout) == [(f"{rainy}/{name}", f"{clean}/{name}") for name in names]
    assert layout.problems == ()
    assert layout.message == "folders of pairs: 3 pairs"


def test_subfolders_of_rain_share_clean_images(data):
    layout = detect(data("rain/light/1.png", "rain/heavy/1.png", "norain/1.png"))
    assert layout.message == "folders of pairs: 2 rainy images for 1 clean one, 2 pairs"


def test_missing_partners_are_named_on_both_sides(data):
    layout = detect(data("rain/1.png", "rain/2.png", "norain/1.png", "norain/3.png", "other/rainy/1.png", "x/y.png"))
    assert rows(layout) == [("rain/1.png", "norain/1.png")]
    assert layout.problems == (
        "'rain/2.png' has no clean image in 'norain'",
        "'norain/3.png' has no rainy image in 'rain'",
        "folder 'other/rainy' with 1 image has no other side beside it",
    )
    assert layout.notes == ("not read: 1 image in 'x'",)


def test_suffixes_need_not_agree(data):
    root = data("rain/1.PNG", "rain/2.jpg", "rain/3.JPEG", "norain/1.png", "norain/2.png", "norain/3.Tif")
    layout = detect(root)
    assert len(layout) == 3
    assert layout.problems == ()


def test_of_two_clean_images_the_one_of_the_same_suffix_is_meant(data):
    layout = detect(data("rain/1.JPG", "rain/2.jpg", "norain/1.jpg", "norain/1.png", "norain/2.png", "norain/2.bmp"))
    assert rows(layout) == [("rain/1.JPG", "norain/1.jpg")]
    assert layout.problems == ("'rain/2.jpg' could belong to several clean images in 'norain': '2.bmp', '2.png'",)


def test_the_same_digits_go_before_the_same_number(data):
    layout = detect(data("rain/rain-1.png", "rain/rain-001.png", "norain/norain-1.png", "norain/norain-001.png"))
    assert {(pair.rainy.stem, pair.clean.stem) for pair in layout} == {
        ("rain-1", "norain-1"),
        ("rain-001", "norain-001"),
    }
    layout = detect(
        data("rain/rain-1.png", "norain/norain-01.png", "norain/norain-001.png", "rain/2.png", "norain/2.png", root="b")
    )
    assert [pair.rainy.stem for pair in layout] == ["2"]
    assert layout.problems == (
        "'rain/rain-1.png' could belong to several clean images in 'norain': 'norain-001.png', 'norain-01.png'",
    )


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names differ by case or form there not at all")
def test_case_and_composed_letters_decide_only_where_they_must(data):
    layout = detect(data("rain/a.png", "rain/A.png", "norain/a.png", "norain/A.png"))
    assert all(pair.rainy.name == pair.clean.name for pair in layout)
    composed, apart = (unicodedata.normalize(form, "Köln") for form in ("NFC", "NFD"))
    layout = detect(data(f"rain/{composed}.png", f"norain/{apart}.png", root="b"))
    assert len(layout) == 1


def test_words_that_only_begin_like_rain_are_kept(data):
    layout = detect(data("rain/rainbow.png", "rain/1.png", "norain/bow.png", "norain/1.png"))
    assert rows(layout) == [("rain/1.png", "norain/1.png")]


def test_two_rainy_versions_may_share_a_stem(data):
    layout = detect(data("rain/1.png", "rain/1.jpg", "norain/1.png"))
    assert [pair.name for pair in layout] == ["rain/1.jpg", "rain/1.png"]


def test_unpaired_images(data):
    root = data(*(f"photo {n}.JPG" for n in (10, 2, 1)), "more/x.webp", "notes.md")
    layout = detect(root)
    assert layout.name == "unpaired"
    assert [pair.name for pair in layout] == ["more/x", "photo 1", "photo 2", "photo 10"]
    assert all(pair.clean is None and pair.split is None for pair in layout)
    assert layout.pairs[1].scene == "photo 1.JPG"
    assert layout.message == "unpaired images: 4 rainy images without a clean one"


def test_hidden_files_do_not_count(data):
    root = data(
        *(f"{side}/{name}" for side in ("rain", "norain") for name in ("1.png", "Thumbs.db", "desktop.ini")),
        "rain/._1.png",
        "rain/.DS_Store",
        "norain/.2.png",
        "__MACOSX/rain/._1.png",
        "__MACOSX/rain/3.png",
        ".cache/rain/4.png",
    )
    layout = detect(root)
    assert rows(layout) == [("rain/1.png", "norain/1.png")]
    assert (layout.problems, layout.notes) == ((), ())


def test_our_manifest(data):
    root = data("r/2.png", "r/10.png", "c/a.png", "s/0.png", "s/1.png", "rain/1.png", "norain/1.png")
    records = [
        {"id": "10", "rainy": "r/10.png", "clean": "c/a.png", "scene": "a", "split": "train"},
        {"id": "2", "rainy": "r/2.png", "split": "test"},
        {"id": "gone", "rainy": "r/3.png", "clean": "c/b.png"},
        {"id": "s", "clean": "c/a.png", "split": "val", "frames": [{"rainy": "s/0.png"}, {"rainy": "s/1.png"}]},
    ]
    file = write_manifest(root, map(PairRecord.parse, records))
    with open(file, "ab") as out:
        out.write(b'{"id": "torn')
    layout = detect(root)
    assert layout.name == "manifest"
    assert [(pair.name, pair.scene, pair.split) for pair in layout] == [
        ("2", "r/2.png", "test"),
        ("10", "a", "train"),
        ("s/0", "c/a.png", "val"),
        ("s/1", "c/a.png", "val"),
    ]
    assert rows(layout) == [("r/2.png", None), ("r/10.png", "c/a.png"), ("s/0.png", "c/a.png"), ("s/1.png", "c/a.png")]
    assert layout.problems[1] == "record 'gone': 'r/3.png' is missing, 'c/b.png' is missing"
    assert "line 6 is torn" in layout.problems[0]
    assert detect(file) == layout
    assert read_dataset(root, "folders").name == "folders"
    write_manifest(root, [])
    assert detect(root).message == "manifest: no pair"


def test_several_datasets_are_told_apart_only_by_name(data):
    root = data("a/rainy_image/1_1.jpg", "a/ground_truth/1.jpg", "b/input/1.png", "b/target/1.png")
    with pytest.raises(LayoutError, match="several datasets: Rain13K in 'b', Rain1400 in 'a'"):
        detect(root)
    assert len(detect(root / "a")) == len(detect(root / "b")) == 1
    text(root, "c/real_world.txt", "1.png 1.jpg")
    data("c/1.png", "c/1.jpg")
    with pytest.raises(LayoutError, match=r"several datasets: .*SPA-Data in 'c'"):
        detect(root)
    assert len(read_dataset(root, "spa")) == 1


def test_several_clean_folders(data):
    root = data("rain/1.png", "norain/1.png", "gt/1.png")
    assert rows(detect(root)) == [("rain/1.png", "norain/1.png")]
    root = data("input/1.png", "norain/1.png", "gt/1.png", root="b")
    with pytest.raises(LayoutError, match="input' could belong to 'norain', 'gt'"):
        detect(root)


def test_an_explicit_name_forces_a_layout(data):
    root = data("rain/1.png", "rain/2.png", "norain/1.png", "norain/2.png")
    for name in ("rain100", "Rain100L", "rain13k", "folders"):
        assert len(read_dataset(root, name)) == 2
    assert read_dataset(root, "Rain100L").name == "rain100"
    layout = read_dataset(root, "unpaired")
    assert len(layout) == 4
    assert {pair.clean for pair in layout} == {None}
    with pytest.raises(LayoutError, match=r"Looked for: JRGR: folders 'Os' and 'Bs'.*Found: 'norain' \(2 images\)"):
        read_dataset(root, "jrgr")
    with pytest.raises(LayoutError, match=r"manifest: 'manifest\.jsonl'"):
        read_dataset(root, "manifest")
    with pytest.raises(LayoutError, match=r"`layout` must be one of manifest, spa, .*, got 'cityscapes'"):
        read_dataset(root, "cityscapes")


@pytest.mark.parametrize("names", [(), ("rain/1.png",), ("a/b/1.png",), ("norain-1.png",), ("rain/1.png", "1.png")])
def test_nothing_recognised_says_what_was_looked_for_and_what_is_there(data, names):
    root = data("empty/notes.md", *names)
    with pytest.raises(LayoutError) as error:
        detect(root)
    for title in LAYOUTS.values():
        assert title in str(error.value)
    assert "Found: 'empty' (0 images)" in str(error.value) or "'empty' (0 images)" in str(error.value)
    for name in names:
        folder = os.path.dirname(name)
        assert (f"'{folder}' (1 image)" if folder else "1 image directly in it") in str(error.value)


def test_no_whole_pair_is_an_error_that_names_the_first(data):
    root = data("norain/9.png", *(f"rain/{n}.png" for n in range(1, 6)))
    with pytest.raises(LayoutError, match=r"no pair is whole: 'rain/1\.png' has no clean image.*; and 3 more"):
        detect(root)


def test_what_is_no_folder(data, tmp_path):
    with pytest.raises(LayoutError, match="does not exist"):
        detect(tmp_path / "none")
    with pytest.raises(LayoutError, match=r"1\.png' is a file; a folder is expected"):
        detect(data("1.png") / "1.png")


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_are_followed_and_circles_end(data, tmp_path):
    root = data("rain/1.png")
    data("1.png", root="elsewhere")
    (root / "norain").symlink_to(tmp_path / "elsewhere")
    (root / "rain" / "up").symlink_to(root)
    (root / "rain" / "2.png").symlink_to("gone.png")
    (root / "dangling").symlink_to("gone")
    layout = detect(root)
    assert layout.problems == ("'rain/2.png' has no clean image in 'norain'",)
    assert len(layout) == 1


@given(st.lists(st.integers(0, 10**30), unique=True), st.randoms())
def test_natural_order_is_that_of_numbers(numbers, shuffle):
    names = [f"img-{n}_x.png" for n in sorted(numbers)]
    mixed = names[:]
    shuffle.shuffle(mixed)
    assert sorted(mixed, key=natural_key) == names


@given(st.lists(st.text("a1٣²0_/-. Z", max_size=8), unique=True), st.randoms())
def test_natural_order_is_an_order_of_any_names(names, shuffle):
    mixed = names[:]
    shuffle.shuffle(mixed)
    assert sorted(mixed, key=natural_key) == sorted(names, key=natural_key)


def test_natural_order_goes_folder_by_folder():
    names = ["2/a.png", "10/a.png", "a/2.png", "a/010.png", "a/10.png", "a-b/1.png"]
    mixed = names[:]
    random.Random(0).shuffle(mixed)
    assert sorted(mixed, key=natural_key) == names


@pytest.mark.parametrize(
    ("folder", "split"),
    [
        ("Training", "train"),
        ("val", "val"),
        ("RainTrainH", "train"),
        ("rain_heavy_test", "test"),
        ("test/train", "train"),
        ("contest", None),
        ("latest", None),
        ("strain", None),
    ],
)
def test_splits_are_told_by_whole_words(data, folder, split):
    assert [pair.split for pair in detect(data(f"{folder}/rain/1.png", f"{folder}/norain/1.png"))] == [split]
