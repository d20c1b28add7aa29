"""Datasets whose pairs are told by a text: lists as SPA-Data has them, and our manifest."""

import pytest

from data_tools.layouts.read import LayoutError, detect, read_dataset
from data_tools.manifest.file import PairRecord, write_manifest

LISTED = ("real_world/000/000-1/000-1_0_0.png", "real_world/000/gt/000_0_0.png", "real_world/000/000-2/000-2_0_0.png")


def text(root, name, content):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return root


@pytest.mark.parametrize("slash", ["", "/", "./"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\n\n", "\r"])
def test_lines_may_begin_and_end_in_any_way(data, rows, slash, ending):
    lines = [f"{slash}{LISTED[0]} {slash}{LISTED[1]}", f"{slash}{LISTED[2]} {slash}{LISTED[1]}"]
    for mark, last in (("", ""), ("\ufeff", ending), ("", " \n")):
        layout = detect(text(data(*LISTED), "real_world.txt", mark + ending.join(lines) + last))
        assert rows(layout) == [(LISTED[0], LISTED[1]), (LISTED[2], LISTED[1])]
        assert {pair.scene for pair in layout} == {LISTED[1]}
        assert layout.message == "SPA-Data: 2 rainy images for 1 clean one, 2 pairs, split 'train'"


@pytest.mark.parametrize("place", ["real_world.txt", "real_world/real_world.txt", "real_world/000/list.txt"])
def test_paths_start_at_the_list_or_above(data, rows, place):
    root = text(data(*LISTED), place, f"/{LISTED[0]} /{LISTED[1]}")
    assert rows(detect(root)) == [(LISTED[0], LISTED[1])]
    assert rows(read_dataset(root, "spa")) == [(LISTED[0], LISTED[1])]
    # And one that lies in the folder that its paths name may be read from there.
    (root / place).rename(root / "real_world" / "moved.txt")
    assert [pair.rainy.name for pair in detect(root / "real_world")] == ["000-1_0_0.png"]
    assert len(detect(root / "real_world" / "moved.txt")) == 1


def test_both_parts(data):
    root = data("Training/rain/1.png", "Training/gt/1.png", "Testing/real_test_1000/rain/000.png")
    data("Testing/real_test_1000/gt/000gt.png")
    text(root, "Training/real_world.txt", "/rain/1.png /gt/1.png")
    text(root, "Testing/real_test_1000.txt", "/real_test_1000/rain/000.png /real_test_1000/gt/000gt.png\n")
    assert [(pair.rainy.name, pair.clean.name, pair.split) for pair in detect(root)] == [
        ("000.png", "000gt.png", "test"),
        ("1.png", "1.png", "train"),
    ]
    # The folders of the test part pair without their list as well.
    (root / "Testing/real_test_1000.txt").unlink()
    assert detect(root / "Testing/real_test_1000").message == "folders of pairs: 1 pair, split 'test'"


def test_broken_lines_are_named(data, rows):
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


def test_two_lists_of_one_pair(data):
    root = data("rain/1.png", "gt/1.png")
    text(root, "train.txt", "rain/1.png gt/1.png")
    layout = detect(text(root, "real_test_1000.txt", "rain/1.png gt/1.png"))
    assert [pair.split for pair in layout] == ["test"]
    assert layout.problems == ("'train.txt', line 1: 'rain/1.png' is in another split in 'real_test_1000.txt', line 1",)


def test_names_with_spaces_backslashes_and_other_case(data, rows):
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


def test_our_manifest(data, rows):
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


def test_a_name_that_no_file_can_have_is_missing(data):
    root = data("1.png", "2.png")
    (root / "list.txt").write_bytes(b"1.png 2.png\na\0b/1.png 2.png\n1.png c\0.png\n")
    layout = read_dataset(root, "spa")
    assert len(layout) == 1
    assert layout.problems == (
        "'list.txt', line 2: 'a\0b/1.png' is missing",
        "'list.txt', line 3: 'c\0.png' is missing",
    )
