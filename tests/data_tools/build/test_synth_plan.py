"""Which pairs of rendered rain there are to be: dealt evenly, the same in any order, scenes of one split."""

from collections import Counter
from pathlib import Path

import pytest

from data_tools.build.settings import SynthSettings
from data_tools.build.synth_plan import SynthError, plan_pairs
from tests.support.datasets import put, waves


def names(pairs):
    return [(pair.scene, pair.version) for pair in pairs]


def plan(*clean, folder=None, count=None, **settings):
    return plan_pairs(clean, folder, SynthSettings(**settings), count)


@pytest.fixture
def many(here):
    for k in range(400):
        (here / f"{k}.png").touch()
    return here


def test_numbers_are_dealt_evenly_and_a_larger_one_begins_with_the_smaller(photos):
    assert names(plan(photos)) == [("a", 0), ("b", 0), ("c", 0)]
    assert names(plan(photos, count=2)) == [("a", 0), ("b", 0)]
    assert names(plan(photos, count=5)) == [("a", 0), ("b", 0), ("c", 0), ("a", 1), ("b", 1)]
    one_by_one = [photos / f"{name}.png" for name in "cab"]
    for count in (1, 3, 7, 40):
        versions = Counter(pair.scene for pair in plan(photos, count=count))
        assert sum(versions.values()) == count
        assert max(versions.values()) - min(versions.get(scene, 0) for scene in "abc") <= 1
        assert plan(photos, count=count + 5)[:count] == plan(photos, count=count) == plan(*one_by_one, count=count)


def test_a_large_plan_is_quick_to_make(many):
    assert len(plan(many, count=40_000)) == 40_000


def test_folders_become_part_of_the_name_and_a_file_named_twice_is_one(here):
    put(here / "p" / "one.png", waves())
    put(here / "p" / "deep down" / "two.JPG", waves())
    (here / "p" / "notes.txt").write_text("no picture")
    (here / "p" / ".hidden.png").write_text("no picture")
    (here / "p" / ".cache").mkdir()
    (here / "p" / ".cache" / "c.png").write_text("no picture")
    assert names(plan("p")) == [("deep down__two", 0), ("one", 0)]
    assert plan("p", "p/one.png", "p/deep down") == plan("p/deep down/two.JPG", "p") == plan("p")


def test_versions_of_a_scene_share_a_split_of_about_the_share_asked_for(many):
    pairs = plan(many, count=1200, val_share=0.25)
    splits = {pair.scene: pair.split for pair in pairs}
    assert all(pair.split == splits[pair.scene] for pair in pairs)
    assert 0.2 < Counter(splits.values())["val"] / 400 < 0.3
    assert {pair.scene: pair.split for pair in plan(many, val_share=0.25, seed=1)} != splits
    larger = {pair.scene: pair.split for pair in plan(many, val_share=0.5)}
    assert all(larger[scene] == "val" for scene, split in splits.items() if split == "val")
    assert {pair.split for pair in plan(many)} == {"train"}


def test_arguments_that_are_no_pictures(photos):
    Path("empty").mkdir()
    Path("notes.txt").write_text("no picture")
    for arguments, said in (
        (["photos", "nowhere"], "'nowhere' does not exist"),
        (["photos", "empty"], "'empty' holds no image"),
        (["photos", "notes.txt"], "'notes.txt' is no image"),
        ([], "no clean picture"),
    ):
        with pytest.raises(SynthError, match=said):
            plan(*arguments)
    with pytest.raises(SynthError, match="`count` must be at least 1, got 0"):
        plan(photos, count=0)


@pytest.mark.parametrize("others", [["x/a.png"], ["photos/a.jpg"], ["photos/s__d.png", "photos/s/d.png"]])
def test_two_pictures_of_one_name_are_refused_with_both(photos, others):
    for other in others:
        put(Path(other), waves())
    with pytest.raises(SynthError, match=r"'.*' and '.*' would be one scene, '(a|s__d)'; rename"):
        plan(photos, Path(others[0]).parent)


def test_pictures_inside_the_dataset_are_no_input(photos):
    put(photos / "data" / "train" / "x.png", waves())
    # A folder of a longer name is another one.
    put(photos / "data2" / "d.png", waves())
    found = names(plan(photos, folder=photos / "data"))
    assert found == [("a", 0), ("b", 0), ("c", 0), ("data2__d", 0)]
    with pytest.raises(SynthError, match=r"'photos/data' holds no image .* outside 'photos/data'"):
        plan(photos / "data", folder=photos / "data")
