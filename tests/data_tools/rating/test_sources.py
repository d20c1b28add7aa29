"""Which pictures a study has: those of one name in all folders, and none that cannot be shown."""

from pathlib import Path

import pytest

from data_tools.rating.sources import StudyError, gather
from rainopt.io import read_image
from tests.support.datasets import noise, put


@pytest.fixture
def folders(tmp_path):
    names = {"a": ("x.png", "deep/y.png", "z.png"), "b": ("x.tif", "deep/y.png", "w.png")}
    for source, files in names.items():
        for k, name in enumerate(files):
            put(tmp_path / source / name, noise(k))
    return [tmp_path / "a", tmp_path / "b"]


def named(pictures):
    return sorted((one.source, one.name) for one in pictures.chosen)


def test_names_without_suffix_that_all_folders_have_are_taken_and_the_others_named(folders):
    (folders[0] / ".hidden.png").write_bytes(b"")
    (folders[1] / "notes.txt").write_text("no picture")
    pictures = gather(folders, check=read_image)
    assert named(pictures) == [(source, name) for source in "ab" for name in ("deep/y", "x")]
    assert pictures.unmatched == {"w": ["b"], "z": ["a"]}
    assert pictures.failed == {}


def test_a_damaged_picture_is_named_and_its_name_left_out_of_all_sources(folders):
    (folders[1] / "deep/y.png").write_bytes(b"no picture")
    pictures = gather(folders, check=read_image)
    assert named(pictures) == [("a", "x"), ("b", "x")]
    assert list(pictures.failed) == [str(folders[1] / "deep/y.png")]
    alone = gather(folders, check=read_image, everything=True)
    assert named(alone) == [("a", "deep/y"), ("a", "x"), ("a", "z"), ("b", "w"), ("b", "x")]


def test_of_two_files_of_one_name_neither_is_taken(folders):
    put(folders[0] / "x.jpg", noise(5))
    pictures = gather(folders)
    assert named(pictures) == [("a", "deep/y"), ("b", "deep/y")]
    assert ["'x.jpg' and 'x.png'" in problem for problem in pictures.failed.values()] == [True]
    assert pictures.unmatched["x"] == ["b"]


def test_the_same_seed_draws_the_same_names_for_all_sources(folders):
    drawn = [named(gather(folders, count=1, seed=seed)) for seed in (0, 0, 1, 2, 3, 4, 5)]
    assert drawn[0] == drawn[1]
    assert all(one[0][1] == one[1][1] and len(one) == 2 for one in drawn)
    assert len({str(one) for one in drawn}) == 2
    assert len(gather(folders, count=2, everything=True).chosen) == 4


def test_sources_are_called_like_their_folders_or_by_their_paths_where_those_are_the_same(tmp_path):
    for place in ("one/results", "two/results"):
        put(tmp_path / place / "x.png", noise(0))
    folders = [tmp_path / "one/results", tmp_path / "two/results"]
    assert gather(folders).sources == tuple(map(str, folders))
    put(tmp_path / "other" / "x.png", noise(0))
    assert gather([folders[0], tmp_path / "other"]).sources == ("results", "other")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "missing"], "does not exist"),
        (["a", "a/x.png"], "is a file"),
        (["a", "../a"], "is named twice"),
        (["a", "empty"], "holds no picture"),
        (["a", "other"], "no name is in all 2 folders"),
    ],
)
def test_folders_that_make_no_study_are_refused_with_what_to_do(folders, tmp_path, names, message):
    (tmp_path / "empty").mkdir()
    put(tmp_path / "other" / "q.png", noise(0))
    paths = [tmp_path / "b" / name if name.startswith("..") else tmp_path / name for name in names]
    with pytest.raises(StudyError, match=message):
        gather(paths)


def test_a_study_of_damaged_pictures_alone_says_so(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"no picture")
    with pytest.raises(StudyError, match=r"no picture is left to rate; .*x\.png"):
        gather([Path(tmp_path, "a")], check=read_image)
