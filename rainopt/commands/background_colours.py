"""What the colours of a background mean, where many images become one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rainopt.io import ImageMetadata, read_metadata
from rainopt.io.video.folder import files_of
from rainopt.io.video.marks import Marks
from rainopt.io.video.stills import metadata_of


def colours_of(source: Path, numbers: Iterable[int], marks: Marks | None = None) -> ImageMetadata | None:
    """Return the profile and colour chunks on which the images of a folder agree, and a note where they do not.

    Parameters
    ----------
    source
        A folder of images, or a video file.
    numbers
        Those of the images that are used, in the order in which a folder is read as a video.
    marks
        What a video file says of its colours.
    """
    if not source.is_dir():
        return None if marks is None else metadata_of(marks)
    files = files_of(source)
    found = [read_metadata(files[number]) for number in numbers]
    said = {(metadata.icc, metadata.colour) for metadata in found}
    if len(said) == 1:
        return ImageMetadata(found[0].icc, colour=found[0].colour)
    return ImageMetadata(notes=(f"without a colour profile, in which the images of '{source}' do not agree",))
