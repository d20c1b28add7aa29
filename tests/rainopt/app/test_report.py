"""What a run says, to people and to programs, and its exit status; the work itself is played by a list of records."""

import io
import json
import sys
from pathlib import Path

import pytest

from rainopt.app import report
from rainopt.app.inputs import Job
from rainopt.commands.derain_photo import Options, Record
from rainopt.commands.derain_task import Derain

KEYS = {
    "input",
    "output",
    "status",
    "error",
    "angle",
    "confidence",
    "height",
    "width",
    "iterations",
    "gap",
    "solver",
    "directions",
    "rain",
    "seconds",
}


def ok(name="a.png", **fields):
    values = {"angle": -3.25, "confidence": 0.5, "height": 9, "width": 8, "iterations": 7, "gap": 0.01}
    values |= {"solver": "converged", "rain": 0.012, "seconds": 0.5, "directions": [{"angle": -3.25, "share": 1.0}]}
    values |= fields
    return Record(f"in/{name}", f"out/{name}", "ok", **values)


def skipped(name="b.png"):
    return Record(f"in/{name}", f"out/{name}", "skipped")


def failed(name="c.png"):
    return Record(f"in/{name}", f"out/{name}", "failed", error=f"'in/{name}' is truncated")


@pytest.fixture
def follow(monkeypatch, capsys):
    """Follow a run that yields these records, and raises what is no record."""

    def follow(*events, json_lines=False):
        def run(jobs, options, processes, reporter=None):
            for event in events:
                if not isinstance(event, Record):
                    raise event
                yield event

        monkeypatch.setattr(report, "run", run)
        jobs = [Job(Path(f"in/{k}.png"), Path(f"out/{k}.png")) for k in range(len(events))]
        status = report.follow(jobs, Derain(Options()), 1, json_lines)
        said = capsys.readouterr()
        return status, said.out, said.err

    return follow


def test_all_done_is_status_0_and_one_line_each(follow):
    status, out, err = follow(ok("a.png"), skipped("b.png"))
    assert status == 0
    first, second = out.splitlines()
    assert all(part in first for part in ("in/a.png", "out/a.png", "-3.2", "confidence 0.50", "1.2 %", "0.50 s"))
    assert all(part in second for part in ("in/b.png", "out/b.png", "--overwrite"))
    assert err.split() == ["1", "derained,", "1", "skipped"]


def test_one_image_needs_no_summary(follow):
    assert follow(ok())[2] == ""


def test_a_given_angle_has_no_confidence(follow):
    assert "confidence" not in follow(ok(confidence=None))[1]


def test_failures_are_status_1_and_go_to_standard_error(follow):
    status, out, err = follow(ok(), failed(), ok("z.png"))
    assert status == 1
    assert len(out.splitlines()) == 2
    assert "'in/c.png' is truncated" in err
    assert "2 derained, 1 failed" in err


def test_nothing_done_anew_is_said_to_be_so(follow):
    assert "0 derained, 2 skipped" in follow(skipped(), skipped())[2]


def test_json_is_one_object_a_line_and_nothing_else(follow):
    records = [ok(), skipped(), failed(), ok("Ünïcode ☂.png"), ok("x" * 500 + ".png"), ok("[bold]:smile:.png")]
    status, out, err = follow(*records, json_lines=True)
    assert status == 1
    found = [json.loads(line) for line in out.splitlines()]
    assert found == [record.as_dict() for record in records]
    assert all(set(entry) <= KEYS for entry in found)
    assert set(found[1]) == {"input", "output", "status"}
    assert found[2]["error"] == "'in/c.png' is truncated"
    assert "'in/c.png' is truncated" in err


def test_an_interruption_is_status_130_and_says_what_is_left(follow):
    status, out, err = follow(ok(), skipped(), KeyboardInterrupt(), ok(), ok())
    assert status == 130
    assert len(out.splitlines()) == 2
    assert "1 done, 3 left" in err
    assert "again" in err


@pytest.mark.parametrize(
    "name", ["[bold]x[/bold].png", "[/red].png", "back\\[slash].png", "Ünï ☂.png", "x" * 400 + ".png"]
)
@pytest.mark.parametrize("record", [ok, skipped, failed])
def test_names_are_shown_as_they_are(follow, record, name):
    _, out, err = follow(record(name))
    assert f"in/{name}" in out + err


