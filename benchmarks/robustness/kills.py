"""Commands killed at random moments (SIGKILL), and run again: is anything lost, half-written or left behind?

Every command that writes is started, killed at a random moment of the time that it takes, and run again as before
(`rainnet train` with --resume where there is something to go on with). The second run has to end with status 0 and the
same bytes as a run that nothing disturbed; nothing hidden or temporary may be left, and five seconds after the kill no
process of the killed run.

  python -m benchmarks.robustness.kills
  python -m benchmarks.robustness.kills --only train --times 10

Exit status: 0 nothing lost, 1 something was, 2 wrong usage.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Annotated

import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from benchmarks.robustness.undisturbed import DisturbedError, Undisturbed, undisturbed
from benchmarks.robustness.watched import environment
from benchmarks.robustness.writers import Only, Seed, Writer, chosen, copied, digests, prepare

SHOWN = 4  # things that are wrong with a command
LIMIT = 300.0  # seconds of the run after the kill
GRACE = 5.0  # seconds after which no process of a killed run may be there


@benchmark(__doc__)
def main(
    times: Annotated[int, typer.Option("-n", "--times", min=1, help="Kills, dealt over the commands.")] = 100,
    seed: Seed = 0,
    only: Only = None,
    json: Json = None,
) -> None:
    """Kill every command, time after time, run it again, and tell what came of it."""
    try:
        writers = chosen(only)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--only") from None
    random, wrong, begun = Random(seed), defaultdict[str, list[str]](list), defaultdict[str, int](int)
    count = {name: times // len(writers) + (k < times % len(writers)) for k, name in enumerate(writers)}
    with tempfile.TemporaryDirectory(prefix="kills-") as top:
        material = Path(top, "material")
        prepare(material)
        for name, writer in writers.items():
            if not count[name]:
                continue
            try:
                alone = undisturbed(writer, material, Path(top, "run"))
            except DisturbedError as error:
                wrong[name].append(str(error))
                print(f"{name}: {error}", flush=True)
                continue
            for number in range(count[name]):
                # Most of the time a command imports. Two kills of three come soon after it has begun to write.
                writing = number % 3 > 0
                moment = 10 ** random.uniform(-3, 0.3) if writing else random.uniform(0.0, alone.seconds)
                with copied(material, Path(top, "run")) as folder:
                    had_begun, problems = _killed(writer, folder, moment, writing, alone)
                begun[name] += had_begun
                when = f"{moment:.3f} s after {'its first file' if writing else 'its start'}"
                wrong[name] += [f"{when}: {each}" for each in problems]
            told = f"{name}: {count[name]} kills, {begun[name]} of them amid files; {len(wrong[name])} wrong"
            print("\n  ".join([told, *wrong[name][:SHOWN]]), flush=True)
    rows = [[name, count[name], begun[name], len(wrong[name]), "; ".join(wrong[name][:2])] for name in writers]
    print_table("Kills", ["command", "kills", "amid files", "wrong", "the first"], rows)
    if json is not None:
        fields = {name: {"kills": count[name], "amid_files": begun[name], "wrong": wrong[name]} for name in writers}
        finish({"benchmark": "kills", "seed": seed, "commands": fields}, json)
    raise typer.Exit(1 if any(wrong.values()) else 0)


def _killed(writer: Writer, folder: Path, moment: float, writing: bool, alone: Undisturbed) -> tuple[bool, list[str]]:
    """Kill a command and run it again; return whether it was amid its files, and what is wrong.

    ``moment`` is in seconds after its start or, ``writing``, after something in the folder has changed.
    """
    before = _files(folder)
    run = subprocess.Popen(
        writer.command(), cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    while writing and run.poll() is None and _files(folder) == before:
        time.sleep(0.005)
    amid = False
    try:
        run.wait(moment)
    except subprocess.TimeoutExpired:
        run.kill()
        run.wait()
        amid = _files(folder) != before
    wrong = []
    if alive := _alive(run.pid):
        wrong.append(f"{len(alive)} processes outlive it")
        for process in alive:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
    status, said = _again(writer, folder)
    if status != 0:
        wrong.append(f"the next run ends with status {status}: {said.strip()[-200:]}")
    else:
        wrong += alone.wrong(digests(folder / writer.place))[:3]
    wrong += alone.left_behind(folder)[:2]
    return amid, wrong


def _files(folder: Path) -> set[tuple[str, int]]:
    found = set()
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            found.add((str(path), path.stat().st_size))
    return found


def _again(writer: Writer, folder: Path) -> tuple[int, str]:
    """Run a command again; a run that was begun goes on, where there is something to go on with."""
    status, said = _run(writer.command(), folder)
    there = status == 2 and ("already" in said or "--resume" in said or "--overwrite" in said)
    if there and writer.resume:
        return _run(writer.command(*writer.resume), folder)
    # A command that writes one file refuses to do so again: it was done before the kill.
    whole = there and (folder / writer.place).is_file()
    return (0, said) if whole else (status, said)


def _run(words: list[str], folder: Path) -> tuple[int, str]:
    try:
        ended = subprocess.run(
            words, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=LIMIT
        )
    except subprocess.TimeoutExpired:
        return -1, f"no end after {LIMIT:.0f} s"
    return ended.returncode, ended.stdout + ended.stderr


def _alive(session: int) -> list[int]:
    """Return the processes of a session that are still there when the grace is over; under Linux alone."""
    end = time.monotonic() + GRACE
    while (left := _of_session(session)) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _of_session(session: int) -> list[int]:
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError, ValueError):
            # After the name, which may hold anything: state, parent, group, session.
            state, _, _, own = place.read_text().rpartition(")")[2].split()[:4]
            if int(own) == session and state != "Z":
                found.append(int(place.parent.name))
    return found


if __name__ == "__main__":
    main()
