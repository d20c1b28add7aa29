"""What a step finds out, kept in a file as it is found: a step that is stopped has said what it knows."""

from __future__ import annotations

import argparse
import json
import os
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Notes:
    """Findings by their names, in a JSON file that is whole at any moment.

    Parameters
    ----------
    file
        Is replaced at every note.
    """

    def __init__(self, file: Path) -> None:
        self._file, self.found = file, dict[str, Any]()

    def note(self, name: str, value: Any) -> None:
        """Keep a finding, anything that JSON holds; infinities and NaN become strings."""
        self.found[name] = value
        beside = self._file.with_suffix(".new")
        beside.write_text(json.dumps(plain(self.found), indent=1), encoding="utf-8")
        os.replace(beside, self._file)

    def attempt(self, name: str, function: Callable[[], Any]) -> Any:
        """Keep what a function returns, or how it failed; returns it, None where it failed."""
        begun = time.perf_counter()
        try:
            value = function()
        # Whatever is wrong with one finding, the others are to be had.
        except Exception as error:
            traceback.print_exc()
            self.note(name, {"error": f"{type(error).__name__}: {error}"[:600]})
            return None
        self.note(name, value)
        print(f"{name}: {time.perf_counter() - begun:.1f} s", flush=True)
        return value


def plain(value: Any) -> Any:
    """Return a value as JSON has it: numbers of any library as Python's, and names for those that JSON lacks."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, str)):
        return value
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, float):
        return number if number - number == 0 else str(number)
    return number if isinstance(number, (bool, int)) else str(number)


def arguments() -> argparse.Namespace:
    """Return what the driver tells a step: ``notes``, ``out``, ``seconds`` until it is stopped, and ``rehearse``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--rehearse", action="store_true")
    return parser.parse_args()
