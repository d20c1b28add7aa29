"""The stages of a run: what each is trained by, one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rainnet.recipes.checking import RecipeError, checked
from rainnet.recipes.sections import OptimiserSection, Recipe, StageSection, parted


@dataclass(frozen=True)
class Stage:
    """One stage.

    Attributes
    ----------
    number, name
        Its place, from 0, and its name; empty in a run without stages.
    recipe
        The recipe with the losses, the optimisers, the steps and the start of this stage; it has no stages itself.
    first
        Steps of the run before this stage.
    frozen
        Names of the modules of the program that stay as they are.
    copies
        By the names of modules of the program, those whose weights they begin with.
    """

    number: int
    name: str
    recipe: Recipe
    first: int
    frozen: tuple[str, ...] = ()
    copies: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> int:
        """Steps of this stage."""
        return self.recipe.run.steps

    @property
    def last(self) -> int:
        """Steps of the run that are done when this stage is."""
        return self.first + self.steps


def plan(recipe: Recipe) -> tuple[Stage, ...]:
    """Return the stages of a recipe; a recipe without any is one stage.

    Raises
    ------
    RecipeError
        If what a stage changes of the optimisers is not as it must be.
    """
    stages: list[Stage] = []
    for number, section in enumerate(recipe.stages or (StageSection(),)):
        # Only the first stage begins with what the run begins with.
        start = section.start or (None if stages else recipe.network.start)
        own = recipe.model_copy(
            update={
                "network": recipe.network.model_copy(update={"start": start}),
                "loss": recipe.loss | section.loss,
                "optimiser": _changed(recipe, section),
                "run": recipe.run.model_copy(update={"steps": section.steps or recipe.run.steps}),
                "stages": (),
            }
        )
        first = stages[-1].last if stages else 0
        stages.append(Stage(number, section.name, own, first, section.frozen, section.copies))
    return tuple(stages)


def only(recipe: Recipe, names: Sequence[str]) -> Recipe:
    """Return a recipe with those of its stages alone that are named, in its own order.

    Raises
    ------
    RecipeError
        If it has no stage of a name.
    """
    there = [stage.name for stage in recipe.stages if stage.name]
    for name in names:
        if name not in there:
            has = f"its stages are {', '.join(there)}" if there else "it has no stages that have names"
            raise RecipeError(f"'{name}' is no stage of the recipe; {has}")
    return recipe.model_copy(update={"stages": tuple(stage for stage in recipe.stages if stage.name in names)})


def _changed(recipe: Recipe, section: StageSection) -> dict[str, OptimiserSection]:
    """Return the optimisers of a recipe with what a stage says of them.

    As in the recipe, keys without a turn are those of the network, and of other turns that do not say otherwise.
    """
    if not section.optimiser:
        return recipe.optimiser
    before, (own, others) = recipe.optimiser_of("network").model_dump(), parted(section.optimiser)
    result = {}
    for turn in {**recipe.optimiser, **others}:
        differs = {key: value for key, value in recipe.optimiser_of(turn).model_dump().items() if value != before[key]}
        values = before | own | differs | others.get(turn, {})
        result[turn] = checked(OptimiserSection, values, f"stages.{section.name}.optimiser")
    return result
