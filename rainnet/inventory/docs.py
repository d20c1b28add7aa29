"""What docstrings say, to be shown: the texts about networks and fields are written once, where they are."""

from __future__ import annotations

import inspect
import re
import sys
from typing import Any

_RULE = re.compile(r"-{3,}")


def about(model: type[Any]) -> str:
    """Return what a network is, in a sentence: of its module, or of its class; empty where nobody has written one."""
    module = sys.modules.get(model.__module__)
    for text in (getattr(module, "__doc__", None), model.__doc__):
        if text:
            return _joined(inspect.cleandoc(text).split("\n\n")[0])
    return ""


def source(model: type[Any]) -> str:
    """Return where a network was published, from the paragraph "Source: …" of its module or class; empty without."""
    module = sys.modules.get(model.__module__)
    for text in (getattr(module, "__doc__", None), model.__doc__):
        for paragraph in inspect.cleandoc(text or "").split("\n\n"):
            if paragraph.startswith("Source:"):
                return _joined(paragraph.removeprefix("Source:"))
    return ""


def attributes(described: type[Any]) -> dict[str, str]:
    """Return what a docstring in numpydoc's form says of each attribute; several that share a text have it each."""
    lines = inspect.cleandoc(described.__doc__ or "").splitlines()
    begins = next(
        (k for k in range(len(lines) - 1) if lines[k] == "Attributes" and _RULE.fullmatch(lines[k + 1])), None
    )
    found: dict[str, list[str]] = {}
    names: list[str] = []
    for k in range(len(lines) if begins is None else begins + 2, len(lines)):
        line = lines[k]
        if k + 1 < len(lines) and _RULE.fullmatch(lines[k + 1]):
            break  # the next section
        if line and not line.startswith(" "):
            names = [name.partition(":")[0].strip() for name in line.split(",")]
            found |= {name: [] for name in names}
        else:
            for name in names:
                found[name].append(line.strip())
    return {name: _joined("\n".join(text)) for name, text in found.items()}


def _joined(text: str) -> str:
    """Return a paragraph in one line, without the marks of code."""
    return " ".join(text.split()).replace("`", "")
