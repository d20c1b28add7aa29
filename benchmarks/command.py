"""Run a command as its own process, and measure its wall time and the most memory it held."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

# Linux counts the memory of the process that starts a program towards the program's own peak. So it is started from
# this bare interpreter, which holds some 10 MB, and not from the benchmark, which may hold gigabytes.
_STARTER = """
import json, os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
seconds = time.perf_counter() - start
cpu = usage.ru_utime + usage.ru_stime
print("\\n" + json.dumps([os.waitstatus_to_exitcode(status), seconds, usage.ru_maxrss, cpu]))
"""


@dataclass(frozen=True)
class CommandRun:
    """Time and memory that a process took."""

    seconds: float
    peak_bytes: int
    cpu_seconds: float
    output: str


def rainopt_command() -> list[str]:
    """Return how to start ``rainopt``: the script beside the interpreter, as users do, or else ``-m rainopt``."""
    return _script("rainopt", "rainopt")


def raindata_command() -> list[str]:
    """Return how to start ``raindata``."""
    return _script("raindata", "data_tools.commands.main")


def _script(name: str, module: str) -> list[str]:
    script = Path(sys.executable).with_name(name)
    return [str(script)] if script.exists() else [sys.executable, "-m", module]


def run_command(command: list[str], environment: Mapping[str, str] | None = None) -> CommandRun:
    """Run ``command`` (its first word a path) to its end, in this environment or another one.

    Raises
    ------
    RuntimeError
        If it ends with a status other than 0; the message holds what it said.
    """
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, *command]
    ended = subprocess.run(starter, capture_output=True, text=True, check=False, env=environment)
    output, _, last = ended.stdout.rstrip("\n").rpartition("\n")
    if ended.returncode != 0:
        raise RuntimeError(f"{command[0]} could not be started: {ended.stderr.strip()}")
    status, seconds, peak, cpu = json.loads(last)
    if status != 0:
        raise RuntimeError(
            f"{' '.join(command[1:])} ended with status {status}: {ended.stderr.strip() or output.strip()}"
        )
    # Kibibytes on Linux, bytes on macOS.
    return CommandRun(seconds, peak * (1 if sys.platform == "darwin" else 1024), cpu, output)
