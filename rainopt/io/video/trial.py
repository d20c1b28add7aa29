"""Whether videos can be coded as asked for on this machine, found out by coding a few frames."""

from __future__ import annotations

import re
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from rainopt.io.video.codecs import is_hardware
from rainopt.io.video.common import VideoError
from rainopt.io.video.join import join_parts, part_suffix
from rainopt.io.video.write import VideoWriter

FRAMES = 3


def require_codec(
    codec: str, suffix: str = ".mkv", size: tuple[int, int] = (240, 320), bits: int = 8, quality: int = 18
) -> None:
    """Make sure that frames of (height, width) `size` can be coded, and held by files of a suffix.

    Raises
    ------
    VideoError
        If they cannot; one sentence says why, and what to do.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"trial{suffix}"
        part = target.with_suffix(f".part{part_suffix(target, codec)}")
        height, width = size
        frame = np.full((height, width, 3), 128, np.uint8)
        try:
            options = {"height": height, "width": width, "bits": bits, "quality": quality, "codec": codec}
            with VideoWriter(part, rate=Fraction(25), **options) as writer:  # type: ignore[arg-type]
                for _ in range(FRAMES):
                    writer.write(frame)
            join_parts([part], target)
        except VideoError as error:
            lacks = "the machine lacks it, or its driver" if is_hardware(codec) else "it may do in another kind of file"
            raise VideoError(
                f"{width} x {height} pixels cannot be coded as {codec} for {suffix} here ({_cause(error)}): {lacks}; "
                "choose another --codec, or leave it out"
            ) from error


def _cause(error: VideoError) -> str:
    """Return what went wrong, without what the error says of the trial's files."""
    inside = re.search(r"\((.+)\)", str(error))
    return inside[1] if inside else str(error).partition(": ")[2].partition(";")[0] or str(error)
