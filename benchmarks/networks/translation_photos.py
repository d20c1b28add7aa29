"""What translating our renderer's rain into that of real photographs is worth on photographs that were not trained on.

Photographs of DIR/photos, reduced to at most 1024 pixels a side, are dealt out in two halves. Pairs are rendered over
DIR/clean by the recipe jrgr-small; the rain of the first half is real and has no truth. On the second half, where rain
is seen, the traces that are left (benchmarks/traces.py), beside the rainy picture, `rainopt` and the UDGNet that ships:

before  The same removal network, trained on the rendered pairs alone for as many steps.
after   All three stages of JRGR.

--sheet shows the second half before and after. --rain shows rendered rain, the same made real by JRGR over the same
clean picture, and a real photograph. FOLDER keeps pictures and trainings, which are not to be shipped: the photographs
have no licence. The command goes on where it was stopped.

  python -m benchmarks.networks.translation_photos --data DIR --runs FOLDER --sheet looks.png --rain rain.png
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.common import finish
from benchmarks.networks.scores import Method
from benchmarks.networks.timing import THREADS
from benchmarks.networks.trainings import trained
from benchmarks.networks.translation import STEPS, Runs, Share
from benchmarks.options import MODEL, Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import MIDDLE, middle, opaque, pictures, to_bytes
from benchmarks.rain.clear_streaks import FEWEST, find_streaks
from benchmarks.rain.left_in_photographs import INPUT, means_of, measured, report, rounded
from data_tools import RainSpec, add_rain
from rainnet import load
from rainnet.generate.translate import made_real
from rainnet.infer.derain import derain
from rainnet.models.base import Network
from rainnet.models.jrgr import JRGR
from rainopt import derain as solve
from rainopt import read_image, write_image
from rainopt.app.sheet import Row, write_sheet

MOST = 1024  # pixels a side: a crop of the training then shows a streak, not a part of one
SHOWN = 12  # rows of either sheet
SYNTHETIC = ("light", "medium", "heavy")

Rain = Annotated[Path | None, typer.Option("--rain", metavar="FILE.png", help="Write a sheet of translated rain.")]


@benchmark(__doc__)
def main(
    data: Data,
    runs: Runs,
    share: Share = 1.0,
    limit: Limit = None,
    sheet: Sheet = None,
    rain: Rain = None,
    target: Json = None,
) -> None:
    """Train, measure and show."""
    torch.set_num_threads(THREADS)
    learned, shown = halves(data / "photos", runs)
    folders = {name: runs / name for name in ("before", "after")}
    for name, (changes, stages) in cases(share, learned).items():
        trained("jrgr-small", changes, data / "clean", folders[name], stages)
    networks = {name: load(folder) for name, folder in folders.items()}
    files = pictures(shown)[:limit]
    methods: dict[str, Method] = {
        INPUT: lambda rainy: rainy,
        "rainopt": lambda rainy: solve(rainy).background,
        MODEL: by(MODEL),
        **{name: by(network) for name, network in networks.items()},
    }
    each = traces(files, methods)
    if not each:
        raise typer.BadParameter(
            "--data must hold photographs in which rain is seen; there is none among the second half"
        )
    means = means_of(each)
    report(means, len(each), {"no or hardly any rain seen": len(files) - len(each)}, {})
    if sheet:
        write_sheet(sheet, [row_of(read_image(file), networks) for file in files[:SHOWN]], cell=MIDDLE[::-1])
    after = networks["after"]
    if rain and isinstance(after, JRGR):
        write_sheet(rain, translated_rows(after, data, files), cell=MIDDLE[::-1])
    finish(
        {"benchmark": "net_translation_photos", "share": share, "steps": STEPS, "means": means, "each": each}, target
    )


def traces(files: Sequence[Path], methods: Mapping[str, Method]) -> dict[str, Any]:
    """Return the traces of each method on each photograph whose streaks are clear."""
    each: dict[str, Any] = {}
    for file in files:
        rainy = read_image(file)
        found = find_streaks(rainy)
        if found.directions and len(found.clear.row) >= FEWEST:
            results = {name: rounded(method(rainy)) for name, method in methods.items()}
            each[file.name], _ = measured(rainy, results, found)
    return each


def halves(folder: Path, runs: Path) -> tuple[Path, Path]:
    """Write every other photograph of a folder, reduced, to be learned from, and the others, to be looked at."""
    folders = runs / "learned", runs / "shown"
    for number, file in enumerate(pictures(folder)):
        target = folders[number % 2] / f"{file.stem}.png"
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, reduced(opaque(read_image(file))))
    return folders


def reduced(picture: np.ndarray) -> np.ndarray:
    """Return a picture of 8 bits with at most `MOST` pixels a side."""
    from PIL import Image

    small = Image.fromarray(picture if picture.shape[-1] != 1 else picture[..., 0])
    small.thumbnail((MOST, MOST), Image.Resampling.LANCZOS)
    return np.asarray(small)


def cases(share: float, learned: Path) -> dict[str, tuple[list[str], tuple[str, ...]]]:
    """Return what each training changes of the recipe, and which stages it has; all have as many steps."""
    first, second, third = (max(1, round(share * each)) for each in STEPS.values())
    steps = [f"stages.synthetic.steps={first}", f"stages.real.steps={second}", f"run.steps={third}"]
    return {
        "before": ([f"stages.real.steps={first + second + third}", "run.seed=0"], ("real",)),
        "after": ([*steps, f'data.unpaired_rainy=["{learned.resolve().as_posix()}"]', "run.seed=0"], ()),
    }


def by(network: Network | str) -> Method:
    """Return what a network makes of a picture."""
    return lambda rainy: derain(network, rainy, device="cpu").background


def row_of(rainy: np.ndarray, networks: Mapping[str, Network]) -> Row:
    """Return the middle of a photograph, and what the networks make of it."""
    made = [middle(to_bytes(by(network)(rainy))) for network in networks.values()]
    return Row([middle(rainy), *made], ["rainy", *networks])


def translated_rows(network: JRGR, data: Path, files: Sequence[Path]) -> list[Row]:
    """Return rows of rendered rain, the same as if it were real over the same clean picture, and a photograph."""
    rows = []
    for number, (file, photo) in enumerate(zip(pictures(data / "clean"), files[:SHOWN], strict=False)):
        clean, rng = middle(opaque(read_image(file))), np.random.default_rng([19, number])
        preset = SYNTHETIC[number % len(SYNTHETIC)]
        rainy = to_bytes(add_rain(clean, RainSpec.sample(preset, rng), rng).rainy)
        shown = [rainy, made_real(network, rainy, clean), middle(read_image(photo))]
        rows.append(Row(shown, [f"rendered, {preset}", "made real", f"real, {photo.stem}"]))
    return rows


if __name__ == "__main__":
    main()
