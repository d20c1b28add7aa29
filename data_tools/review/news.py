"""What has changed since a browser asked last: in other tabs, by other reviewers, and in the work on more frames.

Where a browser stands is a text that says how far each log was read, so that a server that was begun anew, or another
one of the same dataset, knows it too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.concurrency import run_in_threadpool

from data_tools.review.again import DONE
from data_tools.review.session import Session

LONGEST, STEP = 25.0, 0.2  # seconds that a question waits for news, and between two looks at the logs
AGAIN = "."  # stands for the work on more frames; no reviewer is called so


async def news(
    session: Session, since: str | None, ending: threading.Event, gone: Callable[[], Awaitable[bool]]
) -> dict[str, Any]:
    """Return where the logs stand, and which scenes have changed since they stood at `since`; wait for the first.

    Parameters
    ----------
    session
        What is looked at.
    since
        What an earlier answer called `last`; None to be told at once.
    ending
        Set when the server ends, which is answered at once.
    gone
        Whether nobody waits any more.
    """
    waited = 0.0
    seen = _parsed(since)
    while True:
        # In another thread: whoever writes to the disk holds the logs.
        found = await run_in_threadpool(_found, session, seen)
        if since is None:
            return {"last": found["last"], "scenes": [], "again": {}}
        if found["scenes"] or found["again"] or waited >= LONGEST or ending.is_set() or await gone():
            return found
        await asyncio.sleep(STEP)
        waited += STEP


def _found(session: Session, seen: dict[str, int]) -> dict[str, Any]:
    session.board.refresh()
    count, again = session.again.news(seen.get(AGAIN, -1))
    last = urlencode({**session.board.sizes(), AGAIN: count})
    names = session.board.since(seen) | {name for name, its in again.items() if its["state"] == DONE}
    known = session.dataset.numbers
    return {
        "last": last,
        "scenes": sorted(known[name] for name in names if name in known),
        "again": {str(known[name]): its for name, its in again.items() if name in known},
    }


def _parsed(since: str | None) -> dict[str, int]:
    """Return what a browser says of where it stands; nonsense stands at the beginning."""
    return {name: int(value) for name, value in parse_qsl(since or "") if value.isdecimal()}
