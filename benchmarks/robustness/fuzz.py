"""Mutated files and odd values over all readers, public functions and commands.

Pictures, videos, manifests, lists of pairs, datasets, recipes, networks and checkpoints of torch are changed: bits,
lengths, chunks, boxes, directories, fields. Public functions get arguments of every type, shape, layout and library.
Each input is tried in a process that is watched, and what comes of it is one of: ok; refused, by an error that is
documented; or a failure: crash, hang, memory, traceback, half (a file left behind), wrong (a result that breaks a
promise), unnamed (a refusal that does not name the file), warning, noise (lines of C libraries on the terminal).

Input number N of a seed is always the same. The files of a failure are kept, with a command that tries it again.

  python -m benchmarks.robustness.fuzz --minutes 5 --seed 1
  python -m benchmarks.robustness.fuzz --seed 1 --again 4711

Exit status: 0 no failure, 1 failures (the first of each kind and place are kept), 2 wrong usage.
"""

from __future__ import annotations

import itertools
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from benchmarks.robustness.attacks.table import ATTACKS, attack_of, case_of
from benchmarks.robustness.case import FAILURES, Kind
from benchmarks.robustness.corpus import told
from benchmarks.robustness.judge import MEMORY, judge
from benchmarks.robustness.pool import Tried, tried

KEPT = 3  # failures of one fault whose files are kept


class Tally:
    """What came of all inputs; of each fault the first failures are kept."""

    def __init__(self, seed: int, keep: Path) -> None:
        self.seed, self.keep = seed, keep
        self.kinds: dict[str, Counter[Kind]] = defaultdict(Counter)
        self.faults: dict[tuple[str, ...], list[Tried]] = defaultdict(list)
        self.slowest, self.largest = 0.0, 0

    def add(self, one: Tried) -> None:
        """Count an input, and keep its files if it is one of the first failures of its fault."""
        self.kinds[one.attack][one.verdict.kind] += 1
        self.slowest = max(self.slowest, one.verdict.seconds)
        self.largest = max(self.largest, one.verdict.peak)
        if one.verdict.kind in FAILURES:
            same = self.faults[one.attack, *one.verdict.fault]
            same.append(one)
            if len(same) <= KEPT:
                self._keep(one)
        if one.folder:
            shutil.rmtree(one.folder, ignore_errors=True)

    @property
    def count(self) -> int:
        """Inputs so far."""
        return sum(kinds.total() for kinds in self.kinds.values())

    @property
    def failed(self) -> int:
        """Failures so far."""
        return sum(len(same) for same in self.faults.values())

    def _keep(self, one: Tried) -> None:
        place = self.keep / f"{self.seed}-{one.number}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        if one.folder and Path(one.folder).is_dir():
            shutil.copytree(one.folder, place / "files", dirs_exist_ok=True)
        verdict = one.verdict
        text = f"{verdict.kind}: {verdict.detail}\nat {verdict.where}\n\n{one.words}\n\n{self.replay(one)}\n"
        (place / "failure.txt").write_text(text, encoding="utf-8", errors="backslashreplace")

    def replay(self, one: Tried) -> str:
        """Return the command that tries an input again."""
        return f"python -m benchmarks.robustness.fuzz --seed {self.seed} --again {one.number} --only '{one.attack}'"


@benchmark(__doc__)
def main(
    minutes: Annotated[float, typer.Option(min=0, help="How long; no further input begins after that.")] = 5.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the inputs.")] = 0,
    inputs: Annotated[int | None, typer.Option(min=1, metavar="N", help="So many inputs instead of minutes.")] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="ATTACK", help=f"One of {', '.join(ATTACKS)}; repeatable.")
    ] = None,
    processes: Annotated[int, typer.Option("-j", "--processes", min=1, help="Inputs tried at a time.")] = 2,
    seconds: Annotated[float, typer.Option(min=1, help="An input that takes longer hangs.")] = 20.0,
    keep: Annotated[Path, typer.Option(metavar="DIR", help="Where failures are kept.")] = Path("fuzz-failures"),
    again: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="Try the input of this number alone, in this process.")
    ] = None,
    corpus: Annotated[bool, typer.Option("--corpus", help="List the files that are changed, and stop.")] = False,
    json: Json = None,
) -> None:
    """Try inputs until the time is over, and tell what came of them."""
    names = tuple(only or ())
    if unknown := [name for name in names if name not in ATTACKS]:
        raise typer.BadParameter(f"must be one of {', '.join(ATTACKS)}, got '{unknown[0]}'", param_hint="--only")
    if corpus:
        print_table("Files that are changed", ["file", "bytes", "SHA-256"], told())
        return
    if again is not None:
        raise typer.Exit(_again(seed, again, names, keep))
    tally = Tally(seed, keep)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        numbers: Iterator[int] = iter(range(inputs)) if inputs else itertools.count()
        end = time.monotonic() + 60 * minutes
        for one in tried(
            ((attack_of(seed, number, names), number) for number in numbers),
            seed=seed,
            processes=processes,
            folder=Path(folder),
            seconds=seconds,
            memory=MEMORY,
            stop=lambda: inputs is None and time.monotonic() > end,
        ):
            tally.add(one)
    _tell(tally)
    results = {
        "benchmark": "fuzz",
        "seed": seed,
        "inputs": tally.count,
        "failures": tally.failed,
        "kinds": {attack: {kind.value: n for kind, n in kinds.items()} for attack, kinds in tally.kinds.items()},
        "slowest_s": tally.slowest,
        "largest_bytes": tally.largest,
    }
    if json is not None:
        finish(results, json)
    raise typer.Exit(1 if tally.failed else 0)


def _again(seed: int, number: int, names: tuple[str, ...], keep: Path) -> int:
    """Try one input in this process, tell what came of it, and return the exit status."""
    attack = names[0] if len(names) == 1 else attack_of(seed, number, names)
    case = case_of(attack, seed, number)
    print(f"{attack}: {case.words}", flush=True)
    place = keep / f"{seed}-{number}" / "again"
    shutil.rmtree(place, ignore_errors=True)
    verdict = judge(case, place)
    print(
        f"{verdict.kind}: {verdict.detail}\nat {verdict.where}; {verdict.seconds:.2f} s, {verdict.peak / 2**30:.2f} GiB"
    )
    return 1 if verdict.kind in FAILURES else 0


def _tell(tally: Tally) -> None:
    kinds = [kind for kind in Kind if any(found[kind] for found in tally.kinds.values())]
    rows = [[name, found.total(), *(found[kind] for kind in kinds)] for name, found in sorted(tally.kinds.items())]
    total: Counter[Kind] = sum(tally.kinds.values(), Counter())
    rows.append(["all", total.total(), *(total[kind] for kind in kinds)])
    print_table(f"Inputs of seed {tally.seed}", ["attack", "inputs", *kinds], rows)
    print(f"slowest {tally.slowest:.1f} s, largest {tally.largest / 2**30:.2f} GiB")
    if tally.faults:
        faults = sorted(tally.faults.items(), key=lambda item: -len(item[1]))
        table = [[k[0], k[1], len(same), same[0].number, k[2], same[0].verdict.detail[:200]] for k, same in faults]
        print_table("Faults", ["attack", "kind", "times", "first", "where", "what"], table)
        print(f"their files are in '{tally.keep}'; --again N tries one again")


if __name__ == "__main__":
    main()
