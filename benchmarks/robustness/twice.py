"""Two runs of a command at once into one place: is one refused by name or does it wait, and is the result whole?

Every command that writes is started twice, the second a random moment after the first, every other time with other
settings. Afterwards the place is looked at: datasets are verified, and files are compared with those of a run that
nothing disturbed. What counts as a failure: a status other than 0, 1 and 2; a refusal that does not name the place and
the other run; both refused; files that are missing, of neither run, or left behind.

  python -m benchmarks.robustness.twice
  python -m benchmarks.robustness.twice --only synth --times 5

Exit status: 0 all whole, 1 something was not, 2 wrong usage.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Annotated, Any

import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from benchmarks.robustness.undisturbed import DisturbedError, Undisturbed, undisturbed
from benchmarks.robustness.watched import command, environment
from benchmarks.robustness.writers import Only, Seed, Writer, chosen, copied, digests, prepare

LIMIT = 300.0  # seconds that a run may take or wait
SHOWN = 4  # things that are wrong with a command
BY_FILE = ("derain photos", "background", "network on photos")  # files of several results each, written one by one


@benchmark(__doc__)
def main(
    times: Annotated[int, typer.Option("-n", "--times", min=1, help="Pairs of runs of each command.")] = 20,
    seed: Seed = 0,
    only: Only = None,
    json: Json = None,
) -> None:
    """Start every command twice, time after time, and tell what came of it."""
    try:
        writers = chosen(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    rows, results, failed = [], {}, 0
    with tempfile.TemporaryDirectory(prefix="twice-") as top:
        material = Path(top, "material")
        prepare(material)
        for name, writer in writers.items():
            try:
                alone = undisturbed(writer, material, Path(top, "run"), other=True)
            except DisturbedError as error:
                failed += 1
                rows.append([name, 0, "", 1, str(error)])
                print(f"{name}: {error}", flush=True)
                continue
            random, counts, wrong = Random(f"{seed}/{name}"), Counter[str](), list[str]()
            for number in range(times):
                delay = random.uniform(0, 0.9 * alone.seconds) if number % 3 else 0.0
                other = writer.other if number % 2 else ()
                with copied(material, Path(top, "run")) as folder:
                    outcome, problems = _pair(name, writer, other, folder, delay, alone)
                counts[outcome] += 1
                wrong += [
                    f"#{number} (+{delay:.1f} s{', other settings' if other else ''}): {each}" for each in problems
                ]
            failed += bool(wrong)
            told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
            rows.append([name, times, told, len(wrong), "; ".join(wrong[:2])])
            results[name] = {"times": times, "outcomes": dict(counts), "wrong": wrong}
            print("\n  ".join([f"{name}: {told}; {len(wrong)} wrong", *wrong[:SHOWN]]), flush=True)
    print_table("Two runs at once", ["command", "times", "outcomes", "wrong", "the first"], rows)
    if json is not None:
        finish({"benchmark": "twice", "seed": seed, "commands": results}, json)
    raise typer.Exit(1 if failed else 0)


def _pair(
    name: str, writer: Writer, other: tuple[str, ...], folder: Path, delay: float, alone: Undisturbed
) -> tuple[str, list[str]]:
    """Start a command twice; return what came of it, and what is wrong with that."""
    first = _started(writer.command(), folder)
    time.sleep(delay)
    second = _started(writer.command(*other), folder)
    ended = [_ended(run) for run in (first, second)]
    statuses = [status for status, _ in ended]
    wrong = [f"status {status}: {said.strip()[-160:]}" for status, said in ended if status not in (0, 1, 2)]
    wrong += [f"traceback: {said.strip()[-160:]}" for _, said in ended if "Traceback" in said]
    refused = [(status, said) for status, said in ended if status in (1, 2)]
    # Where files are held one by one, each run may find the other at one of them.
    if len(refused) == 2 and name not in BY_FILE:
        wrong.append(f"both were refused: {refused[0][1].strip()[-160:]}")
    # Begun after the end of the first, a run may be refused for what is there, or because of other settings.
    by_name = ["another run" in said or "made with" in said or "there already" in said for _, said in refused]
    wrong += [
        f"refused without the other run's name: {said.strip()[-160:]}"
        for (_, said), named in zip(refused, by_name, strict=True)
        if not named and not ("is not empty" in said or "holds" in said or "--resume" in said)
    ]
    found = digests(folder / writer.place)
    wrong += alone.wrong(found, mixed=name in BY_FILE)[:3]
    wrong += alone.left_behind(folder)[:2]
    if writer.verify:
        check = subprocess.run(
            command(*writer.verify), cwd=folder, env=environment(), capture_output=True, text=True, check=False
        )
        if check.returncode != 0:
            wrong.append(f"verify: {check.stdout.strip()[-160:]} {check.stderr.strip()[-100:]}")
    outcome = "both done" if statuses == [0, 0] else "one refused" if len(refused) == 1 else str(statuses)
    return outcome, wrong


def _started(words: list[str], folder: Path) -> Any:
    return subprocess.Popen(
        words, cwd=folder, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def _ended(run: Any) -> tuple[int, str]:
    try:
        said, _ = run.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        run.kill()
        said, _ = run.communicate()
        return -1, f"no end after {LIMIT:.0f} s: {said}"
    return run.returncode, said


if __name__ == "__main__":
    main()
