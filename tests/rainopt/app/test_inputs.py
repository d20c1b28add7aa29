"""Arguments become jobs: every input once, no result in the way of another, and nothing lost without a word."""

import os
import sys
from pathlib import Path

import pytest

from rainopt.app.inputs import Job, PlanError, plan

posix = pytest.mark.skipif(sys.platform == "win32", reason="file names of POSIX")


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder to name files in, being the current one; planning looks at names only."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def touch(*names):
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def pairs(jobs):
    assert all(job.problem is None for job in jobs)
    return {(job.source.as_posix(), job.target.as_posix()) for job in jobs}


def test_one_file_goes_into_the_folder_under_its_own_name(here):
    touch("shots/a.png")
    assert pairs(plan(["shots/a.png"], Path("out"))) == {("shots/a.png", "out/a.png")}


@pytest.mark.parametrize("name", ["dry.jpg", "dry.JPEG", "dry.tif", "new/dry.webp"])
def test_one_file_goes_to_a_name_that_ends_like_an_image(here, name):
    touch("a.png")
    assert pairs(plan(["a.png"], Path(name))) == {("a.png", name)}


def test_a_folder_that_ends_like_an_image_is_a_folder(here):
    touch("a.png")
    Path("album.png").mkdir()
    assert pairs(plan(["a.png"], Path("album.png"))) == {("a.png", "album.png/a.png")}


def test_folders_keep_their_sub_folders_and_leave_out_what_is_no_image(here):
    touch(
        "in/a.png",
        "in/sub/deep/a.JPG",
        "in/sub/b.tiff",
        "in/notes.txt",
        "in/.hidden.png",
        "in/Thumbs.db",
        "in/.cache/c.png",
    )
    expected = {("in/a.png", "out/a.png"), ("in/sub/deep/a.JPG", "out/sub/deep/a.JPG")}
    assert pairs(plan(["in"], Path("out"))) == expected | {("in/sub/b.tiff", "out/sub/b.tiff")}


def test_results_inside_the_input_folder_are_no_inputs(here):
    touch("in/a.png", "in/dry/a.png", "in/dry/sub/b.png")
    assert pairs(plan(["in"], Path("in/dry"))) == {("in/a.png", "in/dry/a.png")}


def test_globs_find_images_folders_and_all_below(here):
    touch("in/a1.png", "in/a2.jpg", "in/b.png", "in/a3.txt", "in/more/c.png", "in/more/deeper/d.png")
    assert pairs(plan(["in/a*"], Path("out"))) == {("in/a1.png", "out/a1.png"), ("in/a2.jpg", "out/a2.jpg")}
    assert pairs(plan(["in/m*"], Path("out"))) == {
        ("in/more/c.png", "out/c.png"),
        ("in/more/deeper/d.png", "out/deeper/d.png"),
    }
    assert len(plan(["in/**/*.png"], Path("out"))) == 4


def test_a_file_whose_name_looks_like_a_glob_is_that_file(here):
    touch("shot[1].png", "shot1.png")
    assert pairs(plan(["shot[1].png"], Path("out"))) == {("shot[1].png", "out/shot[1].png")}


@pytest.mark.parametrize("name", ["Ünïcode ☂.png", "two words.png", "'quoted\".png", "-dash.png", "a.b.c.png"])
def test_unusual_names_are_kept(here, name):
    if sys.platform == "win32" and '"' in name:
        pytest.skip("not a file name there")
    touch(f"in/{name}")
    assert pairs(plan(["in"], Path("out dir"))) == {(f"in/{name}", f"out dir/{name}")}


def test_order_is_that_of_the_arguments_and_sorted_within_folders(here):
    touch("z.png", "in/b.png", "in/a.png", "c.png")
    assert [job.source.name for job in plan(["z.png", "in", "c.png"], Path("out"))] == [
        "z.png",
        "a.png",
        "b.png",
        "c.png",
    ]


