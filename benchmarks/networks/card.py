"""The scores of a model card, as the commands print them: nothing chosen, nothing told that a user would not tell.

For each folder of DIR/pairs what `rainnet evaluate input rainopt MODEL --data DIR/pairs/SET` says, and with
`--ensemble 4` (protocol y_matlab); and mean PSNR over rain of the presets light and medium rendered over the truths of
those pairs. With --write, the table takes its place between the two markers of the card.

  python -m benchmarks.networks.card --data DIR --write rainnet/weights/README.md
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.networks.scenes import scenes
from benchmarks.options import MODEL, Data, Limit, Model, benchmark
from benchmarks.pictures import PROTOCOL, sets_of_pairs, to_bytes
from data_tools.layouts.read import read_dataset
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import Function, find_methods
from rainopt import psnr

TITLES = {"rain100l_dev": "Rain100L", "streaks": "medium rain with haze", "heavy": "very heavy rain"}
PRESETS = ("light", "medium")
ENSEMBLE = 4
BEGIN, END = "<!-- scores of {}: begin -->", "<!-- scores of {}: end -->"


def methods(model: str) -> list[Any]:
    """Return what is compared, each as its command would run it."""
    mirrored: Any = find_methods([model], device="cpu", ensemble=ENSEMBLE)[0]
    return [
        *find_methods(["input", "rainopt", model], device="cpu"),
        Function(f"the same, `--ensemble {ENSEMBLE}`", mirrored),
    ]


def table(data: Path, model: str, limit: int | None) -> list[str]:
    """Return the lines of the table."""
    compared = methods(model)
    known = list(TITLES)
    folders = sorted(sets_of_pairs(data), key=lambda f: known.index(f.name) if f.name in known else len(known))
    cells: dict[str, list[str]] = {method.name: [] for method in compared}
    titles = []
    for folder in folders:
        report = evaluate(compared, read_dataset(folder), (PROTOCOL,), limit=limit)
        titles.append(f"{TITLES.get(folder.name, folder.name)} ({report.pictures} pairs)")
        for method in report.methods:
            cells[method.name].append(f"{method.psnr(PROTOCOL):.2f} / {method.ssim(PROTOCOL):.3f}")
    rendered = {preset: scenes(data, preset, limit) for preset in PRESETS}
    titles.append(f"our {' / '.join(PRESETS)} rain over {len(rendered[PRESETS[0]])} unseen scenes")
    for method in compared:
        found = [
            statistics.fmean(psnr(_rounded(method(scene.rainy)), scene.clean, PROTOCOL) for scene in rendered[preset])
            for preset in PRESETS
        ]
        cells[method.name].append(" / ".join(f"{value:.1f}" for value in found))
    rows = [f"| {name} | {' | '.join(row)} |" for name, row in cells.items()]
    return [f"| | {' | '.join(titles)} |", "| --- |" + " --- |" * len(titles), *rows]


def _rounded(result: Any) -> np.ndarray:
    image = np.asarray(result)
    return image if image.dtype == np.uint8 else to_bytes(image)


def replaced(card: str, model: str, lines: list[str]) -> str:
    """Return a card with the table between its markers.

    Raises
    ------
    ValueError
        If the card has not both markers.
    """
    begin, end = BEGIN.format(model), END.format(model)
    before, found, rest = card.partition(begin)
    _, also, after = rest.partition(end)
    if not (found and also):
        raise ValueError(f"the card must hold the lines '{begin}' and '{end}'")
    return "\n".join([before + begin, "", *lines, "", end + after])


@benchmark(__doc__)
def main(
    data: Data,
    limit: Limit = None,
    model: Model = MODEL,
    write: Annotated[Path | None, typer.Option("--write", metavar="CARD.md", help="The card to change.")] = None,
) -> None:
    """Score a model for its card."""
    if not sets_of_pairs(data):
        raise typer.BadParameter("--data must hold sets of pairs in a folder 'pairs'; see --help")
    card = None if write is None else write.read_text(encoding="utf-8")
    if card is not None:
        replaced(card, model, [])  # that it has its markers is known before the work
    lines = table(data, model, limit)
    print("\n".join(lines))
    if write is not None and card is not None:
        write.write_text(replaced(card, model, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
