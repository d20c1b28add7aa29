"""What people decided about a dataset of videos, honoured by the next run; and more frames, from the video itself."""

import os
import shutil

import pytest

from data_tools.build.notes import noted_source
from data_tools.decisions.board import Board
from data_tools.decisions.rounds import read_round, round_folder, rounds_of
from data_tools.decisions.scenes import group
from data_tools.manifest.file import read_manifest
from data_tools.review.again import Again
from data_tools.review.dataset import ReviewDataset
from data_tools.review.estimate import EstimateError, Task, estimate_again
from data_tools.verify.dataset import verify
from tests.support.datasets import files, stamps


def outside_review(folder):
    return {path: content for path, content in files(folder).items() if not path.startswith("review/")}


def decide(folder, scene, verdict, **more):
    Board(folder).add("ada", kind="decision", scenes=(scene,), verdict=verdict, **more)


def scenes_of(folder):
    return group(read_manifest(folder))


def first_window(folder):
    """The first window of the longest video, of which 42 frames are there and 20 were taken."""
    return next(scene for name, scene in sorted(scenes_of(folder).items()) if name.startswith("Ä"))


def task_of(folder, scene, more=1):
    again = Again(ReviewDataset(folder), Board(folder))
    job = type("Job", (), {"scenes": {scene.name}, "number": more, "place": round_folder(folder, scene, more)})
    return again._task(job)


def test_a_rejected_scene_stays_out_until_the_rejection_is_undone(copy, built, again, top):
    name = min(scenes_of(copy))
    decide(copy, name, "reject")
    out, _ = built(*again, "-o", copy)
    assert "2 pairs left out as rejected" in " ".join(out.split())
    assert name not in scenes_of(copy)
    changed = outside_review(copy)
    built(*again, "-o", copy)
    assert outside_review(copy) == changed
    report = verify(copy)
    assert report.ok
    assert not report.notes
    Board(copy).undo("ada")
    built(*again, "-o", copy)
    assert outside_review(copy).keys() == files(top / "whole").keys()
    assert read_manifest(copy).records == read_manifest(top / "whole").records


@pytest.mark.slow
def test_more_frames_make_a_background_beside_the_old_one(copy, built, again, top):
    scene = first_window(copy)
    task = task_of(copy, scene)
    decide(copy, scene.name, "more")
    before = outside_review(copy)
    assert task.source == (top / "videos" / "Ä [x] ☂.mp4").resolve()
    said = []
    estimate_again(task, lambda share, text="": said.append(share))
    assert said[-1] == 1.0
    assert outside_review(copy) == before
    assert rounds_of(copy, scene) == 1
    # 10 frames more in light rain, as in the paper.
    assert {record.extra["background_frames"] for record in read_round(copy, scene, 1)} == {30}

    decide(copy, scene.name, "accept", round=1)
    built(*again, "-o", copy)
    now = [record for record in read_manifest(copy) if record.extra.get("reviewed", {}).get("round") == 1]
    assert {record.extra["background_frames"] for record in now} == {30}
    assert {record.split for record in now} == {scene.records[0].split}
    assert not {record.id for record in scene.records} & {r.id for r in read_manifest(copy) if r not in now}
    report = verify(copy)
    assert report.ok, report.findings
    for _ in range(2):
        Board(copy).undo("ada")
    built(*again, "-o", copy)
    assert read_manifest(copy).records == read_manifest(top / "whole").records


def test_a_scene_without_more_frames_says_so_and_leaves_no_round(copy):
    scene = next(scene for name, scene in sorted(scenes_of(copy).items()) if name.startswith("b-"))
    task = Task(**{**vars(task_of(copy, scene)), "frames": 21})  # all that the video has
    with pytest.raises(EstimateError, match="no more than the 21 frames"):
        estimate_again(task, lambda share, text="": None)
    assert rounds_of(copy, scene) == 0
    assert not task.place.exists()


def test_a_round_that_was_killed_is_made_anew(copy):
    scene = first_window(copy)
    half = round_folder(copy, scene, 1) / "clean" / "half.png"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    assert rounds_of(copy, scene) == 0
    estimate_again(task_of(copy, scene), lambda share, text="": None)
    assert rounds_of(copy, scene) == 1
    assert not half.exists()
    at = stamps(copy)
    estimate_again(task_of(copy, scene), lambda share, text="": None)  # as a second server would
    assert stamps(copy) == at


def test_a_video_that_is_gone_is_asked_for_and_found_where_it_is_now(copy):
    scene = first_window(copy)
    dataset, board = ReviewDataset(copy), Board(copy)
    assert Again(dataset, board).why_not(scene, 0) is None
    noted = noted_source(copy, scene.video)
    note = next((copy / ".build" / scene.video).glob("source.json"))
    note.write_text(note.read_text().replace("videos", "gone"))
    why = Again(dataset, board).why_not(scene, 0)
    assert "--videos" in why
    assert "gone" in why
    assert Again(dataset, board, ["videos"]).why_not(scene, 0) is None
    note.unlink()  # as in datasets from before it was noted
    assert "not noted" in Again(dataset, board).why_not(scene, 0)
    assert noted.exists()


def test_another_video_in_its_place_is_not_taken(copy, tmp_path):
    scene = first_window(copy)
    other = tmp_path / "other.mkv"
    shutil.copy("videos/sub dir/b.mkv", other)
    note = copy / ".build" / scene.video / "source.json"
    note.write_text(f'{{"source": "{os.fspath(other)}"}}')
    assert "holds something else" in Again(ReviewDataset(copy), Board(copy)).why_not(scene, 0)


def test_a_frame_that_the_video_lacks_is_told(copy):
    task = task_of(copy, first_window(copy))
    with pytest.raises(EstimateError, match="no frame 999"):
        estimate_again(Task(**{**vars(task), "start": 999}), lambda share, text="": None)
