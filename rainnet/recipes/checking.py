"""What is wrong with a recipe, in sentences that name the key and the one that may be meant."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rainnet.models.names import known

# Values in messages, cut where they are long or deep.
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


class RecipeError(ValueError):
    """What is wrong with a recipe, with its key."""


def checked(model: type[Any], values: Mapping[str, Any], section: str) -> Any:
    """Return the pydantic model of some values; its errors become one that names the keys and suggests others."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise RecipeError("; ".join(_sentence(model, each, section) for each in error.errors())) from None


def _sentence(model: type[Any], error: Any, section: str) -> str:
    where = [str(part) for part in error["loc"]]
    path = ".".join([section, *where] if section else where)
    if error["type"] == "extra_forbidden":
        names = _names_beside(model, where)
        try:
            known(where[-1], names, "key")
        except ValueError as unknown:
            return f"'{path}': {unknown}"
    if error["type"] == "missing":
        return f"'{path}' is missing"
    # TOML has lists alone.
    return f"'{path}' = {_SHORT.repr(error['input'])}: {error['msg'].replace('valid tuple', 'valid list')}"


def _names_beside(model: type[Any], where: Sequence[str]) -> list[str]:
    """Return the names of the fields that the last key of a path could have been."""
    for key in where[:-1]:
        field = model.model_fields.get(key)
        # A section, or the sections in a dict or a tuple; other keys name one of these.
        inner = (field.annotation, *get_args(field.annotation)) if field else ()
        model = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), model)
    return list(model.model_fields)
