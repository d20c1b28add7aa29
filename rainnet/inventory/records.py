"""What is known of a network, a preset, a recipe and shipped weights."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from rainnet.weights.scores import SetScores


@dataclass(frozen=True)
class Record:
    """One thing that can be named.

    Attributes
    ----------
    kind
        "network", "preset", "recipe" or "weights".
    name
        By which commands know it.
    network
        That it is, or is of.
    """

    kind: ClassVar[str]
    name: str
    network: str

    def as_dict(self) -> dict[str, Any]:
        """Return what JSON holds."""
        return {"kind": self.kind} | asdict(self)


@dataclass(frozen=True)
class NetworkRecord(Record):
    """A network.

    Attributes
    ----------
    about, source
        What it is, and where it was published; empty where its module does not say.
    presets, recipes, weights
        Names of its own, the default preset first.
    trainable
        Whether it has a training program of its own.
    convert
        Whether `rainnet convert` takes parameters of other programs.
    fields
        What each field of its config means.
    """

    kind = "network"
    about: str
    source: str
    presets: tuple[str, ...]
    recipes: tuple[str, ...]
    weights: tuple[str, ...]
    trainable: bool
    convert: bool
    fields: dict[str, str]


@dataclass(frozen=True)
class CostRecord(Record):
    """Something with parameters.

    Attributes
    ----------
    parameters
        How many.
    megabytes
        Of float32 weights, of 10^6 bytes.
    gflop_per_megapixel
        Operations of a picture of 10^6 pixels, in units of 10^9, see `rainnet.inventory.measure.Measure`.
    """

    parameters: int
    megabytes: float
    gflop_per_megapixel: float


@dataclass(frozen=True)
class PresetRecord(CostRecord):
    """A config that has a name.

    Attributes
    ----------
    default
        Whether it is the one that is used where none is named.
    config
        All fields.
    differs
        Those that are not as in the default preset.
    gflop_per_megapixel_of_angle
        Of finding the angle of the rain, which is not in the other figure; None for networks that find none.
    reach
        Pixels around a pixel that its result depends on; None: the whole picture.
    multiple
        Sides that it works on are multiples of this.
    directional
        Whether streaks are made upright for it.
    attention
        Whether it has an attention map.
    export
        What `rainnet export` takes of it: "yes", "core" (with --core) or "no".
    operators, uncounted
        Operators that are not torch's own, and those of them that are in no figure.
    """

    kind = "preset"
    default: bool
    config: dict[str, Any]
    differs: dict[str, Any]
    gflop_per_megapixel_of_angle: float | None
    reach: int | None
    multiple: int
    directional: bool
    attention: bool
    export: str
    operators: tuple[str, ...] = ()
    uncounted: tuple[str, ...] = ()


@dataclass(frozen=True)
class RecipeRecord(CostRecord):
    """A recipe that ships.

    Attributes
    ----------
    preset, config
        Of the network, and the fields that differ from the preset.
    data
        Kind of data.
    needs
        What that is, and what else the losses ask for, with the options that name it.
    losses
        Settings of the losses that the recipe names, those that are not 0.
    stages
        Names of its stages.
    steps, batch, size, precision
        Of the run; the side of the crops in pixels.
    """

    kind = "recipe"
    preset: str
    config: dict[str, Any]
    data: str
    needs: str
    losses: dict[str, Any]
    stages: tuple[str, ...]
    steps: int
    batch: int
    size: int
    precision: str


@dataclass(frozen=True)
class WeightsRecord(CostRecord):
    """Weights that ship.

    Attributes
    ----------
    preset
        With the same config; None: it is no preset's.
    file_megabytes
        Of the file.
    licence
        As its file says; None where it does not.
    facts
        All that its file says of where it comes from.
    scores
        On sets of pictures, with protocols; those of its own, and of what it was compared with.
    """

    kind = "weights"
    preset: str | None
    file_megabytes: float
    licence: str | None
    facts: dict[str, Any]
    scores: tuple[SetScores, ...] = ()


@dataclass(frozen=True)
class Inventory:
    """All records, those of a network together, and a sentence for each that could not be made."""

    records: tuple[Record, ...]
    failures: tuple[str, ...] = field(default=())

    def names(self) -> list[str]:
        """Return the names of networks, recipes and weights, each once."""
        return list(dict.fromkeys(record.name for record in self.records if record.kind != "preset"))
