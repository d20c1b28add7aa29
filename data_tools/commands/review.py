"""``raindata review``."""

from __future__ import annotations

import getpass
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.exit_codes import FAILED, OK
from rainopt.app.options import JsonLines, refusing
from rainopt.commands.pages import Browser, Host, Port, Token, access_of, fail, serve_until_ended

if TYPE_CHECKING:
    from data_tools.decisions.board import Board
    from data_tools.review.dataset import ReviewDataset
    from rainopt.web.access import Access


def review(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of a dataset that has a manifest.")],
    reviewer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Who judges.", show_default="the name of the user"),
    ] = None,
    videos: Annotated[
        list[str] | None,
        typer.Option(metavar="VIDEO", help="Where videos are now that were moved since, for more frames; repeatable."),
    ] = None,
    agreement: Annotated[
        bool, typer.Option("--agreement", help="Print how far the reviewers agree (Cohen's kappa), and stop.")
    ] = False,
    apply: Annotated[
        bool, typer.Option("--apply", help="Bring the decisions into the manifest, as raindata build does, and stop.")
    ] = False,
    host: Host = "127.0.0.1",
    port: Port = 0,
    token: Token = None,
    browser: Browser = True,
    json_lines: JsonLines = False,
) -> None:
    """Judge the backgrounds of a dataset, by keys, in a browser: accept, reject, or ask for more frames.

    Scenes come with those first of which the automatic measure is least sure. Regions can be marked as invalid, and
    notes written. Every decision is on the disk, in review/NAME.jsonl, before the page says so; several servers, pages
    and reviewers may work on a dataset at a time. What is asked for with more frames is estimated again beside the old
    background, from the video, with 10, 20 or 50 frames more as in Wang et al. 2019.

    The next `raindata build` into the folder, or --apply, brings the decisions into the manifest: what anybody rejects
    leaves it, what somebody accepts is no longer to be reviewed, and marked regions enter the valid masks. No file is
    removed or changed: a decision that is undone brings back what was there.

    The page is served to this machine alone, unless --host names another address; then only to who knows the token.

    **Examples**

    - `raindata review dataset`
    - `raindata review dataset --reviewer ada --host 0.0.0.0 --port 8000`
    - `raindata review dataset --agreement`

    Exit status: 0 done, 1 the dataset, a decision or the address cannot be used, or the dataset cannot be written,
    2 wrong usage, 130 ended by Ctrl-C, as usual.
    """
    from data_tools.decisions.log import check_reviewer
    from data_tools.manifest.folder import holds_dataset

    if not holds_dataset(dataset):
        raise typer.BadParameter(f"'{dataset}' is no folder of a dataset with a manifest", param_hint="DATASET")
    if agreement and apply:
        raise typer.BadParameter("does not go together with --agreement; run one after the other", param_hint="--apply")
    with refusing("--reviewer"):
        name = check_reviewer(reviewer if reviewer is not None else _user())
    access = access_of(host, port, token)
    if agreement:
        raise typer.Exit(_show_agreement(dataset, json_lines))
    if apply:
        raise typer.Exit(_apply(dataset, json_lines))
    raise typer.Exit(_serve(dataset, name, videos or [], access, browser, json_lines))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "reviewer"


def _serve(folder: Path, reviewer: str, videos: list[str], access: Access, open_browser: bool, json_lines: bool) -> int:
    """Serve the page until it is ended, and return the exit status."""
    from data_tools.decisions.board import Board
    from data_tools.decisions.log import ReviewLog
    from data_tools.manifest.file import ManifestError
    from data_tools.review.api import review_app
    from data_tools.review.dataset import DatasetError, ReviewDataset
    from data_tools.review.session import Session
    from rainopt.io.journal import JournalError

    try:
        dataset = ReviewDataset(folder)
        # Nobody is to learn at the first decision that none can be kept.
        board = Board(dataset.folder)
        ReviewLog(board.folder, reviewer).journal.require_writable()
        session = Session(dataset, board, reviewer, videos)
    except (ManifestError, DatasetError, JournalError) as error:
        return fail(str(error), json_lines)
    try:
        return serve_until_ended(
            review_app(session, access),
            access,
            open_browser=open_browser,
            json_lines=json_lines,
            facts={"reviewer": reviewer, "scenes": len(dataset.scenes)},
            line=f"shows {len(dataset.scenes)} scenes to {reviewer}; Ctrl-C ends it",
            ended=lambda: _told(session.board, dataset, reviewer),
        )
    finally:
        session.close()


def _told(board: Board, dataset: ReviewDataset, reviewer: str) -> str:
    """Say how far the review is."""
    board.refresh()
    verdicts = [board.opinion(reviewer, listed.scene.name).verdict for listed in dataset.scenes]
    decided = sum(verdict is not None for verdict in verdicts)
    return f"ended: {decided} of {len(verdicts)} scenes are decided by {reviewer}, and all of it is on the disk"


def _show_agreement(folder: Path, json_lines: bool) -> int:
    """Print how far every two reviewers agree."""
    from rich.markup import escape
    from rich.table import Table

    from data_tools.decisions.agreement import agreements
    from data_tools.decisions.board import Board
    from rainopt.app.console import open_consoles
    from rainopt.io.journal import JournalError

    try:
        board = Board(folder)
    except JournalError as error:
        return fail(str(error), json_lines)
    found = agreements(board)
    out, err = open_consoles()
    for fault in board.faults():
        err.print(escape(fault))
    if json_lines:
        for (one, other), its in found.items():
            print(json.dumps({"reviewers": [one, other], **its._asdict()}), file=sys.stdout)
    elif not found:
        out.print(f"agreement needs two reviewers; of {escape(str(folder))} there are {len(board.reviewers())}")
    else:
        table = Table("reviewers", "scenes of both", "same verdict", "Cohen's kappa")
        for (one, other), its in found.items():
            share = "" if its.share is None else f"{100 * its.share:.1f} %"
            kappa = "undefined" if its.kappa is None else f"{its.kappa:.3f}"
            table.add_row(escape(f"{one}, {other}"), str(its.scenes), share, kappa)
        out.print(table)
    return OK


def _apply(folder: Path, json_lines: bool) -> int:
    """Bring the decisions into the manifest, and say what has changed."""
    from rich.markup import escape

    from data_tools.decisions.honour import apply_decisions
    from data_tools.manifest.file import ManifestError
    from data_tools.manifest.folder import FolderError, filling
    from rainopt.app.console import open_consoles
    from rainopt.io.atomic import WriteError
    from rainopt.io.claim import ClaimedError
    from rainopt.io.journal import JournalError

    try:
        with filling(folder):
            done = apply_decisions(folder)
    except (ClaimedError, FolderError, JournalError, ManifestError, WriteError) as error:
        return fail(str(error), json_lines)
    out, err = open_consoles()
    for problem in done.problems:
        err.print(f"[red]failed[/red]  {escape(problem)}")
    if json_lines:
        print(json.dumps(done.as_dict()), file=sys.stdout)
    else:
        out.print(escape(f"{folder} holds {done.records} pairs{done.said}"))
    return FAILED if done.problems else OK
