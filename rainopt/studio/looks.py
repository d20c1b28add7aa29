"""What is looked at, derained by a method that this process does not run itself: in another, the latest wish alone.

It stands beside the one that derains whole files, and goes before it: nobody waits for a file to see a part.
"""

from __future__ import annotations

import itertools
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from rainopt.app.excerpt import Excerpt, Seen
from rainopt.app.methods import Method
from rainopt.geometry.within import Within
from rainopt.studio.asked import Asked
from rainopt.studio.marks import drawn
from rainopt.studio.photo import Photo, Region
from rainopt.studio.worker import ENDING, GivenUpError, Job, JobError, Progress, Worker

MARGIN = 48
"""Pixels around what is looked at that a method sees besides. Networks look further by half their reach, with little
weight, and the page asks for more than is seen."""
KEPT = 8
"""Looks that are kept; each has a part of the size of a screen."""
IDLE = 120.0  # seconds without a look, after which the process and its memory go

State = Literal["running", "done", "failed", "stopped"]


@dataclass(eq=False)
class Look:
    """One look.

    Attributes
    ----------
    share
        Done, in [0, 1].
    seen
        What the method made, None before the end and where it failed.
    error
        Why it failed.
    """

    number: int
    state: State = "running"
    share: float = 0.0
    seen: Seen | None = None
    error: str | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def end(self, state: State, seen: Seen | None = None, error: str | None = None) -> None:
        """Say what became of it."""
        self.state, self.seen, self.error = state, seen, error
        self.done.set()

    def as_json(self) -> dict[str, Any]:
        """Return how far it is."""
        return {"look": self.number, "state": self.state, "share": self.share, "error": self.error}


class Looks:
    """Looks, of which the latest alone is wanted; one that is under way gives way to it at its next tile.

    Parameters
    ----------
    worker
        The process; one of its own, if none is given.
    """

    def __init__(self, worker: Worker | None = None) -> None:
        self._worker = worker or Worker()
        self._turn = threading.Condition()
        self._kept: OrderedDict[str, Look] = OrderedDict()
        self._next: tuple[Look, Job] | None = None
        self._now: Look | None = None
        self._closed = False
        self._numbers = itertools.count(1)
        self._thread = threading.Thread(target=self._serve, name="studio-looks", daemon=True)
        self._thread.start()

    def find(self, key: str) -> Look | None:
        """Return the look of a key that is kept; others, which are looked at no more, are given up."""
        with self._turn:
            look = self._kept.get(key)
            if look is not None and look.state == "stopped":
                look = None
            if look is not None:
                self._kept.move_to_end(key)
                self._give_up(look)
            return look

    def begin(self, key: str, job: Job) -> Look:
        """Begin a look in the place of all others; ``job`` returns a `rainopt.app.excerpt.Seen`."""
        with self._turn:
            look = Look(next(self._numbers))
            self._give_up(None)
            # What has failed may be tried again once something else was looked at.
            self._kept = OrderedDict((name, one) for name, one in self._kept.items() if one.state != "failed")
            self._kept[key] = look
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            if self._closed:
                look.end("stopped")
            else:
                self._next = look, job
                self._turn.notify()
            return look

    def leave(self) -> None:
        """Give up what is under way: something else is looked at."""
        with self._turn:
            self._give_up(None)

    def numbered(self, number: int) -> Look | None:
        """Return a look by its number, if it is kept."""
        with self._turn:
            return next((look for look in self._kept.values() if look.number == number), None)

    def close(self) -> None:
        """Give all up and end the process."""
        with self._turn:
            self._closed = True
            self._give_up(None)
            self._turn.notify()
        self._worker.close()
        self._thread.join(timeout=ENDING)

    def _give_up(self, but: Look | None) -> None:
        if self._next is not None and self._next[0] is not but:
            self._next[0].end("stopped")
            self._next = None
        if self._now is not None and self._now is not but and self._now.state == "running":
            self._now.state = "stopped"
            self._worker.stop()

    def _serve(self) -> None:
        while True:
            with self._turn:
                patience = IDLE if self._worker.runs else None
                self._turn.wait_for(lambda: self._closed or self._next is not None, patience)
                if self._closed:
                    return
                wanted, self._next = self._next, None
                self._now = None if wanted is None else wanted[0]
            if wanted is None:
                self._worker.end()
            else:
                self._do(*wanted)

    def _do(self, look: Look, job: Job) -> None:
        def tell(share: float) -> None:
            look.share = share

        state: State = "stopped"
        seen, error = None, None
        try:
            seen = self._worker.run(job, tell, lambda: look.state == "running")
            state = "done"
        except GivenUpError:
            pass
        except JobError as failure:
            # One that was given up has nobody to be told.
            if look.state == "running":
                state, error = "failed", str(failure)
        finally:
            with self._turn:
                self._now = None
                look.end(state, seen, error)


def excerpt_of(photo: Photo, region: Region, asked: Asked, method: Method) -> tuple[Excerpt, tuple[slice, slice]]:
    """Return a region with its surroundings as a method takes it, and where in it the region lies."""
    wide, inside = photo.around(region, MARGIN)
    pixels = photo.cut(wide)
    height, width = pixels.shape[:2]
    marks = drawn(asked.strokes, height, width, wide.scale, wide.left, wide.top) if method.marks else None
    excerpt = Excerpt(
        pixels=pixels,
        angles=asked.angles,
        unit=photo.unit,
        evidence=photo.evidence,
        within=Within(round(wide.top * wide.scale), round(wide.left * wide.scale), *photo.size_at(wide.scale)),
        marks=marks,
        strength=asked.strength if method.strength else 1.0,
        veil=photo.veil(wide) if method.veil and asked.veil else None,
    )
    return excerpt, inside


def seen_by(
    part: Callable[[Excerpt, Progress], Seen], excerpt: Excerpt, inside: tuple[slice, slice], progress: Progress
) -> Seen:
    """Return what a method sees in an excerpt, without its surroundings."""
    background, rain = part(excerpt, progress)
    return Seen(background[inside], rain[inside])
