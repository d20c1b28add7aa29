"""Which files are videos, and the containers that are written, by suffix."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from rainopt.io.images.formats import RAW_SUFFIXES, READABLE_SUFFIXES

_SUFFIXES = (
    ".mp4 .m4v .mov .qt .mkv .mk3d .webm .avi .divx .xvid .amv .mpg .mpeg .mpe .mpv .mp2v .m1v .m2v .m2p .vob .vro .ts "
    ".mts .m2ts .m2t .trp .tp .tod .wmv .asf .wtv .flv .f4v .3gp .3gpp .3g2 .3gp2 .ogv .ogm .dv .mxf .gxf .nut .y4m "
    ".mjpeg .mjpg .h264 .264 .avc .h265 .265 .hevc .ivf .rm .rmvb .dav .insv .lrv"
)

VIDEO_SUFFIXES = frozenset(_SUFFIXES.split())
"""Lower-case suffixes of the files that are taken for videos."""


@dataclass(frozen=True)
class Container:
    """A container as FFmpeg names it, what its pictures are coded with, and its time base where it has but one."""

    format: str
    codec: str = "libx264"
    time_base: Fraction | None = None


CONTAINERS = {
    ".mp4": Container("mp4"),
    ".m4v": Container("mp4"),
    ".mov": Container("mov"),
    ".mkv": Container("matroska", time_base=Fraction(1, 1000)),
    ".webm": Container("webm", "libvpx-vp9", Fraction(1, 1000)),
    ".nut": Container("nut"),
}
"""The containers that are written, by lower-case suffix."""

WRITABLE_SUFFIXES = frozenset(CONTAINERS)
"""Lower-case suffixes of the videos that are written."""


def is_video(path: str | os.PathLike[str]) -> bool:
    """Tell whether a path names a video file; a folder is none.

    The suffix says so. The content is looked at where the suffix is neither that of a video nor of a picture.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in VIDEO_SUFFIXES | READABLE_SUFFIXES | RAW_SUFFIXES:
        return suffix in VIDEO_SUFFIXES and not os.path.isdir(path)
    return os.path.isfile(path) and not _is_picture(path) and _holds_video(path)


def _is_picture(path: Path) -> bool:
    from rainopt.io import ImageFileError, image_size

    try:
        image_size(path)
    except ImageFileError:
        return False
    return True


def _holds_video(path: Path) -> bool:
    from rainopt.io.video.common import VideoError
    from rainopt.io.video.open import open_container, picture_stream

    try:
        container = open_container(path)
    except VideoError:
        return False
    try:
        picture_stream(path, container)
    except VideoError:
        return False
    finally:
        container.close()
    return True
