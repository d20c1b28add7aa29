"""What turns weights of another program into ours returns, and raises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from torch import Tensor

from rainnet.convert.ports import Channels, Port

M = TypeVar("M", bound=Callable[..., Any])


class Foreign(NamedTuple):
    """Weights of another program under our names, and the pictures that they were trained for.

    Attributes
    ----------
    config
        Fields of our config that the shapes tell, or that are assumed.
    state
        Weights by our names, as the file has them. What is not among them keeps fresh weights.
    notes
        What a user has to know, a sentence each.
    assumed
        The same, by the field of the config that it is about: no note for somebody who gives the field.
    ports
        Where pictures enter and leave the weights; none: nothing is known of that.
    channels, range
        Order of the channels, and greatest value, of the pictures that the family's programs work on.
    squares
        Fields of the config that are in the square of the picture's unit.
    """

    config: dict[str, Any]
    state: dict[str, Tensor]
    notes: list[str]
    assumed: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    ports: Sequence[Port] = ()
    channels: Channels = "rgb"
    range: float = 1.0
    squares: tuple[str, ...] = ()


class UnlikeError(ValueError):
    """The weights are not those of such a network.

    Attributes
    ----------
    what
        Continues a sentence that starts with the file.
    advice
        What to do, if there is something that helps whatever the file is; the message is both.
    """

    def __init__(self, what: str, advice: str = "") -> None:
        self.what, self.advice = what, advice
        super().__init__(f"{what}; {advice}" if advice else what)


def by_name(mapping: M) -> M:
    """Say of a mapping that names alone tell it what weights are, so that files without an order are good enough."""
    mapping.by_name = True  # type: ignore[attr-defined]
    return mapping


def goes_by_name(mapping: Callable[..., Any]) -> bool:
    """Whether `by_name` was said of a mapping."""
    return bool(getattr(mapping, "by_name", False))


def mapped(mapping: Callable[..., Foreign], state: dict[str, Tensor]) -> Foreign:
    """Return what a mapping makes of weights, or of those of the one module at the top that it knows.

    Programs keep a network inside another module, beside a loss or a discriminator, and save all of it. Only where
    names tell the weights is a part as good as the whole.

    Raises
    ------
    UnlikeError
        As the mapping does for all the weights.
    """
    try:
        return mapping(state)
    except UnlikeError:
        parts: dict[str, dict[str, Tensor]] = {}
        for key, tensor in state.items() if goes_by_name(mapping) else ():
            module, _, inner = key.partition(".")
            parts.setdefault(module, {})[inner] = tensor
        fitting: dict[str, Foreign] = {}
        for module, part in parts.items():
            with suppress(UnlikeError):
                fitting[module] = mapping(part)
        if len(fitting) != 1:
            raise
    module, found = fitting.popitem()
    if not (others := sorted(parts.keys() - {module})):
        return found
    note = f"the weights under {module} were taken; those under {', '.join(others[:3])} are of no use here"
    return found._replace(notes=[note, *found.notes])
