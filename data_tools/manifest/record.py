"""The lines of a manifest as pydantic models: one header, then a record for every pair or sequence."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, Self, get_args

try:
    from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError, model_validator
except ImportError as error:
    raise ImportError(f"manifests need pydantic ({error}); pip install 'rainopt[data]'") from error

from data_tools.manifest.paths import ManifestError, check_path

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FORMAT: Final = "rainopt-manifest"
VERSION = 1
Split = Literal["train", "val", "test"]
SPLITS: tuple[Split, ...] = get_args(Split)


def _check_digest(digest: object) -> str:
    if not isinstance(digest, str) or not re.fullmatch("[0-9a-f]{64}", digest):
        raise ValueError(f"must be 64 hexadecimal digits, got {digest!r}")
    return digest


InnerPath = Annotated[str, PlainValidator(check_path)]
Digest = Annotated[str, PlainValidator(_check_digest)]


class ManifestPart(BaseModel):
    """A part of a manifest. Fields that are unknown here are kept; `description` of a field completes "must be"."""

    model_config = ConfigDict(frozen=True, extra="allow", strict=True)

    @classmethod
    def parse(cls, values: Any) -> Self:
        """Return what an object of JSON holds; fields that are missing take their defaults.

        Raises
        ------
        ManifestError
            If a field is missing or is not what it must be; the message names it.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ManifestError(_sentence(cls, error.errors()[0])) from None

    @property
    def extra(self) -> dict[str, Any]:
        """The fields that are unknown here, as they came."""
        return self.model_extra or {}


class ManifestHeader(ManifestPart):
    """First line of a manifest: format and version, the tool that wrote it, and the licence of the dataset."""

    tool: str = Field("rainopt", description="text")
    licence: str = Field("", description="text")
    format: Literal["rainopt-manifest"] = Field(FORMAT, description=f"'{FORMAT}'")
    version: int = Field(VERSION, ge=1, le=VERSION, description=f"1 to {VERSION} (newer ones need a newer rainopt)")


class PairFrame(ManifestPart):
    """One frame of a sequence; without a clean image of its own, that of the record holds."""

    rainy: InnerPath
    clean: InnerPath | None = None


class PairRecord(ManifestPart):
    """One pair, one rainy image without truth, or one sequence. Paths are POSIX paths inside the dataset's folder.

    Attributes
    ----------
    id : str
        Name of the record, which no other in the manifest has.
    rainy, clean, rain, mask : str, optional
        Paths of the rainy image, its truth, the rain layer and the mask of rain. Only a sequence may lack `rainy`.
    scene : str, optional
        Name shared by all that shows the same scene, so that splits can keep scenes together.
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
    frames : list of PairFrame
        Frames of a sequence in order; empty for a single picture.
    """

    id: str = Field(min_length=1, description="text that is not empty")
    rainy: InnerPath | None = None
    clean: InnerPath | None = None
    rain: InnerPath | None = None
    mask: InnerPath | None = None
    scene: str | None = Field(None, min_length=1, description="text or null")
    split: Split | None = Field(None, description="'train', 'val', 'test' or null")
    licence: str = Field("", description="text")
    source: str = Field("", description="text")
    checksums: dict[InnerPath, Digest] = Field(default_factory=dict, description="an object")
    spec: dict[str, Any] = Field(default_factory=dict, description="an object")
    angle: int | float | None = Field(None, gt=-90, le=90, description="degrees in (-90, 90] or null")
    frames: list[PairFrame] = Field(default_factory=list, description="a list of frames")

    @model_validator(mode="after")
    def _shows_rain(self) -> Self:
        if self.rainy is None and not self.frames:
            raise ValueError("`rainy` is missing, and there are no `frames` either")
        return self

    @property
    def paths(self) -> tuple[str, ...]:
        """All the paths that the record names, each once."""
        named = [self.rainy, self.clean, self.rain, self.mask]
        named += [path for frame in self.frames for path in (frame.rainy, frame.clean)]
        return tuple(dict.fromkeys(path for path in [*named, *self.checksums] if path is not None))


def _sentence(kind: type[ManifestPart], error: ErrorDetails) -> str:
    """Return what is wrong with a part, in this project's words."""
    got = error["input"]
    match error["loc"]:
        case ("frames", int(number), *place):
            return f"`frames`, number {number}: {_sentence(PairFrame, {**error, 'loc': tuple(place)})}"
        case (str(name), *place):
            where = f"`{name}` of '{place[0]}'" if len(place) == 1 and name == "checksums" else f"`{name}`"
            if error["type"] == "missing":
                return f"{where} is missing"
            if error["type"] == "value_error":
                return f"{where} {error['ctx']['error']}"
            return f"{where} must be {kind.model_fields[name].description}, got {got!r}"
        case _:
            return (
                str(error["ctx"]["error"]) if error["type"] == "value_error" else f"an object is expected, got {got!r}"
            )


def to_line(part: ManifestPart) -> bytes:
    """Return a line of a manifest with its end."""
    try:
        return json.dumps(part.model_dump(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except (TypeError, ValueError) as error:
        raise ManifestError(f"{part!r} cannot be written as JSON in UTF-8 ({error})") from error


def parse_line(line: bytes) -> Any:
    """Return what a line of a manifest holds; names that come twice and numbers that JSON lacks are refused."""

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
