"""The command: what it writes, holds against what is there, leaves out, and refuses."""

import json
import shutil
import sys

import pytest

from benchmarks.report import command as report
from benchmarks.report import writing
from benchmarks.report.reading import read
from benchmarks.report.readme import BEGIN, END
from benchmarks.report.sources import UNRECORDED
from tests.support.processes import ROOT, call

RESULTS = ROOT / "benchmarks" / "results"


FEW = ("speed", "traces", "angle", "solver_quality")


def short(value):
    """Return JSON with lists and objects of pictures cut down to two."""
    if isinstance(value, dict):
        return {key: cut(inner) if key == "each" else short(inner) for key, inner in value.items()}
    return value


def cut(value):
    return dict(list(value.items())[:2]) if isinstance(value, dict) else value[:2]


@pytest.fixture
def place(tmp_path):
    """A few results, an empty documentation, and a README with its markers."""
    (tmp_path / "results").mkdir()
    for file in (RESULTS / read(RESULTS).by_name[name].file for name in FEW):
        (tmp_path / "results" / file.name).write_text(json.dumps(short(json.loads(file.read_text()))))
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text(f"# rainopt\n\nBefore.\n\n{BEGIN}\n{END}\n\nAfter.\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def undrawn(monkeypatch):
    """Plots are files that say what they show, which is quicker than to draw them."""
    monkeypatch.setattr(writing, "svg", lambda draw, data, description: description.encode())


def made(place, *arguments):
    folders = ("--results", place / "results", "--docs", place / "docs", "--readme", place / "README.md")
    return call(report.main, *folders, *arguments)


def content(folder):
    return {file.relative_to(folder): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_what_lies_in_the_repository_is_what_would_be_written():
    status, out, err = call(report.main, "--check")
    assert status == 0, err
    assert "as they should be" in out


def test_help_teaches():
    status, out, _ = call(report.main, "--help")
    assert status == 0
    assert all(line.strip() in out for line in report.__doc__.splitlines())


def test_what_is_written_is_the_same_each_time_and_passes_the_check(place):
    assert made(place)[0] == 0
    first = content(place)
    assert made(place)[0] == 0
    assert content(place) == first
    assert made(place, "--check")[0] == 0
    readme = (place / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# rainopt\n\nBefore.\n\n")
    assert readme.endswith("\n\nAfter.\n")
    assert readme.count("**not good:**") >= 2  # beside what is
    assert sum(line.startswith("| ") for line in readme.splitlines()) <= 16


@pytest.mark.usefixtures("undrawn")
def test_a_figure_that_changes_is_told_by_page_plot_and_readme_and_nothing_is_written(place):
    made(place)
    file = next((place / "results").glob("*quality.json"))
    values = json.loads(file.read_text())
    values["rendered"]["light"]["psnr"]["derained"] += 1
    file.write_text(json.dumps(values))
    before = content(place)
    status, _, err = made(place, "--check")
    assert status == 1
    for what in ("'photographs.md' differs", "'photographs.svg' shows other figures", "'README.md' differs"):
        assert what in err
    assert "'speed.md'" not in err
    assert content(place) == before


@pytest.mark.usefixtures("undrawn")
def test_a_missing_file_is_named_and_left_out_and_its_page_goes(place):
    made(place)
    mine = place / "docs" / "benchmarks" / "notes.md"
    mine.write_text("# Mine\n")
    (place / "results" / "traces.json").unlink()
    status, _, err = made(place, "--check")
    assert status == 1
    assert "'traces.md' is not made any more" in err
    status, out, err = made(place)
    assert status == 0
    assert "left out: traces.json is not there; python -m benchmarks.traces" in err
    assert "removed traces.md" in out
    pages = place / "docs" / "benchmarks"
    assert not list(pages.glob("traces*"))
    assert "`traces.json`" in (pages / "index.md").read_text().partition("## Not there")[2]
    assert "(traces.md)" not in (pages / "index.md").read_text()
    assert mine.read_text() == "# Mine\n"


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("text", ['{"benchmark": "speed", ', "[1, 2]", '{"speed": NaN}', "", "[" * 100_000])
def test_a_damaged_file_is_named_and_nothing_is_written(place, text):
    (place / "results" / "speed.json").write_text(text)
    (place / "results" / "angle.json").write_bytes(b"\xff\xfe")
    before = content(place)
    for arguments in ((), ("--check",)):
        status, _, err = made(place, *arguments)
        assert status == 1
        assert "'speed.json'" in err
        assert "'angle.json' cannot be read" in err
        assert "run its benchmark again" in err
    assert content(place) == before


@pytest.mark.usefixtures("undrawn")
def test_two_files_of_one_benchmark_are_refused(place):
    shutil.copy(place / "results" / "speed.json", place / "results" / "speed_old.json")
    status, _, err = made(place)
    assert status == 1
    assert "'speed_old.json' and 'speed.json' are both of speed" in err


@pytest.mark.usefixtures("undrawn")
def test_when_where_and_how_it_was_measured_is_told(place):
    made(place)
    page = place / "docs" / "benchmarks" / "traces.md"
    file = place / "results" / "traces.json"
    values = json.loads(file.read_text())
    command = "python -m benchmarks.traces --data DIR --limit 3"
    values["measured"] = {"date": "2031-02-03", "commit": "abc1234", "dirty": False, "command": command}
    values["environment"]["cores"] = 64
    file.write_text(json.dumps(values))
    made(place)
    for text in (page.read_text(), (page.parent / "index.md").read_text()):
        assert "2031-02-03, tree abc1234" in text
        assert f"`{command}`" in text
        assert "64 cores, Linux" in text
    values["measured"] |= {"dirty": True, "quick": True}
    file.write_text(json.dumps(values))
    made(place)
    assert "tree abc1234, with changes, a quick run" in page.read_text()
    assert "benchmarks.traces" not in (place / "README.md").read_text()
    del values["measured"]
    file.write_text(json.dumps(values))
    made(place)
    assert f"*measured:* {UNRECORDED} ·" in page.read_text()


@pytest.mark.usefixtures("undrawn")
def test_a_benchmark_that_no_page_knows_is_shown_as_it_is(place):
    values = {"benchmark": "puddles", "depth": {"deep": {"metres": 1.2345}, "flat": {"metres": 0.5}}, "wet": True}
    (place / "results" / "puddles.json").write_text(json.dumps(values))
    made(place)
    text = (place / "docs" / "benchmarks" / "others.md").read_text()
    assert "## Puddles: depth" in text
    assert "| deep | 1.234 |" in text
    assert "| wet | yes |" in text
    assert "`python -m benchmarks run puddles`" in text


def test_without_matplotlib_nothing_is_written_and_what_to_install_is_told(place, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(writing, "svg", lambda draw, data, description: description.encode())
        made(place)
    before = content(place)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert made(place, "--check")[0] == 0  # which draws nothing
    (place / "results" / "speed.json").unlink()
    status, _, err = made(place)
    assert status == 1
    assert "pip install 'rainopt[docs]'" in err
    assert {name: one for name, one in content(place).items() if name.parts[0] != "results"} == {
        name: one for name, one in before.items() if name.parts[0] != "results"
    }


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("text", ["# No markers\n", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}{BEGIN}{END}"])
def test_a_readme_without_its_markers_is_refused(place, text):
    (place / "README.md").write_text(text)
    status, _, err = made(place)
    assert status == 1
    assert BEGIN in err
    assert not (place / "docs" / "benchmarks").exists()


def test_what_makes_no_sense_is_refused(place):
    for option in ("--results", "--readme"):
        status, _, err = made(place, option, place / "nowhere")
        assert status == 2
        assert option in err
    shutil.rmtree(place / "results")
    (place / "results").mkdir()
    status, _, err = made(place)
    assert status == 2
    assert "must hold result files" in err
