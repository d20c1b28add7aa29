"""Run all steps, each as a process of its own with its limit, and write one JSON, whatever becomes of them.

  python -m benchmarks.gpu.driver OUT --seconds 470

Nothing but the standard library is imported here: where a package is missing, the steps say so.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from benchmarks.gpu.report import lines_of
from benchmarks.gpu.steps import CLOSING, LAST, RESERVED, STEPS, StepPlan

GRACE = 4.0  # seconds between asking a step to end and ending it
SECONDS, REHEARSED = 470.0, 300.0


def limit_of(step: StepPlan, left: float, reserved: float = RESERVED) -> float:
    """Return the seconds that a step may take where so many are left of all, and the last one is to have some."""
    if step.name == LAST:
        return left - CLOSING
    return min(step.seconds, max(left - CLOSING - reserved, min(step.seconds, left - CLOSING) / 4))


def run_step(step: StepPlan, seconds: float, out: Path, rehearse: bool, log: BinaryIO) -> dict[str, Any]:
    """Run a step to its end or its limit; returns what it noted, how it ended and how long it took."""
    begun = time.perf_counter()
    log.write(f"\n== {step.name}, at most {seconds:.0f} s\n".encode())
    log.flush()
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        command = [sys.executable, "-m", f"benchmarks.gpu.{step.name}", "--notes", str(notes), "--out", str(out)]
        command += ["--seconds", f"{seconds:.1f}", *(["--rehearse"] if rehearse else [])]
        # A session of its own, so that what it has started ends with it.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        ended: str
        try:
            status = process.wait(timeout=seconds)
            ended = "ok" if status == 0 else f"status {status}"
        except subprocess.TimeoutExpired:
            ended = f"stopped after {seconds:.0f} s"
        finally:
            _end(process)
        found: Any = {}
        with suppress(OSError, ValueError):
            found = json.loads(notes.read_text(encoding="utf-8"))
    return {"ended": ended, "seconds": round(time.perf_counter() - begun, 2), **found}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it has started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)
            if number == signal.SIGTERM:
                continue
            return


def main() -> None:
    """Run the steps."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder of what is found")
    parser.add_argument("--seconds", type=float, help=f"in all, {SECONDS:.0f} if left out")
    parser.add_argument("--begun", type=float, default=time.time(), help="when that began, in seconds of the epoch")
    parser.add_argument("--only", help="names of steps, with commas between")
    parser.add_argument("--rehearse", action="store_true", help="tiny sizes on the CPU, CUDA kernels in the simulator")
    asked = parser.parse_args()
    names = [step.name for step in STEPS]
    chosen = names if asked.only is None else asked.only.split(",")
    for name in chosen:
        if name not in names:
            parser.error(f"there is no step '{name}'; choose from {', '.join(names)}")
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.rehearse:
        os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
    seconds = asked.seconds or (REHEARSED if asked.rehearse else SECONDS)
    out = asked.out.resolve()
    file, results = out / "gpu.json", dict[str, Any](rehearsed=asked.rehearse, steps={})
    with (out / "log.txt").open("ab") as log:
        for step in STEPS:
            left = seconds - (time.time() - asked.begun)
            limit = limit_of(step, left, RESERVED if LAST in chosen else 0.0)
            if step.name not in chosen:
                continue
            if limit < 1:
                results["steps"][step.name] = {"ended": "not begun, no time was left"}
                continue
            print(f"{step.name} (at most {limit:.0f} s) ...", flush=True)
            results["steps"][step.name] = run_step(step, limit, out, asked.rehearse, log)
            print(f"  {results['steps'][step.name]['ended']}, {results['steps'][step.name]['seconds']} s", flush=True)
            file.write_text(json.dumps(results, indent=1), encoding="utf-8")
    results["seconds"] = round(time.time() - asked.begun, 1)
    file.write_text(json.dumps(results, indent=1), encoding="utf-8")
    print(json.dumps(results, separators=(",", ":")))
    print("\n".join(lines_of(results)))


if __name__ == "__main__":
    main()