def test_an_input_named_twice_is_done_once(here):
    touch("in/a.png", "in/b.png")
    assert len(plan(["in/a.png", "in/a.png", "in/./a.png", "in", "in/*.png"], Path("out"))) == 2


def test_an_input_spelled_in_two_ways_is_done_once(here):
    touch("in/a.png")
    assert len(plan(["in/a.png", "in/../in/a.png", here / "in/a.png"], Path("out"))) == 1


def test_an_input_named_twice_may_go_to_one_file(here):
    touch("a.png")
    assert pairs(plan(["a.png", "a.png"], Path("dry.png"))) == {("a.png", "dry.png")}


def test_two_inputs_of_one_name_are_refused_and_both_are_named(here):
    touch("x/a.png", "y/a.png")
    with pytest.raises(PlanError, match=r"'x[/\\]a.png' and 'y[/\\]a.png' would both become 'out[/\\]a.png'"):
        plan(["x", "y"], Path("out"))


def test_one_name_in_two_folders_below_one_input_is_fine(here):
    touch("in/x/a.png", "in/y/a.png")
    assert pairs(plan(["in"], Path("out"))) == {("in/x/a.png", "out/x/a.png"), ("in/y/a.png", "out/y/a.png")}


@pytest.mark.parametrize("output", ["in", "in/a.png", "in/../in", "in/."])
def test_a_result_never_replaces_its_own_input(here, output):
    touch("in/a.png")
    with pytest.raises(PlanError, match="is the input itself"):
        plan(["in/a.png"], Path(output))


@posix
def test_a_link_to_the_input_is_the_input(here):
    touch("in/a.png")
    os.symlink("in", "link")
    with pytest.raises(PlanError, match="is the input itself"):
        plan(["in/a.png"], Path("link"))


@pytest.mark.parametrize("output", ["in", ".", "in/.."])
def test_a_folder_onto_itself_is_refused_for_that_reason(here, output):
    touch("in/a.png")
    source = "in" if output == "in" else "."
    with pytest.raises(PlanError, match=r"input itself|same folder"):
        plan([source], Path(output))


def test_several_inputs_do_not_go_to_one_file(here):
    touch("a.png", "b.png", "in/c.png")
    for inputs in (["a.png", "b.png"], ["in"], ["?.png"]):
        with pytest.raises(PlanError, match=r"'dry.png' names one file.*name a folder"):
            plan(inputs, Path("dry.png"))


@pytest.mark.parametrize("output", ["there.png", "there.txt"])
def test_several_inputs_do_not_go_to_a_file_that_is_there(here, output):
    touch("a.png", "b.png", output)
    with pytest.raises(PlanError, match=output):
        plan(["a.png", "b.png"], Path(output))


def test_a_missing_file_is_a_job_that_its_reader_will_refuse(here):
    assert plan(["gone.png"], Path("out")) == [Job(Path("gone.png"), Path("out/gone.png"))]


def test_what_holds_nothing_is_a_job_with_a_problem_beside_the_others(here):
    touch("a.png", "texts/a.txt")
    Path("empty").mkdir()
    jobs = plan(["empty", "texts", "no*.png", "a.png"], Path("out"))
    assert [job.target for job in jobs] == [None, None, None, Path("out/a.png")]
    for job, name in zip(
        jobs, ("'empty' holds no image", "'texts' holds no image", "'no*.png' matches no file"), strict=False
    ):
        assert name in job.problem


def test_a_glob_that_matches_no_image_is_a_problem(here):
    touch("texts/a.txt")
    (job,) = plan(["texts/*"], Path("out"))
    assert job.target is None
    assert "texts/*" in job.problem


@posix
@pytest.mark.parametrize("kind", ["long", "loop"])
def test_a_name_that_no_file_can_have_is_an_input_like_a_missing_one(here, kind):
    name = "y" * 300 + ".png" if kind == "long" else "loop.png"
    if kind == "loop":
        os.symlink(name, name)
    touch("a.png")
    jobs = plan([name, "a.png"], Path("out"))
    assert {job.source.name for job in jobs} == {name, "a.png"}
