"""``raindata rate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rainopt.app.exit_codes import FAILED, INTERRUPTED, OK
from rainopt.app.options import JsonLines, Overwrite
from rainopt.commands.pages import Browser, Host, Port, Token, access_of

if TYPE_CHECKING:
    from rich.console import Console

    from data_tools.rating.sources import Pictures
    from data_tools.rating.study import Study
    from data_tools.rating.summary import SourceSummary
    from rainopt.web.access import Access


def rate(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER", help="A folder of pictures for each source; same names, one scene."),
    ],
    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE.csv", help="Table of all ratings; FILE_summary.csv goes beside."),
    ],
    ask: Annotated[
        str, typer.Option(help="What is asked: real (the picture), rain (the rain in it) or quality.")
    ] = "real",
    rater: Annotated[
        str | None, typer.Option(help="Who rates at this machine; else the page asks for a name.", show_default=False)
    ] = None,
    seed: Annotated[int, typer.Option("-s", "--seed", min=0, help="Of the order, which differs for each rater.")] = 0,
    count: Annotated[
        int | None,
        typer.Option(
            "-n", "--count", min=1, help="So many names are drawn by chance; with --unmatched, of each folder."
        ),
    ] = None,
    unmatched: Annotated[
        bool, typer.Option("--unmatched", help="Rate pictures whose names other folders lack as well.")
    ] = False,
    report: Annotated[
        bool, typer.Option("--report", help="Only write the tables of what has been rated, and serve no page.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 0,
    token: Token = None,
    browser: Browser = True,
    overwrite: Overwrite = False,
    json_lines: JsonLines = False,
) -> None:
    """Let people rate pictures of several sources, from 1 to 5, without knowing whose they are.

    A page shows one picture after another in random order, another one for each rater, and takes the keys 1 to 5. Names
    are not shown and are in no address. Every rating is on disk before the page goes on: in the folder FILE.ratings,
    one file a rater. The same command goes on where a rater stopped. Several people rate one after another, or, with
    --host, at the same time, each with a browser.

    Pictures are matched by name without suffix. Names that some folders lack, and damaged pictures, are named and left
    out of all folders. At the end (Ctrl-C) the ratings are written to FILE.csv, one a row, and to FILE_summary.csv,
    one source a row: number, mean, standard deviation, and the realism in [0, 1], (mean - 1) / 4, of VRGNet's user
    study (Wang et al. 2021, Sec. 5.2).

    **Examples**

    - `raindata rate udg/ udgnet/ rainy/ -o study.csv --ask quality --rater ada`
    - `raindata rate spa/ generated/ rain100h/ -o study.csv --ask rain --unmatched --count 10 --host 192.168.1.5`
    - `raindata rate udg/ udgnet/ rainy/ -o study.csv --report --json`

    Without any rating no table is written.

    Exit status: 0 all rated, 1 some pictures are damaged, or --report finds no rating, 2 wrong usage, 130 ended before
    all is rated.
    """
    from rich.markup import escape

    from data_tools.rating.questions import QUESTIONS
    from data_tools.rating.results import journals_of, require_writable
    from data_tools.rating.sources import StudyError
    from data_tools.rating.study import OtherQuestionError, RatingError, Study
    from rainopt.app.console import open_consoles
    from rainopt.io.claim import claimed
    from rainopt.io.journal import JournalError

    out, err = open_consoles()
    access = access_of(host, port, token)
    if ask not in QUESTIONS:
        raise typer.BadParameter(f"must be {', '.join(QUESTIONS)}, got '{ask}'", param_hint="--ask")
    try:
        require_writable(output, overwrite)
        pictures = _gathered(folders, count, seed, unmatched, err)
        _tell(pictures, err)
        study = Study(pictures.chosen, journals_of(output), seed, ask)
        if rater is not None:
            rater = study.rater(rater).name
    except (StudyError, RatingError, OtherQuestionError) as error:
        raise typer.BadParameter(str(error)) from None
    except JournalError as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    interrupted = False
    try:
        if not report:
            lock = output.with_name(f".{output.name}.lock")
            with claimed(lock, output):
                try:
                    _serve(study, ask, rater, access, browser, err)
                except KeyboardInterrupt:
                    interrupted = not _is_complete(study)
        _finish(pictures, study, output, json_lines, out, err)
    except OSError as error:
        err.print(f"[red]failed[/red]  {escape(str(error))}")
        raise typer.Exit(FAILED) from None
    if interrupted:
        err.print("interrupted: not all is rated; run the same command again to go on")
        raise typer.Exit(INTERRUPTED)
    raise typer.Exit(FAILED if pictures.failed or not study.ratings() else OK)


def _gathered(folders: list[Path], count: int | None, seed: int, everything: bool, err: Console) -> Pictures:
    """Return the pictures of the study, each of them read once, so that no rater meets a damaged one."""
    from data_tools.rating.sources import gather
    from rainopt.app.console import progress_bar
    from rainopt.io import read_image

    with progress_bar(err) as progress:
        task = progress.add_task("pictures", total=None)
        return gather(
            folders,
            count=count,
            seed=seed,
            everything=everything,
            check=read_image,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )


def _tell(pictures: Pictures, err: Console) -> None:
    """Name what is left out."""
    from rich.markup import escape

    from rainopt.app.search import SHOWN, named

    for problem in pictures.failed.values():
        err.print(f"[red]failed[/red]  {escape(problem)}")
    if not pictures.unmatched:
        return
    names = [f"{name}, in {' and '.join(having)} alone" for name, having in pictures.unmatched.items()]
    if len(names) > SHOWN:
        err.print(escape(f"left out: {named(list(pictures.unmatched), 'name')}, which some folders lack"))
        return
    for name in names:
        err.print(escape(f"left out: {name}"))


def _serve(study: Study, ask: str, rater: str | None, access: Access, browser: bool, err: Console) -> None:
    """Serve the page until it is interrupted."""
    from rich.markup import escape

    from data_tools.rating.app import rating_app
    from data_tools.rating.questions import QUESTIONS
    from rainopt.web.access import AccessError
    from rainopt.web.serve import serve

    try:
        app = rating_app(study, QUESTIONS[ask], access, rater)
        err.print(escape(f"{len(study.pictures)} pictures; ratings go to {study.folder}, Ctrl-C ends"))
        serve(app, access, open_browser=browser, ready=lambda url: err.print(escape(f"open {url}")))
    except AccessError as error:
        raise typer.BadParameter(str(error), param_hint="--host") from None


def _is_complete(study: Study) -> bool:
    """Tell whether everybody who has begun has rated all, and somebody has."""
    begun = [given for rater in study.raters if any(given := rater.given())]
    return bool(begun) and all(None not in given for given in begun)


def _finish(pictures: Pictures, study: Study, output: Path, json_lines: bool, out: Console, err: Console) -> None:
    """Write the tables and say what they hold."""
    from rich.markup import escape

    from data_tools.rating.results import summary_of, write_tables
    from data_tools.rating.summary import ratings_csv, summarise, summary_csv

    ratings = study.ratings()
    summaries = summarise(pictures.sources, ratings)
    tables = {output: ratings_csv(ratings), summary_of(output): summary_csv(summaries)}
    if study.strays():
        err.print(f"left out: {study.strays()} ratings of pictures that are not in this study")
    if ratings:
        write_tables(output, tables)
    else:
        err.print(escape(f"there are no ratings yet in '{study.folder}'; the same command without --report takes some"))
    if json_lines:
        print(json.dumps(_as_json(pictures, study, summaries, list(tables) if ratings else [])), file=sys.stdout)
    elif ratings:
        _show(summaries, study, out)
        out.print(escape(f"{len(ratings)} ratings in {output}, sources in {summary_of(output)}"))


def _as_json(pictures: Pictures, study: Study, summaries: list[SourceSummary], tables: list[Path]) -> dict[str, Any]:
    from dataclasses import asdict

    of = len(study.pictures)
    return {
        "sources": [asdict(one) for one in summaries],
        "raters": {one.name: {"rated": of - one.given().count(None), "of": of} for one in study.raters},
        "unmatched": pictures.unmatched,
        "failed": pictures.failed,
        "files": [str(table) for table in tables],
    }


def _show(summaries: list[SourceSummary], study: Study, out: Console) -> None:
    from rich.markup import escape
    from rich.table import Table

    table = Table("source", "ratings", "mean", "deviation", "realism")
    for one in summaries:
        numbers = [one.mean, one.deviation, one.realism]
        shown = ["" if number is None else f"{number:.2f}" for number in numbers]
        table.add_row(escape(one.source), str(one.ratings), *shown)
    out.print(table)
    of = len(study.pictures)
    for rater in study.raters:
        if any(rater.given()):
            out.print(escape(f"{rater.name}: {of - rater.given().count(None)} of {of} rated"))
