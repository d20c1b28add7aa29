"""The options of commands that serve a page."""

from __future__ import annotations

from typing import Annotated

import typer

Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS", help="Address to serve at. Where other machines can reach it, a token is asked for."
    ),
]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to serve at; 0 takes one that is free.")]
Token = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT",
        envvar="RAINOPT_TOKEN",
        help="What the browser must know, at least 12 letters or digits; made where --host needs one.",
        show_default=False,
    ),
]
Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")]
