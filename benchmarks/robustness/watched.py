"""A command as a user would start it, with a limit of time, and with the most memory that it held."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = {"rainopt": "rainopt", "raindata": "data_tools.commands.main", "rainnet": "rainnet"}

# As in `benchmarks.command`, a bare interpreter starts the command, whose own memory is small. It also ends it, with
# all its children, before the computer runs out of memory.
_STARTER = """
import json, os, signal, sys, time
seconds, most = float(sys.argv[1]), int(sys.argv[2])
start = time.perf_counter()
child = os.posix_spawn(sys.argv[3], sys.argv[3:], os.environ, setsid=True)
why = ""
while True:
    done, status, usage = os.wait4(child, os.WNOHANG)
    if done:
        break
    try:
        held = int(open(f"/proc/{child}/statm").read().split()[1]) * 4096
    except (OSError, IndexError):
        held = 0
    if held > most or time.perf_counter() - start > seconds:
        why = "memory" if held > most else "time"
        os.killpg(child, signal.SIGKILL)
        _, status, usage = os.wait4(child, 0)
        break
    time.sleep(0.01)
code = os.waitstatus_to_exitcode(status)
print("\\n" + json.dumps([code, time.perf_counter() - start, usage.ru_maxrss, why]))
"""


@dataclass(frozen=True)
class Watched:
    """How a command ended.

    Attributes
    ----------
    status
        Exit status; negative for a signal.
    seconds, peak
        Time, and the most memory, in bytes.
    why
        "time" or "memory" where it was ended for that; else empty.
    said
        All that it said.
    """

    status: int
    seconds: float
    peak: int
    why: str
    said: str


def command(program: str, *arguments: str | Path) -> list[str]:
    """Return the words that start a program of this project."""
    return [sys.executable, "-m", MODULES[program], *map(str, arguments)]


def environment() -> dict[str, str]:
    """Return ours, so that the tree at hand is run wherever a command starts, without colours."""
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    return os.environ | {"PYTHONPATH": paths, "NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}


def watched(words: list[str], folder: Path, *, seconds: float, most: int) -> Watched:
    """Run a command in a folder to its end, or until it takes more time or memory than it may."""
    starter = [sys.executable, "-I", "-S", "-c", _STARTER, str(seconds), str(most), *words]
    ended = subprocess.run(
        starter, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    output, _, last = ended.stdout.decode("utf-8", "replace").rstrip("\n").rpartition("\n")
    if ended.returncode != 0:
        raise RuntimeError(f"{words[0]} could not be started: {ended.stderr.decode('utf-8', 'replace').strip()}")
    status, spent, peak, why = json.loads(last)
    # Kibibytes on Linux, bytes on macOS.
    peak *= 1 if sys.platform == "darwin" else 1024
    return Watched(status, spent, peak, why, output + ended.stderr.decode("utf-8", "replace"))
