"""Derained video against its truth, beside peers: still and moving cameras, rain of ours and of others.

  ntu_a1          DIR/video/ntu_a1/rain against truth: a camera that moves, rain that others rendered; also over the
                  pixels under rain (brighter than the truth by more than 8 levels in a channel) and over the dry ones
  pedestrian      DIR/video/pedestrian_synthetic_rain.mat: grey frames of a still camera, a walker
  indoor_medium, indoor_heavy
                  our rain over frames 600 to 699 of DIR/video/clean_static_indoor.mp4, a still camera: one walks by
  handheld_medium, handheld_light, handheld_heavy, handheld_sharp
                  our rain over a photograph held in a hand; "sharp": with detail as fine as pixels
  pan             our rain over a photograph that moves by 4 pixels a frame
  zoom, zoom_sharp
                  our rain over a photograph that grows by 1 % a frame

Each is the input, `rainopt` (as the command derains a file with its own options: scenes, stretches of 120 frames),
the median of nine frames, the median of five frames that OpenCV's DIS flow (medium) aligns, and FastDeRain. PSNR and
SSIM are on the luma of y_matlab (of the pedestrian: on grey levels as they are, y_full), means over frames; SSIM over
at most 60 of them. "Darker" is the most pixels of a frame that are at least 40 levels of luma below the truth.

  python -m benchmarks.video.rows --data DIR --only ntu_a1 --only pan --json rows.json --save FOLDER
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Data, Json, benchmark
from benchmarks.video.cases import CASES
from benchmarks.video.clips import write_clip
from benchmarks.video.fastderain import derained_by_fastderain
from benchmarks.video.peers import flow_median, temporal_median
from benchmarks.video.program import derained_by_rainopt
from benchmarks.video.scores import scores
from rainopt.app.sheet import Row, write_sheet

METHODS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "input": lambda frames: frames,
    "rainopt": derained_by_rainopt,
    "median of 9": temporal_median,
    "flow median of 5": flow_median,
    "FastDeRain": derained_by_fastderain,
}
ALONE = ("input", "rainopt")  # without the peers
QUALITY = 10  # of the clips that are saved

Only = Annotated[list[str] | None, typer.Option("--only", metavar="NAME", help="Only this clip; may be repeated.")]
Peers = Annotated[bool, typer.Option("--peers/--no-peers", help="Whether the peers run, too: minutes.")]
Save = Annotated[
    Path | None, typer.Option("--save", metavar="FOLDER", help="Write the clips here, and a row of pictures of each.")
]


@benchmark(__doc__)
def main(data: Data, only: Only = None, peers: Peers = True, save: Save = None, target: Json = None) -> None:
    """Run the clips one after another, and print them as one table."""
    unknown = sorted(set(only or ()) - set(CASES))
    if unknown:
        raise typer.BadParameter(f"'{unknown[0]}' is none of {', '.join(CASES)}", param_hint="--only")
    results = {name: run(name, data, peers, save) for name in CASES if not only or name in only}
    print_rows(results, list(METHODS) if peers else list(ALONE))
    finish({"benchmark": "video_rows", "clips": results}, target)


def run(name: str, data: Path, peers: bool = True, save: Path | None = None) -> dict[str, Any]:
    """Return the scores and the seconds of each method on a clip."""
    case = CASES[name](data)
    found: dict[str, Any] = {"frames": len(case.clean)}
    shown = []
    for method in METHODS if peers else ALONE:
        start = time.perf_counter()
        result = METHODS[method](case.rainy)
        seconds = time.perf_counter() - start
        found[method] = scores(result, case) | {"seconds": seconds}
        shown.append(result[len(result) // 2])
        if save is not None:
            _save(save / f"{name}_{method.replace(' ', '_')}.mp4", result)
    if save is not None:
        _save(save / f"{name}_truth.mp4", case.clean)
        pictures = [*shown, case.clean[len(case.clean) // 2]]
        title = f"{name}: {', '.join(METHODS if peers else ALONE)}, truth"
        write_sheet(save / f"{name}.png", [Row(pictures, title=title)], width=case.clean.shape[2], overwrite=True)
    return found


def print_rows(results: dict[str, dict[str, Any]], methods: list[str]) -> None:
    """Print a row for each clip."""
    rows = (_row(name, found, methods) for name, found in results.items())
    print_table("Derained video, PSNR / SSIM on Y", ("clip", *methods), rows)


def _row(name: str, found: dict[str, Any], methods: list[str]) -> list[str]:
    cells = []
    for method in methods:
        one = found[method]
        text = f"{one['psnr']:.2f} / {one['ssim']:.4f}"
        if "psnr_rain" in one:
            text += f"\nrain {one['psnr_rain']:.1f}, dry {one['psnr_dry']:.1f}"
        if "darker" in one:
            text += f"\ndarker {one['darker']}"
        cells.append(f"{text}\n{one['seconds']:.1f} s" if method != "input" else text)
    return [name, *cells]


def _save(path: Path, frames: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    height, width = frames.shape[1:3]
    write_clip(path, iter(frames), height, width, quality=QUALITY)


if __name__ == "__main__":
    main()
