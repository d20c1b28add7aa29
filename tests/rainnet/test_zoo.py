"""The one table of networks."""

import pytest

import rainnet
from rainnet import zoo
from rainnet.convert.base import Foreign
from rainnet.programs.base import Program
from rainnet.recipes.recipe import read_recipe, shipped
from rainnet.train.build import needs_of, program_of
from tests.support.toy import ENTRY


@pytest.mark.parametrize("name", zoo.NETWORKS)
def test_everything_that_an_entry_names_is_there(name):
    entry = zoo.entry_of(name)
    assert entry.model.name == name
    assert all(isinstance(config, entry.model.Config) for config in entry.presets.values())
    assert rainnet.create(name).config == next(iter(entry.presets.values()))
    assert entry.program is None or issubclass(entry.program, Program)
    assert all(file.is_file() for file in entry.weights.values())
    assert entry.foreign is None or entry.foreign.__annotations__["return"] == Foreign.__name__


@pytest.mark.parametrize("name", shipped())
def test_recipes_that_ship_train_a_network_of_the_table(name):
    recipe = read_recipe(name)
    assert needs_of(recipe).upright == zoo.entry_of(recipe.network.name).model.directional


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: rainnet.create("udgnt"), r"'udgnt' is no network; did you mean 'udgnet'\?"),
        (lambda: rainnet.create("udgnet", preset="smal"), r"'smal' is no preset of udgnet; did you mean 'small'\?"),
        (lambda: rainnet.create("udgnet", block=3), r"did you mean 'blocks'\?"),
        (lambda: zoo.known("zebra", ["udgnet"], "network"), "'zebra' is no network; one of udgnet is"),
        (lambda: zoo.add("udgnet", ENTRY), "there is a network 'udgnet' already"),
    ],
)
def test_names_that_cannot_be_meant_come_with_a_suggestion(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_what_was_added_is_gone_after_the_block():
    with zoo.added("toy", ENTRY):
        assert zoo.names()[-1] == "toy"
        assert isinstance(rainnet.create("toy"), ENTRY.model)
    assert "toy" not in zoo.names()


def test_a_part_of_anothers_training_has_no_program():
    with zoo.added("part", zoo.Entry(ENTRY.model, ENTRY.presets)), pytest.raises(ValueError, match="no program of its"):
        program_of("part")


def test_other_distributions_add_networks_by_an_entry_point(installed):
    installed(toy="tests.support.toy:ENTRY", broken="tests.support.none:ENTRY", wrong="tests.support.toy:RECIPE")
    assert set(zoo.names()) == {*zoo.NETWORKS, "toy", "broken", "wrong"}
    assert isinstance(rainnet.create("toy"), ENTRY.model)
    with pytest.raises(ModuleNotFoundError):
        rainnet.create("broken")
    with pytest.raises(ValueError, match=r"network 'wrong' of the entry point 'tests.support.toy:RECIPE' must be an"):
        rainnet.create("wrong")
    # What ships with us is found all the same.
    assert "udgnet-small" in zoo.shipped()
