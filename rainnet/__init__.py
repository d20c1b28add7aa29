"""Networks that remove rain, trained on the objectives of `rainopt`.

Names load on first use: torch takes a second to import.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rainnet.checkpoint import load, save
    from rainnet.convert import convert_official
    from rainnet.decomposition import Decomposition
    from rainnet.infer import derain
    from rainnet.models import create

_HOME = {
    "Decomposition": "decomposition",
    "convert_official": "convert",
    "create": "models",
    "derain": "infer",
    "load": "checkpoint",
    "save": "checkpoint",
}
__all__ = ["Decomposition", "convert_official", "create", "derain", "load", "save"]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        value = getattr(importlib.import_module(f"rainnet.{_HOME[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
