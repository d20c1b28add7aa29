"""HEIC and HEIF, read by pillow-heif (extra ``heif``), at 8 bits or, where there are more, at 16."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from rainopt.io.images import xmp
from rainopt.io.images.avif import chunks_of
from rainopt.io.images.exif import damage, make_upright
from rainopt.io.images.metadata import ImageHeader, ImageMetadata, UnreadableImageError, straight, to_16_bits


def _open(file: BinaryIO) -> Any:
    try:
        import pillow_heif
    except ImportError as error:
        raise UnreadableImageError(
            f"is a HEIC picture, and reading it needs pillow-heif ({error}): pip install 'rainopt[heif]'; or export it "
            "as JPEG"
        ) from error
    file.seek(0)
    return pillow_heif.open_heif(file, convert_hdr_to_8bit=False)


def read_header(file: BinaryIO) -> ImageHeader:
    """Read the size and metadata of the first picture; the decoder turns it upright itself."""
    pictures = _open(file)
    info = pictures.info
    width, height = pictures.size
    packet, told = xmp.make_upright(info.get("xmp"))
    left_out = list(told)
    kinds = " ".join(map(str, info.get("aux") or {})).lower()
    if "hdrgainmap" in kinds or "21496" in kinds:
        left_out.append("the gain map")
    if info.get("depth_images"):
        left_out.append("the depth map")
    if len(pictures) > 1:
        left_out.append(f"the {len(pictures) - 1} further pictures of its file")
    numbers = info.get("nclx_profile") or {}
    icc = info.get("icc_profile") or None
    colour = () if icc else chunks_of(numbers.get("color_primaries", 2), numbers.get("transfer_characteristics", 2))
    exif = make_upright(info.get("exif"))[0]
    notes = (*damage(info.get("exif"), exif), *(f"without {what}" for what in dict.fromkeys(left_out)))
    metadata = ImageMetadata(icc, exif, None, colour, packet, notes=notes)
    return ImageHeader(height, width, 1, 1, metadata, 8 if info.get("bit_depth", 8) > 8 else 4)


def read_pixels(file: BinaryIO, header: ImageHeader) -> np.ndarray:
    """Decode to grey or RGB, with straight alpha where there is one."""
    pictures = _open(file)
    picture = pictures[pictures.primary_index]
    pixels = np.asarray(picture)
    if pixels.dtype == np.uint16:
        depth = int(picture.info["bit_depth"])
        pixels = to_16_bits(pixels >> (16 - depth), depth)
    return straight(pixels.copy()) if picture.premultiplied_alpha else pixels
