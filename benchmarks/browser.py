"""The browser that pages are measured in: where it is, and what it must be told on any machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import environ
from typing import Any

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


@contextmanager
def blank_page(width: int = 1280, height: int = 800) -> Iterator[tuple[Any, list[str]]]:
    """Open a browser; yields a page of Playwright, and the errors that it will tell in its console."""
    from playwright.sync_api import sync_playwright

    errors: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": width, "height": height})
        page.on("console", lambda said: errors.extend([said.text] * (said.type == "error")))
        page.on("pageerror", lambda error: errors.append(str(error)))
        yield page, errors
        browser.close()
