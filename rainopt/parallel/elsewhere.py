"""Where a function of arrays is computed: here, or somewhere that its arrays have to travel to and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Elsewhere = Callable[..., Any]
"""Called with a function and with host arrays, or None: returns what the function makes of them, arrays of it on the
host. The function sees the arrays where it is computed. May be called from several threads at once.
"""


def here(function: Callable[..., Any], *arrays: Any) -> Any:
    """Compute where the caller is, on the arrays themselves; an `Elsewhere`."""
    return function(*arrays)
