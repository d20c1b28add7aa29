"""Lines of a manifest: header and records, checked, as dataclasses and as JSON."""

import json
import re
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Self

FORMAT, VERSION = "rainopt-manifest", 1
SPLITS = ("train", "val", "test")


class ManifestError(ValueError):
    """What is wrong with a manifest, with line and field."""


class Fields:
    """To a dict and back; what a dict holds beyond the fields is kept in `extra`."""

    extra: dict[str, Any]

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Return what `to_dict` gave; missing fields take their defaults, unknown ones go to `extra`.

        Raises
        ------
        ManifestError
            If a field is missing or is not what it must be; the message names it.
        """
        if not isinstance(values, dict):
            raise ManifestError(f"an object is expected, got {values!r}")
        names = _names(cls)
        known = {name: value for name, value in values.items() if name in names}
        extra = {name: value for name, value in values.items() if name not in names}
        if isinstance(known.get("frames"), list):
            known["frames"] = tuple(_frame(k, frame) for k, frame in enumerate(known["frames"]))
        for name in _names(cls, required=True):
            if name not in known:
                raise ManifestError(f"`{name}` is missing")
        return cls(**{**known, "extra": extra})

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as JSON has them, and what was unknown as it came."""
        values = {name: getattr(self, name) for name in _names(type(self))}
        if "frames" in values:
            values["frames"] = [frame.to_dict() for frame in values["frames"]]
        return values | self.extra

    def _check_extra(self) -> None:
        names = _names(type(self))
        if not isinstance(self.extra, dict) or any(not isinstance(k, str) or k in names for k in self.extra):
            raise ManifestError(f"`extra` must be a dict of names that are no fields, got {self.extra!r}")


@dataclass(frozen=True)
class Header(Fields):
    """First line of a manifest: format and version, the tool that wrote it, and what the dataset's licence allows."""

    tool: str = "rainopt"
    licence: str = ""
    format: str = FORMAT
    version: int = VERSION
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.format != FORMAT:
            raise ManifestError(f"`format` must be '{FORMAT}', got {self.format!r}")
        if isinstance(self.version, bool) or not isinstance(self.version, int) or not 1 <= self.version <= VERSION:
            raise ManifestError(
                f"`version` must be 1 to {VERSION}, got {self.version!r}; newer ones need a newer rainopt"
            )
        _check_texts(self, "tool", "licence")
        self._check_extra()


@dataclass(frozen=True)
class Frame(Fields):
    """One frame of a sequence; without a clean image of its own, the record's holds."""

    rainy: str
    clean: str | None = None
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_path("rainy", self.rainy)
        _check_paths(self, "clean")
        self._check_extra()


