"""What stands before every page: what a stranger's page or machine may have asked for is refused."""

from __future__ import annotations

import hmac
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from rainopt.web.access import Access, authority

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

READING = {"GET", "HEAD"}
# Types that a page of another origin cannot send without asking first; those of forms it can.
BODY_TYPES = {"application/json", "image/png", "application/octet-stream"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}

_log = logging.getLogger(__name__)


class _RefusedError(Exception):
    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Guard:
    """Let requests of the page itself through, with limited bodies, and complete every answer's headers."""

    def __init__(self, app: App, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, as ASGI has it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # no page speaks anything else
        extra: dict[str, str] = {}
        begun = False

        async def completed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                there = {name.lower() for name, _ in message["headers"]}
                more = [(name.encode(), value.encode()) for name, value in (HEADERS | extra).items()]
                message["headers"] = [*message["headers"], *(one for one in more if one[0] not in there)]
            await send(message)

        try:
            headers = _headers(scope)
            own = self._own_address(scope, headers)
            _check_origin(scope, headers, own)
            extra |= self._check_token(scope, headers)
            await self._app(scope, await self._body(scope, headers, receive), completed)
        except _RefusedError as refused:
            await _say(completed, refused.status, str(refused))
        except Exception:
            if begun:
                raise
            _log.exception("an answer to %s %s could not be made", scope["method"], scope["path"])
            await _say(completed, 500, "something went wrong here; what it was stands in the terminal of the server")

    def _own_address(self, scope: Scope, headers: dict[str, list[str]]) -> str:
        """Return the address by which the server was called, if that is its own."""
        bound, port = scope.get("server") or ("", 0)
        host = headers.get("host", [])
        allowed = {authority(name, port) for name in self._access.names(str(bound))}
        if port == 80:
            allowed |= {one.removesuffix(":80") for one in allowed}
        if len(host) != 1 or host[0].lower() not in allowed:
            raise _RefusedError(421, f"this server is called {' or '.join(sorted(allowed))}; open it by that address")
        return host[0].lower()

    def _check_token(self, scope: Scope, headers: dict[str, list[str]]) -> dict[str, str]:
        """Refuse whoever does not know the token; return the header that makes a browser keep it."""
        token = self._access.token
        if token is None:
            return {}
        # Cookies are shared by all ports of a host.
        name = f"rainopt-{scope['server'][1]}"
        if any(_same(kept, token) for line in headers.get("cookie", []) for kept in _cookies(line, name)):
            return {}
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["method"] in READING and any(_same(said, token) for said in query.get("token", [])):
            return {"set-cookie": f"{name}={token}; Path=/; HttpOnly; SameSite=Strict"}
        raise _RefusedError(401, "open the address that was printed when the server began, with its token")

    async def _body(self, scope: Scope, headers: dict[str, list[str]], receive: Receive) -> Receive:
        """Read the body of a request, which may be no longer than is allowed; return what hands it on."""
        most = self._access.max_body
        kind = headers.get("content-type", [""])[0].partition(";")[0].strip().lower()
        long = _RefusedError(413, f"the body is longer than {most} bytes")
        length = headers.get("content-length", ["0"])[0]
        if not length.isdecimal() or int(length) > most:
            raise long
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _RefusedError(400, "the request ended before its body")
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > most:
                raise long
            more = message.get("more_body", False)
        if (size or kind) and kind not in BODY_TYPES:
            raise _RefusedError(415, f"the body must be one of {', '.join(sorted(BODY_TYPES))}, got '{kind}'")
        whole: Message | None = {"type": "http.request", "body": b"".join(parts), "more_body": False}

        async def again() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()
            message, whole = whole, None
            return message

        return again


def _check_origin(scope: Scope, headers: dict[str, list[str]], own: str) -> None:
    """Refuse what a page of another origin has asked for (CSRF), but for being opened by a link there."""
    site = headers.get("sec-fetch-site", [])
    origin = headers.get("origin", [])
    refused = _RefusedError(403, "this was asked for by another page than the server's own")
    if any(one.lower() != f"http://{own}" for one in origin) or len(origin) > 1:
        raise refused
    if scope["method"] in READING:
        opened = headers.get("sec-fetch-mode") == ["navigate"] and headers.get("sec-fetch-dest") == ["document"]
        if not opened and any(one not in ("same-origin", "none") for one in site):
            raise refused
    elif (not origin and not site) or any(one != "same-origin" for one in site):
        raise refused


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


def _cookies(line: str, name: str) -> list[str]:
    try:
        morsel = SimpleCookie(line).get(name)
    except CookieError:
        return []
    return [morsel.value] if morsel is not None else []


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


async def _say(send: Send, status: int, sentence: str) -> None:
    content = json.dumps({"error": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    # What is left of a body that was refused is not waited for.
    headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
