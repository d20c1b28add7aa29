import json

import pytest

from rainnet.recipes.recipe import RecipeError, checked, read_recipe, shipped
from rainnet.recipes.sections import OptimiserSection
from rainnet.train.build import program_of
from rainnet.train.schedule import learning_rate


@pytest.mark.parametrize("name", sorted(shipped()))
def test_recipes_that_ship_are_valid(name):
    recipe = read_recipe(name)
    checked(program_of(recipe.network.name).Settings, recipe.loss, "loss")


def test_the_papers_recipe_has_the_papers_numbers():
    recipe = read_recipe("udgnet")
    loss = program_of("udgnet").Settings.model_validate(recipe.loss)
    assert (loss.tau, loss.lambda_x, loss.lambda_y) == (0.01, 1.5, 1.0)
    assert loss.adversarial == pytest.approx(400 / (128 * 128 * 3), rel=0.03)
    assert (recipe.run.batch, recipe.data.size, recipe.optimiser_of("network").lr) == (8, 128, 1e-3)
    assert recipe.optimiser_of("discriminator").betas == (0.5, 0.999)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("rn.steps=5", "'rn' is no key; did you mean 'run'?"),
        ("run.step=4", "'run.step': 'step' is no key; did you mean 'steps'?"),
        ("optimiser.lrr=3", "did you mean 'lr'?"),
        ("optimiser.discriminator.beta=[0,1]", "did you mean 'betas'?"),
        ("run.steps=-1", "'run.steps' = -1"),
        ("run.precision=float8", "'run.precision' = 'float8'"),
        ("steps=5", "is not SECTION.KEY=VALUE"),
        ("run.steps", "is not SECTION.KEY=VALUE"),
        ("run.steps.more=5", "'steps' is a value and holds no keys"),
    ],
)
def test_what_is_wrong_is_named_with_a_suggestion(change, message):
    with pytest.raises(RecipeError) as error:
        read_recipe("udgnet", [change])
    assert message in str(error.value)


def test_keys_of_the_loss_are_checked_by_the_networks_program():
    recipe = read_recipe("udgnet", ["loss.tua=1"])
    with pytest.raises(RecipeError, match=r"'loss.tua': 'tua' is no key; did you mean 'tau'\?"):
        checked(program_of("udgnet").Settings, recipe.loss, "loss")


def test_a_loss_without_weights_is_refused():
    zero = dict.fromkeys(("energy", "bounds", "adversarial", "truth", "solver", "angle"), 0.0)
    with pytest.raises(RecipeError, match="there is nothing to minimise"):
        checked(program_of("udgnet").Settings, zero, "loss")


def test_changes_are_values_of_toml_or_bare_words():
    recipe = read_recipe("udgnet", ["run.steps = 7", "data.scale=[0.5, 1]", "run.precision=bf16-mixed", "loss.tau=0"])
    assert recipe.run.steps == 7
    assert recipe.data.scale == (0.5, 1.0)
    assert recipe.run.precision == "bf16-mixed"
    assert recipe.loss["tau"] == 0


def test_an_optimiser_without_a_section_of_its_own_is_as_the_networks():
    recipe = read_recipe("udgnet-small", ["optimiser.lr=0.5"])
    assert recipe.optimiser_of("discriminator") == recipe.optimiser_of("network")
    assert recipe.optimiser_of("network").lr == 0.5


def test_an_optimiser_of_its_own_says_how_it_differs():
    recipe = read_recipe("udgnet", ["optimiser.clip=2.5"])
    assert recipe.optimiser_of("discriminator").clip == 2.5
    assert recipe.optimiser_of("discriminator").lr == 1e-4


def test_a_schedule_of_steps_needs_their_length():
    with pytest.raises(RecipeError, match="needs decay_every"):
        read_recipe("udgnet-small", ["optimiser.schedule=steps"])


def test_a_recipe_is_published_without_paths():
    recipe = read_recipe(
        "udgnet-small", [], data={"train": ["/home/me/photos"]}, network={"start": "/home/me/a.safetensors"}
    )
    text = json.dumps(recipe.without_paths())
    assert "/home" not in text
    assert "photos" in text


def test_a_section_that_is_a_value_is_named(tmp_path):
    file = tmp_path / "flat.toml"
    file.write_text('network = "udgnet"')
    with pytest.raises(RecipeError, match="'network' = 'udgnet': a section with keys is expected"):
        read_recipe(str(file), network={"start": "a.safetensors"})


def test_files_that_are_no_recipes_are_named(tmp_path):
    broken = tmp_path / "broken.toml"
    broken.write_text("[network\n")
    with pytest.raises(RecipeError, match=r"broken.toml' is no TOML"):
        read_recipe(str(broken))
    broken.write_text("[run]\nsteps = 3\n")
    with pytest.raises(RecipeError, match="'network' is missing"):
        read_recipe(str(broken))
    with pytest.raises(RecipeError, match=r"does not exist; recipes that ship: .*udgnet-small"):
        read_recipe(str(tmp_path / "none.toml"))
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
