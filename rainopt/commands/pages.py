"""What the commands that serve a page share: their options, and serving it until Ctrl-C."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import refusing

if TYPE_CHECKING:
    from rainopt.web.access import Access

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


def access_of(host: str, port: int, token: str | None, **more: Any) -> Access:
    """Return who may use a page, by its options; what they make no sense of is wrong usage."""
    from rainopt.web.access import Access

    with refusing("--host, --token"):
        return Access(host=host, port=port, token=token, **more)


def fail(message: str, json_lines: bool) -> int:
    """Say why a command ends, and return its status."""
    from rich.markup import escape

    from rainopt.app.console import open_consoles

    if json_lines:
        print(json.dumps({"error": message}), file=sys.stdout, flush=True)
    open_consoles()[1].print(f"[red]failed[/red]  {escape(message)}")
    return FAILED


def serve_until_ended(
    app: Any,
    access: Access,
    *,
    open_browser: bool,
    json_lines: bool,
    facts: Mapping[str, Any],
    line: str,
    ended: Callable[[], str] = lambda: "ended",
) -> int:
    """Serve a page until it is ended, and return the exit status.

    Parameters
    ----------
    app
        A FastAPI application, as `rainopt.web.app.create_app` returns it.
    access, open_browser
        As `rainopt.web.serve.serve` takes them.
    json_lines
        Whether what is said at the beginning is JSON.
    facts
        What is told so, beside the address as "url".
    line
        What is said of the page otherwise; the address goes before it.
    ended
        Returns what is said after Ctrl-C.
    """
    from rich.markup import escape

    from rainopt.app.console import open_consoles
    from rainopt.web.access import AccessError
    from rainopt.web.serve import serve

    out, err = open_consoles()

    def ready(url: str) -> None:
        if json_lines:
            print(json.dumps({"url": url, **facts}), file=sys.stdout, flush=True)
        else:
            out.print(escape(f"{url} {line}"))

    try:
        serve(app, access, open_browser=open_browser, ready=ready)
    except AccessError as error:
        return fail(str(error), json_lines)
    except KeyboardInterrupt:
        err.print(escape(ended()))
        return INTERRUPTED
    return OK
