"""Tags, chapters and flags of a video file: handed on, and looked for in what was written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import zip_longest
from typing import Any

from rainopt.io.video.common import import_av

# Written by every muxer anew, or true of the source's coding alone.
_TECHNICAL = {
    "_statistics_tags",
    "_statistics_writing_app",
    "_statistics_writing_date_utc",
    "alpha_mode",
    "bps",
    "compatible_brands",
    "duration",
    "encoder",
    "filename",
    "handler_name",
    "major_brand",
    "mimetype",
    "minor_version",
    "number_of_bytes",
    "number_of_frames",
    "rotate",
    "vendor_id",
}
# What MP4 and MOV hold where players look first; where there is more, all goes into a list of keys of Apple's.
_USUAL = {
    "mp4": {
        *("album", "album_artist", "artist", "comment", "composer", "copyright", "creation_time", "date"),
        *("description", "genre", "grouping", "keywords", "location", "lyrics", "show", "synopsis", "title"),
    },
    "mov": {
        *("album", "artist", "comment", "composer", "copyright", "creation_time", "date", "genre", "location"),
        *("make", "model", "title"),
    },
}
# Tags of a stream that hold its name or say how it looks, which are kept with a copy.
_CODED = _TECHNICAL - {"filename", "handler_name", "mimetype"} | {"stereo_mode"}
_OLDER = {
    **{"bod": "tib", "ces": "cze", "cym": "wel", "deu": "ger", "ell": "gre", "eus": "baq", "fas": "per", "fra": "fre"},
    **{"hye": "arm", "isl": "ice", "kat": "geo", "mkd": "mac", "mri": "mao", "msa": "may", "mya": "bur", "nld": "dut"},
    **{"ron": "rum", "slk": "slo", "sqi": "alb", "zho": "chi"},
}
_ALIASES = {"name": "title"}
# Those that stand where FFmpeg names them when there is nothing to say.
_NOTHING = {"", "und", "VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"}


def is_technical(key: str) -> bool:
    """Tell whether a tag says nothing that is true of another coding of the same pictures."""
    return key.lower().split("-")[0] in _TECHNICAL


def handed_on(tags: Mapping[str, str], format: str) -> dict[str, str]:
    """Return the tags to write into a container that FFmpeg calls so."""
    kept = {key: value for key, value in tags.items() if not is_technical(key) and not _is_repeated(key, tags)}
    date = kept.get("creation_time")
    if date is not None and format not in ("mp4", "mov"):
        kept["creation_time"] = date.split(";")[0]  # several are one too many elsewhere
    return kept


def needs_keys(tags: Mapping[str, str], format: str) -> bool:
    """Tell whether MP4 or MOV hold some of these tags only in a list of keys."""
    usual = _USUAL.get(format)
    return usual is not None and any(_plain(key, tags) not in usual for key in handed_on(tags, format))


def of_stream(stream: Any, format: str) -> dict[str, str]:
    """Return the tags of a stream to write with its copy, or with pictures coded anew, into a container."""
    tags = {
        _ALIASES.get(key.lower(), key): value
        for key, value in stream.metadata.items()
        if key.lower().split("-")[0] not in _CODED and value not in _NOTHING
    }
    if format == "mov" and "language" in tags:
        # It knows languages by the older of their two codes.
        tags["language"] = _OLDER.get(tags["language"], tags["language"])
    return tags


def chapters_of(container: Any, begin: Fraction, end: Fraction | None) -> list[dict[str, Any]]:
    """Return the chapters of a file as far as they lie between two times in seconds, counted from the first."""
    chapters = []
    for chapter in container.chapters():
        base = Fraction(chapter["time_base"])
        first, last = Fraction(chapter["start"]) * base, Fraction(chapter["end"]) * base
        if last <= begin or (end is not None and first >= end):
            continue
        first, last = max(first, begin) - begin, (last if end is None else min(last, end)) - begin
        chapters.append({**chapter, "start": round(first / base), "end": round(last / base)})
    return chapters


def gone(source: Any, target: Any, order: Sequence[int], chapters: int, covers: int) -> list[str]:
    """Return, in words, what an open file lacks of the tags, flags, chapters and tracks of another.

    Parameters
    ----------
    source, target : Container
        The files.
    order : sequence of int
        Streams of the source in the order in which they were written, but for attachments and cover pictures.
    chapters, covers : int
        Chapters and cover pictures that are meant to be there.
    """
    parts = []
    if len(target.chapters()) < chapters:
        parts.append("the chapters")
    if sum(is_cover(stream) for stream in target.streams) < covers:
        parts.append("the cover picture")
    parts += _tags(source.metadata, target.metadata, "")
    written = [stream for stream in target.streams if stream.type != "attachment" and not is_cover(stream)]
    for index, other in zip_longest(order, written[: len(order)]):
        one, where = source.streams[index], f" of track {index}"
        if other is None:
            parts.append(f"the packets{where}")
            continue
        if one.type == "data" and one.name and not other.name:
            parts.append(f"the kind '{one.name}' of the data{where}")
        # The time of the whole is that of its tracks.
        own = {key: value for key, value in one.metadata.items() if key != "creation_time"}
        parts += _tags(own, other.metadata, where)
        lacks = one.disposition & ~other.disposition
        names = [str(flag.name) for flag in import_av().stream.Disposition if flag & lacks]
        if names:
            parts.append(f"the {'marks' if len(names) > 1 else 'mark'} {_listed(names)}{where}")
    return parts


def is_cover(stream: Any) -> bool:
    """Tell whether a stream is a picture that stands for the file, and not a moving one."""
    return stream.type == "video" and bool(stream.disposition & import_av().stream.Disposition.attached_pic)


def _tags(source: Mapping[str, str], target: Mapping[str, str], where: str) -> list[str]:
    have = {_plain(key, target) for key in target}
    lost = {
        _plain(key, source)
        for key, value in source.items()
        if not is_technical(key) and value not in _NOTHING and _plain(key, source) not in have
    }
    if not lost:
        return []
    return [f"the {'tags' if len(lost) > 1 else 'tag'} {_listed(sorted(lost))}{where}"]


def _listed(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _plain(key: str, tags: Mapping[str, str]) -> str:
    """Return a key without its case, and without a language where it is there without one, too."""
    plain = (key.rpartition("-")[0] if _is_repeated(key, tags) else key).lower()
    return _ALIASES.get(plain, plain)


def _is_repeated(key: str, tags: Mapping[str, str]) -> bool:
    """Tell whether a key is that of another tag with a language behind it."""
    start, dash, end = key.rpartition("-")
    return bool(dash) and len(end) == 3 and any(other.lower() == start.lower() for other in tags)
