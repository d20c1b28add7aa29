"""Runs of ``raindata synth`` that are stopped in the middle: what is there is good, and the same command goes on."""

import contextlib
import re
import signal
import sys

import pytest

from data_tools.commands.main import app
from data_tools.manifest.file import read_manifest
from data_tools.verify.dataset import verify
from tests.support.datasets import files, put, waves
from tests.support.processes import call
from tests.support.signals import stopped

PAIRS = 12
pytestmark = [pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX"), pytest.mark.timeout(120)]


def synth(out, jobs=1):
    return ["synth", "in", "-o", out, "-p", "heavy", "-n", PAIRS, "--val-share", "0.3", "-j", jobs]


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Pictures enough to stop in the middle of, and the dataset of a run that nothing stopped."""
    top = tmp_path_factory.mktemp("album")
    for k in range(6):
        put(top / "in" / f"{k}.png", waves((240, 360), k))
    with contextlib.chdir(top):
        status, _, err = call(app, *synth("whole"))
    assert (status, err) == (0, "")
    return top


def stop(top, out, jobs, signum, group):
    """Start a run, send a signal after the first pairs, and return status, standard output and error."""
    manifest = top / out / "manifest.jsonl"

    def begun(_):
        return manifest.is_file() and manifest.read_bytes().count(b"\n") > 2

    return stopped(top, "raindata", synth(out, jobs), signum, when=begun, group=group)


def completed(top, out):
    """Check that what is there is a good dataset, and that the same command makes a whole one of it."""
    manifest = read_manifest(top / out, repair=True)
    there = len(manifest)
    assert 0 < there < PAIRS
    report = verify(top / out)
    assert (report.findings, report.pairs) == ((), there)
    assert all("no record" in note or "torn" in note for note in report.notes)
    before = {manifest.path(p): manifest.path(p).stat().st_mtime_ns for record in manifest for p in record.paths}
    with contextlib.chdir(top):
        status, said, err = call(app, *synth(out))
    assert (status, said.split()[0]) == (0, str(PAIRS - there))
    assert f"{there} of {PAIRS} pairs are there already" in err
    assert files(top / out) == files(top / "whole")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())


@pytest.mark.parametrize(("jobs", "group"), [(1, False), pytest.param(2, True, marks=pytest.mark.slow)])
def test_an_interruption_is_status_130_and_the_next_run_goes_on(album, jobs, group):
    out = f"int{jobs}"
    status, said, err = stop(album, out, jobs, signal.SIGINT, group)
    assert (status, said) == (130, "")
    interrupted = r"interrupted: (\d+) made, (\d+) left; run the same command again to go on"
    made, left = map(int, re.fullmatch(interrupted, err.strip()).groups())
    assert made + left == PAIRS
    assert made == len(read_manifest(album / out))
    completed(album, out)


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_after_a_kill_the_next_run_goes_on(album, jobs):
    out = f"kill{jobs}"
    assert stop(album, out, jobs, signal.SIGKILL, group=True)[0] == -signal.SIGKILL
    completed(album, out)
