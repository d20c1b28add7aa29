"""What deraining is worth to a detector that looks next: people and text, in real and in rendered rain.

The detectors come with their weights in packages: OpenCV's people detector (histograms of oriented gradients), and
the OCR models of rapidocr-onnxruntime. The packages bring an OpenCV of their own, so they need an environment of
their own:

  python -m venv detectors
  detectors/bin/python -m pip install -r benchmarks/tasks/requirements.txt
  python -m benchmarks.tasks --detectors detectors/bin/python --data DIR --json results.json --sheet sheet.png

They are shown each picture, at most 512 pixels long, as it is, through a median filter, derained by `rainopt` and by
networks (--model), and the clean one where there is one:

people, real rain       photographs of DIR/photos, whose people were marked by eye (benchmarks/tasks/people.csv)
people, rendered rain   light, medium and heavy, over frames of DIR/video and pictures of DIR/pairs that were marked,
                        too, and over photographs of DIR/clean without people, for what is found where nobody is
text, rendered rain     the same over six signs on each of some photographs of DIR/clean, whose words are known

Networks that ship were trained on such photographs as are in DIR/clean, under rain of the same presets.

Without --data they are shown photographs that come with scikit-image; who is found in the clean one is the truth.

Boxes are right that share half of the union with a person whom no better box has taken. Precision, recall and F1 are
at the threshold whose F1 is best for the clean pictures, in real rain for the rainy ones; average precision is over
all thresholds. In rendered rain the F1 of agreement takes what is found in the clean picture for the truth. Text is
told by the character error rate, by the share of words without an error, and by lines that were read where no sign
is. Intervals hold 95 % of drawings of as many scenes (bootstrap); a star marks what differs from the rainy pictures
in 95 % of the drawings, scene by scene.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, OptionalData, Sheet, benchmark
from benchmarks.pictures import middle, opaque, pictures
from benchmarks.tasks.asked import DetectorError, Detectors
from benchmarks.tasks.inputs import MODELS, RAINY, STRENGTHS, Input, inputs
from benchmarks.tasks.measure import people_task, text_tasks
from benchmarks.tasks.people import empty, marked, samples
from rainopt import read_image
from rainopt.app.sheet import Row, write_sheet

TASKS = ("people", "text")
FOLDERS = ("photos", "clean")  # of DIR: at least one
TEXT_PICTURES = 8
QUICK_PICTURES = 3  # of each kind
QUICK_STRENGTHS = STRENGTHS[1:2]
CELL = (384, 300)  # of the sheet, in pixels
REQUIREMENTS = "benchmarks/tasks/requirements.txt"

Found = tuple[list[dict[str, Any]], list[Row]]
Run = Callable[[Path | None, bool, Mapping[str, Input], Detectors], Found]

Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A file, or a network that ships; may be given several times."),
]
Only = Annotated[str | None, typer.Option("--only", metavar="people|text", help="One of the tasks alone.")]
Python = Annotated[
    str,
    typer.Option("--detectors", metavar="PYTHON", help="The interpreter that has the detectors; by default this one."),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Few pictures, medium rain and one network: within a minute, and no result.")
]


@benchmark(__doc__)
def main(
    data: OptionalData = None,
    detectors: Python = sys.executable,
    only: Only = None,
    quick: Quick = False,
    model: Models = None,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Measure what can be measured; status 1 where a detector is missing or fails."""
    if only not in (None, *TASKS):
        raise typer.BadParameter(f"--only must be one of {', '.join(TASKS)}, got '{only}'")
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter(f"--sheet must end in .png, got '{sheet}'")
    if data is not None and not any((data / folder).is_dir() for folder in FOLDERS):
        raise typer.BadParameter("--data must hold a folder 'photos' or a folder 'clean' of pictures; see --help")
    runs: dict[str, Run] = {"people": measure_people, "text": measure_text}
    asked = TASKS if only is None else (only,)
    tasks: list[dict[str, Any]] = []
    rows: list[Row] = []
    missing: dict[str, str] = {}
    versions: dict[str, str | None] = {}
    failed = False
    try:
        with Detectors(detectors, asked) as process:
            missing = {task: why for task, why in process.missing.items() if why is not None}
            versions = process.versions
            there = [task for task in asked if task not in missing]
            methods = inputs(model or (MODELS[:1] if quick else MODELS)) if there else {}
            for task in there:
                found, looks = runs[task](data, quick, methods, process)
                for one in found:
                    show(one)
                tasks += found
                rows += looks
    except DetectorError as error:  # what was measured before is written all the same
        print(error, file=sys.stderr)
        failed = True
    for task, why in missing.items():
        print(f"{task}: '{detectors}' has no detector: {why}", file=sys.stderr)
    if missing:
        print(
            f"make an environment of its own, install {REQUIREMENTS} there, and name it by --detectors; see --help",
            file=sys.stderr,
        )
    if tasks:
        if sheet:
            write_sheet(sheet, rows, cell=CELL)
        finish(
            {"benchmark": "tasks", "quick": quick, "detectors": versions, "missing": missing, "tasks": tasks}, target
        )
    if missing or failed or not tasks:
        raise typer.Exit(1)


