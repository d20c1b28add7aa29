import json
import os

import pytest

from rainnet.recipes.recipe import Recipe, RecipeError, checked, read_recipe
from rainnet.recipes.sections import OptimiserSection
from rainnet.train.schedule import learning_rate


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rn.steps=5", "'rn' is no key; did you mean 'run'?"),
        ("run.step=4", "'run.step': 'step' is no key; did you mean 'steps'?"),
        ("optimiser.lrr=3", "did you mean 'lr'?"),
        ("optimiser.discriminator.beta=[0,1]", "did you mean 'betas'?"),
        ("run.steps=-1", "'run.steps' = -1"),
        ("run.precision=float8", "'run.precision' = 'float8'"),
        ("optimiser.schedule=steps", "needs decay_every"),
        ("steps=5", "is not SECTION.KEY=VALUE"),
        ("run.steps", "is not SECTION.KEY=VALUE"),
        ("run.steps.more=5", "'steps' is a value and holds no keys"),
    ],
)
def test_what_is_wrong_is_named_with_a_suggestion(change, message):
    with pytest.raises(RecipeError) as error:
        read_recipe("udgnet-small", [change])
    assert message in str(error.value)


def test_changes_are_values_of_toml_or_bare_words():
    recipe = read_recipe("udgnet", ["run.steps = 7", "data.scale=[0.5, 1]", "run.precision=bf16-mixed", "loss.tau=0"])
    assert recipe.run.steps == 7
    assert recipe.data.scale == (0.5, 1.0)
    assert recipe.run.precision == "bf16-mixed"
    assert recipe.loss["tau"] == 0


def test_a_stage_is_changed_by_its_name():
    recipe = read_recipe("rainfield", ["stages.codes.steps=7", "stages.rain.loss.own=3"])
    codes, rain = recipe.stages
    assert (codes.steps, codes.name) == (7, "codes")
    assert rain.loss["own"] == 3
    with pytest.raises(RecipeError, match="'code' is no stage of the recipe; did you mean 'codes'"):
        read_recipe("rainfield", ["stages.code.steps=7"])
    with pytest.raises(RecipeError, match="'stages' is a value and holds no keys"):
        read_recipe("rainfield", ["stages.steps=7"])


def test_an_optimiser_differs_from_the_networks_by_what_it_says_itself():
    recipe = read_recipe("udgnet-small", ["optimiser.lr=0.5"])
    assert recipe.optimiser_of("discriminator") == recipe.optimiser_of("network")
    recipe = read_recipe("udgnet", ["optimiser.clip=2.5"])
    assert (recipe.optimiser_of("discriminator").clip, recipe.optimiser_of("discriminator").lr) == (2.5, 1e-4)


def test_a_recipe_is_published_without_paths(tmp_path):
    folders = {key: ["/home/me/photos"] for key in ("train", "unpaired", "unpaired_rainy")}
    network, stages = {"name": "udgnet", "start": "/home/me/a.safetensors"}, [{"start": "/home/me/b.safetensors"}]
    values = {"network": network, "data": folders, "validation": {"data": ["/home/me/photos"]}, "stages": stages}
    text = json.dumps(checked(Recipe, values, "").without_paths())
    assert "/home" not in text
    assert text.count('"photos"') == 4
    assert "b.safetensors" in text


def test_files_that_are_no_recipes_are_named(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text('network = "udgnet"')
    with pytest.raises(RecipeError, match="'network' = 'udgnet': a section with keys is expected"):
        read_recipe(str(broken), network={"start": "a.safetensors"})
    broken.write_text("[network\n")
    with pytest.raises(RecipeError, match=r"broken.toml' is no TOML"):
        read_recipe(str(broken))
    broken.write_text("[run]\nsteps = 3\n")
    with pytest.raises(RecipeError, match="'network' is missing"):
        read_recipe(str(broken))
    with pytest.raises(RecipeError, match=r"does not exist; recipes that ship: .*udgnet-small"):
        read_recipe(str(tmp_path / "none.toml"))
    os.mkfifo(tmp_path / "pipe.toml")  # reading it would wait for a writer
    with pytest.raises(RecipeError, match=r"is not a file; name a \.toml file, or a recipe that ships"):
        read_recipe(str(tmp_path / "pipe.toml"))
    with pytest.raises(RecipeError, match=r"did you mean 'udgnet'"):
        read_recipe("udgnett")


def test_constant_steps_and_cosine():
    assert learning_rate(OptimiserSection(lr=2.0), 999, 1000) == 2.0
    steps = OptimiserSection(lr=1.0, schedule="steps", decay=0.1, decay_every=30)
    assert [learning_rate(steps, k, 90) for k in (0, 29, 30, 60)] == pytest.approx([1, 1, 0.1, 0.01])
    cosine = OptimiserSection(lr=1.0, schedule="cosine")
    rates = [learning_rate(cosine, k, 100) for k in range(101)]
    assert rates[0] == 1
    assert rates[50] == pytest.approx(0.505)
    assert rates[100] == pytest.approx(0.01)
    assert rates == sorted(rates, reverse=True)


def test_it_rises_before_it_falls():
    section = OptimiserSection(lr=1.0, schedule="cosine", warmup=10)
    rates = [learning_rate(section, k, 100) for k in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == 1 == max(rates)


@pytest.mark.parametrize(
    "change",
    [
        "data.train=" + "[" * 5000,
        "data.train=" + "[" * 40 + "]" * 40,
        "loss." + "a." * 5000 + "b=1",
        "loss.tau=" + "{a=" * 30 + "1" + "}" * 30,
    ],
)
def test_what_is_nested_without_end_is_refused(tmp_path, change):
    with pytest.raises(RecipeError, match="nested deeper than 16 levels"):
        read_recipe("udgnet-small", [change])
    file = tmp_path / "deep.toml"
    section, _, rest = change.partition(".")
    file.write_text(f'[network]\nname = "udgnet"\n[{section}]\n{rest}\n')
    with pytest.raises(RecipeError, match=r"deep\.toml' is nested deeper"):
        read_recipe(str(file))
