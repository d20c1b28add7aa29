"""``rainnet convert``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rainopt.app.exit_codes import FAILED
from rainopt.app.options import JsonLines, Overwrite


def convert(
    network: Annotated[str, typer.Argument(metavar="NETWORK", help="Which network the checkpoint is of, e.g. udgnet.")],
    checkpoint: Annotated[
        Path, typer.Argument(metavar="CHECKPOINT", help="File that torch.save wrote (.pth, .pt), or safetensors.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The file to write, NAME.safetensors.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A field of the network's config that weights cannot tell, e.g. stages=7, or residual=false for an "
            "ablation of PReNet whose stages give the background itself; repeatable.",
        ),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(
            "--channels",
            metavar="rgb|bgr",
            help="Order of the channels that the other program works on, where it differs from its authors'.",
        ),
    ] = None,
    greatest: Annotated[
        float | None,
        typer.Option(
            "--range",
            metavar="NUMBER",
            help="Greatest value of its pictures, 1 or 255, where it differs from the authors' program.",
        ),
    ] = None,
    overwrite: Overwrite = False,
    json_lines: JsonLines = False,
) -> None:
    """Turn a checkpoint of another program into a network of this one.

    Checkpoints of torch can hold code, which runs when they are opened. Here only weights are read, and a file with
    anything else in it is refused. The result is a safetensors file that says which network it is, so that all other
    commands need nothing but its name. What had to be assumed is told, and kept in the file. It takes red, green and
    blue in [0, 1]; weights for another order or range are changed accordingly, as each network's authors have it
    unless --channels and --range say otherwise.

    **Examples**

    - `rainnet convert udgnet official.pth -o udgnet.safetensors`
    - `rainnet convert prenet net_latest.pth -o prenet.safetensors` (also PRN, their `_r` versions, and VRGNet's)
    - `rainnet convert jorder model_best.pt -o jorder.safetensors --channels bgr`
    - `rainnet convert udgnet mine.pt -o mine.safetensors --set blocks=6 --set along=[1,2]` (weights of `rainnet`, saved
      without their config)

    Exit status: 0 written, 1 the file could not be converted, 2 wrong usage, 130 interrupted.
    """
    import json

    from rich.markup import escape

    from rainnet.commands.results import require_free
    from rainnet.weights.checkpoint import SUFFIX, save
    from rainnet.weights.foreign import ConversionError
    from rainnet.weights.foreign import convert as converted_from
    from rainnet.zoo import entry_of, known, names
    from rainopt.app.console import open_consoles

    require_free(output, SUFFIX, overwrite)
    if channels is not None or greatest is not None:
        _require_pictures(channels, greatest)
    config = parse_settings(settings or [])
    if network in names():
        from dataclasses import fields

        own = [field.name for field in fields(next(iter(entry_of(network).presets.values())))]
        try:
            for name in config:
                known(name, own, f"field of the config of {network}")
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--set") from None
    out, err = open_consoles()
    try:
        found = converted_from(network, checkpoint, config=config, channels=channels, range=greatest)
        save(found.network, output, facts=found.facts, overwrite=overwrite)
    except (ConversionError, OSError) as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    count = sum(parameter.numel() for parameter in found.network.parameters())
    if json_lines:
        record = {"output": str(output), "network": network, "parameters": count, "notes": found.notes}
        print(json.dumps(record))
        return
    for note in found.notes:
        err.print(f"note: {escape(note)}")
    out.print(f"wrote {escape(str(output))}: {network}, {count:,} parameters")


def _require_pictures(channels: str | None, greatest: float | None) -> None:
    """Require an order and a range that pictures have, where they are given."""
    from rainnet.convert.ports import require_channels, require_range

    for option, value, require in (("--channels", channels, require_channels), ("--range", greatest, require_range)):
        try:
            if value is not None:
                require(value)
        except ValueError as error:
            raise typer.BadParameter(str(error).partition(" ")[2], param_hint=option) from None


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE`` each, the value in TOML's spelling."""
    import tomllib

    config: dict[str, Any] = {}
    for setting in settings:
        name, _, value = (part.strip() for part in setting.partition("="))
        try:
            config[name] = tomllib.loads(f"value = {value}")["value"]
        except (tomllib.TOMLDecodeError, RecursionError):
            raise typer.BadParameter(
                f"must be NAME=VALUE with a number, true, false or a list like [1,2], got '{setting[:80]}'",
                param_hint="--set",
            ) from None
    return config
