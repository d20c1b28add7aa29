"""Text subtitles of one container as those that another holds."""

from __future__ import annotations

from typing import Any

from rainopt.io.video.common import VideoError, import_av

TEXT = {"ass", "mov_text", "srt", "ssa", "subrip", "text", "webvtt"}
_CODECS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "srt", "webm": "webvtt"}


def codec_for(stream: Any, format: str) -> str | None:
    """Return what text subtitles have to be converted to for a container, None where they cannot be."""
    if stream.type != "subtitle" or stream.codec_context is None or stream.codec_context.name not in TEXT:
        return None
    codec = _CODECS.get(format)
    return codec if codec in import_av().codecs_available else None


class Converter:
    """Codes the subtitles of one stream anew, by way of the styled text (ASS) that FFmpeg has in the middle."""

    def __init__(self, source: Any, target: Any) -> None:
        self._source, self._target = source, target
        # What a decoder says of its styles is known when it is open.
        source.codec_context.open(strict=False)
        header = source.codec_context.subtitle_header
        if header is None:
            raise VideoError("its styles are unknown")
        target.codec_context.subtitle_header = header
        target.codec_context.time_base = source.time_base
        target.time_base = source.time_base

    def __call__(self, packet: Any) -> Any | None:
        """Return a packet of the same text at the same time, None where there is none."""
        decoded = self._source.codec_context.decode2(packet)
        if decoded is None or not len(decoded):
            return None
        coded = self._target.codec_context.encode_subtitle(decoded)
        coded.time_base = packet.time_base
        coded.pts = coded.dts = packet.dts if packet.pts is None else packet.pts
        coded.duration = packet.duration
        return coded
