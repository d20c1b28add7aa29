"""The recipe of ``rainnet train``, with what its options say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rainnet.recipes.recipe import Recipe, RecipeError, read_recipe
from rainnet.recipes.shipped import shipped as recipes_that_ship
from rainnet.recipes.stages import only
from rainnet.train.single import with_weights
from rainnet.zoo import shipped


@dataclass(frozen=True)
class Folders:
    """What options name to be trained and validated on; see the command's help for each."""

    data: Sequence[Path] | None = None
    single: Path | None = None
    clean: Sequence[Path] | None = None
    rainy: Sequence[Path] | None = None
    val: Sequence[Path] | None = None
    val_rainy: Path | None = None
    val_clean: Path | None = None
    match: str | None = None


def recipe_with(
    name: str, folders: Folders, start: Path | None, changes: Sequence[str], stages: Sequence[str] = ()
) -> tuple[Recipe, str]:
    """Return the recipe with what the options say, and what speaks against training by it, or "".

    Raises
    ------
    RecipeError, ImageFileError
        If there is no such recipe, or no such stage of it, a key or value is not as it must be, or the one photograph
        cannot be read.
    """
    sections: dict[str, dict[str, Any]] = {"data": {}, "validation": {}}
    if folders.single is not None:
        name = _for_one_photograph(name)
        sections["data"] = {"train": [folders.single.resolve()], "kind": "single"}
    elif folders.data:
        # Absolute, so that a resumed run is the same from anywhere.
        sections["data"]["train"] = [path.resolve() for path in folders.data]
    sections["data"] |= _other_pictures(name, folders, changes)
    if folders.val:
        sections["validation"]["data"] = [path.resolve() for path in folders.val]
    if folders.val_rainy or folders.val_clean:
        sections["validation"] |= _sides(folders.val_rainy, folders.val_clean, folders.match)
    elif folders.match is not None and "rainy" not in sections["data"]:
        raise RecipeError(
            "--match says how the pictures of --rainy and --clean belong together; it needs data.kind 'pairs' (--set "
            "data.kind=pairs) and no --data, or --val-rainy and --val-clean"
        )
    if start is not None:
        # As everywhere, a name of a network that ships is that network.
        sections["network"] = {"start": shipped().get(str(start), start).resolve()}
    chosen = read_recipe(name, changes, **{section: keys for section, keys in sections.items() if keys})
    if stages:
        chosen = only(chosen, stages)
    return with_weights(chosen) if chosen.data.kind == "single" else (chosen, "")


def _for_one_photograph(name: str) -> str:
    """Return the recipe that is meant when one photograph is all that there is."""
    if name.endswith((".toml", "-single", "_single")):
        return name
    alone = [recipe for recipe in recipes_that_ship() if recipe.endswith("-single")]
    if f"{name}-single" not in alone and name in recipes_that_ship():
        raise RecipeError(
            f"'{name}' cannot be trained on one photograph alone (--single); {' and '.join(alone)} can, or a .toml file"
        )
    return f"{name}-single"


def _other_pictures(name: str, folders: Folders, changes: Sequence[str]) -> dict[str, Any]:
    """Return what ``--rainy`` and ``--clean`` are: both sides of pairs, or pictures of any scenes beside the data."""
    rainy, clean = list(folders.rainy or ()), list(folders.clean or ())
    if len(rainy) == len(clean) == 1 and not folders.data and folders.single is None:
        written = read_recipe(name, changes).data
        if written.kind == "pairs" and not written.train:
            return _sides(rainy[0], clean[0], folders.match)
    other = {"unpaired": clean, "unpaired_rainy": rainy}
    return {key: [path.resolve() for path in paths] for key, paths in other.items() if paths}


def _sides(rainy: Path | None, clean: Path | None, match: str | None) -> dict[str, Any]:
    return {
        "rainy": None if rainy is None else rainy.resolve(),
        "clean": None if clean is None else clean.resolve(),
        "match": match,
    }
