"""What a photograph can be derained with, as a page offers it: the solver, and what other packages add.

A package adds methods by an entry point of the group `GROUP`, which leads to a function that returns a list of
`Method`. It is called when the page is begun, and should import what is heavy in the tasks alone.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rainopt.app.derain import DerainTask
    from rainopt.app.excerpt import Excerpt, Seen
    from rainopt.app.results import OutputSettings

GROUP = "rainopt.methods"
"""Of the entry points by which packages add methods."""

MOST_DIRECTIONS = 3
"""That a method is told on a page."""

_log = logging.getLogger(__name__)


class Wish(NamedTuple):
    """What is asked of a method for one photograph.

    Attributes
    ----------
    angles
        Degrees in (-90, 90], the strongest rain first; None: to be estimated.
    strength
        How much is removed, 1 as the picture suggests.
    veil
        Whether the veil of distant rain is removed as well.
    marks
        A picture of where rain is and where none is, as ``rainopt derain --marks`` takes it.
    """

    angles: tuple[float, ...] | None = None
    strength: float = 1.0
    veil: bool = False
    marks: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to derain a photograph.

    Attributes
    ----------
    name
        By which it is chosen, the only one of it.
    title, about
        What a person is shown: a few words, and a sentence.
    task
        Returns what derains a file as is wished, and can be pickled.
    command
        Returns the words of the command line that does the same, from the program to the last option.
    part
        Derains what is looked at before the file is done; it can be pickled, is called in a process of its own, with
        what the share done is told to, and may raise anything, whose message a person is shown. None where nothing is
        to be seen before. A method that is ``live`` needs none.
    directions
        How many angles it can be told; 0 where it finds them itself.
    found
        How many of those that are estimated it takes where it is told none.
    strength, veil, marks
        Which of the other wishes it can be told.
    live
        Whether the page may solve pictures of the size of a screen by itself, as the solver does.
    missing
        What has to be installed, as a sentence; None where it is there.
    """

    name: str
    title: str
    about: str
    task: Callable[[Path, Wish, OutputSettings], DerainTask]
    command: Callable[[Wish], list[str]]
    part: Callable[[Excerpt, Callable[[float], None]], Seen] | None = None
    directions: int = 0
    found: int = MOST_DIRECTIONS
    strength: bool = False
    veil: bool = False
    marks: bool = False
    live: bool = False
    missing: str | None = None


def methods_with(own: Sequence[Method]) -> dict[str, Method]:
    """Return methods by name: those given, and those of installed packages. One that is broken is logged and left."""
    found = {method.name: method for method in own}
    for point in entry_points(group=GROUP):
        try:
            added = point.load()()
        # What others have written raises anything.
        except Exception as error:
            _log.warning("methods of '%s' are left out: %s", point.value, str(error) or type(error).__name__)
            continue
        for method in added:
            found.setdefault(method.name, method)
    return found
