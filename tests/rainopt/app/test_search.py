"""Nothing that looks like a picture or video is passed over without a word, and no result of ours is taken for one."""

import os
from pathlib import Path

import pytest

from rainopt.app.inputs import PICTURES, SEQUENCES, VIDEOS, PlanError, plan, survey
from rainopt.app.kinds import KNOWN, WRITABLE, result_suffix
from rainopt.io import READABLE_SUFFIXES
from rainopt.io.own_results import RECORD, note_folder, note_results
from rainopt.io.video.folder import files_of
from rainopt.io.video.read import VIDEO_SUFFIXES

pytestmark = pytest.mark.usefixtures("here")


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_bytes(b"picture")


def names(jobs):
    return [job.source.as_posix() for job in jobs]


# What is not read


def test_kinds_that_are_not_read_are_counted_by_suffix():
    touch("in/a.png", "in/b.PSD", "in/sub/c.psd", "in/d.exr", "in/notes.txt", "in/.hidden.psd", "in/e.braw")
    for inputs in (["in"], ["in", "in/../in"], ["in", "in/a*"]):
        work = plan(inputs, Path("out"), kind=PICTURES)
        assert names(work) == ["in/a.png"]
        assert work.notes == ("not read: 2 .psd, 1 .braw, 1 .exr; convert them to a format that is",)
    (job,) = plan(["in/sub"], Path("out"))
    assert "holds no image that is read, but 1 .psd" in job.problem
    # Where images alone are meant, a video is not read.
    touch("mixed/a.png", "mixed/b.mp4")
    assert "1 .mp4" in survey(["mixed"]).notes[0]
    assert survey(["mixed"], PICTURES).notes == ()


def test_a_folder_of_frames_names_what_is_no_frame_of_it():
    touch("frames/1.png", "frames/2.psd")
    work = survey(["frames"], VIDEOS)
    assert (names(work), work.notes) == (["frames"], ("not read: 1 .psd; convert them to a format that is",))


