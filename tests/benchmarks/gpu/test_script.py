import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu.driver import limit_of, run_step
from benchmarks.gpu.notes import Notes
from benchmarks.gpu.report import lines_of
from benchmarks.gpu.steps import CLOSING, LAST, RESERVED, STEPS, StepPlan

SCRIPT = Path(__file__).parents[3] / "benchmarks/gpu/run.sh"


@pytest.mark.parametrize("seconds", [40.0, 200.0, 470.0])
def test_all_steps_at_their_limits_end_in_time_and_leave_the_last_one_what_is_reserved(seconds):
    left = seconds
    for step in STEPS:
        limit = limit_of(step, left)
        if step.name == LAST:
            assert limit >= min(RESERVED, seconds / 10) - CLOSING
        left -= limit
    assert left >= 0


def test_a_step_that_hangs_is_stopped_and_one_that_breaks_is_told(tmp_path):
    with (tmp_path / "log.txt").open("ab") as log:
        hanging = run_step(StepPlan("facts", 60), 0.3, tmp_path, True, log)
        broken = run_step(StepPlan("no_such_step", 60), 20, tmp_path, True, log)
    assert (hanging["ended"], broken["ended"]) == ("stopped after 0 s", "status 1")
    assert "No module named" in (tmp_path / "log.txt").read_text()


def test_what_was_noted_before_a_failure_is_in_the_file(tmp_path):
    notes = Notes(tmp_path / "notes.json")
    notes.note("first", float("inf"))
    assert notes.attempt("second", lambda: 1 / 0) is None
    found = json.loads((tmp_path / "notes.json").read_text())
    assert found == {"first": "inf", "second": {"error": "ZeroDivisionError: division by zero"}}


def test_the_report_of_half_a_run_is_a_report():
    half = {"steps": {"timings": {"ended": "stopped after 9 s", "batch, cupy": {"median_ms": 16.0}}, "parity": None}}
    lines = lines_of({"steps": {name: step for name, step in half["steps"].items() if step}})
    assert any("2000" in line and "1500" in line for line in lines)
    assert lines_of({})


@pytest.mark.slow
def test_the_whole_script_is_rehearsed_on_a_cpu(tmp_path):
    environment = os.environ | {"PYTHON": sys.executable, "NUMBA_ENABLE_CUDASIM": "1"}
    told = subprocess.run(
        ["bash", str(SCRIPT), str(tmp_path), "--rehearse"], capture_output=True, text=True, env=environment, timeout=300
    )
    assert told.returncode == 0, told.stdout + told.stderr
    results = json.loads((tmp_path / "gpu.json").read_text())
    assert {step["ended"] for step in results["steps"].values()} == {"ok"}
    errors = [finding for step in results["steps"].values() for finding in step.values() if "error" in str(finding)]
    assert errors == []
    assert (tmp_path / "udgnet_paper.safetensors").stat().st_size < 16 << 20
    assert len(list(tmp_path.iterdir())) <= 8
