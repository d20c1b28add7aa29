"""What libtiff, inside Pillow, prints of damaged data, caught on its way to the screen: it names no file there."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from rainopt.io.images.metadata import UnreadableImageError

_STDERR = 2
# libtiff begins its lines with a routine of its own, or with the name that Pillow gives to data in memory.
_ROUTINE = rb"\w*(?:Decode|Lib|Setup|Scanline|Strip|Tile|Directory|TIFF)\w*"
_LINE = re.compile(rb"^(?:" + _ROUTINE + rb"|tempfile\.tif): (.+)$", re.MULTILINE)
_one_at_a_time = threading.Lock()


@contextmanager
def listening() -> Iterator[None]:
    """Turn what libtiff prints within into an error; what others print meanwhile is printed after."""
    with _one_at_a_time, tempfile.TemporaryFile() as said:
        try:
            before = os.dup(_STDERR)
        except OSError:  # closed: then nothing is printed either
            yield
            return
        os.dup2(said.fileno(), _STDERR)
        problem: Exception | None = None
        try:
            yield
        except Exception as error:
            problem = error
        finally:
            os.dup2(before, _STDERR)
            os.close(before)
            said.seek(0)
            text = said.read()
            rest = _LINE.sub(b"", text).strip()
            if rest:
                os.write(_STDERR, rest + b"\n")
        reasons = _LINE.findall(text)
        if reasons:
            reason = reasons[0].decode(errors="replace").strip().rstrip(".")
            raise UnreadableImageError(f"is damaged ({reason}); obtain a fresh copy") from problem
        if problem is not None:
            raise problem
