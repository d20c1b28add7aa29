"""Small files of every image format, each with one thing to be carried into another format."""

from __future__ import annotations

import functools
import io
import struct
import zlib
from typing import Any

import numpy as np

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


@functools.cache
def profile() -> bytes:
    """Return an ICC profile, always the same: it names the second in which it was made."""
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
