"""Serve a page until somebody ends it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

from rainopt.web.access import LOOPBACK, Access, AccessError

if TYPE_CHECKING:
    from fastapi import FastAPI

CONNECTIONS = 256
KEPT = 300  # seconds that a silent connection is kept: a change that meets its end could not be sent twice
PATIENCE = 3  # seconds that answers under way have when the server ends


def serve(
    app: FastAPI, access: Access, *, open_browser: bool = True, ready: Callable[[str], None] | None = None
) -> None:
    """Bind an address, say which, open it in a browser, and answer until Ctrl-C or a signal to end.

    Parameters
    ----------
    app
        As `rainopt.web.app.create_app` returns it.
    access
        Of the same application.
    open_browser
        Whether a browser is opened, if there is a screen for one.
    ready
        Called with the address when the server answers; by default it is printed.

    Raises
    ------
    AccessError
        If the address cannot be bound; nothing has been served.
    KeyboardInterrupt, SystemExit
        After Ctrl-C, or a signal to end, when the answers under way are given.
    """
    import uvicorn

    bound = _bind(access)
    url = access.url(bound.getsockname()[1])

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                (ready or _say)(url)
                if open_browser and _has_screen():
                    threading.Thread(target=_open, args=(url,), daemon=True).start()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            app.state.ending.set()
            await super().shutdown(sockets)

    config = uvicorn.Config(
        app,
        access_log=False,  # a token is part of an address
        log_config=None,
        lifespan="off",
        http="h11",
        ws="none",
        proxy_headers=False,  # who asks is whom the connection is from
        server_header=False,
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEPT,
        timeout_graceful_shutdown=PATIENCE,
    )
    try:
        with _ended_in_order():
            Server(config).run(sockets=[bound])
    finally:
        app.state.ending.set()
        bound.close()


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let a signal to end raise `SystemExit`, so that what a page has begun is ended as well."""
    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    # The latter where a terminal is closed.
    ends = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = [signal.signal(one, end) for one in ends]
    try:
        yield
    finally:
        for one, handler in zip(ends, before, strict=True):
            signal.signal(one, handler)


def _bind(access: Access) -> socket.socket:
    host = LOOPBACK if access.host.lower() == "localhost" else access.host
    try:
        found = socket.getaddrinfo(host, access.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        bound = socket.socket(family, socket.SOCK_STREAM)
        try:
            if os.name == "posix":
                bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(address)
        except BaseException:
            bound.close()
            raise
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AccessError(
            f"`host` '{access.host}', port {access.port}, cannot be bound ({reason}); choose another, or port 0 for "
            "one that is free"
        ) from error
    return bound


def _say(url: str) -> None:
    print(url, flush=True)


def _has_screen() -> bool:
    """Tell whether a browser would open as a window; one of a terminal would take this terminal."""
    if sys.platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True


def _open(url: str) -> None:
    with suppress(webbrowser.Error):  # its address is printed
        webbrowser.open(url)
