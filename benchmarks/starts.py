"""How long the commands take to begin: what nobody who derains a photograph asked for.

Each is run as a process of its own beside `python -c pass`, in turn, so that what else the computer does meets all of
them alike. Time is told by the wall and by the CPU; modules are those that are imported at the end.

With `--against`, the same is run in a checkout of another revision, one process of it after one of this tree. The ratio
is the median of the ratios of such pairs.

  python -m benchmarks.starts --against HEAD~20 --repeat 15
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from benchmarks.command import CommandRun, run_command
from benchmarks.common import Timing, finish, print_table, rainy_photograph
from benchmarks.options import Json, Repeat, benchmark
from rainopt import write_image

HERE = Path(__file__).parents[1]
SMALL = (321, 481)
BASE = "python -c pass"
PYTHON = [sys.executable, "-P"]  # what is imported is that of a tree, and not of the folder that one is in
# Calls a program as its script does, and tells at its end how many modules are imported.
COUNT = """
import atexit, runpy, sys
atexit.register(lambda: print(f"\\n{len(sys.modules)}"))
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class Start(NamedTuple):
    """One command: its module with arguments, or code."""

    module: str = ""
    arguments: tuple[str, ...] = ()
    code: str = "pass"

    def words(self) -> list[str]:
        """Return it as a process."""
        if self.module:
            return [*PYTHON, "-m", self.module, *self.arguments]
        return [*PYTHON, "-c", self.code]

    def counting(self) -> list[str]:
        """Return it as a process whose last line is the number of its modules."""
        if self.module:
            return [*PYTHON, "-c", COUNT, self.module, *self.arguments]
        return [*PYTHON, "-c", f"{self.code}; import sys; print(len(sys.modules))"]


def starts(folder: Path) -> dict[str, Start]:
    """Return what is measured, by name; the photograph of the last one is written into a folder."""
    source, target = folder / "rainy.png", folder / "derained.png"
    write_image(source, rainy_photograph(*SMALL, angle=10.0))
    photograph = ("derain", str(source), "-o", str(target), "--overwrite")
    return {
        BASE: Start(),
        'python -c "import rainopt"': Start(code="import rainopt"),
        "rainopt --help": Start("rainopt", ("--help",)),
        "rainopt derain --help": Start("rainopt", ("derain", "--help")),
        "raindata --help": Start("data_tools", ("--help",)),
        "rainnet list": Start("rainnet", ("list",)),
        "rainopt derain, 481 x 321": Start("rainopt", photograph),
    }


def bench_starts(repeat: int) -> dict[str, Any]:
    """Time the start of commands, beside `python -c pass`."""
    return measured({"": HERE}, repeat)


def measured(trees: dict[str, Path], repeat: int) -> dict[str, Any]:
    """Run each command in each tree, in turn.

    Parameters
    ----------
    trees
        By name: this one, whose name is empty, and what it is held against.
    repeat
        Runs of each after one that is not counted.

    Returns
    -------
    dict
        By command the times, ``cpu_s`` and ``modules`` of this tree; of another the same, under ``against``, and under
        ``times`` how many times as long this one takes.
    """
    results: dict[str, Any] = {}
    rows = []
    with tempfile.TemporaryDirectory() as place:
        commands = starts(Path(place))
        runs: dict[tuple[str, str], list[CommandRun]] = {(name, tree): [] for name in commands for tree in trees}
        for k in range(repeat + 1):
            for name, tree in runs:
                run = _run(commands[name].words(), trees[tree])
                runs[name, tree] += [run] * (k > 0)  # the first fills caches
        for name, start in commands.items():
            for tree, folder in trees.items():
                facts = _facts(runs[name, tree], start, folder)
                ratios = ("", "")
                if tree == "":
                    results[name] = facts
                else:
                    facts["times"] = {
                        of: _ratio(runs[name, ""], runs[name, tree], of) for of in ("seconds", "cpu_seconds")
                    }
                    results[name]["against"] = facts
                    wall, cpu = facts["times"].values()
                    ratios = (f"{wall:.2f}", f"{cpu:.2f}")
                label = f"  at {tree}" if tree else name
                rows.append((label, f"{facts['median_s']:.3f}", f"{facts['cpu_s']:.3f}", facts["modules"], *ratios))
    header = ("command", "seconds", "CPU seconds", "modules", "times, wall", "times, CPU")
    print_table("Starts", header, rows)
    return results


def _run(words: list[str], tree: Path) -> CommandRun:
    return run_command(words, {**os.environ, "PYTHONPATH": str(tree)})


def _facts(runs: list[CommandRun], start: Start, tree: Path) -> dict[str, Any]:
    clock = Timing(tuple(run.seconds for run in runs))
    modules = int(_run(start.counting(), tree).output.split()[-1])
    return {**clock.as_dict(), "cpu_s": statistics.median(run.cpu_seconds for run in runs), "modules": modules}


def _ratio(runs: Sequence[CommandRun], others: Sequence[CommandRun], field: str) -> float:
    """Return the median of the ratios of pairs, each of which ran one after the other."""
    return statistics.median(getattr(a, field) / getattr(b, field) for a, b in zip(runs, others, strict=True))


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """Write the files of a revision of this project into a folder, which is removed again."""
    words = ["git", "-C", str(HERE), "archive", "--format=tar", revision]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode != 0:
        raise typer.BadParameter(done.stderr.decode(errors="replace").strip(), param_hint="--against")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(done.stdout)) as files:
            files.extractall(folder, filter="data")
        yield Path(folder)


@benchmark(__doc__)
def main(
    repeat: Repeat = 7,
    against: Annotated[
        str | None, typer.Option(metavar="REVISION", help="Of git, that the same is run in.", show_default=False)
    ] = None,
    target: Json = None,
) -> None:
    """Run the commands here and there."""
    if against is None:
        results = bench_starts(repeat)
    else:
        with checkout(against) as other:
            results = measured({"": HERE, against: other}, repeat)
    finish({"benchmark": "starts", "against": against, "commands": results}, target)


if __name__ == "__main__":
    main()
