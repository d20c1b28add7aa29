"""What reading and writing of video share: the errors, the library behind both, and the rule for unmarked colours."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

BT601, BT709 = 5, 1
"""The two matrices between RGB and YCbCr that are written, as swscale numbers them (SWS_CS_*)."""


ANEW = Fraction(1)
"""Seconds by which time stamps fall where they begin anew, as they do where two recordings were put together."""


class VideoError(ValueError):
    """A video that cannot be read or written; one sentence names the file, what is wrong, and what to do."""


class VideoExistsError(VideoError, FileExistsError):
    """A file that is there already and was not to be replaced."""


def import_av() -> Any:
    """Return PyAV, which holds FFmpeg's libraries.

    Raises
    ------
    VideoError
        If it is not installed.
    """
    try:
        import av
    except ImportError as error:
        raise VideoError(f"video needs PyAV ({error}); install it with: pip install 'rainopt[video]'") from error
    return av


def customary_matrix(height: int) -> int:
    """Return the matrix that players take where a stream names none; `height` as stored, in pixels."""
    return BT709 if height >= 720 else BT601


def reason(error: BaseException) -> str:
    """Return what went wrong without the name of the function or file that FFmpeg adds to it."""
    return str(getattr(error, "strerror", None) or error)


def origin(container: Any, time_base: Fraction) -> int:
    """Return the ticks of `time_base` at which the time of a file begins.

    Formats made for broadcast (MPEG-TS, MPEG-PS) begin anywhere, at hours even, and are counted from their start;
    in all others time 0 is the start, and a first frame that comes later is meant to.
    """
    av = import_av()
    if not container.format.flags & av.format.Flags.ts_discont.value or container.start_time is None:
        return 0
    return round(Fraction(container.start_time, av.time_base) / time_base)
