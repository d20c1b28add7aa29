"""The option ``--marks`` of ``rainopt derain``: what a person has painted over photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rainopt.app.options import refusing

if TYPE_CHECKING:
    from rainopt.app.inputs import Plan, Results
    from rainopt.app.marks import MarkPictures

OPTION = "--marks"
Marks = Annotated[
    Path | None,
    typer.Option(
        OPTION,
        metavar="PATH",
        help="A picture painted over the upright photograph: no rain is taken where it is black, all that may be where "
        "it is white, as usual where it is of a middle grey or transparent. For several photographs, a folder of "
        "such pictures named as the results, NAME.png.",
    ),
]


def check_marks(*, sequence: bool, live: bool, preview: str | None) -> None:
    """Refuse what marks cannot be of; BadParameter names the option."""
    for option, given in (("--sequence", sequence), ("--live", live), ("--preview-at", preview is not None)):
        if given:
            raise typer.BadParameter(
                f"does not go together with {option}: it is for photographs; leave one out", param_hint=OPTION
            )


def marks_beside(marks: Path, jobs: Plan, output: Path, results: Results) -> MarkPictures:
    """Return the marks of what is to be derained, as `rainopt.app.marks.MarkPictures.found`; none is to be replaced by
    ``results``.
    """
    from rainopt.app.inputs import PlanError, refuse_painted
    from rainopt.app.marks import MarkPictures, MarksError

    with refusing(OPTION, MarksError):
        found = MarkPictures.found(marks, jobs, output)
    with refusing("--output", PlanError):
        refuse_painted(jobs, results, found.files.values())
    return found
