"""Who may use a page: the address that it is served at, and the token that other machines must know."""

from __future__ import annotations

import ipaddress
import secrets
import socket
from dataclasses import dataclass, field

LOOPBACK = "127.0.0.1"
MAX_BODY = 1 << 24  # bytes: a mask of one channel as PNG is much smaller
TOKEN_BYTES = 24
LEAST_TOKEN = 12  # characters: what is guessed at random over a network is shorter


class AccessError(ValueError):
    """A page cannot be served like that; the message names what is wrong and what to do."""


@dataclass(frozen=True)
class Access:
    """Where a page is served, and to whom.

    Attributes
    ----------
    host : str
        Name or address that is bound.
    port : int
        0 for one that is free.
    token : str, optional
        What a browser must know. Where `host` is no loopback address, one is made if none is given.
    max_body : int
        Bytes that the body of a request may have.

    Raises
    ------
    AccessError
        If the port is none, or the token is too short or could not stand in an address.
    """

    host: str = LOOPBACK
    port: int = 0
    token: str | None = field(default=None, repr=False)
    max_body: int = MAX_BODY

    def __post_init__(self) -> None:
        if not self.host or not all(sign.isalnum() or sign in ".:-_%" for sign in self.host):
            raise AccessError(f"`host` must be a name or an address, such as 127.0.0.1, got {self.host!r}")
        if not 0 <= self.port <= 65535:
            raise AccessError(f"`port` must be 0 to 65535, got {self.port}")
        if self.token is None:
            if not self.is_loopback:
                object.__setattr__(self, "token", secrets.token_urlsafe(TOKEN_BYTES))
            return
        plain = self.token.isascii() and all(sign.isalnum() or sign in "-_" for sign in self.token)
        if len(self.token) < LEAST_TOKEN or not plain:
            raise AccessError(f"`token` must be at least {LEAST_TOKEN} letters, digits, '-' or '_'")

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the address."""
        return _is_loopback(self.host)

    def names(self, bound: str) -> set[str]:
        """Return the names by which a browser may call a server that was reached at the address `bound`.

        Every other name may be one that somebody else lets point here (DNS rebinding).
        """
        found = {self.host.lower(), bound.lower().partition("%")[0].removeprefix("::ffff:")}
        if self.is_loopback:
            found.add("localhost")
        elif self.host in ("0.0.0.0", "::"):
            own = socket.gethostname().lower()
            found |= {own, f"{own.partition('.')[0]}.local"}
            if any(_is_loopback(name) for name in found):
                found.add("localhost")
        return found - {"0.0.0.0", "::"}

    def url(self, port: int) -> str:
        """Return the address to open, with the token if there is one."""
        name = socket.gethostname() if self.host in ("0.0.0.0", "::") else self.host
        secret = f"?token={self.token}" if self.token else ""
        return f"http://{authority(name, port)}/{secret}"


def authority(name: str, port: int) -> str:
    """Return a name and a port as they stand in an address."""
    return f"[{name}]:{port}" if ":" in name else f"{name}:{port}"


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
