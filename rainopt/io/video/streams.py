"""Addresses of streams: which arguments are some, and what may be used to read them."""

from __future__ import annotations

import os
import re

STANDARD = "-"
"""Standard input or output."""

PROTOCOLS = {
    "rtsp": "rtsp,rtp,rtcp,udp,tcp",
    "rtsps": "rtsp,rtsps,rtp,rtcp,udp,tcp,tls",
    "http": "http,https,httpproxy,tcp,tls,crypto",
    "https": "http,https,httpproxy,tcp,tls,crypto",
    "rtmp": "rtmp,tcp",
    "rtmps": "rtmp,rtmps,tcp,tls",
    "srt": "srt",
    "udp": "udp",
    "tcp": "tcp",
}
"""The protocols of FFmpeg that an address may make use of, by its own; none reads files of this computer."""

_ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def scheme_of(text: str) -> str | None:
    """Return what an address begins with, in lower case; None for what is no address, or the name of a file."""
    found = _ADDRESS.match(text)
    return None if found is None or os.path.lexists(text) else found[1].lower()


def is_stream(text: str) -> bool:
    """Tell whether an argument is standard input or an address, and no file."""
    return text == STANDARD or scheme_of(text) is not None


def without_secrets(address: str) -> str:
    """Return an address without the name and the password in it, to be shown."""
    return re.sub(r"^([a-z0-9+.-]+://)[^/@]*@", r"\1***@", address, flags=re.IGNORECASE)
