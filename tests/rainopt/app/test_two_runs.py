"""Two runs at one place, and inputs that change under a run: nothing mixed, and one of them is told."""

import json
import os
import shutil
import threading

import numpy as np
import pytest

from rainopt.app import task, video_parts
from rainopt.app.derain import Derained, photo_to_photo
from rainopt.app.parts import Parts
from rainopt.app.results import OutputSettings
from rainopt.app.task import FileRecord, writing_alone
from rainopt.io import read_image, write_image
from rainopt.io.atomic import FileThereError, replacing
from rainopt.io.video.read import read_frames
from tests.support.clips import blocks, coded
from tests.support.stretches import darken, parts_of


class Record(FileRecord):
    """A record that takes any facts."""

    def __init__(self, *arguments, error=None, **facts):
        super().__init__(*arguments, error=error, untouched=facts.get("untouched"))


@pytest.fixture
def photo(tmp_path):
    return write_image(tmp_path / "in.png", np.full((8, 9, 3), 100, np.uint8))


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path):
    def failing(target, other=None):
        with writing_alone(target):
            if other is not None:
                (target.parent / other).touch()
            raise ValueError("no result")

    target = tmp_path / "out" / "deep" / "a.png"
    with pytest.raises(ValueError, match="no result"):
        failing(target)
    assert list(tmp_path.iterdir()) == []
    # What another run has put there stays, and so does a folder that was there.
    with pytest.raises(ValueError, match="no result"):
        failing(target, "other.png")
    (target.parent / "other.png").unlink()
    with pytest.raises(ValueError, match="no result"):
        failing(target)
    assert list(target.parent.parent.iterdir()) == [target.parent]


def test_a_folder_that_another_run_takes_away_is_made_again(tmp_path, monkeypatch):
    target, begin, gone = tmp_path / "out" / "a.png", task.claimed, []

    def late(lock, place):
        if not gone:
            gone.append(lock.parent.rmdir())
        return begin(lock, place)

    monkeypatch.setattr(task, "claimed", late)
    with writing_alone(target):
        target.touch()
    assert target.exists()


def untouched(image):
    return Derained(image, np.zeros(image.shape[:2], np.float32), True, {})


def inverted(image):
    return Derained(255 - image, np.zeros(image.shape[:2], np.float32), False, {})


def test_the_second_run_is_refused_by_name(tmp_path, photo):
    target = tmp_path / "out" / "a.png"
    with writing_alone(target):
        record = photo_to_photo(photo, target, OutputSettings(), inverted, Record)
        assert record.status == "failed"
        assert f"'{target}' is being written by another run (process {os.getpid()} on " in record.error
        assert list(target.parent.glob("*.png")) == []
    assert photo_to_photo(photo, target, OutputSettings(), inverted, Record).status == "ok"
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]


def test_what_another_run_has_made_meanwhile_is_kept(tmp_path, photo):
    target = tmp_path / "a.png"

    def slow(image):
        photo_to_photo(photo, tmp_path / "b.png", OutputSettings(), untouched, Record)
        return inverted(image)

    assert photo_to_photo(photo, target, OutputSettings(), slow, Record).status == "ok"
    assert photo_to_photo(photo, target, OutputSettings(), inverted, Record).status == "skipped"


def test_of_runs_that_write_one_file_without_a_lock_one_wins_and_the_others_are_told(tmp_path):
    place, barrier, won, lost = tmp_path / "a", threading.Barrier(8), [], []

    def write(number):
        barrier.wait()
        try:
            with replacing(place, False) as file:
                file.write(b"%d" % number * 1000)
            won.append(number)
        except FileThereError:
            lost.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(won), len(lost)) == (1, 7)
    assert place.read_bytes() == b"%d" % won[0] * 1000
    assert os.listdir(tmp_path) == ["a"]


