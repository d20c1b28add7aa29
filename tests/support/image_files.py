"""Pictures of every kind, and image files as other programs write them."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms

KINDS = {"grey": (), "grey+alpha": (2,), "rgb": (3,), "rgba": (4,)}
PNG_COLOURS = dict(zip(KINDS, (0, 4, 2, 6), strict=True))
MAKE, ARTIST, ORIENTATION, EXIF_IFD, GPS_IFD, EXPOSURE, NOTE = 271, 315, 274, 0x8769, 0x8825, 0x829A, 0x927C
TOLD = ("Maker", 1, 0.01, b"secret of the maker", [47.0, 22.0, 30.0])  # by `exif_bytes`, once upright
# What EXIF orientation 1 to 8 does to the stored pixels.
TURNS = {
    1: lambda a: a,
    2: np.fliplr,
    3: lambda a: np.rot90(a, 2),
    4: np.flipud,
    5: lambda a: np.swapaxes(a, 0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.swapaxes(np.rot90(a, 2), 0, 1),
    8: lambda a: np.rot90(a, 1),
}


def picture(kind="rgb", bits=8, size=(13, 21), seed=0):
    """Noise at 8 or 16 bits, or as float32 (32)."""
    rng = np.random.default_rng(seed)
    shape = (*size, *KINDS[kind])
    if bits == 32:
        return rng.random(shape, dtype=np.float32)
    return rng.integers(0, 2**bits, shape, dtype=f"uint{bits}")


def smooth(size=(24, 40), channels=3):
    """Waves, which lossy formats keep well; uint8."""
    y, x = np.mgrid[: size[0], : size[1]]
    planes = [128 + 100 * np.sin(x / 9 + c) * np.cos(y / 11 - c) for c in range(channels)]
    return np.stack(planes, axis=-1).astype(np.uint8).squeeze()


def srgb():
    """An ICC profile."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif_bytes(orientation=1, artist="Å. Rain", order="<"):
    """EXIF data with directories of their own for exposure and place."""
    exif = Image.Exif()
    exif.endian = order
    exif[MAKE], exif[ARTIST], exif[ORIENTATION] = "Maker", artist, orientation
    exif.get_ifd(EXIF_IFD).update({EXPOSURE: 0.01, NOTE: b"secret of the maker"})
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (47.0, 22.0, 30.0)})
    return exif.tobytes().removeprefix(b"Exif\0\0")


def parsed(data):
    """Return EXIF data as Pillow reads them."""
    exif = Image.Exif()
    exif.load(b"Exif\0\0" + data)
    return exif


def told(exif):
    """Return maker, orientation, exposure, maker's note and latitude, by EXIF data as bytes or as Pillow has them."""
    exif = parsed(exif) if isinstance(exif, bytes) else exif
    camera, latitude = exif.get_ifd(EXIF_IFD), exif.get_ifd(GPS_IFD)[2]
    note = camera.get(NOTE)
    return exif[MAKE], exif.get(ORIENTATION, 1), float(camera[EXPOSURE]), note, [float(part) for part in latitude]


def chunk(name, data):
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def plain_png(array, depth, colour, *extra, rows=None):
    """Return a PNG file by the specification, without a filter; ``rows`` replaces the bytes of the rows."""
    height, width = array.shape[:2]
    rows = rows or [row.astype(">u2" if depth == 16 else "u1").tobytes() for row in array]
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"\x89PNG\r\n\x1a\n" + b"".join([chunk(b"IHDR", head), *extra, chunk(b"IDAT", body), chunk(b"IEND", b"")])


def encoded(suffix, array, **options):
    """Return the bytes of a file that Pillow writes."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, Image.registered_extensions()[suffix], **options)
    return file.getvalue()


def saved(path, array, **options):
    """Write a file with Pillow."""
    path.write_bytes(encoded(path.suffix, array, **options))
    return path
