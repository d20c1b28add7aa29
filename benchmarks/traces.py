"""What is left of rain in real photographs, which have no truth: traces where the clear streaks were.

DIR/photos holds rainy photographs. Clear streaks are found in each rainy picture alone, with `rainopt`'s own eyes (see
benchmarks/rain/clear_streaks.py); where no rain is seen, or fewer than 8 streaks are clear, the picture is left out and
counted. Across the same streaks, with 8 bits a channel as in a file, in the input and in each result, as shares in
[0, 1] of the luminance contrast that the streaks of the picture had, over what is 4 to 6 pixels to either side (see
benchmarks/rain/streak_profiles.py):

left     contrast that is still bright: 1 in the input, 0 where rain is gone
dark     what is darker than both sides
chroma   contrast of the channels less luminance, root mean square over the channels; beside it the same over that of
         the input: above 1, streaks have got a colour that the rain had not

Streaks that are 5 pixels wide and more, near the camera, are measured by themselves, at half the size (see
benchmarks/rain/wide_streaks.py), in photographs that show at least 4.

All are means over photographs. Even a perfect result is not at 0: the scene under a streak has a contrast of its own.
The truths of DIR/pairs, where these are there, tell how much that is. And they are fooled: a black picture has no
traces, a blurred one few, a smeared one fewer than a truthful one. What is kept more than 8 pixels away from all that
may be rain is told beside them:

detail   of the gradients of the input's luminance, 1 for the same picture, 0 for a flat one
PSNR     against the input in dB, 100 for the same picture; removing rain that was not found costs some

  python -m benchmarks.traces --data DIR --json results.json --sheet worst.png
  python -m benchmarks.traces --data DIR --model runs/mine --folder theirs=results/
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import MODEL, Data, Json, Limit, Sheet, benchmark
from benchmarks.pictures import pictures
from benchmarks.rain.left_in_photographs import CROP, INPUT, TRACES, look_at, means_of, of_truths, report, trace_cells
from rainnet.evaluate.methods import Results, find_methods
from rainopt.app.sheet import write_sheet

SHOWN = 24  # crops of the sheet

Models = Annotated[
    list[str] | None,
    typer.Option("--model", metavar="NAME", help="A file, or a network that ships; may be given several times."),
]
Folders = Annotated[
    list[str] | None,
    typer.Option("--folder", metavar="[NAME=]DIR", help="Results under the same names; may be given several times."),
]


@benchmark(__doc__)
def main(
    data: Data,
    model: Models = None,
    folder: Folders = None,
    limit: Limit = None,
    sheet: Sheet = None,
    target: Json = None,
) -> None:
    """Measure all photographs."""
    photos = pictures(data / "photos", limit) if (data / "photos").is_dir() else []
    if not photos:
        raise typer.BadParameter("--data must hold photographs in a folder 'photos'; see --help")
    if sheet and sheet.suffix.lower() != ".png":
        raise typer.BadParameter(f"--sheet must end in .png, got '{sheet}'")
    methods = methods_of(model or [MODEL])
    folders: dict[str, dict[str, Path]] = {}
    for one in folder or ():
        name, files = results_in(one, photos)
        if name in methods or name in folders:
            raise typer.BadParameter(f"--folder must have a name of its own, and there is a '{name}': NAME=DIR")
        folders[name] = files
    looked = look_at(photos, methods, folders)
    each, wide, left_out = looked.each, looked.wide, looked.left_out
    if not each:
        told = (left_out | {"failures": looked.failed}).items()
        why = ", ".join(f"{len(names)} with {reason}" for reason, names in told)
        raise typer.BadParameter(f"--data must hold photographs with clear streaks; 'photos' has none: {why}")
    means, truths = means_of(each), of_truths(data, limit)
    report(means, len(each), {why: len(names) for why, names in left_out.items()}, truths)
    of_near = means_of(wide) if wide else {}
    if wide:
        print_table(
            f"Wide streaks of {len(wide)} photographs", ("method", *TRACES, "over input's"), trace_cells(of_near)
        )
    if sheet:
        shown = [row for _, row in sorted(looked.worst, key=lambda one: -one[0])[:SHOWN]]
        write_sheet(sheet, shown, cell=(2 * CROP[1], 2 * CROP[0]))
    found_in = {"photographs": len(each), "means": means, "truths": truths, "left_out": left_out, "each": each}
    found_in |= {"wide": {"photographs": len(wide), "means": of_near, "each": wide}}
    finish({"benchmark": "traces", **found_in, "failed": looked.failed}, target)
    if looked.failed:
        raise typer.Exit(1)


def methods_of(networks: Sequence[str]) -> dict[str, Callable[[np.ndarray], Any]]:
    """Return what derains: the input as it is, `rainopt`, and networks.

    Raises
    ------
    typer.BadParameter
        If a word is no network.
    """
    try:
        found = find_methods([INPUT, "rainopt", *networks], device="cpu")
    except ValueError as error:  # no network of that name, or a file that is none
        raise typer.BadParameter(f"--model: {error}") from None
    methods: dict[str, Callable[[np.ndarray], Any]] = {}
    for one in found:
        if isinstance(one, Results):
            raise typer.BadParameter(f"--model must be a network, '{one.name}' is a folder of pictures: use --folder")
        methods[one.name] = one
    return methods


def results_in(word: str, photos: list[Path]) -> tuple[str, dict[str, Path]]:
    """Return the name of a folder of results, and its files by stem.

    Raises
    ------
    typer.BadParameter
        If there is no such folder, or a photograph has no result in it.
    """
    name, _, place = word.rpartition("=")
    folder = Path(place)
    if not folder.is_dir():
        raise typer.BadParameter(f"--folder must name a folder of results, got '{place}'")
    files = {file.stem: file for file in pictures(folder)}
    missing = [photo.name for photo in photos if photo.stem not in files]
    if missing:
        raise typer.BadParameter(f"--folder must hold a result of each photograph; '{place}' has none of {missing[0]}")
    return name or folder.name, files


if __name__ == "__main__":
    main()
