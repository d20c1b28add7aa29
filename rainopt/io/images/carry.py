"""What of a picture's metadata a format holds: carried, brought to another form that says the same, or told as lost."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from rainopt.io.images import exif as exif_data
from rainopt.io.images import profile, xmp
from rainopt.io.images.formats import AVIF, BMP, JPEG, JPEG_SEGMENT, PNG, TIFF, WEBP, Format
from rainopt.io.images.jpeg import XMP
from rainopt.io.images.metadata import ImageMetadata

_log = logging.getLogger(__name__)

_COLOUR_SPACES = {1: b"GRAY", 2: b"GRAY", 3: b"RGB ", 4: b"RGB "}
_PADDING = re.compile(rb"\s+(?=<\?xpacket end)")
_INCHES_A_METRE = 1 / 0.0254
_BMP_RESOLUTION = 0x7FFFFFFF  # the most pixels a metre that a BMP file can tell
# Names of what is told as lost.
_NAMES = {"icc": "the colour profile", "exif": "the EXIF data", "xmp": "the XMP data", "photoshop": "the IPTC data"}


class _Carrying:
    """What is left of the metadata, and what has to be told, while one is brought to the other."""

    def __init__(self, kind: Format, pixels: np.ndarray, metadata: ImageMetadata) -> None:
        channels = 1 if pixels.ndim == 2 else pixels.shape[2]
        self.kind = kind
        self.channels = channels + 2 if kind is WEBP and channels < 3 else channels
        self.lost: list[str] = []
        self.colour = dict(metadata.colour)
        self.icc = self._icc(metadata.icc)
        # EXIF data from elsewhere may still name a turn that the pixels do not need.
        self.exif = self._exif(exif_data.make_upright(metadata.exif)[0])
        self.xmp = self._xmp(metadata.xmp)
        self.photoshop = self._held("photoshop", metadata.photoshop)
        self.texts = self._texts(metadata.texts)
        self.resolution = self._resolution(metadata.resolution)

    def metadata(self) -> ImageMetadata:
        return ImageMetadata(
            self.icc,
            self.exif,
            self.resolution,
            tuple(self.colour.items()),
            self.xmp,
            self.photoshop,
            self.texts,
        )

    def _held(self, name: str, value: bytes | None) -> bytes | None:
        if value and name not in self.kind.keeps:
            self.lost.append(f"{_NAMES[name]}, which {self.kind.name} does not hold")
            return None
        return value

    def _icc(self, icc: bytes | None) -> bytes | None:
        """Return the profile, or one that says what colour chunks say; the chunks that stay are in `colour`."""
        if icc and icc[16:20] != _COLOUR_SPACES[self.channels]:
            self.lost.append("the colour profile, which is not one of its kind of pixels")
            icc = None
        icc = self._held("icc", icc)
        if self.kind is PNG or not self.colour:
            return icc
        colour, self.colour = self.colour, {}
        if self.kind is AVIF and "cICP" in colour:
            self.colour = {"cICP": colour["cICP"]}
            lost = [name for name in colour if name in ("mDCV", "cLLI")]
        else:
            # PNG lets cICP outrank the profile, and the profile all else.
            made = None if icc and "cICP" not in colour else profile.from_chunks(colour, grey=self.channels < 3)
            plain = made is not None and made == profile.srgb_profile(self.channels < 3)
            if "icc" in self.kind.keeps and made:
                icc = made
            told = made is not None and ("icc" in self.kind.keeps or plain)
            lost = [n for n in colour if n in ("mDCV", "cLLI") or (n == "cICP" and not told) or not (icc or told)]
        if lost:
            names = " and ".join(dict.fromkeys(lost))
            self.lost.append(f"what its file says of the colours ({names}), which {self.kind.name} does not hold")
        return icc

    def _exif(self, exif: bytes | None) -> bytes | None:
        exif = self._held("exif", exif)
        if exif and self.kind is JPEG and len(exif) > JPEG_SEGMENT:
            self.lost.append(f"the EXIF data: their {len(exif)} bytes are more than JPEG holds")
            return None
        if exif and self.kind is AVIF:
            # Pillow parses these, whatever that takes, and packs them anew where they name an orientation.
            exif = exif_data.without_orientation(exif)
            if exif is None:
                self.lost.append("the EXIF data, which are damaged")
        return exif

    def _xmp(self, packet: bytes | None) -> bytes | None:
        packet, left_out = xmp.make_upright(self._held("xmp", packet))
        self.lost += left_out
        room = JPEG_SEGMENT + len(exif_data.PREFIX) - len(XMP)
        if packet and self.kind is JPEG and len(packet) > room:
            packet = _PADDING.sub(b"\n", packet)
            if len(packet) > room:
                self.lost.append(f"the XMP data: their {len(packet)} bytes are more than JPEG holds")
                return None
        return packet

    def _texts(self, texts: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        if self.kind is PNG:
            return texts
        held = tuple(pair for pair in texts if self.kind is JPEG and pair[0] == "Comment")
        held = tuple(pair for pair in held if len(pair[1].encode()) <= JPEG_SEGMENT)
        lost = ", ".join(dict.fromkeys(keyword for keyword, text in texts if (keyword, text) not in held))
        if lost:
            self.lost.append(f"the texts ({lost}), which {self.kind.name} does not hold")
        return held

    def _resolution(self, resolution: tuple[float, float] | None) -> tuple[float, float] | None:
        """Return the resolution, which formats without a place for it hold as EXIF data."""
        if self.kind in (TIFF, BMP):
            resolution = resolution or exif_data.resolution_of(self.exif)
            if self.kind is BMP and resolution and max(resolution) * _INCHES_A_METRE > _BMP_RESOLUTION:
                self.lost.append("the resolution")
                return None
            return resolution
        if resolution and self.kind in (WEBP, AVIF):
            self.exif = exif_data.with_resolution(self.exif, resolution)
            if exif_data.resolution_of(self.exif) is None:
                self.lost.append("the resolution")
            return None
        return resolution


def holdable(path: Path, kind: Format, pixels: np.ndarray, metadata: ImageMetadata | None) -> ImageMetadata:
    """Return the metadata that the file can hold, and tell in one line what it cannot."""
    if metadata is None:
        return ImageMetadata()
    carrying = _Carrying(kind, pixels, metadata)
    lost = [note.removeprefix("without ") for note in metadata.notes if note.startswith("without ")] + carrying.lost
    told = [note for note in metadata.notes if not note.startswith("without ")]
    if lost:
        told.append("without " + "; without ".join(dict.fromkeys(lost)))
    if told:
        _log.warning("'%s' is written %s", path, "; ".join(told))
    return carrying.metadata()
