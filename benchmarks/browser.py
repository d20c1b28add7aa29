"""The browser that pages are measured in: where it is, and what it must be told on any machine."""

from __future__ import annotations

import shutil
from os import environ

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def chromium_path() -> str | None:
    """Return where the browser is, by the variable CHROMIUM or its usual names; None if there is none."""
    names = [environ.get("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    return next((found for name in names if name and (found := shutil.which(name))), None)


def chromium() -> str:
    """Return where the browser is.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    found = chromium_path()
    if found is None:
        raise FileNotFoundError("chromium is missing; install it, or name it in the variable CHROMIUM")
    return found
