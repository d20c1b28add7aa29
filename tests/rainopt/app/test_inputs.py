"""Arguments become jobs: every input once, no result in the way of another, and nothing lost without a word."""

import os
import sys
from pathlib import Path

import pytest

from rainopt.app.inputs import PICTURES, VIDEOS, Job, PlanError, plan, survey

posix = pytest.mark.skipif(sys.platform == "win32", reason="file names of POSIX")
# Planning looks at names only: in the current folder, which is empty before each test.
pytestmark = pytest.mark.usefixtures("here")


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def pairs(inputs, output, **options):
    """Sources and targets of a plan without problems."""
    jobs = plan(inputs, Path(output), **options)
    assert all(job.problem is None for job in jobs)
    return {(job.source.as_posix(), job.target.as_posix()) for job in jobs}


@pytest.mark.parametrize("name", ["dry.jpg", "dry.JPEG", "dry.tif", "new/dry.webp"])
def test_one_file_goes_to_a_name_that_ends_like_an_image_or_into_a_folder(name):
    touch("shots/a.png")
    assert pairs(["shots/a.png"], name) == {("shots/a.png", name)}
    assert pairs(["shots/a.png", "shots/a.png"], name) == {("shots/a.png", name)}
    assert pairs(["shots/a.png"], "out") == {("shots/a.png", "out/a.png")}
    Path(name).mkdir(parents=True)  # a folder that ends like an image
    assert pairs(["shots/a.png"], name) == {("shots/a.png", f"{name}/a.png")}


def test_folders_keep_their_sub_folders_and_leave_out_what_is_no_image():
    touch("in/a.png", "in/sub/deep/a.JPG", "in/sub/b.tiff")
    touch("in/notes.txt", "in/.hidden.png", "in/Thumbs.db", "in/.cache/c.png")
    names = ("a.png", "sub/deep/a.JPG", "sub/b.tiff")
    assert pairs(["in"], "out") == {(f"in/{name}", f"out/{name}") for name in names}


def test_results_inside_the_input_folder_are_no_inputs():
    touch("in/a.png", "in/dry/a.png", "in/dry/sub/b.png")
    for inputs in (["in"], ["in/**/*.png"]):
        assert pairs(inputs, "in/dry") == {("in/a.png", "in/dry/a.png")}


def test_globs_find_images_folders_and_all_below():
    touch("in/a1.png", "in/a2.jpg", "in/b.png", "in/a3.txt", "in/more/c.png", "in/more/deeper/d.png")
    assert pairs(["in/a*"], "out") == {("in/a1.png", "out/a1.png"), ("in/a2.jpg", "out/a2.jpg")}
    below = {("in/more/c.png", "out/c.png"), ("in/more/deeper/d.png", "out/deeper/d.png")}
    assert pairs(["in/m*"], "out") == below
    assert len(plan(["in/**/*.png"], Path("out"))) == 4
    # A file whose name looks like a glob is that file.
    touch("shot[1].png", "shot1.png")
    assert pairs(["shot[1].png"], "out") == {("shot[1].png", "out/shot[1].png")}


@pytest.mark.parametrize("name", ["Ünïcode ☂.png", "two words.png", "'quoted\".png", "-dash.png", "a.b.c.png"])
def test_unusual_names_are_kept(name):
    if sys.platform == "win32" and '"' in name:
        pytest.skip("not a file name there")
    touch(f"in/{name}")
    assert pairs(["in"], "out dir") == {(f"in/{name}", f"out dir/{name}")}


def test_order_is_that_of_the_arguments_and_sorted_within_folders():
    touch("z.png", "in/b.png", "in/a.png", "c.png")
    for jobs in (plan(["z.png", "in", "c.png"], Path("out")), survey(["z.png", "in", "c.png"])):
        assert [job.source.name for job in jobs] == ["z.png", "a.png", "b.png", "c.png"]


def test_an_input_named_twice_is_done_once(here):
    touch("in/a.png", "in/b.png")
    again = ["in/a.png", "in/./a.png", "in/../in/a.png", here / "in/a.png", "in", "in/*.png"]
    assert len(plan(["in/a.png", *again], Path("out"))) == 2


def test_two_inputs_of_one_name_are_refused_and_both_are_named():
    touch("in/x/a.png", "in/y/a.png")
    both = r"'in[/\\]x[/\\]a.png' and 'in[/\\]y[/\\]a.png' would both become 'out[/\\]a.png'"
    with pytest.raises(PlanError, match=both):
        plan(["in/x", "in/y"], Path("out"))
    # Below one input their folders tell them apart.
    assert len(pairs(["in"], "out")) == 2


