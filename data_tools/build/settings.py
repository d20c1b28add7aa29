"""How datasets are made of videos, and by rendering rain: settings, checked where they are put together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from data_tools.rain.presets import PRESETS
from rainopt.video.adaptive_background import MOST
from rainopt.video.quality import ACCEPTED


class SettingsError(ValueError):
    """A setting is out of its range; the message names it."""


def _at_least(least: float, settings: object, *names: str) -> None:
    for name in names:
        value = getattr(settings, name)
        # Comparisons with NaN are false, so this refuses NaN too.
        if value is not None and not value >= least:
            raise SettingsError(f"`{name}` must be at least {least:g}, got {value}")


def _leave_some(settings: VideoSettings) -> None:
    if settings.val_share + settings.test_share >= 1:
        raise SettingsError(
            f"`val_share` and `test_share` must leave something to train on, got {settings.val_share:g} and "
            f"{settings.test_share:g}"
        )


@dataclass(frozen=True, kw_only=True)
class BuildSettings:
    """How pairs are made of videos; two runs into one folder must agree in all of it.

    Attributes
    ----------
    every : float
        Seconds of a scene from the beginning of one background to the beginning of the next.
    pairs : int
        Frames that are paired with each background.
    crop, crops : int
        Side in pixels of square crops, and how many of each frame; a `crop` of None means whole frames.
    most : int
        Frames that a background may take.
    accept : float
        Decibels that a background must be expected to have.
    stabilise : bool
        Whether frames are aligned where the camera moves.
    val_share, test_share : float
        Shares of the videos that go to the splits "val" and "test".
    seed : int
        Seed of the splits.
    licence : str
        Licence of the videos, noted in every record.

    Raises
    ------
    SettingsError
        If one is out of its range; the message names it.
    """

    kind: ClassVar[str] = "build"
    """Name of the settings in the header of a manifest."""

    every: float = 10.0
    pairs: int = 8
    crop: int | None = None
    crops: int = 4
    most: int = MOST
    accept: float = ACCEPTED
    stabilise: bool = True
    val_share: float = 0.0
    test_share: float = 0.0
    seed: int = 0
    licence: str = ""

    def __post_init__(self) -> None:
        _at_least(0, self, "every", "accept", "val_share", "test_share", "seed")
        _at_least(1, self, "pairs", "crop", "crops", "most")
        _leave_some(self)

    def recorded(self) -> dict[str, Any]:
        """Return what the manifest's header keeps."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class SequenceSettings:
    """How sequences of frames are made of videos; two runs into one folder must agree in all of it.

    Attributes
    ----------
    every : float
        Seconds of a scene that one sequence is of, at most; a longer scene gives several.
    frames : int
        Frames of a sequence, at most.
    crop, crops, val_share, test_share, seed, licence
        As in `BuildSettings`.

    Raises
    ------
    SettingsError
        If one is out of its range; the message names it.
    """

    kind: ClassVar[str] = "sequences"
    """Name of the settings in the header of a manifest."""

    every: float = 60.0
    frames: int = 30
    crop: int | None = None
    crops: int = 4
    val_share: float = 0.0
    test_share: float = 0.0
    seed: int = 0
    licence: str = ""

    def __post_init__(self) -> None:
        _at_least(0, self, "every", "val_share", "test_share", "seed")
        _at_least(1, self, "crop", "crops")
        _at_least(2, self, "frames")
        if self.every == 0:
            raise SettingsError("`every` must be above 0 for sequences, got 0")
        _leave_some(self)

    def recorded(self) -> dict[str, Any]:
        """Return what the manifest's header keeps."""
        return asdict(self)


VideoSettings = BuildSettings | SequenceSettings
"""How a dataset is made of videos, of whichever kind."""


@dataclass(frozen=True, kw_only=True)
class SynthSettings:
    """How rain is rendered over clean pictures; two runs into one folder must agree in all of it.

    Attributes
    ----------
    preset : str
        A name in `data_tools.PRESETS`.
    seed : int
        At least 0.
    val_share : float
        Share of the scenes, in [0, 1), that go to the split "val"; all versions of a scene stay together.
    licence : str
        Licence of the clean pictures, noted in every record.

    Raises
    ------
    SettingsError
        If one is out of its range; the message names it.
    """

    preset: str = "medium"
    seed: int = 0
    val_share: float = 0.0
    licence: str = ""

    def __post_init__(self) -> None:
        if self.preset not in PRESETS:
            raise SettingsError(f"`preset` must be one of {', '.join(PRESETS)}, got '{self.preset}'")
        _at_least(0, self, "seed", "val_share")
        if self.val_share >= 1:
            raise SettingsError(f"`val_share` must be below 1, got {self.val_share:g}")

    def recorded(self) -> dict[str, Any]:
        """Return what the manifest's header keeps."""
        return asdict(self)
