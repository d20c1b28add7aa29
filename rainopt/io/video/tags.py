"""Tags, chapters and flags of a video file: handed on, and looked for in what was written."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
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
    "handler_name",
    "major_brand",
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
_ALIASES = {"name": "title"}
# Those that stand where FFmpeg names them when there is nothing to say.
_NOTHING = {"", "und", "VideoHandler", "SoundHandler", "SubtitleHandler", "DataHandler"}


def is_technical(key: str) -> bool:
    """Tell whether a tag says nothing that is true of another coding of the same pictures."""
    return key.lower().split("-")[0] in _TECHNICAL


def handed_on(tags: Mapping[str, str], format: str) -> dict[str, str]:
    """Return the tags to write into a container that FFmpeg calls so."""
    kept = {key: value for key, value in tags.items() if not is_technical(key)}
    date = kept.get("creation_time")
    if date is not None and format not in ("mp4", "mov"):
        kept["creation_time"] = date.split(";")[0]  # several are one too many elsewhere
    return kept


def needs_keys(tags: Mapping[str, str], format: str) -> bool:
    """Tell whether MP4 or MOV hold some of these tags only in a list of keys."""
    usual = _USUAL.get(format)
    return usual is not None and any(_plain(key, tags) not in usual for key in handed_on(tags, format))


def of_stream(stream: Any) -> dict[str, str]:
    """Return the tags of a stream that is copied to write with the copy."""
    skipped = _TECHNICAL - {"handler_name"}
    return {key: value for key, value in stream.metadata.items() if key.lower().split("-")[0] not in skipped}


def of_pictures(stream: Any) -> dict[str, str]:
    """Return the tags of pictures that were coded anew."""
    return {key: value for key, value in of_stream(stream).items() if key.lower() != "stereo_mode"}


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


def gone(source: Any, target: Any, streams: list[tuple[Any, Any]], chapters: int) -> list[str]:
    """Return, in words, the tags, chapters and flags of an open file that another lacks.

    ``streams`` are pairs of streams, of the source and of the target, that hold the same; ``chapters`` is the number of
    those meant to be there.
    """
    parts = []
    if len(target.chapters()) < chapters:
        parts.append("the chapters")
    parts += _tags(source.metadata, target.metadata, "")
    for one, other in streams:
        where = f" of track {one.index}"
        parts += _tags(one.metadata, other.metadata, where)
        lacks = one.disposition & ~other.disposition
        names = [flag.name for flag in import_av().stream.Disposition if flag & lacks]
        if names:
            parts.append(f"the marks {_listed(names)}{where}" if len(names) > 1 else f"the mark '{names[0]}'{where}")
    return parts


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
    start, dash, end = key.rpartition("-")
    if dash and len(end) == 3 and any(other.lower() == start.lower() for other in tags):
        key = start
    key = key.lower()
    return _ALIASES.get(key, key)
