"""The stages of a run: what each is trained by, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from rainnet.recipes.checking import checked
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
    """

    number: int
    name: str
    recipe: Recipe
    first: int
    frozen: tuple[str, ...] = ()

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
        stages.append(Stage(number, section.name, own, first, section.frozen))
    return tuple(stages)


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
