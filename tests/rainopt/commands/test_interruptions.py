"""A run that is interrupted or killed ends at once, leaves whole files, and goes on when it is called again."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

import rainopt
from rainopt.commands.main import app
from tests.support.photos import files, levels, rainy, save_photo
from tests.support.processes import call, run
from tests.support.signals import stopped

COUNT, SIZE = 8, (160, 240)
SLOW = ["--angle", "3", "--max-iter", "60", "--tol", "0"]
pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and pipes of POSIX"),
    pytest.mark.timeout(120),
]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Pictures enough to stop in the middle of."""
    top = tmp_path_factory.mktemp("many")
    image = Image.fromarray(levels(rainy(SIZE)))
    (top / "in").mkdir()
    for k in range(COUNT):
        image.save(top / "in" / f"{k:02}.png")
    return top


def stop(top, out, jobs, signum, group):
    """Start a run, send a signal after the first results, and return status and standard error."""
    words = ("derain", "in", "-o", out, "--jobs", jobs, *SLOW)
    seconds = 20 if signum == signal.SIGINT else 6
    status, _, err = stopped(
        top, "rainopt", words, signum, when=lambda _: len(images(top / out)) >= 2, group=group, seconds=seconds
    )
    return status, err


def images(folder):
    return sorted(folder.glob("*.png")) if folder.is_dir() else []


def completed(top, out):
    """Run again; check that all is there and that what was done is kept."""
    before = {path: path.stat().st_mtime_ns for path in images(top / out)}
    assert len(before) < COUNT
    for path in before:
        assert rainopt.read_image(path).shape == (*SIZE, 3)
    status, _, err = call(app, "derain", top / "in", "-o", top / out, *SLOW)
    assert status == 0
    assert f"{COUNT - len(before)} derained, {len(before)} skipped" in err
    assert len(images(top / out)) == COUNT
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    assert len({path.read_bytes() for path in images(top / out)}) == 1


@pytest.mark.parametrize(
    ("jobs", "group"),
    [pytest.param(1, False, marks=pytest.mark.slow), (2, True), pytest.param(2, False, marks=pytest.mark.slow)],
)
def test_an_interruption_is_status_130_and_the_next_run_goes_on(many, jobs, group):
    out = f"int{jobs}{group}"
    status, err = stop(many, out, jobs, signal.SIGINT, group)
    assert status == 130
    assert "Traceback" not in err
    done, left = map(int, re.search(r"interrupted: (\d+) done, (\d+) left", err).groups())
    assert done + left == COUNT
    assert left > 0
    assert done <= len(images(many / out))
    # No temporary file is left.
    assert set(files(many / out)) == {path.name for path in images(many / out)}
    completed(many, out)


@pytest.mark.skipif(not Path(f"/proc/self/task/{os.getpid()}/children").exists(), reason="children from /proc")
@pytest.mark.slow
def test_an_interruption_while_workers_start_is_one_line(many):
    def begun(pid):
        # The first child keeps track of semaphores, the two others work.
        children = len(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
        time.sleep(0.05)
        return children >= 3

    words = ("derain", "in", "-o", "early", "--jobs", 2)
    status, _, err = stopped(many, "rainopt", words, signal.SIGINT, when=begun, group=True)
    assert status == 130
    assert re.fullmatch(r"interrupted: \d+ done, \d+ left; run the same command again to go on\n", err)


@pytest.mark.parametrize(
    ("jobs", "signum"),
    [
        (2, "SIGKILL"),
        pytest.param(1, "SIGKILL", marks=pytest.mark.slow),
        pytest.param(2, "SIGTERM", marks=pytest.mark.slow),
    ],
)
def test_no_worker_outlives_a_command_that_is_killed_and_the_next_run_goes_on(many, jobs, signum):
    out = f"{signum}{jobs}"
    status, _ = stop(many, out, jobs, getattr(signal, signum), group=False)
    assert status == -getattr(signal, signum)
    completed(many, out)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path):
    # One line about what is there already; there is no need to look at the source.
    save_photo(tmp_path / "out" / "a.png")
    reader, writer = os.pipe()
    os.close(reader)
    streams = {"capture_output": False, "stdout": writer, "stderr": subprocess.PIPE}
    done = run("rainopt", "derain", "a.png", "-o", "out", cwd=tmp_path, **streams)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    os.close(writer)
