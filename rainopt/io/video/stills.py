"""The colours of videos said of pictures, and of pictures said of videos: what PNG and AVIF say in numbers of H.273."""

from __future__ import annotations

import struct

from rainopt.io import ImageMetadata
from rainopt.io.images.avif import chunks_of
from rainopt.io.images.profile import PRIMARIES, build_profile
from rainopt.io.video.marks import UNSPECIFIED, Marks

# Colours of plain video, which pictures are shown by without a word: BT.709 and BT.601, and all that say nothing.
_PLAIN_PRIMARIES, _PLAIN_TRANSFERS = {1, 2, 5, 6, 7}, {1, 2, 4, 5, 6, 7, 13, 14, 15}
BT2020, DISPLAY_P3, SRGB_CURVE = 9, 12, 13


def metadata_of(marks: Marks) -> ImageMetadata | None:
    """Return what a picture made of a video's frames must say of its colours, None where they are plain ones."""
    if marks.primaries in _PLAIN_PRIMARIES and marks.transfer in _PLAIN_TRANSFERS:
        return None
    return ImageMetadata(colour=chunks_of(marks.primaries, marks.transfer))


def marks_of_picture(metadata: ImageMetadata) -> Marks:
    """Return what a video made of pictures must say of its colours: what they say in numbers, or by a profile of P3."""
    numbers = dict(metadata.colour).get("cICP")
    if numbers is not None:
        primaries, transfer = numbers[0], numbers[1]
        return Marks(primaries, transfer, BT2020 if primaries == BT2020 else UNSPECIFIED)
    return Marks(DISPLAY_P3, SRGB_CURVE) if _has_primaries(metadata.icc, DISPLAY_P3) else Marks()


def holds_profile(metadata: ImageMetadata) -> bool:
    """Tell whether a video says what the profile of a picture says, if it has one: it is of sRGB or of Display P3."""
    icc = metadata.icc
    return icc is None or "cICP" in dict(metadata.colour) or any(_has_primaries(icc, k) for k in (1, DISPLAY_P3))


def _has_primaries(icc: bytes | None, primaries: int) -> bool:
    """Tell whether a profile has the red and the green that H.273 numbers so."""
    wanted = build_profile("", PRIMARIES[primaries], (2.2,), False)
    pairs = [(_colour(icc or b"", name), _colour(wanted, name)) for name in (b"rXYZ", b"gXYZ")]
    return all(
        one is not None and other is not None and max(abs(a - b) for a, b in zip(one, other, strict=True)) < 0.003
        for one, other in pairs
    )


def _colour(icc: bytes, name: bytes) -> tuple[float, ...] | None:
    """Return X, Y and Z of a colour that a profile has under a name of four letters."""
    try:
        (count,) = struct.unpack_from(">I", icc, 128)
        for number in range(min(count, 100)):
            found, offset, _ = struct.unpack_from(">4sII", icc, 132 + 12 * number)
            if found == name:
                return tuple(value / 65536 for value in struct.unpack_from(">3i", icc, offset + 8))
    except struct.error:
        pass
    return None
