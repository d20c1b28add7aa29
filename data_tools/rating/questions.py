"""What raters are asked, and what the points of the scale mean."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A question, and five words from 1 to 5."""

    text: str
    scale: tuple[str, str, str, str, str]


QUESTIONS = {
    "real": Question(
        "How real does this picture look?",
        ("not at all", "hardly", "somewhat", "rather", "entirely"),
    ),
    "rain": Question(
        "How real does the rain in this picture look?",
        ("not at all", "hardly", "somewhat", "rather", "entirely"),
    ),
    "quality": Question(
        "How good is this picture?",
        ("bad", "poor", "fair", "good", "excellent"),
    ),
}
"""By the names of ``--ask``: for generated rain (Wang et al. 2021, Sec. 5.2); of results, in words of ITU-R BT.500."""
