"""How TimeLapseNet is trained."""

import pytest
import torch

import rainnet
from rainnet.programs.base import ExampleSpec
from rainnet.programs.timelapse import TimeLapseLoss, TimeLapseProgram
from rainnet.recipes.recipe import read_recipe
from rainnet.train.build import build_program, needs_of


def a_program(**loss):
    torch.manual_seed(0)
    return TimeLapseProgram(rainnet.create("timelapsenet", features=4), TimeLapseLoss(**loss))


def frames(count=2, seed=0):
    """Return frames of three soft scenes under sharp drops, (3, count, 3, 16, 16), and the scenes, (3, 3, 16, 16)."""
    generator = torch.Generator().manual_seed(seed)
    coarse = 0.6 * torch.rand(3, 3, 2, 2, generator=generator)
    clean = torch.nn.functional.interpolate(coarse, (16, 16), mode="bilinear", align_corners=True)
    rain = 0.4 * (torch.rand(3, count, 1, 16, 16, generator=generator) < 0.1)
    return clean[:, None] + rain, clean


def test_what_examples_hold():
    assert TimeLapseProgram.needs(TimeLapseLoss()) == ExampleSpec(frames=2)
    assert TimeLapseProgram.needs(TimeLapseLoss(frames=5)) == ExampleSpec(frames=5)
    supervised = TimeLapseLoss(background=0, similarity=0, truth=1)
    assert TimeLapseProgram.needs(supervised) == ExampleSpec(truth=True)
    assert TimeLapseProgram.needs(TimeLapseLoss(truth=1)) == ExampleSpec(frames=2, truth=True)


def test_all_terms_count_and_teach_both_networks():
    program = a_program(truth=1.0)
    batch = {"rainy": frames()[0], "clean": frames(seed=1)[0]}
    terms = program(batch, "network", 0.0)
    assert set(terms) == {"background", "similarity", "directions", "reconstruction", "truth"}
    sum(terms.values()).backward()
    assert all(parameter.grad is not None for parameter in program.parameters_of("network"))
    assert program.directions.centres.grad.any()
    # γ falls: what another frame says counts less and less, and all else as much as before.
    later = program(batch, "network", 0.9)
    assert float(later["similarity"].detach()) == pytest.approx(1e-3 * float(terms["similarity"].detach()), rel=1e-4)
    assert all(torch.equal(later[name], terms[name]) for name in set(terms) - {"similarity"})


def test_a_corner_can_stay():
    batch = {"rainy": frames()[0], "clean": frames(seed=1)[0]}
    at = {
        (first, last, progress): a_program(truth=1.0, corner=first, corner_last=last)(batch, "network", progress)
        for first, last, progress in ((0.0, 0.0, 0.9), (0.1, 0.0, 0.9), (0.1, 0.1, 0.9), (0.1, 0.1, 0.0))
    }
    sharp, fallen, stays, begins = at.values()
    for name in ("background", "truth"):
        assert torch.equal(fallen[name], sharp[name])
        assert torch.equal(stays[name], begins[name])
        assert float(stays[name].detach()) < float(sharp[name].detach())


@pytest.mark.parametrize("left_out", ["background", "similarity", "directions", "reconstruction"])
def test_a_weight_of_zero_leaves_a_loss_out(left_out):
    terms = a_program(**{left_out: 0})({"rainy": frames()[0]}, "network", 0.0)
    assert left_out not in terms
    assert len(terms) == 3


def test_something_must_tell_what_is_not_rain():
    with pytest.raises(ValueError, match="nothing would teach the network what is not rain"):
        TimeLapseLoss(background=0, similarity=0)


def test_frames_of_one_scene_teach_to_derain():
    torch.manual_seed(0)
    loss = TimeLapseLoss(similarity=1.0, gamma_first=1.0, gamma_last=1.0, corner=0.1)
    program = TimeLapseProgram(rainnet.create("timelapsenet", features=8), loss)
    optimiser = torch.optim.Adam(program.parameters_of("network"), lr=2e-3)
    for step in range(60):
        optimiser.zero_grad()
        sum(program({"rainy": frames(seed=step)[0]}, "network", 0.0).values()).backward()
        optimiser.step()
    rainy, clean = frames(1, seed=1000)
    with torch.inference_mode():
        background = program.network(rainy[:, 0]).background
    assert float((background - clean).square().mean()) < 0.3 * float((rainy[:, 0] - clean).square().mean())


@pytest.mark.parametrize("name", ["timelapsenet", "timelapsenet-small"])
def test_recipes(name):
    recipe = read_recipe(name, ["network.config={features=2}"])
    program = build_program(recipe)
    assert isinstance(program, TimeLapseProgram)
    assert needs_of(recipe) == ExampleSpec(frames=2)
