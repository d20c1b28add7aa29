"""How VRGNet is trained."""

import pytest
import torch

import rainnet
from rainnet.losses.variational import kl_standard
from rainnet.programs.vrgnet import RainFieldProgram, VRGNetLoss, VRGNetProgram
from rainnet.recipes.recipe import read_recipe

TINY = {"features": 4, "latent": 6, "side": 16, "stages": 2, "blocks": 1, "derainer": 4}
PROGRAMS = {"vrgnet": VRGNetProgram, "rainfield": RainFieldProgram}


def a_program(name="vrgnet", **loss):
    torch.manual_seed(0)
    return PROGRAMS[name](rainnet.create(name, **TINY), VRGNetLoss(critic_features=4, **loss))


@pytest.fixture
def batch():
    rainy, clean = torch.rand(2, 2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return {"rainy": rainy, "clean": clean}


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("turn", VRGNetProgram.all_turns)
def test_each_turn_teaches_its_own_parts_and_all_of_them(name, turn, batch):
    program = a_program(name)
    sum(program(batch, turn, 0.0).values()).backward()
    own = list(program.parameters_of(turn))
    assert all(parameter.grad is not None for parameter in own)
    sizes = [sum(p.numel() for p in program.parameters_of(each)) for each in program.turns]
    assert sum(sizes) == sum(p.numel() for p in program.parameters())


def test_the_critic_steps_as_often_as_is_said():
    pattern = a_program(critic_steps=3).pattern
    assert pattern == ["critic", "critic", ("critic", "network", "generator")]
    assert a_program(critic_steps=1).pattern == [("critic", "network", "generator")]


def test_a_sum_is_the_mean_times_the_numbers_of_a_picture(batch):
    means, sums = (a_program(reduction=how, adversarial=0.0) for how in ("mean", "sum"))
    for turn, name, numbers in (("network", "background", 3 * 16 * 16), ("generator", "code", 6)):
        torch.manual_seed(1)
        mean = means(batch, turn, 0.0)
        torch.manual_seed(1)
        total = sums(batch, turn, 0.0)
        assert mean.keys() == {name}
        torch.testing.assert_close(total[name], numbers * mean[name])


def test_the_divergence_of_the_code_is_that_of_what_was_found(batch):
    program = a_program(adversarial=0.0)
    codes = program.network.codes(batch["rainy"])
    term = program(batch, "generator", 0.0)["code"]
    torch.testing.assert_close(term, kl_standard(codes.mean, codes.log_variance).mean())


def test_codes_are_taught_by_the_rain_that_they_make(batch):
    program = a_program("rainfield", own=2.0, adversarial=0.0, code=0.0, critic_sees="rain")
    program.network.generator.last.bias.data.fill_(0.1)
    terms = program(batch, "generator", 0.0)
    assert set(terms) == {"code", "own"}
    terms["own"].backward()
    assert any(bool(parameter.grad.any()) for parameter in program.network.encoder.parameters())
    # What the critic is shown depends on nothing that was found in pictures.
    shown = []
    for name in ("rainy", "clean"):
        torch.manual_seed(3)
        shown.append(program._of_fakes(program._drawn(batch[name])[0]))
    assert torch.equal(*shown)
    assert not a_program("rainfield")(batch, "generator", 0.0).keys() & {"own"}


def test_networks_of_another_kind_are_refused():
    with pytest.raises(TypeError, match="`network` must be a VRGNet, got PReNet"):
        VRGNetProgram(rainnet.create("prenet"), VRGNetLoss())
    with pytest.raises(TypeError, match="`network` must be a RainField, got VRGNet"):
        RainFieldProgram(rainnet.create("vrgnet", **TINY), VRGNetLoss())


def test_the_papers_recipe_has_its_schedule():
    recipe = read_recipe("vrgnet")
    rates = [recipe.optimiser_of(turn).lr for turn in VRGNetProgram.all_turns]
    assert rates == [4e-4, 2e-4, 1e-4]
    assert (recipe.run.batch, recipe.data.size, recipe.run.steps) == (18, 64, 700 * 3000)
    assert all(recipe.optimiser_of(turn).decay_at[0] == 400 * 3000 for turn in VRGNetProgram.all_turns)
