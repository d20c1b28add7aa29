"""What a stream says about its pictures: colour description, range, sampling of colour, fields, mastering display."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from rainopt.io.video.colour import MATRICES, UNMARKED, beside, depth, display_turn, first_field, is_limited
from rainopt.io.video.common import BT709, customary_matrix

UNSPECIFIED = 2

# Data beside the pictures that cannot be handed to an encoder, as FFmpeg names them, and in plain words.
_BESIDE = {
    "A53_CC": "closed captions within the pictures",
    "STEREO3D": "the marks of a 3D picture",
    "SPHERICAL": "the marks of a 360° picture",
    "DYNAMIC_HDR_PLUS": "HDR10+ data",
    "DYNAMIC_HDR_VIVID": "HDR Vivid data",
    "DOVI_METADATA": "Dolby Vision data",
    "DOVI_RPU_BUFFER": "Dolby Vision data",
    "ICC_PROFILE": "an ICC profile",
    "AFD": "the mark of the active part of the picture",
}


@dataclass(frozen=True)
class Marks:
    """What is known of a source's pictures beside their values; the defaults are those of a source that says nothing.

    Attributes
    ----------
    primaries, transfer, matrix : int
        Colour description, numbered as in H.273; 2 where the source says nothing.
    full : bool
        Whether black is 0 and white 255 (of 255), rather than 16 and 235.
    chroma : {"420", "422", "444"}
        The least sampling of colour that holds all of the source.
    bits : int
        Bits of a sample.
    alpha : bool
        Whether the source is transparent in places.
    fields : {"tff", "bff"} or None
        Which field of a frame is shown first; None for whole pictures.
    mastering, light : str or None
        Mastering display and content light level, as x264 writes them.
    """

    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    matrix: int = UNSPECIFIED
    full: bool = False
    chroma: str = "420"
    bits: int = 8
    alpha: bool = False
    fields: str | None = None
    mastering: str | None = None
    light: str | None = None

    def written(self, height: int) -> tuple[int, int, int]:
        """Return primaries, transfer and matrix to write pictures of `height` rows with.

        Where the source names none at all, they are those that are customary; the matrix is always one that is
        converted to.
        """
        usual = 1 if customary_matrix(height) == BT709 else 6
        matrix = usual if self.matrix in UNMARKED or self.matrix not in MATRICES else self.matrix
        if {self.primaries, self.transfer, self.matrix} <= UNMARKED:
            return usual, usual, matrix
        return self.primaries, self.transfer, matrix


def marks_of(frame: Any, alpha: bool = False) -> Marks:
    """Return the marks of a decoded frame; `alpha` says that its stream is transparent beside it."""
    data = beside(frame)
    return Marks(
        primaries=_known(frame.color_primaries),
        transfer=_known(frame.color_trc),
        # Of RGB there is none, and YCbCr made of it is by the customary one.
        matrix=UNSPECIFIED if frame.format.is_rgb else _known(frame.colorspace),
        full=_is_yuv(frame.format) and not is_limited(frame),
        chroma=_chroma(frame.format),
        bits=depth(frame),
        alpha=alpha or _has_alpha(frame.format),
        fields=_fields(frame),
        mastering=_mastering(data.get("MASTERING_DISPLAY_METADATA")),
        light=_light(data.get("CONTENT_LIGHT_LEVEL")),
    )


def not_carried(kinds: set[str]) -> list[str]:
    """Return in plain words what of the data beside pictures, by FFmpeg's names, is not carried over."""
    return sorted({_BESIDE[kind] for kind in kinds if kind in _BESIDE})


def _known(number: Any) -> int:
    return UNSPECIFIED if int(number) in UNMARKED else int(number)


def _is_yuv(format: Any) -> bool:
    return not format.is_rgb and len(format.components) >= 3


def _has_alpha(format: Any) -> bool:
    return len(format.components) in (2, 4)


def _chroma(format: Any) -> str:
    if format.is_rgb:
        return "444"
    if len(format.components) < 3:
        return "420"
    across, down = format.chroma_width(16), format.chroma_height(16)
    if down == 16:
        return "444" if across == 16 else "422"
    return "444" if across == 16 else "420"


def _fields(frame: Any) -> str | None:
    transposed, _, upended = display_turn(frame)
    order = None if transposed else first_field(frame)  # turned, fields have become columns
    if order and upended and frame.height % 2 == 0:
        return "bff" if order == "tff" else "tff"
    return order


def _mastering(data: Any) -> str | None:
    """Return AVMasteringDisplayMetadata as x264 writes it: ten ratios, and whether each of two groups is known."""
    if data is None or len(bytes(data)) < 88:
        return None
    numbers = np.frombuffer(bytes(data)[:88], np.int32)
    if not (numbers[20] and numbers[21]) or not numbers[1:20:2].all():
        return None
    ratios = [Fraction(int(above), int(below)) for above, below in numbers[:20].reshape(-1, 2)]
    red, green, blue, white = (tuple(round(50_000 * v) for v in ratios[k : k + 2]) for k in (0, 2, 4, 6))
    least, most = (round(10_000 * v) for v in ratios[8:])
    if not (all(0 <= v <= 50_000 for point in (red, green, blue, white) for v in point) and 0 <= least < most < 2**31):
        return None  # not as the standard has it; no encoder would take it
    points = (("G", green), ("B", blue), ("R", red), ("WP", white), ("L", (most, least)))
    return "".join(f"{name}({x},{y})" for name, (x, y) in points)


def _light(data: Any) -> str | None:
    if data is None or len(bytes(data)) < 8:
        return None
    most, average = (int(number) for number in np.frombuffer(bytes(data)[:8], np.uint32))
    return f"{most},{average}" if 0 < max(most, average) < 2**16 else None
