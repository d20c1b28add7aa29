"""Random events on the page for photographs: what no person would do, and must break nothing."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

KEYS = [
    *"oscybdnvaqwflpre[]+-01ux,.?",
    *("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Escape", "Enter", "Tab", "Shift+Tab", " ", "Home", "End"),
    *("Shift+A", "Shift+U", "Control+z", "Control+Shift+z", "Control+s"),
    *("Shift+ArrowLeft", "Shift+ArrowRight", "Shift+ArrowUp", "Shift+ArrowDown"),
]


def bother(page: Any, count: int, seed: int = 0, sizes: Sequence[tuple[int, int]] = ((1280, 800), (390, 844))) -> None:
    """Send so many random events to a page of Playwright: the same for a seed, but for what the page has made of them.

    Parameters
    ----------
    page
        That is looked at.
    count, seed
        Of the events.
    sizes
        Of the window, among which they change.
    """
    draw = random.Random(seed)
    width, height = sizes[0]

    def place() -> tuple[int, int]:
        return draw.randrange(width), draw.randrange(height)

    for number in range(count):
        kind = draw.random()
        if kind < 0.5:
            page.keyboard.press(draw.choice(KEYS))
        elif kind < 0.65:
            page.mouse.click(*place(), button=draw.choice(["left", "left", "left", "middle"]))
        elif kind < 0.85:
            page.mouse.move(*place())
            page.mouse.down()
            for _ in range(draw.randrange(1, 4)):
                page.mouse.move(*place())
            page.mouse.up()
        elif kind < 0.95:
            page.mouse.move(*place())
            page.mouse.wheel(0, draw.choice([-300, -60, 60, 300]))
        elif kind < 0.97:
            page.mouse.dblclick(*place())
        elif kind < 0.975:
            width, height = draw.choice(sizes)
            page.set_viewport_size({"width": width, "height": height})
        else:
            page.keyboard.press("Escape")
        if number % 100 == 99:
            page.wait_for_timeout(20)
