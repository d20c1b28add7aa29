"""``rainnet list``."""

from __future__ import annotations

from typing import Annotated

import typer

from rainopt.app.exit_codes import FAILED, OK
from rainopt.app.options import JsonLines

WIDTH = 160  # of the table in a file or a pipe


def listing(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="A network, a recipe or weights: all that is to be known of it. Left out, everything in one table.",
            show_default=False,
        ),
    ] = None,
    json_lines: JsonLines = False,
) -> None:
    """Tell which networks, presets, recipes and weights there are, and what each costs.

    A network is a way to compute; a preset is a size of it that has a name; a recipe says how one is trained, on what;
    and weights have been trained and ship with the program. Each has its parameters, the megabytes of its weights as
    float32 (10^6 bytes), and the operations of a picture of a million pixels, in GFLOP: of convolutions, matrix
    products and scans, a multiplication and an addition counting as two. Steps that work on each value by itself are
    not counted, nor is finding the direction of the rain. Recipes say what data they need, their losses, steps, batch
    and crops; weights their licence, where they come from, and their scores with protocol and set.

    Networks that other distributions add are listed, too. One that is broken is named, and the others are told.

    **Examples**

    - `rainnet list`
    - `rainnet list prenet` (fields of its config, how far it looks, what convert and export take)
    - `rainnet list udgnet-small` (the recipe and the weights of that name, with all scores)
    - `rainnet list --json` (one object a line, with all fields; `kind` is network, preset, recipe or weights)

    Exit status: 0 all told, 1 something is broken (it is named, the rest is told), 2 wrong usage, 130 interrupted.
    """
    import json

    from rich.markup import escape

    from rainnet.inventory.collect import collect
    from rainopt.app.console import open_consoles

    out, err = open_consoles()
    try:
        found = collect(name)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="NAME") from None
    if json_lines:
        for record in found.records:
            # Configs of other distributions may hold what JSON does not.
            print(json.dumps(record.as_dict(), default=str))
    else:
        from rainnet.inventory.details import details
        from rainnet.inventory.table import overview

        if not out.is_terminal:
            out.width = WIDTH
        shown = overview if name is None else details
        for part in shown(found.records, out.width):
            # A soft wrap would leave long lines to the terminal, which knows nothing of words and indents.
            out.print(part, soft_wrap=False)
    for failure in found.failures:
        err.print(f"[red]failed[/red]  {escape(failure)}")
    raise typer.Exit(FAILED if found.failures else OK)
