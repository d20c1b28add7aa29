"""Parameters of programs that name every one: names and shapes as they must be, or what is wrong by name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from rainnet.convert.base import UnlikeError

NAMED = 6  # in a message
ADVICE = "convert the file that their program saved, as it is"


class Named(NamedTuple):
    """A 3×3 convolution with bias as the other program names it.

    Attributes
    ----------
    name
        Of its parameters, without ``.weight`` and ``.bias``.
    inputs, outputs
        Its channels.
    """

    name: str
    inputs: int
    outputs: int


def require_names(state: Mapping[str, Tensor], names: Iterable[str], what: str) -> None:
    """Require exactly such parameters.

    Parameters
    ----------
    state
        Of the other program.
    names
        That it must have.
    what
        What has them, for the message: "a SPANet of the authors".

    Raises
    ------
    UnlikeError
        If some are missing or left over; the first few are named.
    """
    known = dict.fromkeys(names)
    missing, left_over = [key for key in known if key not in state], [key for key in state if key not in known]
    for verb, keys in (("lacks", missing), ("has", left_over)):
        if keys:
            shown = ", ".join(key or "''" for key in sorted(keys, key=_natural)[:NAMED])
            more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
            why = f"which {what} has" if verb == "lacks" else f"which {what} has not"
            raise UnlikeError(f"{verb} {shown}{more}, {why}", ADVICE)


def sides(state: Mapping[str, Tensor], name: str, default: tuple[int, int]) -> tuple[int, int]:
    """Return how many channels a convolution takes and gives, or the default if there is none of that name.

    Raises
    ------
    UnlikeError
        If the weights are not those of a convolution, or of one that takes or gives nothing.
    """
    if (weight := state.get(f"{name}.weight")) is None:
        return default
    if weight.ndim != 4 or not weight.numel():
        raise UnlikeError(f"has '{name}.weight' of shape {tuple(weight.shape)}, which is no convolution", ADVICE)
    return weight.shape[1], weight.shape[0]


def convolutions(state: Mapping[str, Tensor], layers: Mapping[str, list[Named]], what: str) -> dict[str, Tensor]:
    """Return weights and biases by our names.

    Parameters
    ----------
    state
        Of the other program.
    layers
        What each of our convolutions is made of: one of theirs, or several, of which one after the other gives some of
        the channels.
    what
        As in `require_names`.

    Raises
    ------
    UnlikeError
        If parameters are missing, left over, or of another shape; they are named.
    """
    theirs = [layer for found in layers.values() for layer in found]
    require_names(state, [f"{layer.name}.{kind}" for layer in theirs for kind in ("weight", "bias")], what)
    for name, inputs, outputs in theirs:
        for key, shape in ((f"{name}.weight", (outputs, inputs, 3, 3)), (f"{name}.bias", (outputs,))):
            if (found := tuple(state[key].shape)) != shape:
                raise UnlikeError(f"has '{key}' of shape {found} instead of {shape}", ADVICE)
    return {
        f"{ours}.{kind}": torch.cat([state[f"{layer.name}.{kind}"] for layer in found])
        for ours, found in layers.items()
        for kind in ("weight", "bias")
    }


def numbers(state: Iterable[str], pattern: str) -> int:
    """Return how many different numbers the group of a pattern has, which names begin with."""
    return len({found[1] for key in state if (found := re.match(pattern, key))})


def _natural(key: str) -> list[tuple[int, str]]:
    """Sort 'block2' before 'block10'."""
    # More digits than any block has are not read as a number.
    return [(int(part), "") if part.isdecimal() and len(part) < 10 else (-1, part) for part in re.split(r"(\d+)", key)]
