"""Recipes: everything that decides how a network is trained, read from TOML and checked before anything is done."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rainnet.models.names import known
from rainnet.recipes.checking import RecipeError, checked
from rainnet.recipes.sections import Recipe
from rainnet.recipes.shipped import shipped
from rainnet.recipes.stages import plan

__all__ = ["Recipe", "RecipeError", "checked", "read_recipe", "shipped"]

DEPTH = 16  # levels of sections, tables and lists; recipes have four
SHOWN = 80  # characters of a change in a message
_DEEP = f"is nested deeper than {DEPTH} levels, which no recipe is; look for brackets or dots too many"


def read_recipe(name: str, changes: Sequence[str] = (), **sections: Mapping[str, Any]) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    name
        A TOML file, or one of `shipped`.
    changes
        ``SECTION.KEY=VALUE`` each, the value in TOML's own spelling, or a bare word; ``stages.NAME.KEY=VALUE`` for the
        stage of a name.
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
    if file.exists() and not file.is_file():
        raise RecipeError(f"'{file}' is not a file; name a .toml file, or a recipe that ships: {', '.join(shipped())}")
    try:
        values = tomllib.loads(file.read_text(encoding="utf-8"))
        _require_shallow(values, f"'{file}'")
        return values
    except FileNotFoundError:
        raise RecipeError(f"'{file}' does not exist; recipes that ship: {', '.join(shipped())}") from None
    except OSError as error:
        raise RecipeError(f"'{file}' cannot be read ({error.strerror or error})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"'{file}' is no TOML: {error}") from None
    except RecursionError:
        raise RecipeError(f"'{file}' {_DEEP}") from None


def _apply(values: dict[str, Any], change: str) -> None:
    path, equals, text = change.partition("=")
    keys = [key.strip() for key in path.split(".")]
    shown = change if len(change) <= SHOWN else f"{change[:SHOWN]}…"
    if not equals or len(keys) < 2 or not all(keys):
        raise RecipeError(f"'{shown}' is not SECTION.KEY=VALUE, such as run.steps=1000")
    try:
        value = tomllib.loads(f"value = {text.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = text.strip()
    except RecursionError:
        raise RecipeError(f"'{shown}' {_DEEP}") from None
    if len(keys) > DEPTH:
        raise RecipeError(f"'{shown}' {_DEEP}")
    _require_shallow(value, f"'{shown}'")
    place = values
    if keys[0] == "stages" and len(keys) > 2 and isinstance(values.get("stages"), list):
        place, keys = _stage(values["stages"], keys[1], shown), keys[2:]
    for key in keys[:-1]:
        place = place.setdefault(key, {})
        if not isinstance(place, dict):
            raise RecipeError(f"'{shown}': '{key}' is a value and holds no keys")
    place[keys[-1]] = value


def _stage(stages: list[Any], name: str, shown: str) -> dict[str, Any]:
    """Return the stage of a name."""
    named = {stage["name"]: stage for stage in stages if isinstance(stage, dict) and "name" in stage}
    try:
        return named[known(name, named, "stage of the recipe")]
    except ValueError as error:
        raise RecipeError(f"'{shown}': {error}") from None


def _require_shallow(values: Any, where: str) -> None:
    """Refuse values that are nested deeper than any recipe is: whoever copies, compares or prints them recurses."""
    level = [values]
    for _ in range(DEPTH):
        level = [inner for one in level if isinstance(one, dict | list) for inner in _within(one)]
    if any(isinstance(one, dict | list) for one in level):
        raise RecipeError(f"{where} {_DEEP}")


def _within(container: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container
