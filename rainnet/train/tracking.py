"""What a training run shows: a bar or lines, scalars and pictures for TensorBoard, and the pictures as files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from types import TracebackType
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from torch import Tensor

from rainnet.train.meters import Step
from rainnet.train.run_folder import RunFolder
from rainopt.io import write_image

SHOWN = 4  # examples in a grid of pictures
GAP = 4  # pixels between them

_log = logging.getLogger(__name__)


class Tracker:
    """The `rainnet.train.meters.Watcher` of the command.

    Parameters
    ----------
    folder
        Where grids of pictures and TensorBoard's files go.
    console
        A bar is drawn if it is a terminal, else there are lines.
    steps
        Of the run.
    first
        Whether this is the process that shows anything; the others of a run have no bar.
    """

    def __init__(self, folder: RunFolder, console: Console, steps: int, first: bool = True) -> None:
        self.folder, self.console, self.steps, self.first = folder, console, steps, first
        self._writer: Any = None

    def __enter__(self) -> Tracker:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
            console=self.console,
            disable=not (self.first and self.console.is_terminal),
        )
        self._bar.start()
        self._task = self._bar.add_task("steps", total=self.steps, told="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()
        if self._writer is not None:
            self._writer.close()

    def advance(self, number: int) -> None:
        """Move the bar."""
        if self._writer is None:
            # Not before there is something to write: a run refuses a folder that is not empty.
            self._writer = _writer(self.folder, number)
        self._bar.update(self._task, completed=number)

    def step(self, step: Step) -> None:
        """Write scalars, and a line or beside the bar."""
        total = sum(step.terms.values())
        for name, value in step.terms.items():
            self._writer.add_scalar(f"loss/{name}", value, step.number)
        self._writer.add_scalar("loss/total", total, step.number)
        self._writer.add_scalar("run/learning rate", step.rate, step.number)
        self._writer.add_scalar("run/images a second", step.images_per_second, step.number)
        self._writer.add_scalar("run/share of waiting for data", step.waiting, step.number)
        speed = f"{step.images_per_second:.1f} images/s, {100 * step.waiting:.0f} % waiting for data"
        told = f"{step.stage} loss {total:.4g}  {speed}, {_duration(step.seconds_left)} left"
        self._bar.update(self._task, told=told)
        if not self.console.is_terminal:
            terms = ", ".join(f"{name} {value:.4g}" for name, value in step.terms.items())
            stage = f" ({step.stage})" if step.stage else ""
            left = f"{_duration(step.seconds_left)} left"
            self.console.print(f"step {step.number} of {step.steps}{stage}: {terms}; {speed}, {left}")

    def validated(self, number: int, scores: dict[str, float], best: bool) -> None:
        """Write scores, and a line."""
        for name, value in scores.items():
            self._writer.add_scalar(f"validation/{name}", value, number)
        said = ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
        self.console.print(f"step {number}: validation {said}{', the best so far' if best else ''}")

    def pictures(self, number: int, pictures: dict[str, Tensor]) -> None:
        """Write a grid, a column for each kind of picture and a row for each example."""
        grid = picture_grid(list(pictures.values()))
        self._writer.add_image(" | ".join(pictures), grid, number, dataformats="HWC")
        self.folder.pictures.mkdir(exist_ok=True)
        file = self.folder.pictures / f"step_{number:08}.png"
        try:
            write_image(file, grid)
        except (OSError, ValueError) as error:
            # A picture that cannot be written is no reason to end hours of work.
            _log.warning("'%s' was not written: %s", file, error)


def _writer(folder: RunFolder, first: int) -> Any:
    with warnings.catch_warnings():
        # TensorBoard's own imports; nothing that a user could do.
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard.writer import SummaryWriter
    # What a resumed run does again is cut off from what the run before has written.
    return SummaryWriter(str(folder.log), purge_step=first)


def picture_grid(columns: Sequence[Tensor]) -> np.ndarray:
    """Return one picture (H, W, 3) uint8 of the first examples of batches (N, C, H, W) in [0, 1], white between."""
    cells = [column[:SHOWN].float().cpu() for column in columns]
    cells = [cell.expand(-1, 3, -1, -1) if cell.shape[1] == 1 else cell for cell in cells]
    count, _, height, width = cells[0].shape
    grid = torch.ones(count * (height + GAP) - GAP, len(cells) * (width + GAP) - GAP, 3)
    for j, cell in enumerate(cells):
        for i, picture in enumerate(cell):
            top, left = i * (height + GAP), j * (width + GAP)
            grid[top : top + height, left : left + width] = picture.permute(1, 2, 0)
    return (grid.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
