"""What ``rainnet evaluate`` does and shows."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from data_tools.layouts.read import Layout, Pair, read_dataset
from rainnet.evaluate.compare import Compared, Report, Results, chosen_pairs, evaluate, known_protocols
from rainnet.evaluate.methods import Method, find_methods
from rainnet.evaluate.orders import Colours, found_orders, in_both_orders
from rainnet.evaluate.save import Saver
from rainnet.evaluate.sheet import CELL, UNTOUCHED, Worst
from rainnet.evaluate.table import tables
from rainopt.app.console import open_consoles, progress_bar
from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.sheet import write_sheet
from rainopt.io import WRITABLE_SUFFIXES
from rainopt.io.atomic import WriteError, replacing

T = TypeVar("T")
WIDTH = 160  # of tables in a file or a pipe
# Of the work, after which a line is written where no bar is drawn.
SHARE = 10


@dataclass(frozen=True)
class ComparisonSettings:
    """What to compare on what, and what to write; see the command's help for each."""

    methods: Sequence[str]
    data: Path | Layout
    layout: str | None = None
    split: str | None = None
    protocols: Sequence[str] = ()
    niqe: bool = False
    try_channels: bool = False
    limit: int | None = None
    angle: float | str | None = None
    device: str = "auto"
    ensemble: int = 1
    scores: Path | None = None
    sheet: Path | None = None
    worst: int = 8
    save: Path | None = None
    overwrite: bool = False
    json_lines: bool = False

    def how(self) -> dict[str, Any]:
        """Return keyword arguments of `rainnet.evaluate.methods.find_methods`."""
        return {"angle": self.angle, "device": self.device, "ensemble": self.ensemble}


def follow(options: ComparisonSettings) -> int:
    """Compare, print the tables, write what was asked for, and return the exit status.

    Raises
    ------
    typer.BadParameter
        If the options make no sense, before any work is done.
    """
    out, err = open_consoles()
    _check_files(options)
    given = options.data
    dataset = given if isinstance(given, Layout) else _usage("--data", lambda: read_dataset(given, options.layout))
    _usage("--data", lambda: chosen_pairs(dataset))
    pairs = _usage("--split", lambda: chosen_pairs(dataset, options.split, options.limit))
    protocols = _usage("--protocol", lambda: known_protocols(options.protocols))
    if options.device not in ("auto", "cpu"):
        from rainnet.infer.devices import resolve_device

        _usage("--device", lambda: resolve_device(options.device))
    methods = _usage("METHOD", lambda: find_methods(options.methods, **options.how()))
    twice = {name for name in options.methods if options.methods.count(name) > 1}
    if twice:
        raise typer.BadParameter(f"'{min(twice)}' is named twice; leave one out", param_hint="METHOD")
    given_methods, colours = methods, Colours()
    worst = Worst(options.worst, methods[-1].name, protocols[0])
    watchers: list[Callable[[Compared], None]] = []
    if options.try_channels:
        methods = _usage("--try-channels", lambda: _in_both_orders(given_methods, pairs, dataset))
        watchers.append(colours)
    if options.sheet is not None:
        watchers.append(worst)
    saver = None
    if options.save is not None:
        # Neither the input nor what lies in files already.
        kept = [m.name for m in methods if not isinstance(m, Results) and m.name != UNTOUCHED]
        folder = options.save
        saver = _usage("--save", lambda: Saver(folder, kept, overwrite=options.overwrite))
        _refuse_existing(list(saver.places(pairs)), options.overwrite, "--save")
        watchers.append(saver)
    try:
        with _Progress(err, len(pairs)) as progress:
            report = evaluate(
                methods,
                dataset,
                protocols,
                split=options.split,
                limit=options.limit,
                niqe=options.niqe,
                watch=lambda compared: _each([*watchers, progress], compared),
            )
    except KeyboardInterrupt:
        err.print(f"interrupted: {progress.done} of {len(pairs)} pictures were compared, nothing is reported")
        return INTERRUPTED
    if options.try_channels:
        report = replace(report, orders=found_orders(report, given_methods, colours.seen))
    if options.json_lines:
        for line in report.lines():
            print(json.dumps(line, allow_nan=False))
    else:
        _show(report, dataset, out, err)
    lost = list(saver.failures) if saver else []
    lost += _write(report, worst, options)
    for error in lost:
        err.print(f"[red]failed[/red]  {escape(error)}")
    return OK if report.ok and not lost else FAILED


