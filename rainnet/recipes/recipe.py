"""Recipes: everything that decides how a network is trained, read from TOML and checked before anything is done."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from rainnet.zoo import known


class RecipeError(ValueError):
    """What is wrong with a recipe, with its key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(_Section):
    """Which network: its name, a preset, and fields of its config that differ; or a model to begin with, which brings
    its own config.
    """

    name: str
    preset: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    start: Path | None = None


class DataSection(_Section):
    """What it is trained on; see `rainnet.data`.

    Attributes
    ----------
    kind
        "rendered": our rain over clean pictures; "pairs": any layout of `data_tools.layouts`; "rainy": rainy pictures
        without truth; "single": one rainy photograph.
    train, unpaired
        Folders or files of that kind, and folders of clean pictures for a discriminator.
    size
        Side of the crops, in pixels.
    presets
        Of rendered rain, with their shares.
    dry
        Share of the crops without rain, of rendered rain.
    angle_range
        Rendered rain falls within ± so many degrees; None: within what its preset says.
    angle_error
        Standard deviation, in degrees, by which crops are brought upright wrongly.
    scale, gain, rain_scale
        Ranges of what clean pictures are reduced by, brightened by, and streaks enlarged by.
    haze, veil
        Share of the rendered crops whose veil is drawn from this range and not from the preset's.
    split
        Part of datasets that have parts; left out: "train" where there is such a part.
    """

    kind: Literal["rendered", "pairs", "rainy", "single"] = "rainy"
    train: tuple[Path, ...] = ()
    unpaired: tuple[Path, ...] = ()
    size: int = Field(128, ge=16)
    presets: dict[str, float] = Field(default_factory=lambda: {"light": 1.0, "medium": 1.0, "heavy": 1.0})
    dry: float = Field(0.0, ge=0, le=1)
    angle_range: float | None = Field(None, ge=0, le=90)
    angle_error: float = Field(0.0, ge=0, le=45)
    scale: tuple[float, float] = (1.0, 1.0)
    gain: tuple[float, float] = (1.0, 1.0)
    rain_scale: tuple[float, float] = (1.0, 1.0)
    haze: float = Field(0.0, ge=0, le=1)
    veil: tuple[float, float] = (0.0, 0.5)
    split: Literal["train", "val", "test"] | None = None


class OptimiserSection(_Section):
    """Adam, and how its learning rate goes; see `rainnet.train.schedule`."""

    lr: float = Field(1e-3, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "steps", "cosine"] = "constant"
    decay: float = Field(0.1, gt=0, le=1)
    decay_every: int | None = Field(None, ge=1)
    warmup: int = Field(0, ge=0)
    clip: float = Field(0.0, ge=0)

    @model_validator(mode="after")
    def _steps_are_told(self) -> Self:
        if self.schedule == "steps" and self.decay_every is None:
            raise ValueError("schedule 'steps' needs decay_every, the steps between two decays")
        return self


class RunSection(_Section):
    """How long, how many at a time, and what is kept.

    Attributes
    ----------
    steps
        Of all optimisers.
    batch
        Crops a step and process.
    precision
        As Lightning Fabric names it.
    ema
        Decay of the moving average of the weights that is kept and validated; 0 keeps the weights themselves.
    workers
        Processes that make crops.
    log_every, picture_every, save_every
        Steps between lines, picture grids, and checkpoints; 0 for the last two: never.
    """

    steps: int = Field(10_000, ge=1)
    batch: int = Field(8, ge=1)
    seed: int = Field(0, ge=0, lt=2**31)
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    ema: float = Field(0.0, ge=0, lt=1)
    workers: int = Field(1, ge=0)
    log_every: int = Field(50, ge=1)
    picture_every: int = Field(1000, ge=0)
    save_every: int = Field(1000, ge=0)


class ValidationSection(_Section):
    """On which pairs, how often and under which protocol the network is judged; see `rainopt.metrics.fidelity`."""

    data: tuple[Path, ...] = ()
    every: int = Field(1000, ge=1)
    protocol: Literal["rgb", "y_matlab", "y_full"] = "y_matlab"
    limit: int | None = Field(None, ge=1)


