"""Recipes: everything that decides how a network is trained, read from TOML and checked before anything is done."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rainnet.models.names import known
from rainnet.recipes.checking import RecipeError, checked
from rainnet.recipes.sections import Recipe
from rainnet.recipes.shipped import shipped
from rainnet.recipes.stages import plan

__all__ = ["Recipe", "RecipeError", "checked", "read_recipe", "shipped"]


def read_recipe(name: str, changes: Sequence[str] = (), **sections: Mapping[str, Any]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name
        A TOML file, or one of `shipped`.
    changes
        ``SECTION.KEY=VALUE`` each, the value in TOML's own spelling, or a bare word.
    **sections
        Keys of sections that replace those of the file: what a command's other options say.

    Raises
    ------
    RecipeError
        If there is no such recipe, it is no TOML, or a key or value is not as it must be; the message names it and,
        where one is alike, the key that may be meant.
    """
    values = _read(name)
    for change in changes:
        _apply(values, change)
    for section, keys in sections.items():
        place = values.setdefault(section, {})
        if not isinstance(place, dict):
            raise RecipeError(f"'{section}' = {place!r}: a section with keys is expected")
        place.update(keys)
    recipe: Recipe = checked(Recipe, values, "")
    plan(recipe)  # what a stage changes is checked with it
    return recipe


def _read(name: str) -> dict[str, Any]:
    file = Path(name)
    if file.suffix != ".toml":
        recipes = shipped()
        try:
            file = recipes[known(name.replace("_", "-"), recipes, "recipe that ships, nor a .toml file")]
        except ValueError as error:
            raise RecipeError(str(error)) from None
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RecipeError(f"'{file}' does not exist; recipes that ship: {', '.join(shipped())}") from None
    except OSError as error:
        raise RecipeError(f"'{file}' cannot be read ({error.strerror or error})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"'{file}' is no TOML: {error}") from None


def _apply(values: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    keys = [key.strip() for key in path.split(".")]
    if not equals or len(keys) < 2 or not all(keys):
        raise RecipeError(f"'{change}' is not SECTION.KEY=VALUE, such as run.steps=1000")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    place = values
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise RecipeError(f"'{change}': '{key}' is a value and holds no keys")
    place[keys[-1]] = value
