"""The formats that are read and written, by suffix, and what each of those written holds."""

from __future__ import annotations

from dataclasses import dataclass

_ALL = frozenset({"icc", "exif", "xmp", "photoshop"})


@dataclass(frozen=True)
class Format:
    """What a file format holds."""

    name: str
    bits: tuple[int, ...]
    alpha: bool
    side: int  # pixels of the longest side that it holds
    keeps: frozenset[str] = _ALL  # of what `ImageMetadata` holds as bytes


PNG = Format("PNG", (8, 16), True, 2**31 - 1)
JPEG = Format("JPEG", (8,), False, 65_500)
TIFF = Format("TIFF", (8, 16, 32), True, 2**31 - 1)
WEBP = Format("WebP", (8,), True, 16_383, _ALL - {"photoshop"})
AVIF = Format("AVIF", (8,), True, 32_768, _ALL - {"photoshop"})
BMP = Format("BMP", (8,), False, 2**31 - 1, frozenset())
FORMATS = {".png": PNG, ".jpg": JPEG, ".jpeg": JPEG, ".jpe": JPEG, ".jfif": JPEG, ".tif": TIFF, ".tiff": TIFF}
FORMATS |= {".webp": WEBP, ".avif": AVIF, ".bmp": BMP}

JPEG_SEGMENT = 65_533 - 6  # bytes of EXIF data that fit

WRITABLE_SUFFIXES = frozenset(FORMATS)
"""Lower-case suffixes of the files that `write_image` writes."""

READABLE_SUFFIXES = WRITABLE_SUFFIXES | {".heic", ".heif", ".hif"}
"""Lower-case suffixes of the pictures that `read_image` reads, HEIC with the extra ``heif``."""

RAW_SUFFIXES = frozenset(
    {".3fr", ".arw", ".cr2", ".cr3", ".crw", ".dcr", ".dng", ".erf", ".fff", ".iiq", ".kdc", ".mef", ".mos", ".mrw"}
    | {".nef", ".nrw", ".orf", ".pef", ".raf", ".rw2", ".rwl", ".sr2", ".srf", ".srw", ".x3f"}
)
"""Lower-case suffixes of raw photographs, which `read_image` develops with the extra ``raw``."""
