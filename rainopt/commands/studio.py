"""``rainopt studio``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import JsonLines, refusing
from rainopt.app.page_options import Browser, Host, Port, Token

if TYPE_CHECKING:
    from rainopt.studio.pictures import Named
    from rainopt.web.access import Access


def studio(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[INPUT]...",
            help="Image files, folders (with sub-folders) or quoted globs; more can be dropped on the page.",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            help="Folder where results are saved, or a file name for a single input. Left out: beside each input, as "
            "NAME_derained.",
            show_default=False,
        ),
    ] = None,
    host: Host = "127.0.0.1",
    port: Port = 0,
    token: Token = None,
    browser: Browser = True,
    json_lines: JsonLines = False,
) -> None:
    """Derain photographs in a browser: look, drag, and take the result home.

    A page on this machine shows each photograph before and after. Directions of the rain are lines over the picture
    that can be turned; a slider sets how much is removed; a brush marks what is to be left alone, and where there is
    rain. What is saved is what `rainopt derain` makes with the same settings, in the file's own format; the page also
    writes that command line out. Nothing is overwritten without asking.

    The page is served to this machine alone, unless --host names another address; then only to who knows the token.
    Only the files named here, and those dropped on the page, can be seen; what is dropped there goes with the process.
    The page takes 128 MiB and 100 megapixels a picture.

    **Examples**

    - `rainopt studio`
    - `rainopt studio photo.jpg`
    - `rainopt studio holiday/ -o dry/`

    Exit status: 0 done, 1 no input can be used, or the address cannot, 2 wrong usage, 130 ended by Ctrl-C, as usual.
    """
    from rainopt.web.access import Access

    with refusing("--host, --token"):
        # Photographs are larger than what other pages send.
        access = Access(host=host, port=port, token=token, max_body=128 << 20)
    named, problems = _named(inputs or [], output)
    for problem in problems:
        _fail(problem, json_lines)
    if problems and not named:
        raise typer.Exit(FAILED)
    raise typer.Exit(_serve(named, access, browser, json_lines))


def _named(inputs: list[str], output: Path | None) -> tuple[list[Named], list[str]]:
    """Return the pictures that are named with the places of their results, and why others are left out."""
    if not inputs:
        if output is not None:
            raise typer.BadParameter("is for results of inputs, of which there are none", param_hint="--output")
        return [], []
    from rainopt.app.inputs import IMAGES, PlanError, plan, survey
    from rainopt.studio.pictures import Named, beside, usable

    try:
        jobs = survey(inputs, IMAGES) if output is None else plan(inputs, output)
    except PlanError as error:
        raise typer.BadParameter(str(error)) from None
    named: list[Named] = []
    problems = list(jobs.notes)
    for job in jobs:
        if job.problem is not None:
            problems.append(job.problem)
        elif not os.path.isfile(job.source):
            problems.append(f"'{job.source}' does not exist; check the name and the folder")
        else:
            named.append(Named(job.source, job.target or beside(job.source)))
    good, more = usable(named)
    return good, [*problems, *more]


def _fail(message: str, json_lines: bool) -> None:
    from rich.markup import escape

    from rainopt.app.console import open_consoles

    if json_lines:
        print(json.dumps({"error": message}), file=sys.stdout, flush=True)
    open_consoles()[1].print(f"[red]failed[/red]  {escape(message)}")


def _serve(named: list[Named], access: Access, open_browser: bool, json_lines: bool) -> int:
    """Serve the page until it is ended, and return the exit status."""
    from rich.markup import escape

    from rainopt.app.console import open_consoles
    from rainopt.app.methods import methods_with
    from rainopt.commands.solver_methods import own_methods
    from rainopt.studio.app import studio_app
    from rainopt.studio.session import Session
    from rainopt.web.access import AccessError
    from rainopt.web.serve import serve

    out, err = open_consoles()

    def ready(url: str) -> None:
        if json_lines:
            print(json.dumps({"url": url, "pictures": len(named)}), file=sys.stdout, flush=True)
        else:
            out.print(f"{escape(url)} is the page; Ctrl-C ends it, and removes what was dropped there")

    with Session(methods_with(own_methods()), named) as session:
        try:
            serve(studio_app(session, access), access, open_browser=open_browser, ready=ready)
        except AccessError as error:
            _fail(str(error), json_lines)
            return FAILED
        except KeyboardInterrupt:
            err.print("ended")
            return INTERRUPTED
    return OK
