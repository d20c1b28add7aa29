"""The sections of a recipe, with what each key may be."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

Share = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of a recipe: keys that are not known are errors, and nothing changes later."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class NetworkSection(Section):
    """Which network: its name, a preset, and fields of its config that differ; or a model to begin with, which brings
    its own config.
    """

    name: str
    preset: str | None = None
    config: dict[str, Any] = Field(default_factory=dict)
    start: Path | None = None


class TwoFolders(Section):
    """Pairs of two folders: the rainy and the clean pictures, and what tells which belong together.

    Attributes
    ----------
    rainy, clean
        The folders.
    match
        Regular expression of what the names of both share; None: names that are alike.
    """

    rainy: Path | None = None
    clean: Path | None = None
    match: str | None = None

    @model_validator(mode="after")
    def _both(self) -> Self:
        lacking = [side for side in ("rainy", "clean") if getattr(self, side) is None]
        if len(lacking) == 1 or (lacking and self.match is not None):
            raise ValueError(f"pairs of two folders need both, rainy and clean; '{lacking[0]}' is missing")
        return self


class AugmentSection(Section):
    """Rain that a generator makes over the clean crops; see `rainnet.data.augmented`.

    Attributes
    ----------
    generator
        File or training run of the network that makes it.
    ratio
        Crops with made rain for each with its own.
    """

    generator: Path
    ratio: float = Field(1.0, ge=0)


class CameraSection(Section):
    """How cameras see rendered rain: shares of the crops, and ranges; see `rainnet.data.camera.Camera`."""

    tinted: float = Field(0.0, ge=0, le=1)
    near: float = Field(0.0, ge=0, le=1)
    downpour: float = Field(0.0, ge=0, le=1)
    shallow: float = Field(0.0, ge=0, le=1)
    beaded: float = Field(0.0, ge=0, le=1)
    even: float = Field(0.0, ge=0, le=1)
    other_composition: float = Field(0.0, ge=0, le=1)
    gamma: float = Field(0.0, ge=0, le=1)
    gammas: tuple[float, float] = (0.7, 1.8)
    lamps: float = Field(0.0, ge=0, le=1)
    bars: float = Field(0.0, ge=0, le=1)
    soft: float = Field(0.0, ge=0, le=1)
    sharpened: float = Field(0.0, ge=0, le=1)
    noise: float = Field(0.0, ge=0, le=1)
    noises: tuple[float, float] = (0.003, 0.03)
    jpeg: float = Field(0.0, ge=0, le=1)
    qualities: tuple[float, float] = (50.0, 98.0)


class DataSection(TwoFolders):
    """What it is trained on; see `rainnet.data` and `rainnet.data.kinds`.

    Attributes
    ----------
    kind
        "rendered": our rain over clean pictures; "pairs": any layout of `data_tools.layouts`; "rainy": rainy pictures
        without truth; "single": one rainy photograph.
    train
        Folders or files of that kind.
    rainy, clean, match
        Of "pairs", in place of ``train``.
    unpaired, unpaired_rainy
        Folders of clean pictures, and datasets or folders of rainy ones, of any scenes: for losses that compare with
        what is clean, or rainy, in general.
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
    camera
        What a camera makes of rendered rain; left out: grey streaks in focus, in pictures without noise.
    split
        Part of datasets that have parts; left out: "train" where there is such a part.
    augment
        Rain that a generator makes, for some of the crops.
    """

    kind: str = "rainy"
    train: tuple[Path, ...] = ()
    unpaired: tuple[Path, ...] = ()
    unpaired_rainy: tuple[Path, ...] = ()
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
    camera: CameraSection | None = None
    split: Literal["train", "val", "test"] | None = None
    augment: AugmentSection | None = None


class OptimiserSection(Section):
    """An optimiser, and how its learning rate goes; see `rainnet.train.optimisers` and `rainnet.train.schedule`.

    Attributes
    ----------
    kind
        Which: "adam", "adamw" or "sgd".
    betas
        Of the Adams.
    momentum
        Of "sgd".
    decay_every, decay_at
        Of the schedule "steps": the steps between two decays, or the steps before which there is one.
    rates
        Shares of the learning rate by which parts of the program learn, by the names of their modules, as in
        `StageSection`: ``{"network.angle" = 0.1}``. A part within another has its own share alone; what is not named
        has 1. A part that is not to learn at all is ``frozen``.
    """

    kind: str = "adam"
    lr: float = Field(1e-3, gt=0)
    betas: tuple[float, float] = (0.9, 0.999)
    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "steps", "cosine"] = "constant"
    decay: float = Field(0.1, gt=0, le=1)
    decay_every: int | None = Field(None, ge=1)
    decay_at: tuple[int, ...] = ()
    warmup: int = Field(0, ge=0)
    clip: float = Field(0.0, ge=0)
    rates: dict[str, Share] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _steps_are_told(self) -> Self:
        if self.schedule == "steps" and (self.decay_every is None) == (not self.decay_at):
            raise ValueError(
                "schedule 'steps' needs decay_every, the steps between two decays, or decay_at, a list of the steps "
                "before which there is one"
            )
        if list(self.decay_at) != sorted({step for step in self.decay_at if step > 0}):
            raise ValueError(f"decay_at must hold steps that rise, from 1 on, got {list(self.decay_at)}")
        return self


class RunSection(Section):
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


class ValidationSection(TwoFolders):
    """On which pairs, how often and under which protocol the network is judged; see `rainopt.metrics.fidelity`.

    Pairs are those of datasets, ``data``, or of two folders.
    """

    data: tuple[Path, ...] = ()
    every: int = Field(1000, ge=1)
    protocol: Literal["rgb", "y_matlab", "y_full"] = "y_matlab"
    limit: int | None = Field(None, ge=1)


class StageSection(Section):
    """What one stage of a run changes; see `rainnet.recipes.stages`.

    Attributes
    ----------
    name
        In what is told of the run.
    steps
        Of this stage; None: as many as ``run.steps``.
    start
        Model whose weights the network begins this stage with; None: those that the stage before has kept. The other
        parts of the program always go on from the stage before.
    frozen
        Parts of the program that stay as they are, by the names of their modules: ``network.angle``, ``discriminator``.
        A turn whose parts are all frozen does not step.
    copies
        Parts that begin the stage with the weights of others, by the names of their modules:
        ``{"network.removal_real" = "network.removal_synthetic"}``. Weights are those that the network begins the stage
        with, before any is copied.
    loss, optimiser
        Keys that differ from the recipe's.
    """

    name: str = ""
    steps: int | None = Field(None, ge=1)
    start: Path | None = None
    frozen: tuple[str, ...] = ()
    copies: dict[str, str] = Field(default_factory=dict)
    loss: dict[str, Any] = Field(default_factory=dict)
    optimiser: dict[str, Any] = Field(default_factory=dict)


class Recipe(Section):
    """All of it. ``loss`` is checked by the network's own program, `rainnet.programs`."""

    network: NetworkSection
    data: DataSection = DataSection()
    loss: dict[str, Any] = Field(default_factory=dict)
    optimiser: dict[str, OptimiserSection] = Field(default_factory=lambda: {"network": OptimiserSection()})
    run: RunSection = RunSection()
    validation: ValidationSection = ValidationSection()
    stages: tuple[StageSection, ...] = ()

    @field_validator("optimiser", mode="before")
    @classmethod
    def _one_for_all(cls, value: Any) -> Any:
        # `[optimiser]` is that of the network; `[optimiser.discriminator]` says how another differs from it.
        if not isinstance(value, Mapping):
            return value
        own, others = parted(value)
        return {"network": own} | {turn: own | part for turn, part in others.items()}

    def without_paths(self) -> dict[str, Any]:
        """Return the recipe as JSON has it, with the names alone of all files and folders: to be published."""
        values = self.model_dump(mode="json")
        folders = (("data", "train"), ("data", "unpaired"), ("data", "unpaired_rainy"), ("validation", "data"))
        for section, key in folders:
            values[section][key] = [Path(path).name for path in values[section][key]]
        for section in ("data", "validation"):
            for side in ("rainy", "clean"):
                values[section][side] = None if values[section][side] is None else Path(values[section][side]).name
        if values["data"]["augment"] is not None:
            values["data"]["augment"]["generator"] = Path(values["data"]["augment"]["generator"]).name
        for part in (values["network"], *values["stages"]):
            part["start"] = None if part["start"] is None else Path(part["start"]).name
        return values

    def optimiser_of(self, turn: str) -> OptimiserSection:
        """Return the settings of a turn; those of the network where it has none of its own."""
        return self.optimiser.get(turn, self.optimiser["network"])


def parted(optimiser: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Part what is said of all optimisers from what is said of single turns."""
    turns = {key for key, part in optimiser.items() if isinstance(part, Mapping)} - OptimiserSection.model_fields.keys()
    own = {key: part for key, part in optimiser.items() if key not in turns}
    return own, {key: dict(part) for key, part in optimiser.items() if key in turns}
