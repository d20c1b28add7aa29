"""From a stage of a recipe to the program that is trained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from rainnet.models.base import Network
from rainnet.models.names import known
from rainnet.programs.base import MAIN, ExampleSpec, Program
from rainnet.recipes.recipe import Recipe, RecipeError, checked
from rainnet.recipes.sections import OptimiserSection
from rainnet.recipes.stages import plan
from rainnet.train.optimisers import OPTIMISERS
from rainnet.weights.checkpoint import load
from rainnet.zoo import create, entry_of


def program_of(name: str) -> type[Program]:
    """Return the class of the training program of a network.

    Raises
    ------
    ValueError
        If there is no such network, or it has no program.
    """
    program = entry_of(name).program
    if program is None:
        raise ValueError(f"network '{name}' is a part of another one's training and has no program of its own")
    return program


def needs_of(recipe: Recipe) -> ExampleSpec:
    """Return what examples must hold for the losses of all stages of a recipe.

    Raises
    ------
    RecipeError, ValueError
        For a network, or a key or value of the losses, that is not known.
    """
    kind, spec = program_of(recipe.network.name), ExampleSpec()
    for stage in plan(recipe):
        spec |= kind.needs(checked(kind.Settings, stage.recipe.loss, "loss"))
    return spec


def build_program(
    recipe: Recipe,
    config: Mapping[str, Any] | None = None,
    frozen: tuple[str, ...] = (),
    copies: Mapping[str, str] | None = None,
) -> Program:
    """Return the network of a recipe and all that is trained with it, with fresh weights by the recipe's seed, or with
    those of the model that it is to begin with.

    Parameters
    ----------
    recipe
        What is trained, in one stage.
    config
        Of the network, where a state to go on from knows it; the model to begin with is not read then.
    frozen
        Names of the modules of the program that stay as they are.
    copies
        What a stage copies of the program when it begins, see `copy_parts`: it is told here whether that can be.

    Raises
    ------
    RecipeError, CheckpointError, ValueError, TypeError
        For a name, a key or a value that is not known, or a model that is not of this network.
    """
    torch.manual_seed(recipe.run.seed)
    section, kind = recipe.network, program_of(recipe.network.name)
    if config is not None:
        network = create(section.name, **config)
    elif section.start is not None:
        network = _started(recipe)
    else:
        network = create(section.name, preset=section.preset, **section.config)
    for turn, optimiser in recipe.optimiser.items():
        _known(turn, kind.all_turns, f"optimiser.{turn}", "optimiser of this network")
        _known(optimiser.kind, OPTIMISERS, "optimiser.kind", "optimiser")
    program = kind(network.train().requires_grad_(True), checked(kind.Settings, recipe.loss, "loss"))
    modules = dict(program.named_modules())
    for name in frozen:
        _known(name, modules, "stages.frozen", "part of this program")
        modules[name].requires_grad_(False)
    for turn, optimiser in recipe.optimiser.items():
        for name in optimiser.rates:
            _known(name, modules, f"optimiser.{turn}.rates", "part of this program")
    _states_to_copy(program, copies or {})
    if not any(trained(program, turn) for turn in program.turns):
        raise RecipeError(f"'stages.frozen' = {list(frozen)}: nothing is left to be trained")
    return program


def trained(program: Program, turn: str) -> list[nn.Parameter]:
    """Return the parameters that the optimiser of a turn changes, those that are frozen left out."""
    return [parameter for parameter in program.parameters_of(turn) if parameter.requires_grad]


def optimiser_for(program: Program, turn: str, section: OptimiserSection) -> Optimizer:
    """Return the optimiser of a turn, by its section of a recipe."""
    return OPTIMISERS[section.kind](grouped(program, turn, section), section)


def grouped(program: Program, turn: str, section: OptimiserSection) -> list[nn.Parameter] | list[dict[str, Any]]:
    """Return the parameters that `trained` does as an optimiser takes them: in groups where parts have rates of their
    own, each with the key "share", by which `rainnet.train.loop` multiplies the learning rate.

    A parameter has the rate of the innermost of the modules around it that are named.
    """
    parameters = trained(program, turn)
    if not section.rates:
        return parameters
    share_of: dict[int, float] = {}
    for name in sorted(section.rates, key=len):
        share_of |= dict.fromkeys(map(id, program.get_submodule(name).parameters()), section.rates[name])
    groups: dict[float, list[nn.Parameter]] = {}
    for parameter in parameters:
        groups.setdefault(share_of.get(id(parameter), 1.0), []).append(parameter)
    return [{"params": them, "share": share} for share, them in groups.items()]


def active(program: Program, turns: Iterable[str]) -> list[tuple[str, ...]]:
    """Return the pattern of a program as turns of each step, those left out in which nothing is trained."""
    pattern = [(each,) if isinstance(each, str) else each for each in program.pattern] or [program.turns]
    kept = [tuple(turn for turn in each if turn in turns) for each in pattern]
    return [each for each in kept if each]


def go_on(program: Program, before: Mapping[str, Any], started: bool) -> None:
    """Give a program what the stage before has left: the networks as they were published, everything else as it was.

    Parameters
    ----------
    program
        Of the new stage.
    before
        State of the run at the end of the stage before; what only one of both programs has is left alone.
    started
        Whether the main network has begun with a model of its own, which it keeps.
    """
    begun = {name: value.clone() for name, value in program.network.state_dict().items()}
    own, was = program.state_dict(), before["program"]
    same = {name: was[name] for name in own if name in was and own[name].shape == was[name].shape}
    program.load_state_dict(same, strict=False)
    for name, network in program.networks().items():
        if name in before["published"] and not (started and name == MAIN):
            network.load_state_dict(before["published"][name])
    if started:
        program.network.load_state_dict(begun)


def copy_parts(program: Program, copies: Mapping[str, str]) -> None:
    """Give parts of a program the weights of others, all of them as they are before.

    Parameters
    ----------
    program
        Whose modules.
    copies
        By the names of the parts, those of the parts that their weights are copied from.

    Raises
    ------
    RecipeError
        If there is no such part, or one is not built as the other.
    """
    for name, state in _states_to_copy(program, copies).items():
        program.get_submodule(name).load_state_dict(state)


def _states_to_copy(program: Program, copies: Mapping[str, str]) -> dict[str, dict[str, Tensor]]:
    """Return what parts of a program are to begin with, by their names."""
    modules, states = dict(program.named_modules()), {}
    for to, source in copies.items():
        for name in (to, source):
            _known(name, modules, "stages.copies", "part of this program")
        own, other = modules[to].state_dict(), modules[source].state_dict()
        if {key: value.shape for key, value in own.items()} != {key: value.shape for key, value in other.items()}:
            raise RecipeError(f"'stages.copies': '{to}' is not built as '{source}', whose weights it cannot take")
        states[to] = {key: value.clone() for key, value in other.items()}
    return states


def _known(name: str, names: Any, key: str, what: str) -> None:
    try:
        known(name, names, what)
    except ValueError as error:
        raise RecipeError(f"'{key}': {error}") from None


def _started(recipe: Recipe) -> Network:
    """Return the model that a recipe begins with; it brings its own config."""
    section = recipe.network
    network = load(section.start)  # type: ignore[arg-type]
    if network.name != section.name:
        raise RecipeError(f"'{section.start}' is a {network.name}, and the recipe trains a {section.name}")
    found = network.config_dict()
    for key, value in section.config.items():
        known(key, found, f"field of the config of {section.name}")
        if value != found[key] and value != list(found[key] if isinstance(found[key], tuple) else ()):
            raise RecipeError(f"'network.config.{key}' is {value!r}, and that of '{section.start}' is {found[key]!r}")
    return network
