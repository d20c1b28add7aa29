"""What becomes of depth, alpha, colours and metadata when a picture of one format is derained into another.

Small files of every format are made by Pillow, tifffile, OpenCV and pillow-heif, each with one thing to be carried.
Every one is derained, as `rainopt derain` does it, into every format that is written, and the results are looked into
with those libraries again. Each cell says

  kept       the same is in the result
  converted  something that says the same: an ICC profile for PNG's gAMA, 16 bits for 10
  told       it is not there, and the log or the error says so
  LOST       it is not there, and nobody said so
  -          the format that is read does not hold it

  python -m benchmarks.formats --json results.json
"""

from __future__ import annotations

import logging
import struct
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.common import finish, print_table
from benchmarks.format_files import (
    ARTIST,
    GAMMA,
    HEIGHT,
    IPTC,
    ORIENTATION,
    WIDTH,
    XMP,
    captioned,
    deep,
    described,
    exif,
    numbered,
    profile,
    saved,
    scene,
    transparent,
    turned,
)
from benchmarks.options import Json, benchmark
from rainopt.app.results import OutputSettings
from rainopt.commands.derain_photo import derain_photo
from rainopt.still.settings import StillSettings

READ = (".png", ".jpg", ".tif", ".webp", ".avif", ".heic")
WRITTEN = (".png", ".jpg", ".tif", ".webp", ".avif")
NAMES = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WebP", ".avif": "AVIF", ".heic": "HEIC"}


def _open(path: Path) -> Any:
    from PIL import Image

    image = Image.open(path)
    image.load()
    return image


def _depth(path: Path) -> str:
    import tifffile

    if path.suffix == ".tif":
        with tifffile.TiffFile(path) as file:
            bits = file.pages.first.bitspersample
    else:
        bits = path.read_bytes()[24] if path.suffix == ".png" else 8
    return "kept" if bits == 16 else ""


def _alpha(path: Path) -> str:
    with _open(path) as image:
        return "kept" if image.mode == "RGBA" and np.ptp(np.asarray(image)[..., 3]) > 0 else ""


def _icc(path: Path) -> str:
    with _open(path) as image:
        return "kept" if image.info.get("icc_profile") == profile() else ""


def _numbers(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix == ".png":
        return "kept" if b"gAMA" + GAMMA in data or b"cICP" + bytes([12, 13, 0, 1]) in data else ""
    if path.suffix == ".avif" and b"colrnclx" + struct.pack(">HH", 12, 13) in data:
        return "kept"
    with _open(path) as image:
        return "converted" if image.info.get("icc_profile") else ""


def _exif(path: Path) -> str:
    with _open(path) as image:
        return "kept" if image.getexif().get(ARTIST) == "Rain" else ""


def _xmp(path: Path) -> str:
    with _open(path) as image:
        packet = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
        packet = packet.encode() if isinstance(packet, str) else packet
        return "kept" if packet == XMP else ""


def _iptc(path: Path) -> str:
    from PIL import IptcImagePlugin

    with _open(path) as image:
        if path.suffix == ".png":
            raw = image.text.get("Raw profile type iptc", "").split("\n", 3)[-1]
            return "kept" if IPTC in bytes.fromhex("".join(raw.split())) else ""
        return "kept" if b"Storm" in (IptcImagePlugin.getiptcinfo(image) or {}).values() else ""


def _orientation(path: Path) -> str:
    with _open(path) as image:
        return "kept" if image.size == (HEIGHT, WIDTH) and image.getexif().get(ORIENTATION, 1) == 1 else ""


Maker: TypeAlias = Callable[[str], bytes | None]
Inspector: TypeAlias = Callable[[Path], str]
# What is made, how it is found in a result, and what a word about its loss has to hold.
THINGS: dict[str, tuple[Maker, Inspector, tuple[str, ...]]] = {
    "depth": (deep, _depth, ("bits",)),
    "alpha": (transparent, _alpha, ("alpha",)),
    "ICC": (lambda suffix: saved(suffix, scene(), icc_profile=profile()), _icc, ("profile",)),
    "gamma chunks": (numbered, _numbers, ("colours",)),
    "EXIF": (lambda suffix: saved(suffix, scene(), exif=exif()), _exif, ("EXIF",)),
    "XMP": (described, _xmp, ("XMP",)),
    "IPTC": (captioned, _iptc, ("IPTC",)),
    "orientation": (turned, _orientation, ("turn",)),
}


class _Said(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def cell(thing: str, source: Path, target: Path) -> str:
    """Derain one file and tell what became of the thing in it."""
    _, inspect, words = THINGS[thing]
    said, log = _Said(), logging.getLogger("rainopt")
    before, log.propagate = log.propagate, False
    log.addHandler(said)
    try:
        record = derain_photo(source, target, StillSettings(angle=0.0), OutputSettings(overwrite=True))
    finally:
        log.removeHandler(said)
        log.propagate = before
    found = inspect(target) if record.status == "ok" else ""
    if thing == "depth" and found and source.suffix in (".avif", ".heic"):
        found = "converted"  # 10 bits become 16
    if found:
        return found
    return "told" if any(word in line for line in (*said.lines, record.error or "") for word in words) else "LOST"


@benchmark(__doc__)
def main(target: Json = None) -> None:
    """Make the files, derain them, print the table."""
    table: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for suffix in READ:
            made = {thing: maker(suffix) for thing, (maker, _, _) in THINGS.items()}
            for written in WRITTEN:
                row = table.setdefault(f"{NAMES[suffix]} to {NAMES[written]}", {})
                for thing, data in made.items():
                    row[thing] = "-"
                    if data is not None:
                        source = Path(folder, f"in{suffix}")
                        source.write_bytes(data)
                        row[thing] = cell(thing, source, Path(folder, f"out{written}"))
    print_table("What is carried", ["pair", *THINGS], [[name, *row.values()] for name, row in table.items()])
    count = Counter(word for row in table.values() for word in row.values())
    print(", ".join(f"{count[word]} {word}" for word in ("kept", "converted", "told", "LOST")))
    if target is not None:
        finish({"benchmark": "formats", "formats": table, "count": dict(count)}, target)


if __name__ == "__main__":
    main()
