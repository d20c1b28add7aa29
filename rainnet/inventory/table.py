"""Everything in one table; where a terminal is too narrow for that, the same in lines."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rainnet.inventory.records import CostRecord, NetworkRecord, PresetRecord, RecipeRecord, Record, WeightsRecord

LEAST_WIDTH = 100
"""Columns that the table needs to be read."""
NOTE = (
    "parameters; MB of float32 weights; GFLOP of a picture of a million pixels: convolutions, matrix products and "
    "scans, a multiplication and an addition counting as two"
)


def overview(records: Sequence[Record], width: int) -> list[RenderableType]:
    """Return what is printed of all records, for so many columns."""
    if width < LEAST_WIDTH:
        return [each for record in records for each in lines(record)] + [Text(NOTE, style="dim")]
    table = Table(caption=NOTE, caption_justify="left")
    table.add_column("name", overflow="fold")
    table.add_column("kind", no_wrap=True)
    for name in ("parameters", "MB", "GFLOP"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("about", overflow="fold", ratio=1)
    for record, after in pairwise([*records, None]):
        if record is not None:
            shown = Text(record.name, style="bold" if record.kind == "network" else "")
            ends = after is None or after.network != record.network
            table.add_row(shown, record.kind, *costs(record), Text(said(record)), end_section=ends)
    return [table]


def costs(record: Record) -> tuple[str, str, str]:
    """Return parameters, megabytes and operations; nothing for a network, whose presets have them."""
    if not isinstance(record, CostRecord):
        return "", "", ""
    return f"{record.parameters:,}", f"{record.megabytes:.2f}", f"{record.gflop_per_megapixel:,.0f}"


def said(record: Record) -> str:
    """Return the rest of what is to be known of a record, in a few words."""
    match record:
        case NetworkRecord():
            origin = [record.about, record.source and f"{record.source.rstrip('.')}."]
            takes = "rainnet convert takes weights of other programs." if record.convert else ""
            return " ".join(filter(None, [*origin, takes]))
        case PresetRecord():
            kind = "the default" if record.default else settings(record.differs)
            return "; ".join(filter(None, [kind, sight(record), exported(record)]))
        case RecipeRecord():
            run = f"{record.steps:,} steps of {record.batch} crops of {record.size}², {record.precision}"
            losses = f"losses {settings(record.losses)}"
            return f"{built(record.preset, record.config)}; needs {record.needs}; {losses}; {run}"
        case WeightsRecord():
            return "; ".join(filter(None, [built(record.preset, {}), origin_of(record), *scored(record)]))
    return ""


def built(preset: str | None, config: dict[str, object]) -> str:
    """Return which config something has."""
    if preset is None:
        return "a config of its own"
    return f"preset {preset}" + (f" with {settings(config)}" if config else "")


def settings(values: dict[str, object]) -> str:
    """Return fields and values as they are written in a recipe, but for blanks."""
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()
    )


def sight(record: PresetRecord) -> str:
    """Return how far a network looks."""
    return "sees the whole picture" if record.reach is None else f"looks {record.reach} pixels around"


def exported(record: PresetRecord) -> str:
    """Return what there is to say of its export where it is not taken as a whole."""
    if record.export == "core":
        return "export with --core only"
    return "" if record.export == "yes" else f"no export: ONNX has nothing for {', '.join(record.operators)}"


def origin_of(record: WeightsRecord) -> str:
    """Return licence and origin of weights."""
    licence = f"licence {record.licence}" if record.licence else "no licence is said"
    told = [f"{key}: {record.facts[key]}" for key in ("data", "source") if isinstance(record.facts.get(key), str)]
    return "; ".join([licence, *told])


def scored(record: WeightsRecord) -> list[str]:
    """Return the scores of weights, those of one protocol together."""
    found: dict[str, list[str]] = {}
    for one in record.scores:
        if (mean := one.of(record.name)) is not None:
            ssim = "" if mean.ssim is None else f" / {mean.ssim:.3f}"
            found.setdefault(one.protocol, []).append(f"{one.title} {mean.psnr:.2f}{ssim} ({one.pictures})")
    return [f"PSNR / SSIM, {protocol} (pictures): {', '.join(means)}" for protocol, means in found.items()]


def lines(record: Record) -> list[RenderableType]:
    """Return what the table says of a record as lines."""
    indent = 0 if record.kind == "network" else 2
    title = Text(record.name, style="bold" if record.kind == "network" else "")
    if isinstance(record, CostRecord):
        parameters, megabytes, operations = costs(record)
        numbers = f"{parameters} parameters, {megabytes} MB, {operations} GFLOP"
        title.append(f"  {record.kind}, {numbers}", style="dim")
    rest = Text(said(record), overflow="fold")
    return [Padding(part, (0, 0, 0, indent + more), expand=False) for part, more in ((title, 0), (rest, 2))]
