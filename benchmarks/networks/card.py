"""The scores of a model card, as the commands print them: nothing chosen, nothing told that a user would not tell.

For each folder of DIR/pairs what `rainnet evaluate input rainopt MODEL --data DIR/pairs/SET` says, and with
`--ensemble 4` (protocol y_matlab); and mean PSNR over rain of the presets light and medium rendered over the truths of
those pairs. With --write, the table takes its place between the two markers of the card, and the same scores go to a
file beside the model, NAME.scores.json, where `rainnet list` reads them.

  python -m benchmarks.networks.card --data DIR --write rainnet/weights/README.md
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.networks.scenes import scenes
from benchmarks.options import MODEL, Data, Limit, Model, benchmark
from benchmarks.pictures import PROTOCOL, sets_of_pairs, to_bytes
from data_tools.layouts.read import read_dataset
from rainnet.evaluate.compare import MethodReport, evaluate
from rainnet.evaluate.methods import Function, find_methods
from rainnet.weights.checkpoint import resolve
from rainnet.weights.scores import Mean, SetScores, write_scores
from rainopt import psnr

TITLES = {"rain100l_dev": "Rain100L", "streaks": "medium rain with haze", "heavy": "very heavy rain"}
PRESETS = ("light", "medium")
ENSEMBLE = 4
RENDERED = "rendered_"  # begins the names of sets of our rain over clean pictures
BEGIN, END = "<!-- scores of {}: begin -->", "<!-- scores of {}: end -->"


def methods(model: str) -> list[Any]:
    """Return what is compared, each as its command would run it."""
    mirrored: Any = find_methods([model], device="cpu", ensemble=ENSEMBLE)[0]
    return [*find_methods(["input", "rainopt", model], device="cpu"), Function(_with_ensemble(model), mirrored)]


def measured(data: Path, model: str, limit: int | None) -> Iterator[SetScores]:
    """Yield the scores of each set of pairs, and of rain rendered over their truths."""
    compared = methods(model)
    known = list(TITLES)
    folders = sorted(sets_of_pairs(data), key=lambda f: known.index(f.name) if f.name in known else len(known))
    for folder in folders:
        report = evaluate(compared, read_dataset(folder), (PROTOCOL,), limit=limit)
        title = TITLES.get(folder.name, folder.name)
        yield SetScores(folder.name, title, report.pictures, PROTOCOL, tuple(map(_mean, report.methods)))
    for preset in PRESETS:
        rendered = scenes(data, preset, limit)
        found = {
            method.name: statistics.fmean(
                psnr(_rounded(method(scene.rainy)), scene.clean, PROTOCOL) for scene in rendered
            )
            for method in compared
        }
        means = tuple(Mean(name, value) for name, value in found.items())
        yield SetScores(RENDERED + preset, f"our {preset} rain over unseen scenes", len(rendered), PROTOCOL, means)


def table(model: str, scores: Sequence[SetScores]) -> list[str]:
    """Return the lines of the table: a column for each set of pairs, and one for all rendered rain."""
    sets = [one for one in scores if not one.name.startswith(RENDERED)]
    rendered = [one for one in scores if one.name.startswith(RENDERED)]
    titles = [f"{one.title} ({one.pictures} pairs)" for one in sets]
    titles.append(
        f"our {' / '.join(one.name.removeprefix(RENDERED) for one in rendered)} rain over {rendered[0].pictures} "
        "unseen scenes"
    )
    names = {mean.method: mean.method for mean in scores[0].means}
    names[_with_ensemble(model)] = f"the same, `--ensemble {ENSEMBLE}`"
    rows = []
    for method, shown in names.items():
        found = [one.of(method) for one in sets]
        cells = [f"{mean.psnr:.2f} / {mean.ssim:.3f}" for mean in found if mean is not None]
        last = [one.of(method) for one in rendered]
        cells.append(" / ".join(f"{mean.psnr:.1f}" for mean in last if mean is not None))
        rows.append(f"| {shown} | {' | '.join(cells)} |")
    return [f"| | {' | '.join(titles)} |", "| --- |" + " --- |" * len(titles), *rows]


def _mean(report: MethodReport) -> Mean:
    fidelity = report.psnr(PROTOCOL)
    if fidelity is None:
        raise ValueError(f"'{report.name}' has no score: {report.failures[0].error if report.failures else 'no truth'}")
    return Mean(report.name, fidelity, report.ssim(PROTOCOL))


def _with_ensemble(model: str) -> str:
    return f"{model} --ensemble {ENSEMBLE}"


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
    scores = list(measured(data, model, limit))
    lines = table(model, scores)
    print("\n".join(lines))
    if write is not None and card is not None:
        write.write_text(replaced(card, model, lines), encoding="utf-8")
        write_scores(resolve(model), scores)


if __name__ == "__main__":
    main()
