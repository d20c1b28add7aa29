"""CycleGAN: two translations that undo each other, and how they are trained."""

import pytest
import torch

import rainnet
from rainnet.losses.translation import cycle_loss
from rainnet.models.cyclegan import CycleGANConfig
from rainnet.programs.base import ExampleSpec
from rainnet.programs.cyclegan import CycleGANLoss, CycleGANProgram
from rainnet.recipes.recipe import read_recipe
from rainnet.recipes.sections import Recipe
from rainnet.train.build import needs_of
from rainnet.train.loop import train
from rainnet.train.run_folder import RunFolder
from tests.support.domains import domain_batches, two_domains
from tests.support.toy import Watcher, assert_same, state_of

TINY = {"critic_features": 4, "critic_stages": 2, "pool": 3}


def a_program(**loss):
    torch.manual_seed(0)
    return CycleGANProgram(rainnet.create("cyclegan", features=4, depth=2), CycleGANLoss(**TINY | loss))


@torch.no_grad()
def test_pictures_of_any_size_become_others_and_become_again():
    net = a_program().network
    rainy, clean = torch.rand(2, 1, 3, 13, 10)
    found = net.cycles(rainy, clean)
    torch.testing.assert_close(found.made_clean.clamp(0, 1), net(rainy).background)
    torch.testing.assert_close(found.rainy_again, net.rained(net.cleaned(rainy)))
    torch.testing.assert_close(found.clean_again, net.cleaned(net.rained(clean)))
    net.removal.last.weight.zero_()
    assert torch.equal(net.cleaned(rainy), rainy)
    with pytest.raises(ValueError, match="`depth` must be at most 6, got 7"):
        CycleGANConfig(depth=7)


def test_no_pair_is_compared():
    program, batch = a_program(), two_domains()
    alone = {name: batch[name] for name in ("clean", "unpaired_rainy")}
    terms = program(alone, "network", 0.0)
    assert set(terms) == {"adversarial clean", "adversarial rainy", "cycle", "identity"}
    rainy, clean, net = alone["unpaired_rainy"], alone["clean"], program.network
    found = net.cycles(rainy, clean)
    back = cycle_loss(rainy, found.rainy_again) + cycle_loss(clean, found.clean_again)
    torch.testing.assert_close(terms["cycle"], 10 * back)
    same = cycle_loss(clean, net.cleaned(clean)) + cycle_loss(rainy, net.rained(rainy))
    torch.testing.assert_close(terms["identity"], 5 * same)
    assert needs_of(read_recipe("cyclegan-small")) == ExampleSpec(truth=True, unpaired_rainy=True)


def test_each_turn_teaches_its_own_parts():
    program, batch = a_program(), two_domains()
    for turn in ("discriminator", "network", "discriminator"):
        program.zero_grad()
        sum(program(batch, turn, 0.0).values()).backward()
        assert all(parameter.grad is not None for parameter in program.parameters_of(turn))
    assert not any(parameter.grad is not None for parameter in program.network.parameters())
    assert list(a_program(cycle=0, identity=0)(batch, "network", 0.0)) == ["adversarial clean", "adversarial rainy"]


def test_a_run_that_was_stopped_ends_with_the_same_weights(tmp_path):
    values = read_recipe("cyclegan-small").model_dump(mode="json")
    values["network"] |= {"config": {"features": 4, "depth": 2}}
    values["loss"] |= TINY
    values["run"] |= {"steps": 4, "batch": 2, "log_every": 1, "picture_every": 2, "save_every": 1}
    recipe = Recipe.model_validate(values)

    def kill():
        raise RuntimeError("killed")

    def run(folder, watcher, **options):
        return train(recipe, RunFolder(folder), domain_batches, watcher, device="cpu", **options)

    whole = run(tmp_path / "whole", watcher := Watcher()).state_dict()
    assert len(watcher.shown[0][1]) == 6
    with pytest.raises(RuntimeError, match="killed"):
        run(tmp_path / "part", Watcher(3, kill))
    assert_same(run(tmp_path / "part", Watcher(), resume=True).state_dict(), whole)
    assert_same(state_of(tmp_path / "part")["program"], state_of(tmp_path / "whole")["program"])
