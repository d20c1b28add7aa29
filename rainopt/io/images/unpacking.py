"""Packed data are unpacked no further than the header of their file promises."""

from __future__ import annotations

import lzma
import math
import zlib
from typing import Any, BinaryIO

from rainopt.io.images.metadata import UnreadableImageError

_DEFLATE, _LZMA = (8, 32946), (34925,)
# Deflate makes at most 1032 bytes of one; a segment that small can do no harm.
_HARMLESS = (64 << 20) // 1032
_STEP = 1 << 20
_SLACK = 1 << 16


def check_segments(file: BinaryIO, page: Any) -> None:
    """Refuse the page of a TIFF file whose strips or tiles hold much more than they are to hold.

    tifffile unpacks each of them whole, however much it is.
    """
    if page.compression not in (*_DEFLATE, *_LZMA):
        return
    most = math.prod(page.chunks) * page.dtype.itemsize + _SLACK
    for at, size in zip(page.dataoffsets, page.databytecounts, strict=True):
        if size > _HARMLESS or page.compression in _LZMA:
            file.seek(at)
            _check(file.read(size), most, page.compression in _LZMA)


def _check(packed: bytes, most: int, is_lzma: bool) -> None:
    unpacked = 0
    try:
        if is_lzma:
            strong = lzma.LZMADecompressor(memlimit=1 << 28)
            while not strong.eof and unpacked <= most:
                step = len(strong.decompress(packed, _STEP))
                packed, unpacked = b"", unpacked + step
                if not step and strong.needs_input:
                    break
        else:
            unpacker = zlib.decompressobj()
            while packed and not unpacker.eof and unpacked <= most:
                unpacked += len(unpacker.decompress(packed, _STEP))
                packed = unpacker.unconsumed_tail
    except lzma.LZMAError as error:
        raise UnreadableImageError(f"holds damaged LZMA data ({error}); obtain a fresh copy") from None
    except zlib.error:
        return  # the decoder proper will say so
    if unpacked > most:
        raise UnreadableImageError("is a damaged TIFF file: it holds more data than its header promises")
