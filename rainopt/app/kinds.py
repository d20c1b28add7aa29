"""Kinds of files by their suffixes: which are worked on, what becomes of each, and which look as if they were."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import dataclass, replace
from pathlib import Path

from rainopt.io import RAW_SUFFIXES, READABLE_SUFFIXES
from rainopt.io.images.formats import FORMATS
from rainopt.io.video.formats import VIDEO_SUFFIXES, WRITABLE_SUFFIXES, is_video

WRITABLE = frozenset(FORMATS) | WRITABLE_SUFFIXES
"""Lower-case suffixes of the pictures and videos that are written."""

RAW = RAW_SUFFIXES | {".cap", ".dcs", ".gpr", ".k25", ".raw"}
"""Suffixes of what cameras store before it is a picture."""

_EXTRAS = {"heif": ("pillow_heif", READABLE_SUFFIXES - frozenset(FORMATS)), "raw": ("rawpy", RAW_SUFFIXES)}
MISSING = {
    suffix: extra
    for extra, (module, suffixes) in _EXTRAS.items()
    if importlib.util.find_spec(module) is None
    for suffix in suffixes
}
"""Suffixes of the pictures that could be read with an extra that is not installed, and its name."""

READABLE = (READABLE_SUFFIXES | RAW_SUFFIXES) - MISSING.keys()
"""Lower-case suffixes of the pictures that are read here and now."""

_JPEG_NAMES = ".jfif .jif .jfi .jpe"
_JPEG = frozenset(_JPEG_NAMES.split())
_PICTURES_NAMES = (
    ".ai .apng .avif .avifs .bpg .cin .cur .dds .dib .dpx .eps .exr .fits .flif .gif .hdr .heic .heics .heif "
    ".heifs .hif .icns .ico .insp .j2c .j2k .jp2 .jpf .jpm .jpx .jps .jxl .jxr .hdp .wdp .mpo .pam .pbm .pcx .pfm "
    ".pgm .pns .ppm .pnm .psb .psd .qoi .sgi .svg .tga .xcf"
)
_PICTURES = frozenset(_PICTURES_NAMES.split())
_VIDEOS_NAMES = (
    ".3g2 .3gp .ari .bik .braw .cine .dvr-ms .evo .gifv .h261 .h263 .mng .nsv .ogg .r3d .swf .vid .vp8 .vp9 .yuv"
)
_VIDEOS = frozenset(_VIDEOS_NAMES.split())

KNOWN = READABLE_SUFFIXES | WRITABLE | VIDEO_SUFFIXES | RAW | _JPEG | _PICTURES | _VIDEOS
"""Suffixes that say that a name means a picture or a video, whether it is read, written or neither."""


@dataclass(frozen=True)
class Kind:
    """What a command works on and what becomes of it.

    Attributes
    ----------
    suffixes
        Of the files that are worked on, in lower case.
    name
        What such a file is called.
    becomes
        What the names of results end with; None where `result_suffix` says it for each.
    folders
        Whether a folder of images, without any such file, is one input itself: a video.
    nested
        Whether such folders are also looked for in others.
    """

    suffixes: frozenset[str]
    name: str
    becomes: str | None = None
    folders: bool = False
    nested: bool = False

    @property
    def results(self) -> frozenset[str]:
        """Suffixes of the files that may be written."""
        return frozenset(FORMATS) if self.becomes else frozenset(s for s in WRITABLE if s in self.suffixes)


IMAGES = Kind(READABLE, "image")
PICTURES = Kind(READABLE | VIDEO_SUFFIXES, "image or video")
VIDEOS = Kind(VIDEO_SUFFIXES, "video", becomes=".png", folders=True)
SEQUENCES = Kind(VIDEO_SUFFIXES, "video or folder of numbered pictures", folders=True, nested=True)
SHEETS = Kind(VIDEO_SUFFIXES, "video", becomes="_preview.png")
SHEETS_OF_FRAMES = replace(SEQUENCES, becomes="_preview.png")


def result_suffix(source: Path) -> str:
    """Return the suffix of what a file becomes: its own where that is written, else one that keeps what it holds.

    Raw files become TIFF, which holds 16 bits and their EXIF data; JPEG of other suffixes stays JPEG; all other
    pictures, HEIC among them, become PNG, which loses nothing and opens everywhere. Videos become MP4. A suffix
    that says nothing is decided by the content.
    """
    suffix = source.suffix.lower()
    if suffix in WRITABLE:
        return source.suffix
    if suffix in RAW:
        return ".tif"
    if suffix in _JPEG:
        return ".jpg"
    return ".mp4" if is_video(source) else ".png"


def names_a_file(path: Path) -> bool:
    """Tell whether a name means a picture or a video, and no folder has it."""
    return path.suffix.lower() in KNOWN and not os.path.isdir(path)
