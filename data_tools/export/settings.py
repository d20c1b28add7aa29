"""Settings of an export: its form, which pairs go into it, and how they are dealt to files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from data_tools.manifest.record import SPLITS

FORMATS = ("webdataset", "spa")
SHARD_BYTES = 256 * 2**20
# A smaller shard would be little more than headers.
LEAST_SHARD = 2**10


class ExportError(ValueError):
    """The dataset cannot be exported as asked; the message says what to do."""


@dataclass(frozen=True)
class ExportSettings:
    """How a dataset is exported.

    Attributes
    ----------
    to : {"webdataset", "spa"}
        The form.
    layout : str, optional
        How the dataset is read, a name in `data_tools.layouts.read.LAYOUTS`; None to recognise it.
    split : {"train", "val", "test"}, optional
        The only split to be exported.
    shard_bytes : int
        Most bytes a shard, at least 1024; a single pair above it has a shard to itself.
    shuffle : bool
        Whether the pairs in shards are put in an order that looks random and is always the same.
    overwrite : bool
        Whether another export in the folder is removed first: what it wrote, and nothing else.

    Raises
    ------
    ExportError
        If one is out of its range; the message names it.
    """

    to: str
    layout: str | None = None
    split: str | None = None
    shard_bytes: int = SHARD_BYTES
    shuffle: bool = True
    overwrite: bool = False

    def __post_init__(self) -> None:
        if self.to not in FORMATS:
            raise ExportError(f"`to` must be one of {', '.join(FORMATS)}, got '{self.to}'")
        if self.split is not None and self.split not in SPLITS:
            raise ExportError(f"`split` must be one of {', '.join(SPLITS)}, got '{self.split}'")
        if self.shard_bytes < LEAST_SHARD:
            raise ExportError(f"`shard_bytes` must be at least {LEAST_SHARD}, got {self.shard_bytes}")

    def recorded(self) -> dict[str, Any]:
        """Return what decides which files there are."""
        form: dict[str, Any] = {"to": self.to, "split": self.split}
        return form | ({"shard_bytes": self.shard_bytes, "shuffle": self.shuffle} if self.to == "webdataset" else {})
