"""Which layout a folder has: recognised, named by the user, or told why it is none."""

import os
import random
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.layouts.read import LAYOUTS, LayoutError, detect, natural_key, read_dataset
from rainopt.io.own_results import note_results


def test_unpaired_images(data):
    root = data(*(f"photo {n}.JPG" for n in (10, 2, 1)), "more/x.webp", "notes.md")
    layout = detect(root)
    assert layout.name == "unpaired"
    assert [pair.name for pair in layout] == ["more/x", "photo 1", "photo 2", "photo 10"]
    assert all(pair.clean is None and pair.split is None for pair in layout)
    assert layout.pairs[1].scene == "photo 1.JPG"
    assert layout.message == "unpaired images: 4 rainy images without a clean one"


def test_results_among_photographs_are_left_out_and_told(data):
    root = data("1.jpg", "2.jpg", "derained/1.jpg", "derained/mine.jpg")
    note_results([root / "derained" / "1.jpg"])
    for layout in (detect(root), read_dataset(root, "unpaired")):
        assert [pair.name for pair in layout] == ["1", "2", "derained/mine"]
        assert layout.notes == ("left out: 1 result of earlier runs, such as 'derained/1.jpg'",)


def test_hidden_files_do_not_count_and_others_are_noted(data, rows):
    root = data(
        *(f"{side}/{name}" for side in ("rain", "norain") for name in ("1.png", "Thumbs.db", "desktop.ini")),
        "rain/._1.png",
        "rain/.DS_Store",
        "norain/.2.png",
        "__MACOSX/rain/3.png",
        ".cache/rain/4.png",
        "x/y.png",
    )
    layout = detect(root)
    assert rows(layout) == [("rain/1.png", "norain/1.png")]
    assert (layout.problems, layout.notes) == ((), ("not read: 1 image in 'x'",))


def test_several_datasets_are_told_apart_only_by_name(data):
    root = data("a/rainy_image/1_1.jpg", "a/ground_truth/1.jpg", "b/input/1.png", "b/target/1.png")
    with pytest.raises(LayoutError, match="several datasets: Rain13K in 'b', Rain1400 in 'a'"):
        detect(root)
    assert len(detect(root / "a")) == len(detect(root / "b")) == 1
    (data("c/1.png", "c/1.jpg") / "c" / "real_world.txt").write_text("1.png 1.jpg")
    with pytest.raises(LayoutError, match=r"several datasets: .*SPA-Data in 'c'"):
        detect(root)
    assert len(read_dataset(root, "spa")) == 1


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
    assert "'empty' (0 images)" in str(error.value)
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


@given(
    st.lists(st.integers(0, 10**30), unique=True),
    st.lists(st.text("a1٣²0_/-. Z", max_size=8), unique=True),
    st.randoms(),
)
def test_natural_order_is_that_of_numbers_and_an_order_of_any_names(numbers, names, shuffle):
    for ordered in ([f"img-{n}_x.png" for n in sorted(numbers)], sorted(names, key=natural_key)):
        mixed = ordered[:]
        shuffle.shuffle(mixed)
        assert sorted(mixed, key=natural_key) == ordered


def test_natural_order_goes_folder_by_folder():
    names = ["2/a.png", "10/a.png", "a/2.png", "a/010.png", "a/10.png", "a-b/1.png"]
    mixed = names[:]
    random.Random(0).shuffle(mixed)
    assert sorted(mixed, key=natural_key) == names
