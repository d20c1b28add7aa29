"""Where the pictures go that videos and folders of numbered pictures become."""

from __future__ import annotations

import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

from rainopt.app.derain import DerainTask
from rainopt.app.inputs import PICTURES, SEQUENCES, Kind, Placing, Plan, PlanError, plan, result_beside
from rainopt.io.video.span import Span


def beside(span: Span, rate: Fraction) -> Placing:
    """Return what gives a folder of numbered pictures a folder of its name for the result, and a video a video.

    The first picture stands for all.
    """

    def place(source: Path, below: Path) -> Path:
        if not os.path.isdir(source):
            return result_beside(source, below, SEQUENCES)
        from rainopt.io.video.cut import first_file, result_name

        first = first_file(source, span, rate)
        # Where there is none, the work says why.
        return below.with_name(below.stem) / ("1.png" if first is None else result_name(first))

    return place


def numbered(inputs: Sequence[str], output: Path, first: Path, task: DerainTask, kind: Kind) -> Plan:
    """Return the one job whose result is pictures that are named by a pattern, such as ``out/%05d.png``.

    ``first`` is the first of them.

    Raises
    ------
    PlanError
        If there is more than one input, and as `rainopt.app.inputs.plan`.
    """
    folder = next((argument for argument in inputs if os.path.isdir(argument)), None)
    if kind == PICTURES and folder is not None:
        raise PlanError(
            f"'{output}' names the pictures of one video; add --sequence if '{folder}' is a folder of its frames"
        )
    return plan(inputs, output.parent, task.results, kind, lambda source, below: first)
