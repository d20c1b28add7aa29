"""Opening an image file: its decoder is found by what it holds, and whatever goes wrong is told by name."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from rainopt.io.images.boxes import read_brands
from rainopt.io.images.metadata import MAX_PIXELS, ImageFileError, ImageHeader, UnreadableImageError

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
# Above so many bytes, a picture that is so many times smaller in its file is a blank one made to fill the memory.
_LARGE, _MOST_PACKED = 384 << 20, 250


@contextmanager
def opened(path: Path) -> Iterator[tuple[BinaryIO, str, Any]]:
    """Open a file and find its decoder; within, whatever goes wrong becomes an error that names the file."""
    try:
        if path.is_dir():
            raise ImageFileError(f"'{path}' is a folder where an image file is expected; name a file in it")
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ImageFileError(f"'{path}' is a pipe or a device where an image file is expected; save it as a file")
        file = open(path, "rb")  # noqa: SIM115 - closed below; only what opening raises is to be caught here
    except FileNotFoundError:
        raise ImageFileError(f"'{path}' does not exist; check the name and the folder") from None
    except PermissionError:
        raise ImageFileError(f"'{path}' may not be read (permission denied); ask for the right to read it") from None
    except ImageFileError:
        raise
    except ValueError as error:
        raise ImageFileError(f"{str(path)!r} is no name that a file can have ({error}); check the name") from None
    except OSError as error:
        raise ImageFileError(
            f"'{path}' cannot be opened ({error.strerror or error}); check the name and the disk"
        ) from error
    with file:
        try:
            yield file, *_codec(file)
        except UnreadableImageError as error:
            raise ImageFileError(f"'{path}' {error}") from error
        except MemoryError as error:
            raise ImageFileError(f"'{path}' does not fit into memory; crop it, or reduce it first") from error
        # Decoders raise anything at all on damaged bytes: struct.error, SyntaxError, IndexError, cv2.error, ...
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise ImageFileError(f"'{path}' is truncated or damaged ({reason}); obtain a fresh copy") from error


def _codec(file: BinaryIO) -> tuple[str, ModuleType]:
    """Tell the format by the first bytes: suffixes are often wrong."""
    head = file.read(64)
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        from rainopt.io.images import png

        return "PNG", png
    if head.startswith(b"\xff\xd8\xff"):
        from rainopt.io.images import jpeg

        return "JPEG", jpeg
    if head.startswith(b"BM"):
        from rainopt.io.images import pillow

        return "BMP", pillow
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        from rainopt.io.images import webp

        return "WebP", webp
    if not head:
        raise UnreadableImageError("is empty (0 bytes); obtain a fresh copy")
    from rainopt.io.images import raw

    if raw.is_raw(file):
        return "RAW", raw
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        from rainopt.io.images import tiff

        return "TIFF", tiff
    brands = read_brands(head)
    if brands & {b"avif", b"avis"}:
        from rainopt.io.images import avif

        return "AVIF", avif
    if brands & _HEIC_BRANDS:
        from rainopt.io.images import heif

        return "HEIC", heif
    if head.startswith(b"GIF8"):
        raise UnreadableImageError("is a GIF picture or film; save the picture as PNG, or the film as a video")
    raise UnreadableImageError(
        "is not a PNG, JPEG, TIFF, WebP, AVIF, HEIC, BMP or raw image; convert it to one of these"
    )


def checked(header: ImageHeader) -> ImageHeader:
    """Return a header that makes sense; one that does not is an error."""
    if header.height < 1 or header.width < 1:
        raise UnreadableImageError(f"promises {header.height} x {header.width} pixels; obtain a fresh copy")
    if header.height * header.width > MAX_PIXELS:
        raise UnreadableImageError(
            f"has {header.height} x {header.width} pixels, above the limit of {MAX_PIXELS:,}; cut it into parts"
        )
    return header


def check_memory(header: ImageHeader, file: BinaryIO) -> None:
    """Refuse to build much from next to nothing."""
    built = header.height * header.width * header.pixel_bytes
    there = file.seek(0, 2)
    if built > _LARGE and built > _MOST_PACKED * there:
        raise UnreadableImageError(
            f"promises {header.height} x {header.width} pixels, {built:,} bytes, in a file of {there:,}, as only blank "
            "or made-up pictures do; crop it, or obtain a fresh copy"
        )
