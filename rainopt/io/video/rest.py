"""All that a file holds besides its pictures is kept or told."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from pathlib import Path

from rainopt.io.unchanged import ChangedError
from rainopt.io.video.common import VideoError, VideoExistsError
from rainopt.io.video.formats import Container
from rainopt.io.video.open import open_container
from rainopt.io.video.tags import gone
from rainopt.io.video.tracks import Between, Tracks

# Kinds of streams that are tried one after the other, should writing fail.
_KINDS: tuple[Collection[str], ...] = (
    ("video", "audio", "subtitle", "data", "attachment"),
    ("audio", "subtitle"),
    ("audio",),
    (),
)
_PLACE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}


def with_rest(
    source: Path,
    target: Path,
    container: Container,
    shifts: Sequence[Fraction],
    between: Between,
    write: Callable[[Tracks], None],
    tell: Callable[[str], None],
) -> None:
    """Write a target with the tracks of a source, and tell in one sentence each what is missing and what is changed.

    What was written is looked at again, since containers leave out in silence what they do not know.
    """
    for kinds in _KINDS:
        tracks = Tracks(source, container, shifts, between, kinds)
        try:
            write(tracks)
            break
        except VideoError as error:
            # The header of a stream may be accepted, and not what it holds; then the others are saved.
            if isinstance(error, VideoExistsError) or is_of_place(error) or not tracks.copied:
                raise
        finally:
            changed = tracks.changed
            tracks.close()
    left = tracks.left + missing(source, target, tracks)
    if left:
        advice = "" if container.format == "matroska" else "; .mkv holds more"
        tell(f"'{target}' is written without {listed(left)} of '{source}', which it cannot hold{advice}")
    if changed:
        tell(f"'{target}': {listed(changed)}")


def is_of_place(error: BaseException) -> bool:
    """Tell whether an error is of the place that is written to, a full disk say, and not of what is written."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ChangedError) or getattr(cause, "errno", None) in _PLACE:
            return True
        cause = cause.__cause__
    return False


def missing(source: Path, target: Path, tracks: Tracks) -> list[str]:
    """Return, in words, what a file lacks of the tags, chapters and flags of another."""
    one = open_container(source)
    try:
        other = open_container(target)
        try:
            return gone(one, other, tracks.order, len(tracks.chapters), tracks.covers)
        finally:
            other.close()
    finally:
        one.close()


def listed(parts: Sequence[str]) -> str:
    """Return parts of a sentence as one lists them."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
