"""All that is to be known of what has one name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rainnet.inventory.records import NetworkRecord, PresetRecord, RecipeRecord, Record, WeightsRecord
from rainnet.inventory.table import LEAST_WIDTH, NOTE, built, costs, lines, scored, settings

LONG = 400  # characters of a fact; what is longer is for --json


def details(records: Sequence[Record], width: int) -> Iterator[RenderableType]:
    """Yield what is printed of a network and what is its own, or of a recipe or weights, for so many columns."""
    narrow = width < LEAST_WIDTH
    presets = [record for record in records if isinstance(record, PresetRecord)]
    for record in records:
        match record:
            case NetworkRecord():
                yield from _network(record)
                if presets:
                    yield from _presets(presets, narrow)
                    yield from _fields(record, presets, narrow)
            case RecipeRecord():
                yield from _recipe(record)
            case WeightsRecord():
                yield from _weights(record)
                yield from _scores(record, narrow)


def _network(record: NetworkRecord) -> Iterator[RenderableType]:
    yield _title(record)
    yield from _facts(
        {
            "": record.about,
            "source": record.source,
            "recipes": ", ".join(record.recipes) or "none that ships",
            "weights": ", ".join(record.weights) or "none that ship",
            "convert": f"rainnet convert {record.name} FILE -o OUTPUT.safetensors" if record.convert else "no",
            "train": "yes" if record.trainable else "no, it is a part of another network's training",
        }
    )


def _presets(presets: Sequence[PresetRecord], narrow: bool) -> Iterator[RenderableType]:
    if narrow:
        for preset in presets:
            yield from lines(preset)
        yield Text(NOTE, style="dim")
        yield from _facts(_meanings(presets))
        return
    table = Table(title="presets", title_justify="left", caption=NOTE, caption_justify="left")
    table.add_column("preset", overflow="fold")
    columns = ("parameters", "MB", "GFLOP", "reach", "multiple", "upright", "attention map", "export")
    for name in columns:
        table.add_column(name, justify="right", no_wrap=True)
    for preset in presets:
        reach = "whole" if preset.reach is None else f"{preset.reach}"
        flags = ("yes" if value else "no" for value in (preset.directional, preset.attention))
        table.add_row(preset.name, *costs(preset), reach, f"{preset.multiple}", *flags, preset.export)
    yield table
    yield from _facts(_meanings(presets))


def _meanings(presets: Sequence[PresetRecord]) -> dict[str, str]:
    angles = {preset.gflop_per_megapixel_of_angle for preset in presets}
    shown = " or ".join(f"{angle:,.1f}" for angle in sorted(angle for angle in angles if angle is not None))
    exports = {preset.export for preset in presets}
    operators = ", ".join(sorted({name for preset in presets for name in preset.operators}))
    uncounted = ", ".join(sorted({name for preset in presets for name in preset.uncounted}))
    return {
        "reach": "pixels around a pixel that its result depends on: what tiles see besides themselves",
        "multiple": "sides that it works on; pictures of any size are padded",
        "upright": "whether streaks are made vertical for it, by an angle that is given or found",
        "its own angle": f"finding it costs {shown} GFLOP more" if shown else "",
        "export": "core: with --core only, as it finds no angle"
        if "core" in exports
        else f"ONNX has nothing for {operators}"
        if "no" in exports
        else "",
        "not counted": uncounted and f"{uncounted}, which says nothing of its cost",
    }


def _fields(record: NetworkRecord, presets: Sequence[PresetRecord], narrow: bool) -> Iterator[RenderableType]:
    table = Table(title="fields of its config", title_justify="left", show_lines=True)
    table.add_column("field", overflow="fold")
    table.add_column("default", overflow="fold")
    table.add_column("presets that differ", overflow="fold")
    table.add_column("meaning", overflow="fold")
    first = presets[0].config
    # Fields that are explained together stand together.
    for meaning, group in groupby(record.fields, key=lambda name: record.fields[name] or name):
        names = list(group)
        said = meaning if meaning not in names else ""
        values = [f"{first.get(name)}" for name in names]
        others = [
            ", ".join(f"{p.name} {p.config[name]}" for p in presets if not p.default and name in p.differs)
            for name in names
        ]
        differ = "; ".join(f"{n}: {o}" if len(names) > 1 else o for n, o in zip(names, others, strict=True) if o)
        table.add_row(", ".join(names), ", ".join(values), differ, said)
        if narrow:
            told = (f"{n} = {v}" + (f" ({o})" if o else "") for n, v, o in zip(names, values, others, strict=True))
            yield from _facts({", ".join(told): said or "its meaning is not told"})
    if not narrow:
        yield table


def _recipe(record: RecipeRecord) -> Iterator[RenderableType]:
    yield _title(record)
    parameters, megabytes, operations = costs(record)
    yield from _facts(
        {
            "network": f"{record.network}, {built(record.preset, record.config)}",
            "costs": f"{parameters} parameters, {megabytes} MB, {operations} GFLOP a megapixel",
            "needs": record.needs,
            "losses": settings(record.losses),
            "run": f"{record.steps:,} steps of {record.batch} crops of {record.size} x {record.size} pixels, "
            f"{record.precision}",
            "stages": ", ".join(record.stages),
            "use": f"rainnet train {record.name} -o runs/{record.name}, with its data",
        }
    )


def _weights(record: WeightsRecord) -> Iterator[RenderableType]:
    yield _title(record)
    parameters, _, operations = costs(record)
    told = {name.replace("_", " "): f"{value}" for name, value in record.facts.items() if not isinstance(value, dict)}
    yield from _facts(
        {
            "network": f"{record.network}, {built(record.preset, {})}",
            "costs": f"{parameters} parameters, {operations} GFLOP a megapixel",
            "file": f"{record.file_megabytes:.2f} MB",
            "licence": record.licence or "none is said",
        }
        | {name: value if len(value) <= LONG else value[:LONG] + " …" for name, value in told.items()}
        | {"use": f"rainnet derain photo.jpg -o out/ -m {record.name}"}
    )


def _scores(record: WeightsRecord, narrow: bool) -> Iterator[RenderableType]:
    if not record.scores:
        yield from _facts({"scores": "none; rainnet evaluate finds some"})
        return
    if narrow:
        yield from _facts({"": "; ".join(scored(record))})
        return
    table = Table(title="scores: mean PSNR in dB / SSIM", title_justify="left")
    table.add_column("set", overflow="fold")
    table.add_column("pictures", justify="right")
    table.add_column("protocol")
    methods = list(dict.fromkeys(mean.method for one in record.scores for mean in one.means))
    for method in methods:
        table.add_column(method, justify="right", overflow="fold")
    for one in record.scores:
        cells = []
        for method in methods:
            mean = one.of(method)
            ssim = "" if mean is None or mean.ssim is None else f" / {mean.ssim:.3f}"
            cells.append("-" if mean is None else f"{mean.psnr:.2f}{ssim}")
        table.add_row(one.title, f"{one.pictures}", one.protocol, *cells)
    yield table


def _title(record: Record) -> Text:
    return Text.assemble((record.name, "bold"), f"  {record.kind}")


def _facts(facts: dict[str, str]) -> Iterator[RenderableType]:
    """Yield those that say something, each a line that is folded under itself."""
    for name, value in facts.items():
        if value:
            yield Padding(Text(f"{name}: {value}" if name else value, overflow="fold"), (0, 0, 0, 2), expand=False)
