"""What videos can be coded with: names that people say, the encoders of FFmpeg behind them, and how each is asked."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

from rainopt.io.video.common import VideoError, import_av

Options = dict[str, str]


@dataclass(frozen=True)
class Encoder:
    """An encoder of FFmpeg.

    Attributes
    ----------
    name
        Its name there.
    options
        What it is asked for at a quality from 0 on, smaller being better; frames stay in the order of display.
    samplings
        The samplings of colour that it is used with.
    deep
        Whether it has 10 bits only.
    halved
        Whether it takes odd sides with halved colours.
    packed
        Whether it may want pixels as hardware does, halved and in two planes.
    worst
        The largest number of a quality.
    parts
        Suffix of the files that parts of a video are written to.
    """

    name: str
    options: Callable[[int], Options]
    samplings: tuple[str, ...] = ("420", "422", "444")
    deep: bool = False
    halved: bool = False
    packed: bool = False
    worst: int = 51
    parts: str = ".nut"


def _x265(quality: int) -> Options:
    lossless = ":lossless=1" if quality == 0 else ""
    return {"preset": "veryfast", "crf": str(quality), "x265-params": f"log-level=error:bframes=0:open-gop=0{lossless}"}


def _svt(quality: int) -> Options:
    # Its own reports go past all logs.
    os.environ.setdefault("SVT_LOG", "1")
    return {"preset": "9", "crf": str(max(1, quality)), "svtav1-params": "pred-struct=1"}


def _vpx(quality: int) -> Options:
    # No frames are hidden ahead of their time, so that each packet is one frame.
    options = {"crf": str(quality), "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
    return options | {"auto-alt-ref": "0", "lag-in-frames": "0"}


def _prores(quality: int) -> Options:
    # Its profiles, proxy to HQ, are all the quality there is.
    return {"profile": str(3 - min(3, max(0, quality - 1) // 12))}


def _qscale(quality: int) -> Options:
    return {"flags": "+qscale", "global_quality": str(118 * quality)}  # FF_QP2LAMBDA a step


SOFTWARE = {
    "h264": Encoder("libx264", lambda quality: {"preset": "veryfast", "crf": str(quality), "bf": "0"}),
    "hevc": Encoder("libx265", _x265),
    "av1": Encoder("libsvtav1", _svt, worst=63),
    "vp9": Encoder("libvpx-vp9", _vpx, halved=True, worst=63),
    "prores": Encoder("prores_ks", _prores, ("422", "444"), deep=True, parts=".mov"),
    "ffv1": Encoder("ffv1", lambda quality: {}, halved=True),
}
"""What is coded without further hardware, by the name that people say."""

_HARDWARE: dict[str, Callable[[int], Options]] = {
    "nvenc": lambda quality: {"preset": "p4", "rc": "constqp", "qp": str(quality), "bf": "0"},
    "qsv": lambda quality: {"global_quality": str(max(1, quality)), "bf": "0"},
    "amf": lambda quality: {"rc": "cqp", "qp_i": str(quality), "qp_p": str(quality), "bf": "0"},
    "videotoolbox": lambda quality: _qscale(max(1, 100 - 2 * quality)) | {"bf": "0"},
    "mf": lambda quality: {"rate_control": "quality", "quality": str(max(1, 100 - 2 * quality))},
    "vaapi": lambda quality: {"rc_mode": "CQP", "qp": str(max(1, quality)), "bf": "0"},
    "v4l2m2m": lambda quality: {"b": str(40_000_000 >> (quality // 6))},
}
_NAME = re.compile(rf"(?:h264|hevc|av1|vp9)_({'|'.join(_HARDWARE)})")


def available() -> list[str]:
    """Return the names of all codecs that this build of FFmpeg has; those of hardware may not work on this machine."""
    hardware = sorted(name for name in import_av().codecs_available if _NAME.fullmatch(name))
    return [name for name, encoder in SOFTWARE.items() if _is_there(encoder.name)] + list(filter(_is_there, hardware))


def _is_there(encoder: str) -> bool:
    codec = import_av().codec
    try:
        codec.Codec(encoder, "w")
    except codec.codec.UnknownCodecError:
        return False
    return True


def encoder_of(codec: str) -> Encoder:
    """Return the encoder that is meant by a name.

    Raises
    ------
    VideoError
        If there is none in this build of FFmpeg.
    """
    if codec not in available():
        raise VideoError(f"'{codec}' is no codec of this build of FFmpeg, which has {', '.join(available())}")
    hardware = _NAME.fullmatch(codec)
    return SOFTWARE[codec] if hardware is None else Encoder(codec, _HARDWARE[hardware[1]], packed=True)


def codec_of(encoder: str) -> Encoder:
    """Return what is known of an encoder by its name in FFmpeg."""
    return next((known for known in SOFTWARE.values() if known.name == encoder), None) or encoder_of(encoder)


def is_hardware(codec: str) -> bool:
    """Tell whether a codec needs hardware that not every machine has."""
    return _NAME.fullmatch(codec) is not None


def formats_for(encoder: Encoder, size: tuple[int, int], bits: int, chroma: str = "420") -> list[tuple[str, bool]]:
    """Return the pixel formats for (height, width) `size`, the preferred first, and whether the encoder has them.

    The least sampling of colour that holds `chroma` comes first, and then what holds less of it.
    """
    odd = bool(size[0] % 2 or size[1] % 2)
    fitting = [one for one in encoder.samplings if encoder.halved or one == "444" or not odd]
    fitting.sort(key=lambda one: (one < chroma, abs(int(one) - int(chroma))))
    deep = bits == 16 or encoder.deep
    wanted = [f"yuv{one}p{'10le' if deep else ''}" for one in fitting]
    wanted += ["p010le" if deep else "nv12"] if encoder.packed and not odd else []
    there = [known.name for known in import_av().codec.Codec(encoder.name, "w").video_formats or ()]
    # One that lists none does not say.
    return [(name, name in there or not there) for name in wanted]
