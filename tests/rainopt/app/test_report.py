"""What a run says, to people and to programs, and its exit status; the work itself is played by a list of records."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rainopt.app import report
from rainopt.app.inputs import Job
from rainopt.app.task import FileRecord

TASK = SimpleNamespace(done="derained", header=None)


def ok(name="a.png"):
    return FileRecord(f"in/{name}", f"out/{name}", "ok")


def skipped(name="b.png"):
    return FileRecord(f"in/{name}", f"out/{name}", "skipped")


def failed(name="c.png"):
    return FileRecord(f"in/{name}", f"out/{name}", "failed", error=f"'in/{name}' is truncated")


@pytest.fixture
def status_of(monkeypatch):
    """Follow a run that yields these records, and raises what is no record; return its status."""

    def follow(*events, json_lines=False, task=TASK):
        def run(jobs, task, processes, reporter=None):
            reporter(jobs[0], 0.25)
            for event in events:
                if not isinstance(event, FileRecord):
                    raise event
                yield event

        monkeypatch.setattr(report, "run", run)
        jobs = [Job(Path(f"in/large{k}.png"), Path(f"out/{k}.png")) for k in range(len(events))]
        return report.follow(jobs, task, 1, json_lines)

    return follow


@pytest.fixture
def follow(status_of, capsys):
    """Return the status, and what is said on standard output and standard error."""

    def follow(*events, **options):
        status, said = status_of(*events, **options), capsys.readouterr()
        return status, said.out, said.err

    return follow


def test_all_done_is_status_0_and_one_line_each(follow):
    assert follow(ok("a.png"), skipped("b.png")) == (
        0,
        "in/a.png → out/a.png\nin/b.png: kept out/b.png (--overwrite to do it again)\n",
        "1 derained, 1 skipped\n",
    )
    assert follow(skipped(), skipped())[2] == "0 derained, 2 skipped\n"
    assert follow(ok())[2] == ""  # one needs no summary


def test_failures_are_status_1_and_go_to_standard_error(follow):
    status, out, err = follow(ok(), failed(), ok("z.png"))
    assert status == 1
    assert len(out.splitlines()) == 2
    assert err == "failed  'in/c.png' is truncated\n2 derained, 1 failed\n"


def test_json_is_one_object_a_line_and_nothing_else(follow):
    records = [ok(), skipped(), failed(), ok("Ünïcode ☂.png"), ok("x" * 500 + ".png"), ok("[bold]:smile:.png")]
    table = SimpleNamespace(done="estimated", header="angle  file")
    status, out, err = follow(*records, json_lines=True, task=table)
    assert status == 1
    found = [json.loads(line) for line in out.splitlines()]
    assert found == [record.as_dict() for record in records]
    assert set(found[1]) == {"input", "output", "status"}
    assert found[2]["error"] == "'in/c.png' is truncated"
    assert err == "failed  'in/c.png' is truncated\n"
    assert follow(ok(), task=table)[1].splitlines()[0] == "angle  file"


def test_an_interruption_is_status_130_and_says_what_is_left(follow):
    status, out, err = follow(ok(), skipped(), KeyboardInterrupt(), ok(), ok())
    assert status == 130
    assert len(out.splitlines()) == 2
    assert err == "interrupted: 1 done, 3 left; run the same command again to go on\n"


@pytest.mark.parametrize(
    "name", ["[bold]x[/bold].png", "[/red].png", "back\\[slash].png", "Ünï ☂.png", "x" * 400 + ".png", "a:smile:.png"]
)
def test_names_are_shown_as_they_are(follow, name):
    for record in (ok, skipped, failed):
        _, out, err = follow(record(name))
        assert f"in/{name}" in out + err


@pytest.mark.parametrize("json_lines", [False, True])
@pytest.mark.parametrize(
    ("name", "encoding", "errors"),
    [
        ("ü☂.png", "utf-8", "strict"),
        ("ü☂.png", "cp1252", "strict"),  # that of files and pipes on Windows
        ("ü☂.png", "ascii", "strict"),
        # A name of bytes that are no text.
        ("\udcff.png", "utf-8", "strict"),
        ("\udcff.png", "utf-8", "surrogateescape"),
    ],
)
def test_no_encoding_of_the_output_ends_a_run(monkeypatch, status_of, name, encoding, errors, json_lines):
    stdout = io.TextIOWrapper(io.BytesIO(), encoding, errors)
    monkeypatch.setattr(sys, "stdout", stdout)
    assert status_of(ok(name), json_lines=json_lines) == 0
    stdout.flush()
    assert stdout.buffer.getvalue().count(b"\n") == 1


@pytest.mark.parametrize("json_lines", [False, True])
def test_standard_output_may_be_closed(monkeypatch, status_of, json_lines):
    monkeypatch.setattr(sys, "stdout", None)
    assert status_of(ok(), json_lines=json_lines) == 0


@pytest.mark.parametrize("json_lines", [False, True])
def test_a_terminal_sees_a_bar_and_standard_output_has_the_results(monkeypatch, status_of, json_lines):
    screen, file = io.StringIO(), io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    assert status_of(ok(), skipped(), failed(), json_lines=json_lines) == 1
    # A bar of the images, one of the tiles of a large one, and what went wrong.
    assert all(part in screen.getvalue() for part in ("images", "large0.png", "'in/c.png' is truncated"))
    lines = file.getvalue().splitlines()
    assert (
        [json.loads(line)["status"] for line in lines] == ["ok", "skipped", "failed"] if json_lines else len(lines) == 2
    )
