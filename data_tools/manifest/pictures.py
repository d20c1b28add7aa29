"""The rainy pictures that a manifest names, one by one, be they records of their own or frames of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from data_tools.manifest.record import ManifestHeader, PairRecord

REVIEW = "review"  # status of records that nobody has looked at yet, though somebody should


@dataclass(frozen=True)
class Picture:
    """A rainy picture and what its record says about it. Paths are relative to the dataset's folder.

    Attributes
    ----------
    name : str
        The record's id; of a frame, ID/NUMBER.
    rainy : str
        The rainy picture.
    clean, rain : str, optional
        Its truth and its rain layer. A frame without a clean picture of its own has that of its sequence.
    mask, valid
        What the manifest gives as masks of rain and of clean pixels that may be trusted; those of a frame are
        unchecked and may be anything.
    scene : str
        What the record says, else the clean picture, else the rainy one.
    split : str, optional
        "train", "val" or "test".
    licence, source : str
        Taken from the record; one without a licence of its own has that of the dataset.
    angle : float, optional
        Direction of the rain in degrees.
    spec : dict
        Parameters of synthetic rain.
    paths : tuple of str
        All files that the record names for this picture.
    checksums : dict of str to str
        SHA-256 by path, of all files of the record.
    doubtful : bool
        Whether the record is marked to be reviewed.
    """

    name: str
    rainy: str
    clean: str | None
    rain: str | None
    mask: Any
    valid: Any
    scene: str
    split: str | None
    licence: str
    source: str
    angle: float | None
    spec: dict[str, Any]
    paths: tuple[str, ...]
    checksums: dict[str, str]
    doubtful: bool = False


def pictures_of(record: PairRecord, header: ManifestHeader) -> Iterator[Picture]:
    """Yield the picture of a record, or each frame of a sequence."""

    def picture(name: str, rainy: str, clean: str | None, **own: Any) -> Picture:
        return Picture(
            name=name,
            rainy=rainy,
            clean=clean,
            scene=record.scene or clean or rainy,
            split=record.split,
            licence=record.licence or header.licence,
            source=record.source,
            angle=record.angle,
            spec=record.spec,
            checksums=record.checksums,
            doubtful=record.extra.get("status") == REVIEW,
            **own,
        )

    valid = record.extra.get("valid")
    if not record.frames and record.rainy is not None:
        yield picture(
            record.id,
            record.rainy,
            record.clean,
            rain=record.rain,
            mask=record.mask,
            valid=valid,
            paths=record.paths,
        )
    for number, frame in enumerate(record.frames):
        clean = frame.clean or record.clean
        yield picture(
            f"{record.id}/{number}",
            frame.rainy,
            clean,
            rain=None,
            mask=frame.extra.get("mask"),
            # The record's mask says which pixels of the record's clean picture are good, and nothing of another's.
            valid=frame.extra.get("valid", valid if frame.clean is None else None),
            paths=tuple(dict.fromkeys(path for path in (frame.rainy, clean) if path is not None)),
        )
