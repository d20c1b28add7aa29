"""Benchmarks run one after another."""

import os
import signal
import sys
import threading

import pytest

from benchmarks import entry, running
from benchmarks.benchmark import Benchmark
from benchmarks.result import finish, read
from benchmarks.running import Given, expected_minutes, run_all, without_what_they_need, words
from tests.support.processes import call

NOTHING = Given(None, {}, False)
WET, DRY = Benchmark("wet", "wet", "does it rain?", 1), Benchmark("dry", "dry", "does it not?", 2)
WRITES = "import sys; from benchmarks.result import finish; from pathlib import Path; path = Path(sys.argv[1]); "
GOOD = WRITES + "finish({'benchmark': path.stem, 'drops': 3}, path)"


@pytest.fixture
def runs(monkeypatch):
    """Let benchmarks be pieces of code, by name; what is not named writes a good result."""
    pieces = {}
    monkeypatch.setattr(
        running, "words", lambda one, given, target: [sys.executable, "-c", pieces.get(one.name, GOOD), str(target)]
    )
    return pieces


def test_results_are_in_place_and_progress_is_told(runs, tmp_path):
    said = []
    assert run_all([WET, DRY], NOTHING, tmp_path / "new", said.append) == []
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["dry.json", "wet.json"]
    assert said[0] == "2 benchmarks, about 3 minutes"
    assert said[1] == "[1/2] wet: does it rain? About 1 minute."
    assert "[2/2] dry took" in said[-1]


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise SystemExit(3)", "status 3"),
        (GOOD + "; raise SystemExit(1)", "status 1"),
        ("", "cannot be read as a result"),
        (WRITES + "path.write_text('{')", "cannot be read as a result"),
        (WRITES + "path.write_text('{}')", "is no result of a benchmark"),
    ],
)
def test_what_fails_is_named_and_leaves_the_former_result(runs, tmp_path, code, told):
    finish({"benchmark": "wet", "drops": 2}, tmp_path / "wet.json")
    runs["wet"], said = code, []
    assert run_all([WET, DRY], NOTHING, tmp_path, said.append) == ["wet"]
    assert any("wet failed" in line and told in line for line in said)
    assert read(tmp_path / "wet.json")["drops"] == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["dry.json", "wet.json"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_an_interruption_ends_what_runs_and_leaves_nothing(runs, tmp_path):
    mark = tmp_path / "mark"
    runs["wet"] = f"import time; from pathlib import Path; Path({str(mark)!r}).touch(); time.sleep(60)"
    ended = threading.Event()

    def press():
        while not mark.exists() and not ended.wait(0.02):
            pass
        os.kill(os.getpid(), signal.SIGINT)

    keys = threading.Thread(target=press)
    keys.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            run_all([WET, DRY], NOTHING, tmp_path / "results", [].append)
    finally:
        ended.set()
        keys.join()
    assert not list((tmp_path / "results").iterdir())


def test_time_is_expected_from_the_last_run_in_the_same_way(tmp_path):
    assert expected_minutes(WET, NOTHING, tmp_path) == 1
    finish({"benchmark": "wet", "drops": 3}, tmp_path / "wet.json")
    assert expected_minutes(WET, NOTHING, tmp_path) < 0.5
    quick = Benchmark("wet", "wet", "does it rain?", 1, quick_minutes=0.7)
    assert expected_minutes(quick, Given(None, {}, True), tmp_path) == 0.7


def test_what_they_need_is_passed_on_and_its_lack_is_told(tmp_path):
    one = Benchmark("net", "net", "is it caught?", 1, needs_data=True, runs=("model",), options=("--steps", "3"))
    assert without_what_they_need([one, WET], NOTHING) == {"need --data DIR --model RUN": ["net"]}
    assert without_what_they_need([WET], Given(None, {}, True)) == {"have no --quick": ["wet"]}
    given = Given(tmp_path, {"model": "run", "runs": "kept"}, False)
    assert without_what_they_need([one, WET], given) == {}
    told = words(one, given, tmp_path / "net.json")[1:]
    assert told[:4] == ["-m", "benchmarks.net", "--steps", "3"]
    assert told[4:] == ["--data", str(tmp_path), "--model", "run", "--json", str(tmp_path / "net.json")]
    assert "--data" not in words(WET, given, tmp_path / "wet.json")


@pytest.fixture
def table(monkeypatch):
    """Two benchmarks, one of which attacks."""
    attack = Benchmark("storm", "storm", "does it hold?", 1, attack=True)
    monkeypatch.setattr(entry, "BENCHMARKS", (WET, attack))
    monkeypatch.setattr(entry, "find", lambda names: [one for one in (WET, attack, DRY) if one.name in names])


def test_without_names_nothing_attacks(runs, table, tmp_path):
    status, _, err = call(entry.app, "run", "--results", tmp_path)
    assert status == 0
    assert "wet took" in err
    assert "storm" not in err


def test_what_is_measured_quickly_replaces_no_result(runs, monkeypatch, tmp_path):
    wet = Benchmark("wet", "wet", "does it rain?", 1, quick_minutes=0.5)
    monkeypatch.setattr(entry, "BENCHMARKS", (wet,))
    monkeypatch.setattr(entry, "RESULTS", tmp_path)
    for arguments in (["--quick"], [], ["--quick"]):
        assert call(entry.app, "run", *arguments)[0] == 0
    runs["wet"] = "raise SystemExit(1)"
    assert call(entry.app, "run", "--quick")[0] == 1
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.json"))] == [
        "quick/wet.json",
        "wet.json",
    ]


def test_a_failure_is_status_1(runs, table, tmp_path):
    runs["storm"] = "raise SystemExit(1)"
    status, _, err = call(entry.app, "run", "wet", "storm", "--results", tmp_path)
    assert status == 1
    assert err.endswith("failed: storm; done: 1")


def test_an_interruption_is_status_130(table, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "_status_of", interrupted)
    status, _, err = call(entry.app, "run", "--results", tmp_path)
    assert (status, err.split()[-1]) == (130, "interrupted")


def test_what_cannot_be_run_is_told(tmp_path):
    status, _, err = call(entry.app, "run", "agnle")
    assert status == 2
    assert "near are angle" in err
    status, _, err = call(entry.app, "run", "angle", "--results", tmp_path / "none")
    assert status == 2
    assert "left out, because they need --data DIR: angle nothing is left to run" in err
    assert not (tmp_path / "none").exists()


def test_list_tells_each_benchmark_and_what_is_no_result(tmp_path):
    finish({"benchmark": "angle", "mean": 1.0}, tmp_path / "angle.json")
    (tmp_path / "speed.json").write_text("{", "utf-8")
    finish({"benchmark": "other", "mean": 1.0}, tmp_path / "other.json")
    status, out, _ = call(entry.app, "list", "--results", tmp_path)
    lines = {line.split()[1]: line for line in out.splitlines() if line.startswith("│")}
    assert status == 0
    assert "20" in lines["angle"]
    assert "no result" in lines["speed"]
    assert "other" in lines
