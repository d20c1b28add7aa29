"""Digests of what the public functions return, so that two trees of this project can be held against each other.

DIR holds the folders photos, pairs, clean and video; see benchmarks/README.md. The rows are

  derain, rainnet.derain   twenty rainy pictures, the network at most 700 x 700 pixels of each
  derain strength, angle   the same function with its settings
  percentile_background    sixty frames of two clips
  add_rain                 twenty clean photographs, the presets light, medium and heavy in turn
  rain_video               frames of a clean clip under each preset
  rainopt derain           the command on the beginning of two clips: the frames that its results hold. The second has
                           no rain and would be left as it is, so the command is told an angle

Pixels and numbers are compared to the last bit, so both trees have to run on one computer with the same libraries. The
tree that is looked at is the one in the working directory; an older one can be looked at with this very file:

  python -m benchmarks.digests --data DIR -o before.json
  python -m benchmarks.digests --data DIR --against before.json
  python /another/tree/benchmarks/digests.py --data DIR -o before.json
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

CLIPS = ("rain_yard.mp4", "clean_static_indoor.mp4")
PRESETS = ("light", "medium", "heavy")
DERAINED = 40  # frames of each clip, of which the command makes one file
LARGEST = 700  # pixels of a side that the network is given

# No other file of this package is imported, so that this one runs in trees that do not have it.
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


def digest(*arrays: Any) -> str:
    """Return 16 hexadecimal digits of dtypes, shapes and values."""
    found = hashlib.sha256()
    for array in map(np.ascontiguousarray, arrays):
        found.update(str((array.dtype.str, array.shape)).encode())
        found.update(array.tobytes())
    return found.hexdigest()[:16]


def rows(data: Path) -> Iterator[tuple[str, str]]:
    """Yield what was called, and the digest of what it returned."""
    yield from of_pictures(data)
    yield from of_clips(data / "video")
    yield from of_rendered(data)
    yield from of_command(data / "video")


def of_pictures(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of the solver and of the network that ships."""
    import rainnet
    import rainopt

    photos = sorted((data / "photos").iterdir())[::6][:16]
    for name in ("streaks", "heavy"):
        photos += sorted((data / "pairs" / name / "rain").iterdir())[:2]
    network = rainnet.load("udgnet-small")
    for file in photos:
        image = rainopt.read_image(file)
        solved = rainopt.derain(image)
        yield f"derain {file.name}", digest(solved.background, solved.rain, np.float64(solved.angle))
        learned = rainnet.derain(network, image[:LARGEST, :LARGEST])
        yield f"rainnet.derain {file.name}", digest(learned.background, learned.rain)
    solved = rainopt.derain(rainopt.read_image(photos[0]), strength=1.5, veil=True)
    yield "derain strength veil", digest(solved.background, solved.rain, solved.veil)
    solved = rainopt.derain(rainopt.read_image(photos[1]), angle=-60.0, weights=rainopt.UDGWeights(), tile=256)
    yield "derain angle weights tile", digest(solved.background, solved.rain)


def of_clips(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of the background."""
    import rainopt

    for clip in CLIPS:
        b = rainopt.percentile_background(rainopt.read_frames(folder / clip, count=60))
        yield f"percentile_background {clip}", digest(b.image, b.seen, b.darker, b.spread, b.mode, b.votes)


def of_rendered(data: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of rendered rain."""
    import rainopt
    from data_tools import RainSpec, add_rain, rain_video

    for k, file in enumerate(sorted((data / "clean").iterdir())[::5][:20]):
        rng = np.random.default_rng(k)
        spec = RainSpec.sample(PRESETS[k % 3], rng)
        rainy, rain, _ = add_rain(rainopt.read_image(file), spec, rng)
        yield f"add_rain {file.name}", digest(rainy, rain)
    clean = rainopt.read_frames(data / "video" / CLIPS[1], count=8)
    for k, preset in enumerate(PRESETS):
        rng = np.random.default_rng(k)
        frames = list(rain_video(clean, RainSpec.sample(preset, rng), rng, fps=25, exposure=1 / 50))
        yield f"rain_video {preset}", digest(*(part for f in frames for part in (f.rainy, f.rain, f.mask)))


def of_command(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the rows of the command on clips."""
    import rainopt

    with tempfile.TemporaryDirectory() as place:
        for clip in CLIPS:
            source, target = Path(place) / clip, Path(place) / f"derained_{clip}"
            cut(folder / clip, source, DERAINED)
            options = ["--angle", "5"] if clip.startswith("clean") else []
            words = [sys.executable, "-m", "rainopt", "derain", str(source), "-o", str(target), *options]
            subprocess.run(words, check=True, capture_output=True)
            yield " ".join(["rainopt derain", clip, *options]), digest(rainopt.read_frames(target))


def cut(source: Path, target: Path, count: int) -> None:
    """Write the first frames of a clip, as they are coded."""
    import av

    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        pictures = whole.streams.video[0]
        copied = part.add_stream_from_template(pictures)
        packets = (packet for packet in whole.demux(pictures) if packet.dts is not None)
        for packet, _ in zip(packets, range(count), strict=False):
            packet.stream = copied
            part.mux(packet)


def differing(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """Return the rows of ``before`` that are not the same now; what only the other tree has is none of them."""
    return [row for row, value in before.items() if now.get(row) != value]


@app.command(help="\n\n".join(f"\b\n{paragraph}" for paragraph in (__doc__ or "").split("\n\n")))
def main(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The folder of pictures.")],
    out: Annotated[Path | None, typer.Option("-o", "--out", metavar="FILE", help="Write the digests here.")] = None,
    against: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with these; exit status 1 if a row differs.")
    ] = None,
) -> None:
    """Make the digests, and write or compare them."""
    found = {}
    for row, value in rows(data):
        found[row] = value
        typer.echo(f"{value}  {row}")
    if out is not None:
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    if against is not None:
        before = json.loads(against.read_text(encoding="utf-8"))
        bad = differing(before, found)
        typer.echo("\n".join([f"{len(before) - len(bad)} rows are the same, {len(bad)} differ", *bad]))
        raise typer.Exit(bool(bad))


if __name__ == "__main__":
    sys.path[0] = str(Path.cwd())  # was the folder of this file, where it is run by its path
    app()
