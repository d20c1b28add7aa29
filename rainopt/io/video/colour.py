"""Decoded frames to RGB and back, with the matrix and range that the stream names."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from rainopt.io.video.common import VideoError, customary_matrix, import_av

# FFmpeg numbers the matrices twice: AVCOL_SPC_* marks frames, SWS_CS_* steers the conversion.
MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""The matrices that are converted, as H.273 numbers them, and as swscale does."""
UNMARKED = {0, 2, 3}
_LIMITED, _FULL = 1, 2
# Decoders that do not say where the samples of colour lie, of codecs that have them beside the left ones of brightness.
_SILENT = {"vp8", "vp9", "libvpx", "libvpx-vp9"}


class ToRGB:
    """Converts the frames of one stream to RGB arrays, upright.

    Parameters
    ----------
    first : av.VideoFrame
        The first frame; all others are turned as it is, since a size that changes would be no video.
    codec : str
        What decodes the frames.
    """

    def __init__(self, first: Any, codec: str = ""):
        av = import_av()
        self.bits = 16 if depth(first) > 8 else 8
        self._turn = display_turn(first)
        self._sited = LeftSited() if codec in _SILENT else None
        self._reformatter = av.video.reformatter.VideoReformatter()
        kinds = av.video.reformatter.Interpolation
        # Without these flags swscale repeats chroma and rounds down, which is off by 2 of 255.
        self._flags = kinds.BILINEAR | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INT | kinds.FULL_CHR_H_INP

    def upright_size(self, frame: Any) -> tuple[int, int]:
        """Return height and width of a frame as it is meant to be seen."""
        return (frame.width, frame.height) if self._turn[0] else (frame.height, frame.width)

    def __call__(self, frame: Any) -> np.ndarray:
        """Return (H, W, 3) RGB, uint8, or uint16 at full scale where the stream has more than 8 bits.

        Raises
        ------
        VideoError
            For a matrix that is not converted (YCgCo, ICtCp and the like); the message continues a sentence that
            starts with the file.
        """
        depth_, limited = depth(frame), is_limited(frame)
        # Planes, because swscale turns 4:2:0 of 10 bits to garbage on the way to interleaved RGB with these flags.
        converted = self._reformatter.reformat(
            frame if self._sited is None else self._sited(frame),
            format="gbrp" if self.bits == 8 else "gbrp16le",
            src_colorspace=_matrix(frame),
            src_color_range=_LIMITED if limited else _FULL,
            dst_color_range=_FULL,
            interpolation=self._flags,
        )
        rgb = _interleaved(converted, np.uint8 if self.bits == 8 else np.uint16)
        if self.bits == 16:
            _stretch(rgb, 8 if limited else depth_)
        transposed, mirrored, upended = self._turn
        if transposed:
            rgb = rgb.swapaxes(0, 1)
        return np.ascontiguousarray(rgb[:: -1 if upended else 1, :: -1 if mirrored else 1])


class LeftSited:
    """Marks frames as having their samples of colour beside the left ones of brightness, as nearly all video has.

    Without the mark swscale takes them to lie in the middle between two, by half a pixel beside their place.

    Parameters
    ----------
    fields : {"tff", "bff"} or None
        Marks frames as interlaced, too, with this field first.
    """

    def __init__(self, fields: str | None = None) -> None:
        self._marks = "chroma_location=left" + (f":field_mode={fields}" if fields else "")
        self._kind: tuple[Any, ...] = ()
        self._graph: Any = None

    def __call__(self, frame: Any) -> Any:
        """Return the frame with the mark; its values are not copied."""
        kind = frame.width, frame.height, frame.format.name
        if kind != self._kind:
            self._graph, self._kind = _through("setparams", self._marks, *kind), kind
        self._graph.push(frame)
        return self._graph.pull()


def first_field(frame: Any) -> str | None:
    """Return which field of a frame is shown first, "tff" or "bff", None for a whole picture."""
    if not frame.interlaced_frame:
        return None
    # PyAV does not tell, and a filter that lets one kind of frames through does.
    graph = _through("select", "eq(interlace_type\\,TOPFIRST)", frame.width, frame.height, frame.format.name)
    graph.push(frame)
    try:
        graph.pull()
    except (BlockingIOError, EOFError):
        return "bff"
    return "tff"


def _through(filter: str, arguments: str, width: int, height: int, format: str) -> Any:
    """Return a graph of one filter."""
    graph = import_av().filter.Graph()
    source = graph.add_buffer(width=width, height=height, format=format, time_base=Fraction(1, 25))
    middle = graph.add(filter, arguments)
    source.link_to(middle)
    middle.link_to(graph.add("buffersink"))
    graph.configure()
    return graph


def _interleaved(frame: Any, dtype: type) -> np.ndarray:
    """Return the planes of a frame, which are green, blue and red, as (H, W, 3) RGB."""
    import cv2

    size = np.dtype(dtype).itemsize
    planes: list[np.ndarray] = [
        np.frombuffer(plane, dtype).reshape(plane.height, plane.line_size // size)[:, : plane.width]
        for plane in frame.planes
    ]
    green, blue, red = planes
    # PyAV writes each plane between the others by itself, which takes four times as long.
    return np.asarray(cv2.merge([red, green, blue]))


def _stretch(values: np.ndarray, bits: int) -> None:
    """Bring white to 65535, in place: swscale shifts levels of `bits` bits up and leaves zeros below them."""
    if bits < 16:
        np.minimum(values, 65536 - 2 ** (16 - bits), out=values)
        values += values >> bits


def depth(frame: Any) -> int:
    """Return the bits of a sample."""
    return max(int(component.bits) for component in frame.format.components)


def is_limited(frame: Any) -> bool:
    """Tell whether black is 16 and white 235 (of 255), as in most video, rather than 0 and 255."""
    name = frame.format.name
    if frame.format.is_rgb or name.startswith(("yuvj", "pal8")):
        return False
    if name.startswith(("gray", "ya", "mono")):
        return int(frame.color_range) == _LIMITED
    return int(frame.color_range) != _FULL


def _matrix(frame: Any) -> int:
    marked = int(frame.colorspace)
    if marked in UNMARKED or frame.format.is_rgb:
        return customary_matrix(frame.height)
    if marked not in MATRICES:
        raise VideoError(f"stores its colours by matrix {marked} of H.273, which is not converted; re-encode to BT.709")
    return MATRICES[marked]


def beside(frame: Any) -> dict[str, Any]:
    """Return the data beside a frame by FFmpeg's names of their kinds."""
    try:
        return {data.type.name: data for data in frame.side_data}
    except ValueError:
        return {}  # among them is a kind that PyAV does not know yet


def display_turn(frame: Any) -> tuple[bool, bool, bool]:
    """Return whether to transpose a stored frame, then to mirror its columns, then its rows, to see it upright.

    The display matrix ((a, b), (c, d)) sends the point (x, y) of the stored picture to (a x + c y, b x + d y).
    Angles between the quarter turns are taken for the nearest of them.
    """
    data = beside(frame).get("DISPLAYMATRIX")
    if data is None:
        return False, False, False
    a, b, _, c, d, *_ = (int(number) for number in np.frombuffer(bytes(data), np.int32))
    if abs(b) + abs(c) > abs(a) + abs(d):
        return True, c < 0, b < 0
    return False, a < 0, d < 0
