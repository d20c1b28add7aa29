"""THE table of attacks, and the input of each number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.robustness.attacks.calls import function_called
from benchmarks.robustness.attacks.commands import command_run
from benchmarks.robustness.attacks.models import pickle_read, safetensors_read
from benchmarks.robustness.attacks.pictures import picture_read, picture_written
from benchmarks.robustness.attacks.texts import manifest_read, pairs_read, recipe_read, tree_read
from benchmarks.robustness.attacks.videos import folder_read, video_read
from benchmarks.robustness.case import Case


@dataclass(frozen=True)
class Attack:
    """What makes inputs of one kind, and how many of a hundred inputs are of it."""

    make: Callable[[Random], Case]
    share: int


ATTACKS = {
    "pictures": Attack(picture_read, 26),
    "pictures written": Attack(picture_written, 9),
    "videos": Attack(video_read, 10),
    "folders as videos": Attack(folder_read, 2),
    "manifests": Attack(manifest_read, 8),
    "lists of pairs": Attack(pairs_read, 4),
    "folders as datasets": Attack(tree_read, 4),
    "recipes": Attack(recipe_read, 7),
    "networks": Attack(safetensors_read, 6),
    "checkpoints": Attack(pickle_read, 4),
    "functions": Attack(function_called, 15),
    "commands": Attack(command_run, 5),
}
"""Attacks by name."""


def attack_of(seed: int, number: int, only: tuple[str, ...] = ()) -> str:
    """Return which attack makes the input of a number."""
    names = only or tuple(ATTACKS)
    return Random(f"{seed}/{number}/which").choices(names, [ATTACKS[name].share for name in names])[0]


def case_of(attack: str, seed: int, number: int) -> Case:
    """Return the input of a number; the same each time, for the same versions of the libraries."""
    return ATTACKS[attack].make(Random(f"{seed}/{number}/{attack}"))
