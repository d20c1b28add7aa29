"""Video files opened as plain files, with a sentence for each way in which that fails."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from rainopt.io.unchanged import Stamp
from rainopt.io.video.common import VideoError, import_av, reason

# What FFmpeg calls the formats that hold all they show in one file. Others are lists of further files, which could be
# any of the computer: playlists (HLS, DASH), concatenations, numbered images, scripts.
_FORMATS_NAMES = (
    "asf av1 avi avs2 avs3 cavsvideo dhav dirac dnxhd dv evc flv gxf h261 h263 h264 hevc ivf ivr live_flv m4v "
    "matroska mjpeg mjpeg_2000 mov mpeg mpegts mpegvideo mtv mvi mxf nsv nut nuv obu ogg rm swf vc1 vc1test vvc "
    "webm wtv yuv4mpegpipe"
)
FORMATS = _FORMATS_NAMES.split()
_LISTS = (b"ffconcat", b"#EXTM3U", b"#EXTINF", b"<?xml", b"<MPD", b"<smil", b"[playlist]", b"file '", b"v=0")

MAX_PIXELS = 8192 * 4320
"""Pixels of a frame; larger ones are refused, since a small file can hold a frame of any size."""


def plain(path: Path) -> str:
    """Return a name that FFmpeg takes for a file whatever it looks like ("http:...", "concat:...", "%03d")."""
    return f"file:{os.path.abspath(path)}"


def open_container(path: Path) -> Any:
    """Open a video file for reading.

    Raises
    ------
    VideoError
        If there is no such file, it may not be read, is none (a pipe, say), is empty, is a list of other files, or is
        nothing that FFmpeg knows.
    """
    av = import_av()
    beginning = _check_readable(path)
    try:
        return av.open(
            plain(path),
            options={"max_pixels": str(MAX_PIXELS)},
            container_options={"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)},
            metadata_errors="replace",  # tags need not be UTF-8
        )
    except Exception as error:
        if beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_LISTS):
            raise VideoError(
                f"'{path}' cannot be read: it is a list that names other files, as playlists do; name those files"
            ) from None
        if _lacks_index(path):
            raise _without_index(path) from None
        raise VideoError(
            f"'{path}' cannot be read: it is no video file, or damaged at its beginning ({reason(error)}); "
            "check what it holds, or obtain a fresh copy"
        ) from error


def stamp_of(path: Path) -> Stamp:
    """Return the stamp of a video file.

    Raises
    ------
    VideoError
        As `open_container`, if there is no such file to be read.
    """
    _check_readable(path)
    return Stamp.of(path)


def picture_stream(path: Path, container: Any) -> Any:
    """Return the first stream of moving pictures.

    Raises
    ------
    VideoError
        If there is none, its codec is unknown, or its frames are larger than `MAX_PIXELS`.
    """
    cover = import_av().stream.Disposition.attached_pic
    for stream in container.streams.video:
        if stream.disposition & cover:
            continue
        if stream.codec_context is None:
            raise VideoError(
                f"'{path}' cannot be read: its pictures are coded in a way that PyAV cannot decode; convert it, to "
                "H.264 for instance"
            )
        height, width = stream.codec_context.height, stream.codec_context.width
        if height * width > MAX_PIXELS:
            raise VideoError(
                f"'{path}' has frames of {height} x {width} pixels, above the limit of {MAX_PIXELS:,}; make it smaller"
            )
        # Also where the size grows in mid-stream.
        stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
        return stream
    if not container.streams and _lacks_index(path):
        raise _without_index(path)
    held = "only a cover picture and sound" if container.streams.video else "sound only"
    if not container.streams.video and not container.streams.audio:
        held = "neither pictures nor sound"
    raise VideoError(f"'{path}' holds {held}; name a file that holds moving pictures")


def _check_readable(path: Path) -> bytes:
    """Return the first bytes of a file."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a pipe would wait for a writer
            raise VideoError(f"'{path}' is no regular file (a pipe or a device); save it as one and name that")
        with open(path, "rb") as file:
            beginning = file.read(64)
    except FileNotFoundError:
        raise VideoError(f"'{path}' does not exist; check the name and the folder") from None
    except PermissionError:
        raise VideoError(f"'{path}' may not be read (permission denied); ask for the right to read it") from None
    except OSError as error:
        raise VideoError(
            f"'{path}' cannot be opened ({error.strerror or error}); check the name and the disk"
        ) from error
    if not beginning:
        raise VideoError(f"'{path}' is empty (0 bytes); obtain a fresh copy")
    return beginning


def _without_index(path: Path) -> VideoError:
    return VideoError(
        f"'{path}' cannot be read: its index (the 'moov' box) is missing, as when a recording is interrupted or a copy "
        "incomplete; obtain a fresh copy, or repair it with a tool that rebuilds the index"
    )


def _lacks_index(path: Path) -> bool:
    """Tell whether a file begins as MP4 does and none of its outer boxes is the whole index."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        place, kinds = 0, list[bytes]()
        while place + 8 <= end and len(kinds) < 10_000:
            file.seek(place)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if size < 8 or place + size > end:
                break
            kinds.append(kind)
            place += size
    return kinds[:1] == [b"ftyp"] and b"moov" not in kinds
