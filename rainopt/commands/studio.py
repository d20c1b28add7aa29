"""``rainopt studio``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.exit_codes import FAILED
from rainopt.app.options import JsonLines
from rainopt.commands.pages import Browser, Host, Port, Token, access_of, fail, serve_until_ended

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
    rain. Networks can be chosen, too: that of `rainopt derain --refine`, and those of `rainnet list` that ship weights.
    What is saved is what `rainopt derain` or `rainnet derain` makes with the same settings, in the file's own format;
    the page also writes that command line out. Nothing is overwritten without asking.

    The page is served to this machine alone, unless --host names another address; then only to who knows the token.
    Only the files named here, and those dropped on the page, can be seen; what is dropped there goes with the process.
    The page takes 128 MiB and 100 megapixels a picture.

    **Examples**

    - `rainopt studio`
    - `rainopt studio photo.jpg`
    - `rainopt studio holiday/ -o dry/`

    Exit status: 0 done, 1 no input can be used, or the address cannot, 2 wrong usage, 130 ended by Ctrl-C, as usual.
    """
    # Photographs are larger than what other pages send.
    access = access_of(host, port, token, max_body=128 << 20)
    named, problems = _named(inputs or [], output)
    for problem in problems:
        fail(problem, json_lines)
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


def _serve(named: list[Named], access: Access, open_browser: bool, json_lines: bool) -> int:
    """Serve the page until it is ended, and return the exit status."""
    from rainopt.app.methods import methods_with
    from rainopt.commands.solver_methods import own_methods
    from rainopt.studio.app import studio_app
    from rainopt.studio.session import Session

    with Session(methods_with(own_methods()), named) as session:
        return serve_until_ended(
            studio_app(session, access),
            access,
            open_browser=open_browser,
            json_lines=json_lines,
            facts={"pictures": len(named)},
            line="is the page; Ctrl-C ends it, and removes what was dropped there",
        )
