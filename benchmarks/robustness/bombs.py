"""Small files that ask for gigabytes, for hours, or for other files: is each refused, or done, within bounds?

Directories that lead in a circle, tags that share a value, streams that unpack to gigabytes, headers that promise more
than is there, scans without end, a pipe that nobody writes to, frames of 67 megapixels, a network whose config asks for
9.6 GB, lists of videos that name files elsewhere. Each is made here, and given to a command as a user would.

  python -m benchmarks.robustness.bombs
  python -m benchmarks.robustness.bombs --only tiff

Exit status: 0 all within bounds, 1 something beyond them, 2 wrong usage.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from benchmarks.robustness import bomb_files as made
from benchmarks.robustness.corpus import clip, pictures
from benchmarks.robustness.watched import Watched, command, watched

MEMORY = 3 * 2**29
SPARE = 2**30  # bytes beyond the limit at which a command is ended


@dataclass(frozen=True)
class Bomb:
    """A file, how it is made in a folder, and the command that gets it.

    Attributes
    ----------
    file
        Its name.
    make
        Writes it.
    words
        Program and arguments; INPUT is the file.
    refused
        Whether it has to be refused: it is no picture, and what it asks for is not the user's.
    """

    file: str
    make: Callable[[Path], object]
    words: tuple[str, ...] = ("rainopt", "derain", "INPUT", "-o", "out")
    refused: bool = False


def _bytes(data: Callable[[], bytes]) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data())


def _list(text: str) -> Callable[[Path], object]:
    return lambda path: made.beside_a_secret(path.parent.parent, path.name, text)


def _with_exif() -> bytes:
    return made.png(32, 32, made.plain_rows(32, 32), made.png_chunk(b"eXIf", made.exif_of_shared_values()))


ON_VIDEO = ("rainopt", "background", "INPUT", "-o", "out")
WITH_MODEL = ("rainnet", "derain", "photo.png", "-o", "out", "--model", "INPUT")
CONVERT = ("rainnet", "convert", "udgnet", "INPUT", "-o", "out.safetensors")
DEFLATED = {
    "png iCCP": (b"iCCP", b"profile\0\0"),
    "png zTXt": (b"zTXt", b"words\0\0"),
    "png iTXt": (b"iTXt", b"words\0\1\0\0\0"),
    "png XMP": (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
}
CONCAT = "ffconcat version 1.0\nfile 'SECRET'\n"
PLAYLIST = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nSECRET\n#EXT-X-ENDLIST\n"

BOMBS: dict[str, Bomb] = {
    "tiff circle": Bomb("a.tif", _bytes(made.tiff_in_a_circle)),
    "tiff shared values": Bomb("a.tif", _bytes(made.tiff_of_shared_values)),
    "tiff deflate": Bomb("a.tif", _bytes(made.tiff_deflated)),
    "tiff promise": Bomb("a.tif", _bytes(made.tiff_promising), refused=True),
    "exif shared values": Bomb(
        "a.png", _bytes(_with_exif), ("rainopt", "derain", "INPUT", "-a", "9", "-o", "out/a.tif")
    ),
    **{
        name: Bomb("a.png", _bytes(lambda chunk=chunk, head=head: made.png_with(chunk, head)))  # type: ignore[misc]
        for name, (chunk, head) in DEFLATED.items()
    },
    "png IDAT": Bomb("a.png", _bytes(lambda: made.png(32, 32, made.zeros(6 * made.GIGABYTE)))),
    "png promise": Bomb("a.png", _bytes(lambda: made.png(20_000, 20_000, made.plain_rows(32, 32))), refused=True),
    "bmp promise": Bomb("a.bmp", _bytes(made.bmp_promising), refused=True),
    "webp promise": Bomb("a.webp", _bytes(made.webp_promising), refused=True),
    "jpeg promise": Bomb("a.jpg", _bytes(made.jpeg_promising), refused=True),
    "jpeg scans": Bomb("a.jpg", _bytes(made.jpeg_of_many_scans)),
    "pipe as photo": Bomb("a.png", os.mkfifo, refused=True),
    "pipe as video": Bomb("a.mp4", os.mkfifo, refused=True),
    "pipe as model": Bomb("a.safetensors", os.mkfifo, WITH_MODEL, refused=True),
    "pipe as manifest": Bomb("manifest.jsonl", os.mkfifo, ("raindata", "verify", "INPUT"), refused=True),
    "pipe as recipe": Bomb("a.toml", os.mkfifo, ("rainnet", "train", "INPUT", "-o", "out"), refused=True),
    "pipe as checkpoint": Bomb("a.pth", os.mkfifo, CONVERT, refused=True),
    "video 8192": Bomb("a.mp4", made.large_video),
    "background 8192": Bomb("a.mp4", made.large_video, ON_VIDEO),
    "y4m promise": Bomb("a.y4m", _bytes(made.y4m_promising), refused=True),
    "model": Bomb("a.safetensors", _bytes(made.model_of_many_weights), WITH_MODEL, refused=True),
    "concat list": Bomb("a.mp4", _list(CONCAT), refused=True),
    "concat list, below": Bomb("a.mp4", _list(CONCAT.replace("SECRET", "BELOW")), refused=True),
    "concat list, background": Bomb("a.mp4", _list(CONCAT.replace("SECRET", "BELOW")), ON_VIDEO, refused=True),
    "playlist": Bomb("a.mp4", _list(PLAYLIST), refused=True),
    "playlist as m3u8": Bomb("a.m3u8", _list(PLAYLIST), refused=True),
}
"""Bombs by name."""


@benchmark(__doc__)
def main(
    only: Annotated[str | None, typer.Option(metavar="WORDS", help="Only bombs whose names begin so.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="What a command may take.")] = 30.0,
    json: Json = None,
) -> None:
    """Make each bomb, give it to its command, and tell what came of it."""
    chosen = {name: bomb for name, bomb in BOMBS.items() if name.startswith(only or "")}
    if not chosen:
        raise typer.BadParameter(f"must begin like one of {', '.join(BOMBS)}, got '{only}'", param_hint="--only")
    with tempfile.TemporaryDirectory(prefix="bombs-") as folder:
        _warm(Path(folder))
        found = {name: tried(bomb, Path(folder, name.replace(" ", "-")), seconds) for name, bomb in chosen.items()}
    rows, failures = [], 0
    for name, (size, ended, wrong) in found.items():
        outcome = ended.why or ("done" if ended.status == 0 else f"refused ({ended.status})")
        rows.append(
            [name, f"{size:,}", outcome, f"{ended.seconds:.1f}", f"{ended.peak / 2**30:.2f}", wrong or _said(ended)]
        )
        failures += bool(wrong)
    print_table("Bombs", ["bomb", "bytes", "outcome", "s", "GiB", "what"], rows)
    if json is not None:
        fields = {
            name: {
                "bytes": size,
                "status": ended.status,
                "seconds": ended.seconds,
                "peak_bytes": ended.peak,
                "wrong": wrong,
            }
            for name, (size, ended, wrong) in found.items()
        }
        finish({"benchmark": "bombs", "bombs": fields, "failures": failures}, json)
    raise typer.Exit(1 if failures else 0)


def _warm(folder: Path) -> None:
    """Run a command once, so that no bomb is charged with the compiling."""
    (folder / "photo.png").write_bytes(pictures()["rgb.png"])
    clip(folder / "clip.mp4")
    for words in (("rainopt", "derain", "photo.png", "-o", "out"), ("rainopt", "background", "clip.mp4", "-o", "out")):
        watched(command(*words), folder, seconds=300, most=MEMORY + SPARE)


def tried(bomb: Bomb, folder: Path, seconds: float) -> tuple[int, Watched, str]:
    """Return the size of a bomb, how its command ended, and what is wrong with that."""
    for name in ("in", "elsewhere"):
        (folder / name).mkdir(parents=True)
    (folder / "photo.png").write_bytes(pictures()["rgb.png"])
    bomb.make(folder / "in" / bomb.file)
    place = f"in/{bomb.file}"
    words = command(*(place if word == "INPUT" else word for word in bomb.words))
    ended = watched(words, folder, seconds=seconds, most=MEMORY + SPARE)
    left = sorted(path.relative_to(folder).as_posix() for path in (folder / "out").rglob("*") if path.is_file())
    return os.stat(folder / place).st_size, ended, _wrong(bomb, ended, left)


def _wrong(bomb: Bomb, ended: Watched, left: list[str]) -> str:
    if ended.why:
        return f"was ended: more {ended.why} than allowed"
    if ended.peak > MEMORY:
        return f"took {ended.peak / 2**30:.1f} GiB"
    if ended.status not in (0, 1, 2):
        return f"ended with status {ended.status}: {ended.said.strip()[-200:]}"
    if "Traceback" in ended.said:
        return f"traceback: {ended.said.strip()[-200:]}"
    if bomb.refused and ended.status == 0:
        return "was not refused"
    if ended.status and bomb.file not in ended.said:
        return f"the refusal does not name it: {ended.said.strip()[-200:]}"
    if ended.status and left:
        return f"was refused and left {left[0]}"
    return ""


def _said(ended: Watched) -> str:
    lines = [line for line in ended.said.splitlines() if line.strip()]
    return lines[-1].strip()[:150] if lines else ""


if __name__ == "__main__":
    main()
