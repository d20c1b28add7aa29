"""A run over a video that was stopped goes on as if nothing had happened."""

import functools
import os

import numpy as np
import pytest

import rainopt.app.video_parts
from rainopt.app.results import OutputSettings
from rainopt.io.video.read import read_frames
from tests.support import records
from tests.support.clips import rained, save, view
from tests.support.stretches import darken, parts_of, times_of

done = functools.partial(records.done, darken)


@functools.cache
def frames(name="coffee", count=30):
    return rained(view(name), None, count)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "clip.mp4", frames())


@pytest.fixture(scope="module")
def two_scenes(tmp_path_factory):
    return save(tmp_path_factory.mktemp("clip") / "two.mp4", frames("coffee", 15) + frames("astronaut", 24))


def stopped(source, target, stop, **options):
    """Interrupt a run before a stretch."""
    with pytest.raises(KeyboardInterrupt):
        darken(source, target, stop=stop, **options)
    assert not target.exists()


def parts(target):
    return [path.name for path in sorted(parts_of(target).glob("*.nut"))]


@pytest.mark.parametrize("stop", [1, 2])
def test_it_goes_on_as_if_nothing_had_happened(tmp_path, clip, stop):
    target, whole, begun = tmp_path / "a.mp4", tmp_path / "whole.mp4", []
    done(clip, whole, begun=begun)
    assert begun == [(12, False), (12, True), (6, True)]
    stopped(clip, target, stop)
    assert parts(target) == ["00000000.nut", "00000012.nut"][:stop]
    assert not list(parts_of(target).glob(".*"))
    begun.clear()
    record = done(clip, target, begun=begun)
    assert begun == [(12, True), (6, True)][stop - 1 :]
    assert (record.kept_parts, record.frames, len(record.angles)) == (stop, 30, 3)
    # Frame for frame: the stretch gone on from is had again as it was.
    np.testing.assert_array_equal(read_frames(target), read_frames(whole))
    assert times_of(target) == times_of(clip)
    assert sorted(tmp_path.iterdir()) == [target, whole]


def test_after_a_cut_all_begins_anew_whether_or_not_it_was_stopped(tmp_path, two_scenes):
    whole, begun = tmp_path / "whole.mp4", []
    record = done(two_scenes, whole, begun=begun)
    assert begun == [(12, False), (3, True), (12, False), (12, True)]
    assert (record.scenes, record.frames, len(record.angles)) == (2, 39, 4)
    assert times_of(whole) == times_of(two_scenes)
    for stop, left in ((1, begun[1:]), (2, begun[2:]), (3, begun[3:])):
        target, again = tmp_path / f"{stop}.mp4", []
        stopped(two_scenes, target, stop)
        done(two_scenes, target, begun=again)
        assert again == left
        np.testing.assert_array_equal(read_frames(target), read_frames(whole))


def test_stopped_before_the_first_part_it_leaves_nothing(tmp_path, clip):
    stopped(clip, tmp_path / "a.mp4", 0)
    assert list(tmp_path.iterdir()) == []


def test_stopped_while_joining_it_joins(tmp_path, clip, monkeypatch):
    target = tmp_path / "a.mp4"

    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rainopt.app.video_parts, "join_parts", interrupted)
        stopped(clip, target, None)
    assert len(parts(target)) == 3
    assert done(clip, target).kept_parts == 3
    assert list(tmp_path.iterdir()) == [target]


def test_parts_are_those_of_the_same_work_on_the_same_file(tmp_path, clip):
    for number, (kept, output, other) in enumerate(
        (
            (2, None, {}),
            (0, None, {"settings": {"crf": 19}}),
            (0, None, {"length": 11}),
            # What does not change the frames.
            (2, OutputSettings(crf=5, compare=True, overwrite=True, quality=50), {}),
        )
    ):
        target = tmp_path / f"{number}.mp4"
        stopped(clip, target, 2)
        assert done(clip, target, output, **other).kept_parts == kept
    assert not list(tmp_path.glob(".*"))


def test_parts_of_another_source_are_thrown_away(tmp_path, clip):
    source, target = tmp_path / "in.mp4", tmp_path / "a.mp4"
    source.write_bytes(clip.read_bytes())
    stopped(source, target, 2)
    # Another film of the same name: of another date, or of another size.
    save(source, frames("astronaut"))
    assert done(source, target).kept_parts == 0
    assert np.abs(read_frames(target)[0] - read_frames(source)[0].astype(int)).mean() < 10
    stopped(source, tmp_path / "b.mp4", 2)
    os.utime(source, ns=(10**18, 10**18))
    assert done(source, tmp_path / "b.mp4").kept_parts == 0


@pytest.mark.parametrize(
    ("name", "content", "kept"),
    [
        ("00000012.json", '{"first": 12, "fra', 1),
        ("00000012.nut", None, 1),
        ("00000012.json", "null", 1),
        ("settings.json", "", 0),
    ],
)
def test_parts_that_are_not_whole_are_made_again(tmp_path, clip, name, content, kept):
    target = tmp_path / "a.mp4"
    done(clip, tmp_path / "whole.mp4")
    stopped(clip, target, 2)
    if content is None:
        (parts_of(target) / name).unlink()
    else:
        (parts_of(target) / name).write_text(content)
    assert done(clip, target).kept_parts == kept
    np.testing.assert_array_equal(read_frames(target), read_frames(tmp_path / "whole.mp4"))
