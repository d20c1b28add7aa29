"""Numbers of a config that a network can have: a file that asks for more is damaged, or meant to fill the memory."""

from __future__ import annotations

from collections.abc import Mapping

from rainopt.checks import require_whole


def require_within(config: object, most: Mapping[str, int]) -> None:
    """Require fields of a config to be whole numbers from 1 to the most that any network of its kind has had.

    Parameters
    ----------
    config
        Whose fields.
    most
        By the names of the fields.

    Raises
    ------
    ValueError
        For a number that is not whole or outside its range; the field is named.
    """
    for name, largest in most.items():
        if (value := require_whole(getattr(config, name), name)) > largest:
            raise ValueError(f"`{name}` must be at most {largest}, got {value}")