def test_further_results_do_not_clash_either():
    def results(target):
        return [target, target.with_name(f"{target.stem}_rain.png")]

    touch("in/a.png", "in/a_rain.png", "rain/b.png", "rain/b.jpg")
    for folder in ("in", "rain"):
        with pytest.raises(PlanError, match="would both become"):
            plan([folder], Path("out"), results)
    with pytest.raises(PlanError, match=r"'in.a_rain.png', a result, is the input 'in.a_rain.png' itself"):
        plan(["in/a.png", "in/a_rain.png"], Path("in/"), lambda target: results(target)[1:])


@pytest.mark.parametrize("output", ["in", "in/a.png", "in/../in", "in/.", pytest.param("link", marks=posix)])
def test_a_result_never_replaces_its_own_input(output):
    touch("in/a.png")
    if output == "link":
        os.symlink("in", output)
    with pytest.raises(PlanError, match="is the input itself"):
        plan(["in/a.png"], Path(output))
    for source, same in (("in", "in"), (".", "."), (".", "in/..")):
        with pytest.raises(PlanError, match="is the same folder as the input"):
            plan([source], Path(same))


def test_several_inputs_do_not_go_to_one_file():
    touch("a.png", "b.png", "in/c.png", "there.png", "there.txt")
    for inputs in (["a.png", "b.png"], ["in"], ["?.png"]):
        for output in ("dry.png", "there.png"):
            with pytest.raises(PlanError, match=rf"'{output}' names one file.*name a folder"):
                plan(inputs, Path(output))
        with pytest.raises(PlanError, match=r"'there.txt' is a file; name a folder"):
            plan(inputs, Path("there.txt"))
    with pytest.raises(PlanError, match=r"'dry.gif' cannot be written; use .*\.png"):
        plan(["a.png"], Path("dry.gif"))


def test_what_is_missing_or_holds_nothing_is_a_job_beside_the_others():
    touch("a.png", "texts/a.txt")
    Path("empty").mkdir()
    jobs = plan(["empty", "texts", "no*.png", "texts/*", "gone.png", "a.png"], Path("out"))
    # Reading a missing file will say what is wrong.
    assert jobs[4:] == [Job(Path(name), Path("out", name)) for name in ("gone.png", "a.png")]
    assert [job.target for job in jobs[:4]] == [None] * 4
    said = (
        "'empty' holds no image",
        "'texts' holds no image",
        "'no*.png' matches no file",
        "'texts/*' matches no image",
    )
    assert all(words in job.problem for words, job in zip(said, jobs[:4], strict=True))


@posix
@pytest.mark.parametrize("kind", ["long", "loop"])
def test_a_name_that_no_file_can_have_is_an_input_like_a_missing_one(kind):
    name = "y" * 300 + ".png" if kind == "long" else "loop.png"
    if kind == "loop":
        os.symlink(name, name)
    touch("a.png")
    assert {job.source.name for job in plan([name, "a.png"], Path("out"))} == {name, "a.png"}


def test_videos_keep_their_suffix_or_become_mp4():
    touch("in/a.mkv", "in/b.AVI", "in/c.png")
    expected = {("in/a.mkv", "out/a.mkv"), ("in/b.AVI", "out/b.mp4"), ("in/c.png", "out/c.png")}
    assert pairs(["in"], "out", kind=PICTURES) == expected
    assert pairs(["in/b.AVI"], "new.webm", kind=PICTURES) == {("in/b.AVI", "new.webm")}
    assert pairs(["in"], "out") == {("in/c.png", "out/c.png")}  # where images alone are meant


def test_a_folder_of_images_is_one_video_and_a_background_is_a_picture(here, monkeypatch):
    touch("in/a.mkv", "in/c.png", "frames/1.png", "frames/2.png")
    assert pairs(["in", "frames"], "out", kind=VIDEOS) == {("in/a.mkv", "out/a.png"), ("frames", "out/frames.png")}
    assert pairs(["frames"], "b.png", kind=VIDEOS) == {("frames", "b.png")}
    with pytest.raises(PlanError, match=r"'b.png' names one file"):
        plan(["in"], Path("b.png"), kind=VIDEOS)
    monkeypatch.chdir(here / "frames")
    assert pairs(["."], "../out", kind=VIDEOS) == {(".", "../out/frames.png")}
