"""What turns weights of another program into ours returns, and raises."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor


class Foreign(NamedTuple):
    """Weights of another program under our names.

    Attributes
    ----------
    config
        Fields of our config that the shapes tell.
    state
        Weights by our names. What is not among them keeps fresh weights.
    notes
        What a user has to know, a sentence each.
    """

    config: dict[str, Any]
    state: dict[str, Tensor]
    notes: list[str]


class UnlikeError(ValueError):
    """The weights are not those of such a network; the message continues a sentence that starts with the file."""
