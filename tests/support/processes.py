"""Commands of this project, run in this process or as one of their own."""

import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from rainopt.app.runner import COMPILING

ROOT = Path(__file__).parents[2]
MODULES = {"rainopt": "rainopt", "raindata": "data_tools.commands.main", "rainnet": "rainnet"}


def environment(**more):
    """Ours, without what colours or wraps the output, and one thread for libraries: on small arrays more only wait."""
    unset = {"FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "RAINOPT_NUM_THREADS", "PYTHONIOENCODING"}
    kept = {name: value for name, value in os.environ.items() if name not in unset}
    paths = os.pathsep.join([str(ROOT), *filter(None, [kept.get("PYTHONPATH")])])
    plain = {"NO_COLOR": "1", "COLUMNS": "200", "PYTHONUTF8": "1", "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    return kept | plain | more


def command(program, *arguments):
    """Return the words that start "rainopt", "raindata" or "rainnet" as a process of its own."""
    return [sys.executable, "-m", MODULES[program], *map(str, arguments)]


def run(program, *arguments, timeout=120, **options):
    """Run a command as a process of its own and wait for its end."""
    options = {"env": environment(), "cwd": ROOT, "capture_output": True, "text": True} | options
    done = subprocess.run(command(program, *arguments), timeout=timeout, check=False, **options)
    if isinstance(done.stderr, str):
        done.stderr = _without_compiling(done.stderr)
    return done


def _without_compiling(text):
    """Return what is said without the line of a first use, which is there on some machines only."""
    return text.replace(f"{COMPILING}\n", "")


def call(app, *arguments):
    """Run a command in this process; return status, standard output, and error without frames and line breaks."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = _without_compiling(re.sub(r"\x1b\[[\d;]*m", "", result.stderr))
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())
