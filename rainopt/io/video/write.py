"""Arrays to videos: H.264 or VP9, at true times, whole or not at all; and parts of one video put together.

Frames are stored in the order of display and at the times given, so that parts that were written one by one, or side
by side, can be joined without encoding them again.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from rainopt.io.video.asked import fields_of
from rainopt.io.video.codecs import codec_of
from rainopt.io.video.colour import MATRICES, LeftSited
from rainopt.io.video.common import VideoError, VideoExistsError, import_av, reason
from rainopt.io.video.encode import add_pictures, container_of, pixel_format, ticks_for, writing
from rainopt.io.video.formats import WRITABLE_SUFFIXES
from rainopt.io.video.join import join_parts, part_suffix
from rainopt.io.video.marks import Marks

__all__ = ["WRITABLE_SUFFIXES", "VideoError", "VideoExistsError", "VideoWriter", "join_parts", "part_suffix"]


class VideoWriter:
    """Writes a video frame by frame; a context manager.

    H.264 in .mp4, .m4v, .mov, .mkv and .nut, VP9 in .webm; without B-frames, with closed groups of pictures. Unless
    `marks` say otherwise, colours are stored as 4:2:0 of limited range, by BT.709 from 720 rows on and by BT.601 below,
    and marked so. H.264 with an odd side is stored as 4:4:4, which not every player shows. The file is written beside
    its place and renamed into it at the end; after an error or an interruption nothing is left of it.

    Parameters
    ----------
    path : str or path-like
        The file to write; its folder must exist.
    height, width : int
        Size of the frames, in pixels.
    rate : Fraction
        Frames a second, on average.
    time_base : Fraction, optional
        Step of the time stamps in seconds, to which times are rounded. By default it is a part of 1 / `rate` no longer
        than 1/90000 s; in .mkv and .webm it is always 1/1000 s.
    bits : {8, 16}
        16 stores 10 bits, in H.264 only.
    quality : int
        0 to 51 (63 in .webm), smaller is better and larger in size; the codec's constant rate factor.
    pixel_aspect : Fraction
        Width of a pixel divided by its height; .webm does not keep it.
    marks : Marks, optional
        Colour description, range, sampling of colour, order of fields and mastering display of the source, which are
        written where the codec holds them; the frames are taken to have the primaries and the transfer curve that it
        names. .webm holds neither fields nor a mastering display.
    overwrite : bool
        Whether a file that is there may be replaced.
    codec : str, optional
        Another codec, one of `rainopt.io.video.codecs.available`.

    Raises
    ------
    VideoError
        If the suffix cannot be written, or not at that depth, or on entering if the file cannot be; a VideoExistsError
        if it exists and `overwrite` is False.
    ValueError
        If a parameter is out of range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        height: int,
        width: int,
        rate: Fraction,
        time_base: Fraction | None = None,
        bits: int = 8,
        quality: int = 18,
        pixel_aspect: Fraction = Fraction(1),
        marks: Marks | None = None,
        overwrite: bool = True,
        codec: str | None = None,
    ):
        self.path = Path(path)
        self._container = container_of(self.path, codec)
        highest = codec_of(self._container.codec).worst
        if height < 1 or width < 1:
            raise ValueError(f"`height` and `width` must be 1 or more, got {height} and {width}")
        if bits not in (8, 16):
            raise ValueError(f"`bits` must be 8 or 16, got {bits}")
        if not 0 <= quality <= highest:
            raise ValueError(f"`quality` must lie between 0 and {highest}, got {quality}")
        for name, value in (("rate", rate), ("time_base", time_base), ("pixel_aspect", pixel_aspect)):
            if value is not None and not 0 < value < 2**31:
                raise ValueError(f"`{name}` must be above 0, got {value}")
        self.height, self.width, self.bits, self.quality = int(height), int(width), bits, quality
        self.rate = Fraction(rate).limit_denominator(1_000_000)
        self.time_base = ticks_for(self._container, self.rate, None if time_base is None else Fraction(time_base))
        if max(self.time_base.numerator, self.time_base.denominator) >= 2**31:
            raise ValueError(f"`time_base` must be a ratio of numbers below 2**31, got {self.time_base}")
        self.pixel_aspect = Fraction(pixel_aspect)
        self.marks = Marks() if marks is None else marks
        self._format = pixel_format(self.path, self._container, (self.height, self.width), bits, self.marks.chroma)
        self._fields = fields_of(self._container.codec, self.marks, self.height, self._format)
        self.overwrite = overwrite
        self.written = 0
        self._time: Fraction | None = None
        self._tick = -1
        self._stack: ExitStack | None = None
        self._output: Any = None
        self._stream: Any = None

    def __enter__(self) -> VideoWriter:
        with ExitStack() as stack:
            self._output = stack.enter_context(self._opened())
            size = self.height, self.width
            self._stream = add_pictures(
                self._output,
                self._container,
                size,
                self.rate,
                self.time_base,
                self._format,
                self.quality,
                self.marks,
                self._fields,
            )
            self._stream.codec_context.sample_aspect_ratio = self.pixel_aspect
            self._reformatter, self._sited = import_av().video.reformatter.VideoReformatter(), LeftSited(self._fields)
            self._stack = stack.pop_all()
        return self

    def _opened(self) -> AbstractContextManager[Any]:
        """Return what opens the output."""
        return writing(self.path, self.overwrite, self._container, self.time_base)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stack, self._stack = self._stack, None
        if stack is None:
            return
        if error is not None:
            # The error is passed on as it is, even if closing fails too.
            with suppress(Exception):
                stack.__exit__(kind, error, trace)
            return
        with stack:
            if not self.written:
                raise VideoError(f"'{self.path}' is not written: it got no frame; write one at least")
            self._mux(self._stream.encode(None))

    def write(self, pixels: np.ndarray, time: Fraction | None = None) -> None:
        """Append a frame.

        Parameters
        ----------
        pixels : ndarray
            (H, W, 3) RGB, uint8 or uint16 at full scale; brought to the depth of the file.
        time : Fraction, optional
            When it is shown, in seconds, 0 or more; must be later than the frame before. Times that round to the same
            time stamp are moved to the next. By default the number of frames written before divided by the rate.

        Raises
        ------
        ValueError
            For another size or dtype, or a time that does not rise.
        VideoError
            If encoding or writing fails.
        """
        if self._stack is None:
            raise VideoError(f"'{self.path}' is not open for writing; use the writer in a `with` statement")
        pixels = np.asarray(pixels)
        if pixels.shape != (self.height, self.width, 3) or pixels.dtype not in (np.uint8, np.uint16):
            raise ValueError(
                f"`pixels` must be ({self.height}, {self.width}, 3) of uint8 or uint16, "
                f"got {pixels.shape} of {pixels.dtype}"
            )
        time = self.written / self.rate if time is None else Fraction(time)
        if time < 0 or (self._time is not None and time <= self._time):
            raise ValueError(f"`time` must be 0 or more and rise, got {time} after {self._time}")
        tick = max(round(time / self.time_base), self._tick + 1)
        av = import_av()
        try:
            frame = self._frame(pixels)
            frame.pts, frame.time_base = tick, self.time_base
            packets = self._stream.encode(frame)
            self._mux(packets)
        except av.error.FFmpegError as error:
            raise VideoError(
                f"'{self.path}' cannot be written ({reason(error)}); check the disk space and the rights on its folder"
            ) from error
        self._time, self._tick = time, tick
        self.written += 1

    def _frame(self, pixels: np.ndarray) -> Any:
        """Convert to the colours of the stream."""
        reformatter = import_av().video.reformatter
        if self.bits == 8 and pixels.dtype == np.uint16:
            pixels = ((pixels.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
        elif self.bits == 16 and pixels.dtype == np.uint8:
            pixels = pixels.astype(np.uint16) * 257
        if self.bits == 16:
            # For swscale white is 255 shifted up, and leaves zeros below.
            pixels = pixels - (pixels >> 8)
        kinds = reformatter.Interpolation
        frame = import_av().VideoFrame.from_ndarray(
            np.ascontiguousarray(pixels), format="rgb24" if self.bits == 8 else "rgb48le"
        )
        frame.time_base = self.time_base
        converted = self._reformatter.reformat(
            self._sited(frame),
            format=self._stream.codec_context.pix_fmt,
            dst_colorspace=MATRICES[self.marks.written(self.height)[2]],
            src_color_range=reformatter.ColorRange.JPEG,
            dst_color_range=reformatter.ColorRange.JPEG if self.marks.full else reformatter.ColorRange.MPEG,
            interpolation=kinds.BILINEAR | kinds.ACCURATE_RND | kinds.FULL_CHR_H_INP,
        )
        # Some encoders go by what a frame says.
        converted.color_primaries, converted.color_trc, converted.colorspace = self.marks.written(self.height)
        return converted

    def _mux(self, packets: list[Any]) -> None:
        for packet in packets:
            # Otherwise the container would let the last frame end when it begins.
            packet.duration = max(1, round(1 / self.rate / packet.time_base))
            self._output.mux(packet)