def test_a_folder_that_cannot_be_listed_is_a_failure_that_names_it(monkeypatch):
    touch("in/a.png", "in/shut/b.png")
    real = os.scandir

    def scandir(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    shut, open_one = plan(["in"], Path("out"))
    assert shut.problem == "'in/shut' cannot be listed (Permission denied); ask for the right to read it"
    assert open_one.source == Path("in/a.png")


def test_links_are_named_where_they_lead_nowhere_or_are_not_followed():
    touch("in/a.png", "far/b.png")
    os.symlink("gone.png", "in/broken.png")
    os.symlink(os.path.abspath("far"), "in/link")
    work = plan(["in"], Path("out"))
    assert names(work) == ["in/a.png", "in/broken.png"]  # reading it says that it is gone
    assert work.notes == ("not followed: 1 link (in/link) to folders; name those folders themselves",)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_with_the_name_of_a_picture_is_not_opened():
    touch("in/a.png")
    os.mkfifo("in/b.png")
    assert plan(["in"], Path("out")).notes == ("not read: 1 .png; convert them to a format that is",)


def test_an_empty_input_is_wrong_usage_and_not_the_current_folder():
    touch("a.png")
    for call in (lambda: plan([""], Path("out")), lambda: survey(["a.png", ""])):
        with pytest.raises(PlanError, match="an input is empty, as of a variable that is not set"):
            call()


# Names of results


@pytest.mark.parametrize("suffix", sorted(KNOWN - WRITABLE))
def test_a_name_that_means_a_picture_or_video_that_is_not_written_is_no_folder(suffix):
    touch("a.png")
    name = Path(f"out/dry{suffix.upper()}")
    with pytest.raises(PlanError, match=f"'{name}' cannot be written; use .*, or name a folder"):
        plan(["a.png"], name, kind=PICTURES)
    name.mkdir(parents=True)
    assert [job.target for job in plan(["a.png"], name, kind=PICTURES)] == [name / "a.png"]


def test_a_background_is_no_video_and_dots_in_the_name_of_a_folder_are_no_suffix():
    touch("a.mp4")
    with pytest.raises(PlanError, match=r"'b.mp4' cannot be written"):
        plan(["a.mp4"], Path("b.mp4"), kind=VIDEOS)
    assert [job.target for job in plan(["a.mp4"], Path("v1.2"), kind=PICTURES)] == [Path("v1.2/a.mp4")]


@pytest.mark.parametrize("suffix", sorted(READABLE_SUFFIXES | VIDEO_SUFFIXES))
def test_every_result_can_be_written_and_keeps_its_suffix_if_that_can(suffix):
    becomes = result_suffix(Path(f"a{suffix}"))
    assert becomes in WRITABLE
    assert becomes == suffix or suffix not in WRITABLE
    assert (becomes == ".mp4") == (suffix in VIDEO_SUFFIXES - WRITABLE or suffix == ".mp4")


def test_what_cannot_be_written_becomes_what_keeps_most_of_it():
    expected = {"a.HEIC": ".png", "a.NEF": ".tif", "a.JPE": (".JPE", ".jpg"), "a.dav": ".mp4", "a.JPG": ".JPG"}
    for name, suffix in expected.items():
        assert result_suffix(Path(name)) in suffix


# Results of earlier runs


def test_results_among_other_pictures_are_left_out_and_told():
    touch("in/a.png", "in/a_dry.png", "in/dry/a.png", "in/dry/b.png")
    note_results([Path("in/a_dry.png"), Path("in/dry/a.png")])
    for inputs in (["in"], ["in/**/*.png"], [*Path("in").rglob("*.png")]):
        work = plan(inputs, Path("other"))
        assert sorted(names(work)) == ["in/a.png", "in/dry/b.png"]
        assert work.notes == (
            "left out: 2 results (in/a_dry.png, in/dry/a.png) of earlier runs; named alone they are taken",
        )


def test_results_alone_are_what_is_meant():
    touch("in/a.png", "in/dry/a.png", "in/dry/b.png")
    note_results([Path("in/dry/a.png"), Path("in/dry/b.png")])
    for inputs in (["in/dry"], ["in/dry/*"], ["in/dry/a.png", "in/dry/b.png"]):
        work = plan(inputs, Path("out"))
        assert (names(work), work.notes) == (["in/dry/a.png", "in/dry/b.png"], ())


def test_a_result_that_was_changed_is_somebodys_own():
    touch("in/a.png", "in/dry.png")
    note_results([Path("in/dry.png"), Path("in/gone.png"), Path("nowhere/b.png")])
    Path("in/dry.png").write_bytes(b"edited since")
    assert names(plan(["in"], Path("out"))) == ["in/a.png", "in/dry.png"]
    assert not Path("nowhere").exists()


def test_a_folder_of_results_is_one_at_any_depth():
    touch("in/a.png", "in/set/rainy/1.png", "in/set/clean/deep/1.png")
    note_folder(Path("in/set"))
    assert names(plan(["in"], Path("out"))) == ["in/a.png"]
    assert names(plan(["in/set/rainy"], Path("out"))) == ["in/set/rainy/1.png"]


def test_frames_do_not_include_the_picture_made_of_them():
    touch("frames/1.png", "frames/2.png", "frames/background.png")
    note_results([Path("frames/background.png")])
    assert [file.name for file in files_of(Path("frames"))] == ["1.png", "2.png"]
    assert survey(["frames"], VIDEOS).notes[0].startswith("left out: 1 result (frames/background.png)")


def test_records_do_not_depend_on_the_order_of_the_work():
    touch("one/a.png", "one/b.png", "two/a.png", "two/b.png")
    note_results([Path("one/b.png"), Path("one/a.png")])
    note_results([Path("two/a.png")])
    note_results([Path("two/b.png")])
    assert Path("one", RECORD).read_bytes() == Path("two", RECORD).read_bytes()
    assert sorted(os.listdir("one")) == [RECORD, "a.png", "b.png"]


@pytest.mark.parametrize("content", [b"", b"no json", b"[]", b'{"results": 3}', b"[" * 100_000])
def test_a_damaged_record_says_nothing_and_is_written_anew(content):
    touch("in/a.png", "in/b.png")
    Path("in", RECORD).write_bytes(content)
    assert names(plan(["in"], Path("out"))) == ["in/a.png", "in/b.png"]
    note_results([Path("in/b.png")])
    assert names(plan(["in"], Path("out"))) == ["in/a.png"]


def test_folders_of_frames_are_found_at_any_depth_and_pictures_beside_videos_are_told():
    touch("in/a/1.png", "in/a/2.png", "in/b/c/1.jpg", "in/clip.mp4", "in/poster.png", "in/out/a/1.png")
    work = plan(["in"], Path("in/out"), kind=SEQUENCES)
    assert sorted(job.source.as_posix() for job in work) == ["in/a", "in/b/c", "in/clip.mp4"]
    assert work.notes == ("left out: 1 picture (in/poster.png) beside videos; frames need a folder of their own",)