def measure_people(data: Path | None, quick: bool, methods: Mapping[str, Input], process: Detectors) -> Found:
    """Return the tasks about people, and rows to look at."""
    limit = QUICK_PICTURES if quick else None
    strengths = QUICK_STRENGTHS if quick else STRENGTHS
    tasks, rows = [], []
    real = [] if data is None else marked(data, rainy=True, limit=limit)
    dry = samples(limit) if data is None else [*marked(data, rainy=False, limit=limit), *empty(data, limit)]
    for title, scenes, rain in (("people, HOG, real rain", real, None), ("people, HOG, rendered rain", dry, strengths)):
        if scenes:
            found, looks = people_task(title, scenes, rain, methods, process)
            tasks.append(found)
            rows += looks
    return tasks, rows


def measure_text(data: Path | None, quick: bool, methods: Mapping[str, Input], process: Detectors) -> Found:
    """Return the tasks about text, and rows to look at."""
    photographs = _photographs(data, QUICK_PICTURES if quick else TEXT_PICTURES)
    return (
        text_tasks(photographs, QUICK_STRENGTHS if quick else STRENGTHS, methods, process) if photographs else ([], [])
    )


def show(task: dict[str, Any]) -> None:
    """Print the table of a task: figures with intervals, and gains whose interval does not hold 0 with a star."""
    names = [name for name in task["rows"][0] if name not in ("input", "intervals", "gains")]
    table = []
    for row in task["rows"]:
        cells = []
        for name in row["intervals"]:
            low, high = row["intervals"][name]
            gain = row.get("gains", {}).get(name)
            star = "*" if gain and (gain[1] > 0 or gain[2] < 0) else ""
            cells.append(f"{row[name]:.3f} [{low:.2f}, {high:.2f}]{star}")
        table.append((row["input"], *cells))
    counted = "people" if "people" in task else "words"
    title = f"{task['task']}: {task['pictures']} pictures, {task[counted]} {counted}; truth: {task['truth']}"
    print_table(f"{title} (* differs from '{RAINY}')", ("input", *names), table)


def _photographs(data: Path | None, count: int) -> list[tuple[str, np.ndarray]]:
    """Return photographs for signs, (H, W, 3) uint8, no larger than `benchmarks.pictures.MIDDLE`."""
    if data is None:
        return [(scene.name, middle(scene.picture)) for scene in samples(count)]
    files = pictures(data / "clean") if (data / "clean").is_dir() else []
    colour = [
        (path.name, picture)
        for path in files[:: max(len(files) // count, 1)]
        if (picture := opaque(read_image(path))).ndim == 3
    ]
    return [(name, middle(picture)) for name, picture in colour[:count]]
