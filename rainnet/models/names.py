"""Names that somebody typed: known, or refused with the likeliest one that is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def known(name: str, names: Iterable[str], what: str) -> str:
    """Return ``name`` if it is among ``names``.

    Parameters
    ----------
    name
        What was typed.
    names
        All that there are.
    what
        Continues "'NAME' is no …".

    Raises
    ------
    ValueError
        If it is not; the message says what a name like it would be.
    """
    all_names = list(names)
    if name in all_names:
        return name
    close = difflib.get_close_matches(str(name), all_names, 1)
    hint = f"did you mean '{close[0]}'?" if close else f"one of {', '.join(all_names)} is"
    raise ValueError(f"'{name}' is no {what}; {hint}")
