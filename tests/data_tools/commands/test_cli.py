"""The command raindata as people run it: processes, signals, exit status, and what it says where."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from data_tools.commands import main as cli
from data_tools.layouts.read import LAYOUTS
from data_tools.manifest.file import read_manifest
from data_tools.rain.presets import PRESETS
from rainopt.io import write_image

ROOT = Path(__file__).parents[3]
SYNTH = {"--output", "--preset", "--count", "--seed", "--val-share", "--licence", "--preview", "--jobs"}
VERIFY = {"--layout", "--jobs", "--json"}
PAIRS = 16
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


def environment():
    """Ours, without what colours or wraps the output."""
    unset = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "RAINOPT_NUM_THREADS", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    paths = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPATH": paths}


def command(*arguments):
    return [sys.executable, "-m", "data_tools.commands.main", *map(str, arguments)]


def process(*arguments, cwd):
    """Run the command in a process of its own; return status, standard output and error."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def call(*arguments):
    """Run the command in this process; return status, standard output and error without frames and line breaks."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def save(path, seed=0, size=(64, 96)):
    path.parent.mkdir(parents=True, exist_ok=True)
    y, x = np.mgrid[: size[0], : size[1]]
    waves = np.random.default_rng(seed).uniform(4, 12, (3, 2))
    write_image(path, np.stack([0.45 + 0.3 * np.sin(x / a) * np.cos(y / b) for a, b in waves], axis=-1))
    return path


def files(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for k, name in enumerate(("ä [x].png", "b.png", "c.png")):
        save(tmp_path / "photos" / name, seed=k)
    return tmp_path


# Interruptions


@pytest.fixture(scope="module")
def album(tmp_path_factory):
    """Pictures enough to stop in the middle of, and the dataset of a run that nothing stopped."""
    top = tmp_path_factory.mktemp("album")
    for k in range(8):
        save(top / "in" / f"{k}.png", seed=k, size=(240, 360))
    status, out, err = process(*synth("whole"), cwd=top)
    assert (status, err) == (0, "")
    assert re.fullmatch(rf"{PAIRS} pairs made in [\d.]+ s; whole holds {PAIRS}\n", out)
    return top


def synth(out, jobs=1):
    return ["synth", "in", "-o", out, "-p", "heavy", "-n", PAIRS, "--val-share", "0.3", "-j", jobs]


def count(folder):
    manifest = folder / "manifest.jsonl"
    return len(manifest.read_bytes().splitlines()) - 1 if manifest.is_file() else 0


def stopped(top, out, jobs, signum, group):
    """Start a run, send a signal after the first pairs, and return status, standard output and error."""
    with subprocess.Popen(
        command(*synth(out, jobs)),
        cwd=top,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    ) as run:
        try:
            end = time.monotonic() + 60
            while count(top / out) < 2 and run.poll() is None and time.monotonic() < end:
                time.sleep(0.002)
            (os.killpg if group else os.kill)(run.pid, signum)
            said, err = run.communicate(timeout=20)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(run.pid, signal.SIGKILL)
    return run.returncode, said, err


def completed(top, out, jobs=1):
    """Check that what is there is a good dataset, and that the same command makes a whole one of it."""
    there = len(read_manifest(top / out, repair=True))
    assert 0 < there < PAIRS
    status, said, _ = call("verify", top / out, "--json")
    report = json.loads(said)
    assert (status, report["findings"], report["pairs"]) == (0, [], there)
    assert all("no record" in note or "torn" in note for note in report["notes"])
    manifest = read_manifest(top / out, repair=True)
    before = {manifest.path(p): manifest.path(p).stat().st_mtime_ns for record in manifest for p in record.paths}
    status, said, err = process(*synth(out, jobs), cwd=top)
    assert (status, said.split()[0]) == (0, str(PAIRS - there))
    assert f"{there} of {PAIRS} pairs are there already" in err
    assert files(top / out) == files(top / "whole")
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize(("jobs", "group"), [(1, False), (2, True)])
def test_an_interruption_is_status_130_and_the_next_run_goes_on(album, jobs, group):
    out = f"int{jobs}"
    status, said, err = stopped(album, out, jobs, signal.SIGINT, group)
    assert (status, said) == (130, "")
    made, left = map(
        int,
        re.fullmatch(r"interrupted: (\d+) made, (\d+) left; run the same command again to go on", err.strip()).groups(),
    )
    assert made + left == PAIRS
    assert made == len(read_manifest(album / out))
    completed(album, out, jobs)


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize("jobs", [1, 2])
def test_after_a_kill_the_next_run_goes_on(album, jobs):
    out = f"kill{jobs}"
    status, _, _ = stopped(album, out, jobs, signal.SIGKILL, group=True)
    assert status == -signal.SIGKILL
    completed(album, out, 3 - jobs)


@pytest.mark.parametrize(
    ("where", "arguments"),
    [
        ("data_tools.build.rendered.plan_pairs", ["synth", "photos", "-o", "out"]),
        ("data_tools.commands.synth.render_pair", ["synth", "photos", "--preview", "sheet.png"]),
        ("data_tools.commands.verify.verify", ["verify", "photos"]),
    ],
)
def test_an_interruption_at_any_time_is_status_130(here, monkeypatch, where, arguments):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(where, interrupt)
    monkeypatch.setattr(sys, "argv", ["raindata", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


# Preview


def test_a_preview_alone_writes_nothing_else(here):
    status, out, err = call("synth", "photos", "--preview", "sheet ☂.png", "-p", "heavy")
    assert (status, err) == (0, "")
    assert out == "sheet ☂.png: clean, rainy and rain layer (x2) of 3 pairs\n"
    assert sorted(os.listdir()) == ["photos", "sheet ☂.png"]
    sheet = np.asarray(Image.open("sheet ☂.png")).astype(int)
    assert sheet.shape == (3 * 240 + 3 * 20 + 2 * 6, 3 * 360 + 2 * 6, 3)
    clean, rainy, rain = (sheet[20:260, k * 366 : k * 366 + 360] for k in range(3))
    assert np.abs(clean - np.asarray(Image.open("photos/b.png").resize((360, 240)))).mean() < 10
    assert rainy.mean() > clean.mean() + 5
    assert (rain[..., 0] == rain[..., 2]).all()
    assert np.corrcoef((rainy - clean).mean(-1).ravel(), rain[..., 0].ravel())[0, 1] > 0.8


def test_a_preview_with_a_dataset_shows_its_pairs(here):
    arguments = ["synth", "photos", "-o", "out", "--preview", "out/sheet.png", "-n", 30]
    status, out, _ = call(*arguments)
    assert status == 0
    assert "of 8 pairs" in out
    assert "30 pairs made" in out
    first = Path("out/sheet.png").read_bytes()
    assert call(*arguments)[0] == 0
    assert Path("out/sheet.png").read_bytes() == first
    assert call("verify", "out")[0] == 0


def test_a_preview_leaves_out_what_cannot_be_read(here):
    Path("photos/b.png").write_text("no picture")
    status, out, err = call("synth", "photos", "--preview", "sheet.png")
    assert status == 1
    assert "of 2 pairs" in out
    assert "failed 'photos/b.png' is not a PNG" in err
    for name in ("ä [x].png", "c.png"):
        Path("photos", name).unlink()
    assert call("synth", "photos", "--preview", "none.png")[0] == 1
    assert not Path("none.png").exists()


def test_a_preview_that_cannot_be_written(here):
    status, out, err = call("synth", "photos", "--preview", "nowhere/sheet.png")
    assert (status, out) == (1, "")
    assert "there is no folder 'nowhere'" in err


# Usage


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'CLEAN"),
        (["photos"], "--preview"),
        (["photos", "-o"], "-o"),
        (["nowhere", "-o", "out"], "'nowhere' does not exist"),
        (["photos", "-o", "out", "-p", "fog"], "light, medium, heavy, multi, got 'fog'"),
        (["photos", "-o", "out", "-s", "-1"], "--seed"),
        (["photos", "-o", "out", "-s", "x"], "--seed"),
        (["photos", "-o", "out", "-n", "0"], "--count"),
        (["photos", "-o", "out", "--val-share", "1"], "--val-share"),
        (["photos", "-o", "out", "--val-share", "-0.1"], "--val-share"),
        (["photos", "-o", "out", "--val-share", "nan"], "--val-share"),
        (["photos", "-o", "out", "-j", "0"], "--jobs"),
        (["photos", "-o", "out", "--fast"], "--fast"),
        (["photos", "-o", "photos"], "outside 'photos'"),
        (["photos/b.png", "-o", "photos"], "no image"),
        (["photos", "--preview", "sheet.gif"], "'sheet.gif' cannot be written"),
        (["photos", "--preview", "photos/b.png"], "is a clean picture itself"),
    ],
)
def test_wrong_usage_of_synth_is_status_2_before_anything_is_done(here, arguments, said):
    before = files(here)
    status, out, err = call("synth", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert files(here) == before
    assert os.listdir() == ["photos"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "Missing argument 'DATASET"),
        (["photos", "-l", "zip"], "`layout` must be one of manifest, spa"),
        (["photos", "-j", "0"], "--jobs"),
        (["photos", "--yaml"], "--yaml"),
    ],
)
def test_wrong_usage_of_verify_is_status_2(here, arguments, said):
    status, out, err = call("verify", *arguments)
    assert (status, out) == (2, "")
    assert said in err


@pytest.mark.parametrize(("name", "options"), [("synth", SYNTH), ("verify", VERIFY)])
def test_help_names_every_option_there_is(name, options):
    click = typer.main.get_command(cli.app).commands[name]
    named = {option for parameter in click.params for option in parameter.opts if option.startswith("--")}
    assert named == options
    assert all(getattr(parameter, "help", None) for parameter in click.params)


def test_help_of_the_process(tmp_path):
    for arguments, words in (
        ([], {"synth", "verify", "--help"}),
        (["synth"], SYNTH | {"CLEAN", "Exit status", "raindata synth photos/", *PRESETS}),
        (["verify"], VERIFY | {"DATASET", "Exit status", *LAYOUTS}),
    ):
        status, out, err = process(*arguments, "--help", cwd=tmp_path)
        assert (status, err) == (0, "")
        assert all(word in out for word in words), words - {word for word in words if word in out}


# What is said where


def test_results_are_said_on_standard_output_and_the_rest_on_the_other(here):
    status, out, err = process("synth", "photos", "-o", "out", "-n", "4", cwd=here)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"4 pairs made in [\d.]+ s; out holds 4\n", out)
    Path("photos/bad.png").write_text("no picture")
    status, out, err = process("synth", "photos", "-o", "out", "-n", "5", cwd=here)
    assert status == 1
    assert re.match(r"\d pairs made in ", out)
    assert err.splitlines()[0].endswith("pairs are there already")
    assert err.splitlines()[1:] == [
        "failed  'photos/bad.png' is not a PNG, JPEG, TIFF, WebP or BMP image; convert it to one of these"
    ]
    status, out, err = process("verify", "out", cwd=here)
    assert (status, err) == (0, "")
    assert "nothing is wrong with" in out
    assert "ä [x]" in process("verify", "nowhere ä [x]", cwd=here)[2]


def test_findings_are_named_in_tables_or_as_one_json_object(here):
    assert call("synth", "photos", "-o", "out")[0] == 0
    record = next(record for record in read_manifest("out") if record.scene == "ä [x]")
    Path("out", record.rain).unlink()
    status, out, err = process("verify", "out", cwd=here)
    assert (status, err) == (1, "")
    assert "1 findings: 1 missing" in out
    assert record.id in out
    status, out, err = process("verify", "out", "--json", "--jobs", "2", cwd=here)
    assert (status, err) == (1, "")
    (line,) = out.splitlines()
    report = json.loads(line)
    assert set(report) == {"message", "ok", "pairs", "scenes", "splits", "sizes", "findings", "notes"}
    assert report["ok"] is False
    (finding,) = report["findings"]
    assert set(finding) == {"kind", "where", "message"}
    assert (finding["kind"], finding["where"]) == ("missing", record.id)


def test_many_findings_of_a_kind_are_counted_in_tables_and_all_in_json(here):
    assert call("synth", "photos", "-o", "out", "-n", 25)[0] == 0
    for path in Path("out").rglob("mask/*/*.png"):
        path.unlink()
    status, out, _ = call("verify", "out")
    assert status == 1
    assert "and 5 more; --json lists all" in out
    assert "25 findings: 25 missing" in out
    assert len(json.loads(call("verify", "out", "--json")[1])["findings"]) == 25


@pytest.mark.parametrize("dataset", ["nowhere", "empty", "broken", "broken/manifest.jsonl", "photos/b.png"])
def test_what_is_no_dataset_is_status_1_with_a_message(here, dataset):
    Path("empty").mkdir()
    Path("broken").mkdir()
    Path("broken/manifest.jsonl").write_text("{}\n")
    status, out, err = call("verify", dataset)
    assert (status, out) == (1, "")
    assert err.startswith("failed ")
    assert dataset in err
    status, out, _ = call("verify", dataset, "--json")
    assert status == 1
    answer = json.loads(out)
    assert answer["ok"] is False
    assert dataset in answer["error"]


def test_a_path_that_leaves_the_dataset_is_told(here):
    assert call("synth", "photos", "-o", "out")[0] == 0
    manifest = Path("out/manifest.jsonl")
    manifest.write_text(manifest.read_text().replace('"rain": "train/', '"rain": "../train/', 1))
    status, out, err = call("verify", "out")
    assert (status, out) == (1, "")
    assert "line 2" in err
    assert "leaves the dataset's folder" in err