class Recipe(_Section):
    """All of it. ``loss`` is checked by the network's own program, `rainnet.programs`."""

    network: NetworkSection
    data: DataSection = DataSection()
    loss: dict[str, Any] = Field(default_factory=dict)
    optimiser: dict[str, OptimiserSection] = Field(default_factory=lambda: {"network": OptimiserSection()})
    run: RunSection = RunSection()
    validation: ValidationSection = ValidationSection()

    @field_validator("optimiser", mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        # `[optimiser]` is that of the network; `[optimiser.discriminator]` says how another differs from it.
        if not isinstance(value, Mapping):
            return value
        own = {key: part for key, part in value.items() if not isinstance(part, Mapping)}
        others = {key: part for key, part in value.items() if isinstance(part, Mapping)}
        return {"network": own} | {turn: own | dict(part) for turn, part in others.items()}

    def without_paths(self) -> dict[str, Any]:
        """Return the recipe as JSON has it, with the names alone of all files and folders: to be published."""
        values = self.model_dump(mode="json")
        for section, key in (("data", "train"), ("data", "unpaired"), ("validation", "data")):
            values[section][key] = [Path(path).name for path in values[section][key]]
        start = values["network"]["start"]
        values["network"]["start"] = None if start is None else Path(start).name
        return values

    def optimiser_of(self, turn: str) -> OptimiserSection:
        """Return the settings of a turn; those of the network where it has none of its own."""
        return self.optimiser.get(turn, self.optimiser["network"])


def shipped() -> dict[str, Path]:
    """Return the recipes that come with the package, by name."""
    folder = Path(str(resources.files("rainnet"))) / "recipes"
    return {file.stem.replace("_", "-"): file for file in sorted(folder.glob("*.toml"))}


def read_recipe(name: str, changes: Sequence[str] = (), **sections: Mapping[str, Any]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name
        A TOML file, or one of `shipped`.
    changes
        ``SECTION.KEY=VALUE`` each, the value in TOML's own spelling, or a bare word.
    **sections
        Keys of sections that replace those of the file: what a command's other options say.

    Raises
    ------
    RecipeError
        If there is no such recipe, it is no TOML, or a key or value is not as it must be; the message names it and,
        where one is alike, the key that may be meant.
    """
    values = _read(name)
    for change in changes:
        _apply(values, change)
    for section, keys in sections.items():
        place = values.setdefault(section, {})
        if not isinstance(place, dict):
            raise RecipeError(f"'{section}' = {place!r}: a section with keys is expected")
        place.update(keys)
    return checked(Recipe, values, "")


def checked(model: type[Any], values: Mapping[str, Any], section: str) -> Any:
    """Return the pydantic model of some values; its errors become one that names the keys and suggests others."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RecipeError("; ".join(_sentence(model, each, section) for each in error.errors())) from None


def _read(name: str) -> dict[str, Any]:
    file = Path(name)
    if file.suffix != ".toml":
        recipes = shipped()
        try:
            file = recipes[known(name.replace("_", "-"), recipes, "recipe that ships, nor a .toml file")]
        except ValueError as error:
            raise RecipeError(str(error)) from None
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"'{file}' does not exist; recipes that ship: {', '.join(shipped())}") from None
    except OSError as error:
        raise RecipeError(f"'{file}' cannot be read ({error.strerror or error})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"'{file}' is no TOML: {error}") from None


def _apply(values: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or len(keys) < 2 or not all(keys):
        raise RecipeError(f"'{change}' is not SECTION.KEY=VALUE, such as run.steps=1000")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    place = values
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise RecipeError(f"'{change}': '{key}' is a value and holds no keys")
    place[keys[-1]] = value


def _sentence(model: type[Any], error: Any, section: str) -> str:
    where = [str(part) for part in error["loc"]]
    path = ".".join([section, *where] if section else where)
    if error["type"] == "extra_forbidden":
        names = _names_beside(model, where)
        try:
            known(where[-1], names, "key")
        except ValueError as unknown:
            return f"'{path}': {unknown}"
    if error["type"] == "missing":
        return f"'{path}' is missing"
    return f"'{path}' = {error['input']!r}: {error['msg']}"


def _names_beside(model: type[Any], where: Sequence[str]) -> list[str]:
    """Return the names of the fields that the last key of a path could have been."""
    for key in where[:-1]:
        field = model.model_fields.get(key)
        inner = field.annotation if field else None
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
        elif field is not None and key == "optimiser":
            model = OptimiserSection
    return list(model.model_fields)