@dataclass(frozen=True)
class Record(Fields):
    """One pair, one rainy image without truth, or one sequence. Paths are POSIX paths inside the dataset's folder.

    Attributes
    ----------
    id : str
        Name of the record, one of its kind in the manifest.
    rainy, clean, rain, mask : str, optional
        Paths of the rainy image, its truth, the rain layer and the mask of rain. Only a sequence may lack `rainy`.
    scene : str, optional
        What shows the same scene shares it, so that splits can keep scenes together.
    split : {"train", "val", "test"}, optional
        Part of the dataset.
    licence, source : str
        Licence of this record, and where its material comes from.
    checksums : dict of str to str
        SHA-256 of each file, by path.
    spec : dict
        Parameters of synthetic rain, as `RainSpec.to_dict` gives them.
    angle : float, optional
        Direction of the rain in degrees, (-90, 90]; 0 is vertical, positive moves right going down.
    frames : tuple of Frame
        Frames of a sequence in order; empty for a single picture.
    extra : dict
        Fields that are unknown here; they are kept.

    Raises
    ------
    ManifestError
        If a field is not as described; the message names it.
    """

    id: str
    rainy: str | None = None
    clean: str | None = None
    rain: str | None = None
    mask: str | None = None
    scene: str | None = None
    split: str | None = None
    licence: str = ""
    source: str = ""
    checksums: dict[str, str] = field(default_factory=dict)
    spec: dict[str, Any] = field(default_factory=dict)
    angle: float | None = None
    frames: tuple[Frame, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_texts(self, "id", "licence", "source")
        if not self.id:
            raise ManifestError("`id` must not be empty")
        if not isinstance(self.frames, tuple) or not all(isinstance(frame, Frame) for frame in self.frames):
            raise ManifestError(f"`frames` must be a list of frames, got {self.frames!r}")
        if self.rainy is None and not self.frames:
            raise ManifestError("`rainy` is missing, and there are no `frames` either")
        _check_paths(self, "rainy", "clean", "rain", "mask")
        if self.scene is not None and (not isinstance(self.scene, str) or not self.scene):
            raise ManifestError(f"`scene` must be text or null, got {self.scene!r}")
        if self.split is not None and self.split not in SPLITS:
            raise ManifestError(f"`split` must be 'train', 'val', 'test' or null, got {self.split!r}")
        angle = self.angle
        if angle is not None and (
            isinstance(angle, bool) or not isinstance(angle, int | float) or not -90 < angle <= 90
        ):
            raise ManifestError(f"`angle` must be degrees in (-90, 90] or null, got {angle!r}")
        for name in ("checksums", "spec"):
            if not isinstance(getattr(self, name), dict):
                raise ManifestError(f"`{name}` must be an object, got {getattr(self, name)!r}")
        for path, digest in self.checksums.items():
            check_path("checksums", path)
            if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
                raise ManifestError(f"`checksums` of '{path}' must be 64 hexadecimal digits, got {digest!r}")
        self._check_extra()

    @property
    def paths(self) -> tuple[str, ...]:
        """All the paths that the record names, each once."""
        named = [self.rainy, self.clean, self.rain, self.mask]
        named += [path for frame in self.frames for path in (frame.rainy, frame.clean)]
        return tuple(dict.fromkeys(path for path in [*named, *self.checksums] if path is not None))


def check_path(name: str, path: object) -> None:
    """Raise unless `path` is a POSIX path that, links aside, stays where it starts."""
    if not isinstance(path, str):
        raise ManifestError(f"`{name}` must be a path, got {path!r}")
    reason = None
    if "\\" in path:
        reason = "has a backslash; separate folders by '/'"
    elif path.startswith("/") or re.match("[A-Za-z]:", path):
        reason = "is absolute; it must be relative to the dataset's folder"
    elif ".." in path.split("/"):
        reason = "leaves the dataset's folder"
    elif "\0" in path or not all(part not in ("", ".") for part in path.split("/")):
        reason = "is no plain relative path, such as 'rainy/1.png'"
    if reason:
        raise ManifestError(f"`{name}` {path!r} {reason}")


def _names(kind: Any, required: bool = False) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.name != "extra" and not (required and _has_default(f)))


def _has_default(f: Any) -> bool:
    return f.default is not MISSING or f.default_factory is not MISSING


def _frame(number: int, values: Any) -> Frame:
    try:
        return Frame.from_dict(values)
    except ManifestError as error:
        raise ManifestError(f"`frames`, number {number}: {error}") from None


def _check_texts(record: object, *names: str) -> None:
    for name in names:
        if not isinstance(getattr(record, name), str):
            raise ManifestError(f"`{name}` must be text, got {getattr(record, name)!r}")


def _check_paths(record: object, *names: str) -> None:
    for name in names:
        if getattr(record, name) is not None:
            check_path(name, getattr(record, name))


def to_line(part: Fields) -> bytes:
    """Return a line of a manifest with its end."""
    try:
        return json.dumps(part.to_dict(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise ManifestError(f"{part!r} cannot be written as JSON in UTF-8 ({error})") from error


def parse_line(line: bytes) -> Any:
    """Return what a line of a manifest holds; nothing that JSON lacks is let through."""

    def unique(items: list[tuple[str, Any]]) -> dict[str, Any]:
        values = dict(items)
        if len(values) < len(items):
            raise ManifestError(f"a name is there twice among {[name for name, _ in items]}")
        return values

    def no_number(text: str) -> None:
        raise ManifestError(f"{text} is no number in JSON")

    try:
        return json.loads(line.decode(), object_pairs_hook=unique, parse_constant=no_number)
    except ManifestError:
        raise
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"is no JSON in UTF-8 ({error})") from None


def is_whole(line: bytes) -> bool:
    """Tell whether a line is a whole object; no beginning of one is."""
    try:
        return isinstance(json.loads(line.decode()), dict)
    except (ValueError, RecursionError):
        return False
