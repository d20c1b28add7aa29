"""Look at all that there is, or at what has one name: what is broken is named, and the rest is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

from rainnet.inventory.docs import about, attributes, source
from rainnet.inventory.measure import Measure, measure
from rainnet.inventory.records import Inventory, NetworkRecord, PresetRecord, RecipeRecord, Record, WeightsRecord
from rainnet.models.base import Network
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.recipe import Recipe, checked, read_recipe
from rainnet.recipes.shipped import shipped as shipped_recipes
from rainnet.recipes.stages import plan
from rainnet.weights.checkpoint import header_of
from rainnet.weights.scores import read_scores
from rainnet.zoo import Entry, create, entry_of, known, names

NEEDS = {
    "rendered": "clean photographs, over which rain is rendered (--data)",
    "pairs": "pairs of rainy and clean pictures (--data, or --rainy and --clean)",
    "rainy": "rainy photographs without truth (--data)",
    "single": "one rainy photograph (--single)",
}
MORE = {
    "unpaired": "clean pictures of any scenes (--clean)",
    "unpaired_rainy": "rainy pictures of any scenes (--rainy)",
}
OF_A_SCENE = "several frames of each scene, from a camera that stands still (raindata build --sequences)"
_MEASURES: dict[tuple[type[Network], str], Measure] = {}


def collect(name: str | None = None) -> Inventory:
    """Return what there is.

    Parameters
    ----------
    name
        Of a network, with all that is its own; of a recipe or of weights; None: everything.

    Raises
    ------
    ValueError
        For another name, with the likeliest one that is.
    """
    found = _Collector()
    if name is None:
        for network in names():
            found.network(network)
    else:
        found.named(name)
    return Inventory(tuple(found.records), tuple(found.failures))


class _Collector:
    """Gathers records and failures."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failures: list[str] = []
        self._recipes: dict[str, Recipe] = {}
        for name in shipped_recipes():
            recipe = self._tried(f"recipe '{name}' cannot be read", partial(read_recipe, name))
            if recipe is not None:
                self._recipes[name] = recipe

    def named(self, name: str) -> None:
        """Gather what has a name."""
        entries = {network: self._entry(network) for network in names()}
        weights = {file: network for network, entry in entries.items() if entry for file in entry.weights}
        known(name, dict.fromkeys([*names(), *shipped_recipes(), *weights]), "network, recipe or shipped weights")
        # What is broken elsewhere was not asked for.
        self.failures = [failure for failure in self.failures if f"'{name}'" in failure]
        if name in entries:
            self.network(name)
            return
        if name in self._recipes:
            network = self._recipes[name].network.name
            if (entry := self._entry(network)) is not None:
                self._add(f"recipe '{name}'", partial(self._recipe, network, name, entry))
        if name in weights and (entry := entries[weights[name]]) is not None:
            self._add(f"weights '{name}'", partial(self._weights, weights[name], name, entry))

    def network(self, name: str) -> None:
        """Gather a network with its presets, recipes and weights."""
        entry = self._entry(name)
        if entry is None:
            return
        recipes = [recipe for recipe, each in self._recipes.items() if each.network.name == name]
        if not self._add(f"network '{name}'", partial(_network, name, entry, recipes)):
            return
        for preset in entry.presets:
            self._add(f"preset '{preset}' of network '{name}'", partial(self._preset, name, preset, entry))
        for recipe in recipes:
            self._add(f"recipe '{recipe}'", partial(self._recipe, name, recipe, entry))
        for weights in entry.weights:
            self._add(f"weights '{weights}'", partial(self._weights, name, weights, entry))

    def _entry(self, name: str) -> Entry | None:
        return self._tried(f"network '{name}' cannot be had", partial(entry_of, name))

    def _add(self, what: str, make: Callable[[], Record]) -> bool:
        record = self._tried(f"{what} cannot be used", make)
        if record is not None:
            self.records.append(record)
        return record is not None

    def _tried(self, what: str, make: Callable[[], Any]) -> Any:
        """Return what a function makes; None, and a failure, if it cannot, whatever others have written."""
        try:
            return make()
        except Exception as error:
            sentence = f"{what}: {str(error) or type(error).__name__}"
            if sentence not in self.failures:
                self.failures.append(sentence)
            return None

    def _preset(self, network: str, name: str, entry: Entry) -> PresetRecord:
        config, first = entry.presets[name], next(iter(entry.presets))
        values, usual = asdict(config), asdict(entry.presets[first])
        cost = _measure(entry.model, config)
        angle = cost.angle_operations
        return PresetRecord(
            name,
            network,
            **_costs(cost),
            default=name == first,
            config=values,
            differs={key: value for key, value in values.items() if value != usual.get(key)},
            gflop_per_megapixel_of_angle=None if angle is None else angle / 1e9,
            reach=cost.reach,
            multiple=cost.multiple,
            directional=cost.directional,
            attention=cost.attention,
            export=cost.export,
            operators=cost.operators,
            uncounted=cost.uncounted,
        )

    def _recipe(self, network: str, name: str, entry: Entry) -> RecipeRecord:
        recipe = self._recipes[name]
        section = recipe.network
        preset = section.preset or next(iter(entry.presets))
        config = entry.presets[known(preset, entry.presets, f"preset of {network}")]
        if section.config:
            config = create(network, preset=preset, **section.config).config
        if entry.program is None:
            raise ValueError(f"network '{network}' has no training program of its own")
        spec, stages = ExampleSpec(), plan(recipe)
        losses: dict[str, Any] = {}
        for stage in stages:
            settings = checked(entry.program.Settings, stage.recipe.loss, "loss")
            spec |= entry.program.needs(settings)
            losses |= {key: value for key, value in stage.recipe.loss.items() if value}
        data = recipe.data.kind
        many = data == "rainy" and "frames" in spec.demands
        needs = [
            NEEDS.get(data, data),
            *[OF_A_SCENE] * many,
            *(said for demand, said in MORE.items() if demand in spec.demands),
        ]
        return RecipeRecord(
            name,
            network,
            **_costs(_measure(entry.model, config)),
            preset=preset,
            config=dict(section.config),
            data=data,
            needs=", and ".join(needs),
            losses=losses,
            stages=tuple(stage.name for stage in stages if stage.name),
            steps=stages[-1].last,
            batch=recipe.run.batch,
            size=recipe.data.size,
            precision=recipe.run.precision,
        )

    def _weights(self, network: str, name: str, entry: Entry) -> WeightsRecord:
        file = Path(entry.weights[name])
        header = header_of(file)
        if header.network != network:
            raise ValueError(f"'{file}' holds a {header.network}, and the table says that it is a {network}")
        config = entry.model.Config(**header.config)
        licence = header.facts.get("licence")
        return WeightsRecord(
            name,
            network,
            **_costs(_measure(entry.model, config)),
            preset=next((preset for preset, other in entry.presets.items() if other == config), None),
            file_megabytes=file.stat().st_size / 1e6,
            licence=licence if isinstance(licence, str) else None,
            facts=header.facts,
            scores=read_scores(file),
        )


def _network(name: str, entry: Entry, recipes: list[str]) -> NetworkRecord:
    own = [field.name for field in fields(entry.model.Config)]
    said = attributes(entry.model.Config)
    return NetworkRecord(
        name,
        name,
        about=about(entry.model),
        source=source(entry.model),
        presets=tuple(entry.presets),
        recipes=tuple(recipes),
        weights=tuple(entry.weights),
        trainable=entry.program is not None,
        convert=entry.maps_foreign,
        fields={field: said.get(field, "") for field in own},
    )


def _measure(model: type[Network], config: Any) -> Measure:
    """Return what a config costs, which is found once: presets, recipes and weights share it."""
    key = (model, repr(config))
    if key not in _MEASURES:
        _MEASURES[key] = measure(partial(model, config))
    return _MEASURES[key]


def _costs(cost: Measure) -> dict[str, Any]:
    return {
        "parameters": cost.parameters,
        "megabytes": cost.size / 1e6,
        "gflop_per_megapixel": cost.operations / 1e9,
    }
