"""The colours of videos said of pictures, and of pictures said of videos: what PNG and AVIF say in numbers of H.273."""

from __future__ import annotations

from rainopt.io import ImageMetadata
from rainopt.io.images.avif import chunks_of
from rainopt.io.video.marks import UNSPECIFIED, Marks

# Colours of plain video, which pictures are shown by without a word: BT.709 and BT.601, and all that say nothing.
_PLAIN_PRIMARIES, _PLAIN_TRANSFERS = {1, 2, 5, 6, 7}, {1, 2, 4, 5, 6, 7, 13, 14, 15}
BT2020 = 9


def metadata_of(marks: Marks) -> ImageMetadata | None:
    """Return what a picture made of a video's frames must say of its colours, None where they are plain ones."""
    if marks.primaries in _PLAIN_PRIMARIES and marks.transfer in _PLAIN_TRANSFERS:
        return None
    return ImageMetadata(colour=chunks_of(marks.primaries, marks.transfer))


def marks_of_picture(metadata: ImageMetadata) -> Marks:
    """Return what a video made of pictures must say of its colours; a profile of ICC cannot be said."""
    numbers = dict(metadata.colour).get("cICP")
    if numbers is None:
        return Marks()
    primaries, transfer = numbers[0], numbers[1]
    return Marks(primaries, transfer, BT2020 if primaries == BT2020 else UNSPECIFIED)
