"""What encoders are asked for beside a quality: to store fields as fields, and data for displays of high contrast."""

from __future__ import annotations

import re

from rainopt.io.video.codecs import Options
from rainopt.io.video.marks import Marks

# Encoders that store the fields of interlaced pictures.
_OF_FIELDS = {"libx264", "prores_ks", "ffv1"}


def fields_of(encoder: str, marks: Marks, height: int, pixel_format: str) -> str | None:
    """Return the order in which an encoder stores fields of pictures of `height` rows, None where it does not.

    It does not where the rows of colour of a field would be no whole number, as of 486 rows of 4:2:0.
    """
    rows = 2 if pixel_format.startswith(("yuv422", "yuv444")) else 4
    return marks.fields if encoder in _OF_FIELDS and height % rows == 0 else None


def with_marks(options: Options, encoder: str, marks: Marks, fields: str | None) -> Options:
    """Return the options of an encoder with what it is asked for to keep marks."""
    mastering, light = marks.mastering, marks.light
    if encoder == "libx264":
        said = [fields and f"{fields}=1", mastering and f"mastering-display={mastering}", light and f"cll={light}"]
        return _added(options, "x264-params", said)
    if encoder == "libx265":
        said = [mastering and f"master-display={mastering}", light and f"max-cll={light}"]
        return _added(options, "x265-params", said)
    if encoder == "libsvtav1":
        shown = mastering and f"mastering-display={_in_units(mastering)}"
        return _added(options, "svtav1-params", [shown, light and f"content-light={light}"])
    if encoder == "prores_ks" and fields:
        return options | {"flags": "+ildct"}
    return options


def _added(options: Options, name: str, said: list[str | None]) -> Options:
    parts = [part for part in (options.get(name), *said) if part]
    return options | ({name: ":".join(parts)} if parts else {})


def _in_units(mastering: str) -> str:
    """Return what x264 counts in 1/50000 and 1/10000 cd/m² as AV1's encoder does, in ones."""

    def point(found: re.Match[str]) -> str:
        name, x, y = found.groups()
        scale = 10_000 if name == "L" else 50_000
        return f"{name}({int(x) / scale:.5f},{int(y) / scale:.5f})"

    return re.sub(r"([A-Z]+)\((\d+),(\d+)\)", point, mastering)
