"""How Refine is trained."""

import pytest
import torch

import rainnet
from rainnet.programs.base import ExampleSpec
from rainnet.programs.refine import RefineLoss, RefineProgram
from tests.support.refine import TINY, random_refine


@pytest.fixture
def batch(rng):
    draw = torch.from_numpy(rng.random((2, 7, 16, 24)).astype("float32"))
    clean, start = 0.7 * draw[:, :3], 0.2 * draw[:, 6:]
    return {"rainy": clean + start, "clean": clean, "start": start}


def program(**loss):
    return RefineProgram(random_refine(), RefineLoss(**loss))


def test_it_needs_the_truth_and_the_solvers_layer_upright():
    assert RefineProgram.needs(RefineLoss()) == ExampleSpec(upright=True, truth=True, start=True)
    assert RefineProgram.needs(RefineLoss(energy=0.1)).unpaired_rainy


def test_a_start_that_is_the_rain_itself_costs_an_untrained_network_nothing(batch):
    untrained = RefineProgram(rainnet.create("refine", **TINY), RefineLoss(similarity=1.0))
    with torch.no_grad():
        terms = untrained(batch, "network", 0.0)
        worse = untrained(batch | {"start": 0.5 * batch["start"]}, "network", 0.0)
    assert float(sum(terms.values())) == pytest.approx(0, abs=1e-6)
    assert all(float(worse[name]) > float(terms[name]) for name in terms)


def test_even_light_may_stay_and_what_was_taken_too_much_comes_back(batch):
    untrained = RefineProgram(rainnet.create("refine", **TINY), RefineLoss())
    with torch.no_grad():
        brighter, darker, streaked = (
            float(untrained(batch | {"rainy": batch["rainy"] + light}, "network", 0.0)["truth"])
            for light in (0.1, -0.1, 0.1 * (torch.arange(24) % 8 == 0))
        )
    assert brighter == pytest.approx(0, abs=1e-6)
    assert darker > 1e-3
    assert streaked > 1e-3


def test_pixels_that_are_not_valid_do_not_count(batch):
    valid = torch.zeros(2, 1, 16, 24)
    valid[..., 4:12, 5:20] = 1
    spoiled = batch["clean"].where(valid > 0, torch.rand(2, 3, 16, 24))
    one, other = (
        program()(batch | {"valid": valid, "clean": each}, "network", 0.0) for each in (batch["clean"], spoiled)
    )
    assert float(one["truth"].detach()) > 0
    assert torch.equal(one["truth"], other["truth"])
    assert not torch.equal(one["truth"], program()(batch, "network", 0.0)["truth"])


def test_crops_may_be_of_any_size(batch):
    odd = {name: value[..., :15, :22] for name, value in batch.items()}
    assert torch.isfinite(program()(odd, "network", 0.0)["truth"])


def test_rainy_pictures_of_other_scenes_lower_the_energy_alone(batch):
    trained = program(energy=1.0)
    other = torch.rand(2, 3, 16, 24)
    terms = trained(batch | {"unpaired_rainy": other}, "network", 0.0)
    assert set(terms) == {"truth", "energy"}
    assert set(program()(batch, "network", 0.0)) == {"truth"}


def test_pictures_to_look_at_begin_with_the_start(batch):
    shown = program().pictures(batch)
    assert set(shown) == {"rainy", "background", "rain x3", "clean"}
    assert all(value.shape == batch["rainy"].shape for value in shown.values())


def test_steps_bring_it_nearer_to_the_truth(batch):
    trained = program()
    optimiser = torch.optim.Adam(trained.parameters(), 3e-3)
    spoiled = batch | {"start": 0.5 * batch["start"]}
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = trained(spoiled, "network", 0.0)["truth"]
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]
