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

import io
import logging
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from benchmarks.common import finish, print_table
from benchmarks.options import Json, benchmark
from rainopt.app.results import OutputSettings
from rainopt.commands.derain_photo import derain_photo
from rainopt.still.settings import StillSettings

READ = (".png", ".jpg", ".tif", ".webp", ".avif", ".heic")
WRITTEN = (".png", ".jpg", ".tif", ".webp", ".avif")
NAMES = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WebP", ".avif": "AVIF", ".heic": "HEIC"}
HEIGHT, WIDTH = 48, 64
ARTIST, ORIENTATION = 315, 274
XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
    b'xmlns:xmp="http://ns.adobe.com/xap/1.0/" rdf:about="" xmp:Rating="4"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
)
IPTC = b"\x1c\x02\x78\x00\x05Storm" + b"\x1c\x02\x19\x00\x04rain"
BLOCK = b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0" * (len(IPTC) % 2)
GAMMA = struct.pack(">I", 100_000)


def scene(channels: int = 3) -> np.ndarray:
    """Return a picture with streaks on it, (H, W, channels) uint8."""
    rng = np.random.default_rng(0)
    grey = np.full((HEIGHT, WIDTH), 90.0)
    for column in rng.integers(2, WIDTH - 2, 20):
        top = rng.integers(0, HEIGHT - 14)
        grey[top : top + 14, column] += 80
    planes = [grey, grey * 0.9, grey * 0.8, np.linspace(40, 255, HEIGHT)[:, None] + 0 * grey]
    return np.stack(planes[:channels], axis=-1).astype(np.uint8)


def saved(suffix: str, array: np.ndarray, **options: Any) -> bytes:
    """Return the bytes of a file that Pillow or, HEIC, pillow-heif writes, 4:4:4."""
    from PIL import Image

    file = io.BytesIO()
    if suffix == ".heic":
        import pillow_heif

        mode = {3: "RGB", 4: "RGBA"}[array.shape[2]] + (";16" if array.dtype == np.uint16 else "")
        made = pillow_heif.from_bytes(mode=mode, size=array.shape[1::-1], data=array.tobytes())
        made.save(file, quality=-1, chroma=444, **options)
        return file.getvalue()
    full: dict[str, dict[str, Any]] = {
        ".jpg": {"subsampling": 0},
        ".webp": {"lossless": True},
        ".avif": {"subsampling": "4:4:4"},
    }
    Image.fromarray(array).save(file, Image.registered_extensions()[suffix], **full.get(suffix, {}), **options)
    return file.getvalue()


def tiff(array: np.ndarray, *tags: tuple[int, int, int, Any, bool]) -> bytes:
    """Return the bytes of a file that tifffile writes with tags."""
    import tifffile

    file = io.BytesIO()
    tifffile.imwrite(file, array, photometric="rgb", metadata=None, extratags=list(tags))
    return file.getvalue()


def with_chunk(png: bytes, name: bytes, data: bytes) -> bytes:
    """Return a PNG file with one more chunk behind its header."""
    crc = struct.pack(">I", zlib.crc32(name + data))
    return png[:33] + struct.pack(">I", len(data)) + name + data + crc + png[33:]


def exif(orientation: int = 1) -> bytes:
    """Return EXIF data with an artist and an orientation."""
    from PIL import Image

    made = Image.Exif()
    made[ARTIST], made[ORIENTATION] = "Rain", orientation
    return made.tobytes()


def profile() -> bytes:
    """Return an ICC profile."""
    from PIL import ImageCms

    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def deep(suffix: str) -> bytes | None:
    """Return a file of more than 8 bits."""
    import cv2

    array = scene().astype(np.uint16)
    if suffix == ".tif":
        return tiff(array * 257)
    if suffix == ".heic":
        return saved(suffix, array * 257)
    if suffix == ".png":
        return cv2.imencode(".png", (array * 257)[..., ::-1])[1].tobytes()
    if suffix == ".avif":
        return cv2.imencode(".avif", (array * 4)[..., ::-1], [cv2.IMWRITE_AVIF_DEPTH, 10])[1].tobytes()
    return None


def transparent(suffix: str) -> bytes | None:
    """Return a file with an alpha channel."""
    return None if suffix == ".jpg" else saved(suffix, scene(4))


def numbered(suffix: str) -> bytes | None:
    """Return a file that says in numbers, and no profile, that it is linear (PNG) or Display P3 (AVIF, HEIC)."""
    if suffix == ".png":
        return with_chunk(saved(suffix, scene()), b"gAMA", GAMMA)
    if suffix in (".avif", ".heic"):
        data = saved(suffix, scene())
        at = data.index(b"colrnclx") + 8
        return data[:at] + struct.pack(">HH", 12, 13) + data[at + 4 :]
    return None


def described(suffix: str) -> bytes:
    """Return a file with an XMP packet."""
    from PIL import PngImagePlugin

    if suffix == ".tif":
        return tiff(scene(), (700, 1, len(XMP), XMP, True))
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_itxt("XML:com.adobe.xmp", XMP.decode())
        return saved(suffix, scene(), pnginfo=info)
    return saved(suffix, scene(), xmp=XMP)


def captioned(suffix: str) -> bytes | None:
    """Return a file with IPTC data."""
    from PIL import PngImagePlugin

    if suffix == ".tif":
        return tiff(scene(), (33723, 7, len(IPTC), IPTC, True))
    if suffix == ".png":
        info = PngImagePlugin.PngInfo()
        info.add_text("Raw profile type iptc", f"\niptc\n{len(BLOCK):>8}\n{BLOCK.hex()}\n", zip=True)
        return saved(suffix, scene(), pnginfo=info)
    if suffix == ".jpg":
        data = saved(suffix, scene())
        return data[:2] + b"\xff\xed" + struct.pack(">H", len(BLOCK) + 2) + BLOCK + data[2:]
    return None


def turned(suffix: str) -> bytes:
    """Return a file that lies on its side and says so."""
    if suffix == ".tif":
        return tiff(scene(), (ORIENTATION, 3, 1, 6, True))
    return saved(suffix, scene(), exif=exif(6))


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
        finish({"formats": table, "count": dict(count)}, target)


if __name__ == "__main__":
    main()
