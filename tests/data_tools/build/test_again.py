"""Runs on a dataset that is there: nothing is done twice, and what was lost or stopped is completed."""

import contextlib
import os
import re
import shutil
import signal
import sys
from pathlib import Path

import pytest

from data_tools.build.plan import NOTES
from data_tools.manifest.file import read_manifest
from data_tools.verify.dataset import verify
from rainopt.io import write_image
from tests.support.clips import save
from tests.support.datasets import clip, files, stamps
from tests.support.disk import full_disk
from tests.support.signals import stopped

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def never(*args, **kwargs):
    raise AssertionError("a video is opened again")


def test_a_second_run_changes_no_byte_and_opens_no_video(copy, built, again, monkeypatch):
    before, at = files(copy), stamps(copy)
    monkeypatch.setattr("data_tools.build.video.open_video", never)
    out, err = built(*again, "-o", copy)
    assert err == ""
    assert "holds 8 pairs" in out
    assert files(copy) == before
    assert stamps(copy) == at


def test_videos_that_were_moved_or_renamed_are_not_done_again(copy, built, again, top, monkeypatch):
    shutil.copytree("videos", "elsewhere")
    os.rename("elsewhere/sub dir/b.mkv", "elsewhere/renamed.mkv")
    monkeypatch.setattr("data_tools.build.video.open_video", never)
    built(*(word.replace("videos", "elsewhere") for word in again), "-o", copy)
    assert files(copy) == files(top / "whole")
    shutil.rmtree("elsewhere")


def remove_files(copy):
    pairs = read_manifest(copy).records
    for path in (pairs[0].rainy, pairs[2].clean, "contact_sheet.png"):
        (copy / path).unlink()


def remove_notes_and_a_mask(copy):
    pairs = read_manifest(copy).records
    shutil.rmtree(copy / NOTES / pairs[4].id.partition("/")[0])
    (copy / pairs[-1].extra["valid"]).unlink()


def damage_notes(copy):
    notes = sorted((copy / NOTES).rglob("*.json"))
    for file, text in zip(notes, ["", "{}", "[1]", '{"a": 1}', "no json"], strict=False):
        file.write_text(text)


def tear_the_manifest(copy):
    file = copy / "manifest.jsonl"
    file.write_bytes(file.read_bytes()[:-40])


def leave_half_a_file(copy):
    (copy / "rainy" / ".0123456789abcdef.999999999.01234567.tmp").write_bytes(b"half")


@pytest.mark.parametrize(
    "loss",
    [
        remove_files,
        tear_the_manifest,
        *(
            pytest.param(loss, marks=pytest.mark.slow)
            for loss in (remove_notes_and_a_mask, damage_notes, leave_half_a_file)
        ),
    ],
)
def test_what_was_lost_or_damaged_is_made_again_with_the_same_bytes(copy, built, again, top, loss):
    loss(copy)
    built(*again, "-o", copy)
    assert files(copy) == files(top / "whole")


def test_what_is_inside_the_dataset_is_no_input(here, built):
    save(Path("v/a.mkv"), clip("coffee", 21))
    built("v", "-o", "v/out", "--no-stabilise")
    before = files(Path("v"))
    built("v", "-o", "v/out", "--no-stabilise")
    assert files(Path("v")) == before


def test_a_full_disk_is_told_and_the_next_run_completes(top, tmp_path, built, again, monkeypatch):
    def until_full(path, image, **options):
        with full_disk(9000 if "b-" in str(path) and "rainy" in str(path) else 10**9):
            return write_image(path, image, **options)

    monkeypatch.chdir(top)
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        patch.setattr("data_tools.build.written.write_image", until_full)
        _, err = built(*again, "-o", out, status=1)
    assert err.count("failed") == 1
    assert re.search(r"b-.* cannot be written \(File too large\); check the disk space", err)
    assert not list(tmp_path.rglob("*.tmp"))
    assert len(read_manifest(out)) == 6
    assert verify(out).ok
    built(*again, "-o", out)
    assert files(out) == files(top / "whole")


def stop(top, again, out, signum, after, jobs):
    """Start a run and send a signal when so many pictures are there; return status, output and error."""

    def late_enough(_):
        return len(list(Path(out).rglob("*.png"))) >= after

    group = signum == signal.SIGKILL or jobs > 1
    return stopped(top, "raindata", ("build", *again, "-o", out, "-j", jobs), signum, when=late_enough, group=group)


def completed(top, again, built, out):
    """Check that what is there is a good dataset, and that the same command makes a whole one of it."""
    there = read_manifest(out, repair=True)
    assert 0 <= len(there) < 8
    assert verify(out).ok
    first = {out / path for record in there for path in record.checksums}
    at = {path: stamp for path, stamp in stamps(out).items() if path in first and path.parent.name.startswith("Ä")}
    with contextlib.chdir(top):
        built(*again, "-o", out)
    assert files(out) == files(top / "whole")
    assert at.items() <= stamps(out).items()


@posix
@pytest.mark.parametrize(
    ("after", "jobs"),
    [(6, 1), *(pytest.param(*case, marks=pytest.mark.slow) for case in ((1, 2), (8, 2), (11, 1), (14, 1)))],
)
def test_after_a_kill_the_next_run_completes(top, tmp_path, built, again, after, jobs):
    out = tmp_path / "out"
    assert stop(top, again, out, signal.SIGKILL, after, jobs)[0] == -signal.SIGKILL
    completed(top, again, built, out)


INTERRUPTED = r"interrupted: (\d+) videos done, (\d+) left; run the same command again to go on"


@pytest.mark.slow
def test_an_interruption_is_status_130_and_the_next_run_goes_on(top, tmp_path, built, again, monkeypatch):
    def until_b(path, image, **options):
        if "b-" in str(path) and "rainy" in str(path):
            raise KeyboardInterrupt
        return write_image(path, image, **options)

    out = tmp_path / "out"
    with contextlib.chdir(top), monkeypatch.context() as patch:
        patch.setattr("data_tools.build.written.write_image", until_b)
        said, err = built(*again, "-o", out, status=130)
    assert said == ""
    assert sum(map(int, re.fullmatch(INTERRUPTED, err).groups())) == 3
    assert not list(tmp_path.rglob("*.tmp"))
    completed(top, again, built, out)


@posix
@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_signal_is_such_an_interruption(top, tmp_path, built, again, jobs):
    out = tmp_path / "out"
    status, said, err = stop(top, again, out, signal.SIGINT, 6, jobs)
    assert (status, said) == (130, "")
    assert sum(map(int, re.fullmatch(INTERRUPTED, err.strip()).groups())) == 3
    assert not list(tmp_path.rglob("*.tmp"))
    completed(top, again, built, out)
