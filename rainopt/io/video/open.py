"""Video files opened as plain files, with a sentence for each way in which that fails."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from rainopt.io.video.common import VideoError, import_av, reason


def plain(path: Path) -> str:
    """Return a name that FFmpeg takes for a file whatever it looks like ("http:...", "concat:...", "%03d")."""
    return f"file:{os.path.abspath(path)}"


def open_container(path: Path) -> Any:
    """Open a video file for reading.

    Raises
    ------
    VideoError
        If there is no such file, it may not be read, is empty, or is nothing that FFmpeg knows.
    """
    av = import_av()
    _check_readable(path)
    try:
        # Playlists could make FFmpeg ask the network; tags need not be UTF-8.
        return av.open(plain(path), container_options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except Exception as error:
        if _lacks_index(path):
            raise VideoError(
                f"'{path}' cannot be read: its index (the 'moov' box) is missing, as when a recording is interrupted "
                "or a copy incomplete; obtain a fresh copy, or repair it with a tool that rebuilds the index"
            ) from None
        raise VideoError(
            f"'{path}' cannot be read: it is no video file, or damaged at its beginning ({reason(error)}); "
            "check what it holds, or obtain a fresh copy"
        ) from error


def picture_stream(path: Path, container: Any) -> Any:
    """Return the first stream of moving pictures.

    Raises
    ------
    VideoError
        If there is none, or its codec is unknown.
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
        return stream
    held = "only a cover picture and sound" if container.streams.video else "sound only"
    if not container.streams.video and not container.streams.audio:
        held = "neither pictures nor sound"
    raise VideoError(f"'{path}' holds {held}; name a file that holds moving pictures")


def _check_readable(path: Path) -> None:
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except FileNotFoundError:
        raise VideoError(f"'{path}' does not exist; check the name and the folder") from None
    except PermissionError:
        raise VideoError(f"'{path}' may not be read (permission denied); ask for the right to read it") from None
    except OSError as error:
        raise VideoError(
            f"'{path}' cannot be opened ({error.strerror or error}); check the name and the disk"
        ) from error
    if empty:
        raise VideoError(f"'{path}' is empty (0 bytes); obtain a fresh copy")


def _lacks_index(path: Path) -> bool:
    """Tell whether a file begins as MP4 does and none of its outer boxes is the index."""
    with open(path, "rb") as file:
        end = file.seek(0, os.SEEK_END)
        place, kinds = 0, list[bytes]()
        while place + 8 <= end and len(kinds) < 10_000:
            file.seek(place)
            head = file.read(16)
            size, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            kinds.append(kind)
            if size < 8:
                break
            place += size
    return kinds[:1] == [b"ftyp"] and b"moov" not in kinds
