"""What a run says at its end: what it left alone, what it left out, and that it compiled."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from rainopt.app import report, runner
from rainopt.app.inputs import Job, Plan
from rainopt.app.task import FileRecord
from rainopt.io.own_results import RECORD
from rainopt.kernels.announce import announce

pytestmark = pytest.mark.usefixtures("here")
TASK = SimpleNamespace(done="derained", header=None)


@pytest.fixture
def said(monkeypatch, capsys):
    """Follow a run that yields these records; return its status and what is said on standard error."""

    def said(*records, notes=(), task=TASK, json_lines=False):
        monkeypatch.setattr(report, "run", lambda jobs, task, processes, reporter: iter(records))
        jobs = tuple(Job(Path(record.input), None) for record in records)
        return report.follow(Plan(jobs, notes), task, 1, json_lines), capsys.readouterr().err

    return said


def record(name, why=None, status="ok"):
    return FileRecord(f"in/{name}", f"out/{name}", status, untouched=why)


def test_what_was_left_alone_is_counted_and_named_and_not_called_done(said):
    dry = [record(f"{name}.png", "no rain seen") for name in "abc"]
    assert said(record("z.png"), *dry, record("k.png", status="skipped")) == (
        0,
        "1 derained, 3 left as they are: no rain seen (in/a.png, in/b.png, in/c.png), 1 skipped\n",
    )
    assert said(dry[0], record("z.png", "at strength 0"))[1] == (
        "0 derained, 1 left as it is: no rain seen (in/a.png), 1 left as it is: at strength 0 (in/z.png)\n"
    )
    many = [record(f"{k:02}.png", "no rain seen") for k in range(12)]
    assert "(in/00.png, " in said(*many)[1]
    assert said(*many)[1].endswith("in/09.png and 2 more)\n")
    assert json.loads(json.dumps(dry[0].as_dict()))["untouched"] == "no rain seen"
    assert "untouched" not in record("z.png").as_dict()


@pytest.mark.parametrize("json_lines", [False, True])
def test_what_was_left_out_is_told_whatever_the_form(said, json_lines):
    assert said(record("a.png"), notes=("not read: 1 .psd\x1b",), json_lines=json_lines) == (
        0,
        "not read: 1 .psd\\x1b\n",
    )


def test_a_result_is_noted_while_the_run_goes_on_and_so_is_what_workers_finish_at_its_end(monkeypatch, capsys):
    Path("out").mkdir()
    jobs = [Job(Path(f"in/{name}.png"), Path(f"out/{name}.png")) for name in "abc"]
    Path("out/c.png").write_bytes(b"of an earlier run")
    os.utime("out/c.png", (1, 1))

    def run(jobs, task, processes, reporter):
        Path("out/a.png").write_bytes(b"told")
        yield record("a.png")
        assert json.loads(Path("out", RECORD).read_text())["results"].keys() == {"a.png"}
        Path("out/b.png").write_bytes(b"finished by a worker that was to stop")
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "run", run)
    assert report.follow(jobs, TASK, 2, False) == 130
    assert "interrupted: 2 done, 1 left" in capsys.readouterr().err
    assert json.loads(Path("out", RECORD).read_text())["results"].keys() == {"a.png", "b.png"}


def test_all_files_of_a_result_are_noted_whatever_ends_the_run(said, monkeypatch):
    Path("out").mkdir()
    for name in ("a.png", "a_rain.png", "b.png"):
        Path("out", name).write_bytes(b"x")
    task = SimpleNamespace(done="", header=None, results=lambda path: [path, path.with_name(f"{path.stem}_rain.png")])
    said(record("a.png"), record("b.png", status="failed"), task=task)
    assert json.loads(Path("out", RECORD).read_text()) == {"results": {"a.png": 1, "a_rain.png": 1}}

    def stopped(*arguments):
        yield record("b.png")
        raise KeyboardInterrupt

    monkeypatch.setattr(report, "run", stopped)
    assert report.follow([], TASK, 1, False) == 130
    assert "b.png" in json.loads(Path("out", RECORD).read_text())["results"]


def test_compiling_is_said_once(monkeypatch):
    heard = []
    monkeypatch.setattr(runner, "_told", False)
    with runner.compiling_told(heard.append):
        announce("ridge_cpu.curvature")
        announce("udg_cpu.sweep")
    with runner.compiling_told(heard.append):
        announce("shear_cpu.shift_rows")
    announce("after it")
    assert heard == [runner.COMPILING]