@pytest.mark.parametrize("record", [ok, skipped, failed])
def test_names_are_no_emoji_codes(follow, record):
    _, out, err = follow(record("a:smile:.png"))
    assert "in/a:smile:.png" in out + err


def stream(encoding, errors="strict"):
    return io.TextIOWrapper(io.BytesIO(), encoding, errors)


def status_and_bytes(monkeypatch, record, stdout, json_lines):
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(report, "run", lambda *_: iter([record]))
    status = report.follow([Job(Path("in/a.png"), Path("out/a.png"))], Derain(Options()), 1, json_lines)
    stdout.flush()
    return status, stdout.buffer.getvalue()


@pytest.mark.parametrize(
    "encoding",
    # cp1252 is that of files and pipes on Windows.
    ["utf-8", "cp1252", "ascii"],
)
@pytest.mark.parametrize("json_lines", [False, True])
def test_no_encoding_of_the_output_ends_a_run(monkeypatch, encoding, json_lines):
    status, written = status_and_bytes(monkeypatch, ok("ü☂.png"), stream(encoding), json_lines)
    assert status == 0
    assert written.count(b"\n") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="names of bytes are POSIX")
@pytest.mark.parametrize("errors", ["surrogateescape", "strict"])
@pytest.mark.parametrize("json_lines", [False, True])
def test_names_that_are_no_text_end_no_run(monkeypatch, errors, json_lines):
    status, written = status_and_bytes(monkeypatch, ok("\udcff.png"), stream("utf-8", errors), json_lines)
    assert status == 0
    assert written.count(b"\n") == 1


def terminal(monkeypatch):
    """Make standard error a terminal and standard output a file; return both."""
    screen, file = io.StringIO(), io.StringIO()
    screen.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setattr(sys, "stdout", file)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    return screen, file


def test_a_terminal_sees_a_bar_of_images_and_of_the_tiles_of_one(monkeypatch):
    screen, _ = terminal(monkeypatch)

    def run(jobs, options, processes, reporter):
        reporter(jobs[0], 0.25)
        yield ok()
        yield failed()

    monkeypatch.setattr(report, "run", run)
    jobs = [Job(Path("in/large.png"), Path("out/large.png")), Job(Path("in/c.png"), Path("out/c.png"))]
    assert report.follow(jobs, Derain(Options()), 1, False) == 1
    shown = screen.getvalue()
    assert all(part in shown for part in ("images", "large.png", "'in/c.png' is truncated"))


@pytest.mark.parametrize("json_lines", [False, True])
def test_results_go_to_standard_output_whatever_standard_error_is(monkeypatch, json_lines):
    _, file = terminal(monkeypatch)
    monkeypatch.setattr(report, "run", lambda *_: iter([ok(), skipped()]))
    assert report.follow([Job(Path("in/a.png"), Path("out/a.png"))] * 2, Derain(Options()), 1, json_lines) == 0
    lines = file.getvalue().splitlines()
    assert len(lines) == 2
    assert not json_lines or [json.loads(line)["status"] for line in lines] == ["ok", "skipped"]


def test_a_picture_without_rain_is_said_to_be_left_as_it_is(follow):
    line = follow(ok(directions=[], confidence=0.04))[1]
    assert "no rain seen (confidence 0.04), left as it is" in line
    assert "--angle" in line


def test_several_directions_and_doubt_are_shown(follow):
    line = follow(ok(directions=[{"angle": 5.0, "share": 0.6}, {"angle": -20.0, "share": 0.4}], confidence=0.3))[1]
    assert "rain at +5.0° and -20.0°" in line
    assert "unsure" in line
    assert "unsure" not in follow(ok(confidence=0.9))[1]


@pytest.mark.parametrize("json_lines", [False, True])
def test_standard_output_may_be_closed(monkeypatch, json_lines):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(report, "run", lambda *_: iter([ok()]))
    assert report.follow([Job(Path("in/a.png"), Path("out/a.png"))], Derain(Options()), 1, json_lines) == 0


@pytest.mark.parametrize("confidence", [None, 0.95])
def test_strength_0_is_not_taken_for_a_dry_picture(follow, confidence):
    line = follow(ok(directions=[], confidence=confidence))[1]
    assert "strength 0" in line
    assert "no rain seen" not in line


def test_a_dry_picture_without_its_veil_is_not_left_as_it_is(follow):
    line = follow(ok(directions=[], confidence=0.04, veil=0.1))[1]
    assert "only the veil removed" in line
    assert "left as it is" not in line