@pytest.mark.parametrize("work", [untouched, inverted])
def test_a_photograph_that_is_replaced_while_it_is_worked_on_is_a_failure(tmp_path, photo, work):
    def replace(image):
        other = write_image(tmp_path / "other.png", np.full((8, 9, 3), 7, np.uint8))
        os.replace(other, photo)
        return work(image)

    record = photo_to_photo(photo, tmp_path / "out.png", OutputSettings(), replace, Record)
    assert record.status == "failed"
    assert record.error == f"'{photo}' was changed while it was worked on; run again when it is complete"
    assert not (tmp_path / "out.png").exists()
    assert photo_to_photo(photo, tmp_path / "out.png", OutputSettings(), work, Record).status == "ok"


def test_a_dry_photograph_is_told_and_copied(tmp_path, photo):
    record = photo_to_photo(photo, tmp_path / "out.png", OutputSettings(), untouched, Record)
    assert record.untouched == "no rain seen"
    assert (tmp_path / "out.png").read_bytes() == photo.read_bytes()
    np.testing.assert_array_equal(read_image(tmp_path / "out.png"), 100)


# Videos


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return coded(tmp_path_factory.mktemp("clip") / "a.mp4", blocks(26, (48, 64)), sound=True)


def test_the_second_run_over_a_video_is_refused_and_harms_nothing(tmp_path, clip):
    target, records = tmp_path / "a.mp4", []
    # Without loss, so that no rounding of the encoder stands between two runs.
    lossless = OutputSettings(crf=0)

    class Second(list):
        def append(self, item):
            super().append(item)
            records.append(darken(clip, target, OutputSettings(crf=30, overwrite=True)))

    assert darken(clip, target, lossless, begun=Second()).status == "ok"
    assert {record.status for record in records} == {"failed"}
    assert all("is being written by another run" in record.error for record in records)
    darken(clip, tmp_path / "alone.mp4", lossless)
    np.testing.assert_array_equal(read_frames(target), read_frames(tmp_path / "alone.mp4"))
    assert sorted(os.listdir(tmp_path)) == ["a.mp4", "alone.mp4"]


def test_a_video_that_is_replaced_keeps_no_sound_of_the_other(tmp_path, clip, monkeypatch):
    source, target = shutil.copy(clip, tmp_path / "in.mp4"), tmp_path / "a.mp4"
    real = video_parts.join_parts

    def late(*arguments, **options):
        os.replace(shutil.copy(clip, tmp_path / "other.mp4"), source)
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(video_parts, "join_parts", late)
        record = darken(source, target)
    assert record.status == "failed"
    assert record.error == f"'{source}' was changed while it was worked on; run again when it is complete"
    assert not target.exists()
    record = darken(source, target)
    assert (record.status, record.kept_parts) == ("ok", 0)


def test_parts_of_other_settings_in_one_folder_are_not_put_together(tmp_path):
    parts = Parts(tmp_path / "a.mp4", {"crf": 5})
    parts.file(0).write_bytes(b"part")
    parts.note(0, {"first": 0})
    assert parts.finished(0) == {"first": 0}
    # As of a run of other settings that went on in the same folder.
    other = Parts(tmp_path / "b.mp4", {"crf": 6})
    shutil.copy(parts.file(0), other.file(0))
    shutil.copy(parts.folder / "00000000.json", other.folder / "00000000.json")
    assert other.finished(0) is None
    parts.file(0).write_bytes(b"another part")
    assert parts.finished(0) is None


def test_parts_that_do_not_fit_are_thrown_away_so_that_the_next_run_can_end(tmp_path, clip):
    target = tmp_path / "a.mp4"
    with pytest.raises(KeyboardInterrupt):
        darken(clip, target, stop=2)
    foreign = coded(tmp_path / "foreign.nut", blocks(12, (32, 32)))
    part, note = parts_of(target) / "00000012.nut", parts_of(target) / "00000012.json"
    shutil.move(foreign, part)
    note.write_text(json.dumps(json.loads(note.read_text()) | {"bytes": part.stat().st_size}))
    record = darken(clip, target)
    assert record.status == "failed"
    assert "does not continue" in record.error
    assert "thrown away: run again" in record.error
    assert darken(clip, target).status == "ok"
    assert os.listdir(tmp_path) == ["a.mp4"]