class _Progress:
    """A bar on a terminal, elsewhere a line now and then; and what failed, as soon as it does."""

    def __init__(self, err: Console, total: int) -> None:
        self.done, self.total, self._err, self._bar = 0, total, err, progress_bar(err)

    def __enter__(self) -> _Progress:
        self._bar.__enter__()
        self._task = self._bar.add_task("pictures", total=self.total)
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, compared: Compared) -> None:
        """Count one more picture."""
        for failure in compared.failures.values():
            self._err.print(f"[red]failed[/red]  {escape(failure)}")
        before, self.done = self.done, self.done + 1
        self._bar.advance(self._task)
        if not self._err.is_terminal and self.done * SHARE // self.total > before * SHARE // self.total:
            self._err.print(f"{self.done} of {self.total} pictures compared")


def _each(watchers: Sequence[Callable[[Compared], None]], compared: Compared) -> None:
    for watcher in watchers:
        watcher(compared)


def _show(report: Report, dataset: Layout, out: Console, err: Console) -> None:
    for note in dataset.notes:
        err.print(f"note: {escape(note)}")
    for problem in report.problems:
        err.print(f"[red]failed[/red]  {escape(problem)}")
    part = f", split '{report.split}'" if report.split else ""
    out.print(escape(f"{report.pictures} of {len(dataset)} pictures of '{report.data}'{part}; {dataset.message}"))
    if not out.is_terminal:
        out.width = WIDTH
    for table in tables(report):
        out.print(table)
    for order in report.orders:
        out.print(escape(order.sentence()))


def _in_both_orders(
    methods: Sequence[Method | Results], pairs: Sequence[Pair], dataset: Layout
) -> list[Method | Results]:
    """Return methods with networks in both orders, where there is truth to tell them apart; ValueError otherwise."""
    if all(pair.clean is None for pair in pairs):
        raise ValueError(
            f"needs pictures with truth, and '{dataset.root}' has none: NIQE looks at the luminance and hardly tells "
            "the orders apart; name a dataset of pairs"
        )
    both = in_both_orders(methods)
    names = [method.name for method in both]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"would score two methods of the name '{twice}'; give one another name")
    return both


def _write(report: Report, worst: Worst, options: ComparisonSettings) -> list[str]:
    """Write the report and the sheet; returns a sentence for each that could not be written."""
    lost = []
    if options.scores is not None:
        text = json.dumps(report.as_dict(), indent=2, allow_nan=False) + "\n"
        try:
            options.scores.parent.mkdir(parents=True, exist_ok=True)
            with replacing(options.scores, options.overwrite) as file:
                file.write(text.encode())
        except (WriteError, OSError) as error:
            lost.append(str(error))
    if options.sheet is not None:
        rows = worst.rows()
        try:
            if not rows:
                raise ValueError(f"'{options.sheet}' was not written: no picture has a score of '{worst.method}'")
            write_sheet(options.sheet, rows, cell=CELL, overwrite=options.overwrite)
        except (ValueError, OSError) as error:
            lost.append(str(error))
    return lost


def _check_files(options: ComparisonSettings) -> None:
    """Refuse names that cannot be written before hours of work."""
    if options.sheet is not None and options.sheet.suffix.lower() not in WRITABLE_SUFFIXES:
        allowed = ", ".join(sorted(WRITABLE_SUFFIXES))
        raise typer.BadParameter(f"'{options.sheet}' is no name of a picture; use {allowed}", param_hint="--sheet")
    for option, path in (("--scores", options.scores), ("--sheet", options.sheet)):
        if path is not None:
            if path.is_dir():
                raise typer.BadParameter(f"'{path}' is a folder; name a file", param_hint=option)
            _refuse_existing([path], options.overwrite, option)
    if options.save is not None and os.path.lexists(options.save) and not options.save.is_dir():
        raise typer.BadParameter(f"'{options.save}' is a file; name a folder", param_hint="--save")


def _refuse_existing(paths: Sequence[Path], overwrite: bool, option: str) -> None:
    there = [path for path in paths if os.path.lexists(path)]
    if there and not overwrite:
        more = f", and {len(there) - 1} more are" if len(there) > 1 else " is"
        raise typer.BadParameter(
            f"'{there[0]}'{more} there already; choose another name, or allow it with --overwrite", param_hint=option
        )


def _usage(option: str, work: Callable[[], T]) -> T:
    """Do what an option asks for; that it cannot be done is an error of usage."""
    try:
        return work()
    except (ValueError, OSError) as error:
        named = "--layout" if str(error).startswith("`layout`") else option
        raise typer.BadParameter(str(error), param_hint=named) from None
