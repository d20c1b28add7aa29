"""How the pictures of a result differ from those of its source in how they are stored, in words."""

from __future__ import annotations

from pathlib import Path

from rainopt.io.video.decode import FileSource
from rainopt.io.video.marks import UNSPECIFIED, Marks
from rainopt.io.video.read import Video
from rainopt.io.video.rest import listed


def picture_choices(video: Video, target: Path) -> str | None:
    """Return a sentence on what a written file does not keep of how its source stores pictures, or None.

    The written file is looked at; ``video`` has been read to its end.
    """
    written = FileSource(target).marks
    odd = bool(video.height % 2 or video.width % 2)
    without, otherwise = _lacking(video.marks, written) + video.beside, _chosen(video.marks, written, odd)
    parts = [f"without {listed(without)}"] if without else []
    parts += [f"with {listed(otherwise)}"] if otherwise else []
    return f"'{target}' holds the pictures of '{video.path}' {listed(parts)}" if parts else None


def _lacking(source: Marks, written: Marks) -> list[str]:
    parts = []
    if source.alpha:
        parts.append("transparency")
    if source.fields is not None and written.fields is None:
        parts.append("the mark that they are interlaced")
    if source.mastering is not None and written.mastering is None:
        parts.append("the data of the display that they were made on")
    if source.light is not None and written.light is None:
        parts.append("the light level of their content")
    pairs = [
        (source.primaries, written.primaries, "primaries"),
        (source.transfer, written.transfer, "transfer curve"),
        (source.matrix, written.matrix, "matrix"),
    ]
    lost = [name for said, found, name in pairs if said not in (UNSPECIFIED, found)]
    if lost:
        parts.append(f"the marks of their {listed(lost)}")
    return parts


def _chosen(source: Marks, written: Marks, odd: bool) -> list[str]:
    parts = []
    if written.bits < source.bits:
        parts.append(f"{written.bits} bits of {source.bits}")
    if written.chroma < source.chroma:
        parts.append(f"colour of {_colons(written.chroma)} where it was {_colons(source.chroma)}")
    if written.chroma > source.chroma and odd:
        parts.append(f"colour of {_colons(written.chroma)}, since sides are odd, which not every player shows")
    return parts


def _colons(chroma: str) -> str:
    return ":".join(chroma)
