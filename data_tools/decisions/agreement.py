"""How far two reviewers agree beyond chance."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from data_tools.decisions.board import Board


class Agreement(NamedTuple):
    """Cohen's kappa of two reviewers, the share of scenes that they agree on, and how many scenes both have judged."""

    kappa: float | None
    share: float | None
    scenes: int


def kappa_of(one: Sequence[str], other: Sequence[str]) -> float | None:
    """Return Cohen's kappa, ``(pₒ - pₑ) / (1 - pₑ)``: 1 is full agreement and 0 what chance gives.

    pₒ is the share of items with the same verdict, pₑ that which two people have who give their own verdicts as often,
    but at random. None without items, and where both have given one verdict alone, the same, so that pₑ is 1.

    Parameters
    ----------
    one, other
        Verdicts on the same items, in the same order.

    Raises
    ------
    ValueError
        If they are not as many.

    Notes
    -----
    Source: Cohen 1960, "A coefficient of agreement for nominal scales".
    """
    if len(one) != len(other):
        raise ValueError(f"`one` and `other` must be as many, got {len(one)} and {len(other)}")
    count = len(one)
    first, second = Counter(one), Counter(other)
    # In whole numbers, so that full agreement by chance is known as such.
    agreed = count * sum(a == b for a, b in zip(one, other, strict=True))
    chance = sum(first[verdict] * second[verdict] for verdict in first)
    return None if chance == count * count else (agreed - chance) / (count * count - chance)


def agreement(board: Board, one: str, other: str) -> Agreement:
    """Return how far two reviewers agree, over the scenes that both have judged."""
    pairs = []
    for scene in sorted(board.scenes(one) & board.scenes(other)):
        verdicts = [board.opinion(name, scene).verdict for name in (one, other)]
        if None not in verdicts:
            pairs.append((str(verdicts[0]), str(verdicts[1])))
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    share = sum(a == b for a, b in pairs) / len(pairs) if pairs else None
    return Agreement(kappa_of(first, second), share, len(pairs))


def agreements(board: Board) -> dict[tuple[str, str], Agreement]:
    """Return the agreement of every two reviewers."""
    return {pair: agreement(board, *pair) for pair in itertools.combinations(board.reviewers(), 2)}
