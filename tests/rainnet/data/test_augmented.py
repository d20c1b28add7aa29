"""Examples whose rain a generator makes."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.data.augmented import Augmented
from rainnet.data.kinds import dataset_for
from rainnet.data.pictures import DataError
from rainnet.programs.base import ExampleSpec
from rainnet.recipes.recipe import read_recipe
from rainopt import write_image

TINY = {"features": 4, "latent": 6, "side": 16, "stages": 1, "blocks": 1, "derainer": 4}


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("clean"), np.random.default_rng(0)
    write_image(folder / "a.png", 0.8 * np.kron(rng.random((12, 12, 3)), np.ones((8, 8, 1))))
    return folder


@pytest.fixture(scope="module", params=["rainfield", "vrgnet"])
def generator(request, tmp_path_factory):
    torch.manual_seed(0)
    net = rainnet.create(request.param, **TINY)
    with torch.no_grad():
        for parameter in net.generator.parameters():
            parameter.abs_()  # so that it rains
    return rainnet.save(net, tmp_path_factory.mktemp("model") / "g.safetensors")


TRUTH = ExampleSpec(truth=True)


def examples(clean, generator, ratio, spec=TRUTH):
    augment = f"data.augment={{generator='{generator}', ratio={ratio}}}"
    recipe = read_recipe("prenet-small", [augment, "data.size=16"], data={"train": [clean]})
    return dataset_for(recipe.data, 3, spec)


def test_some_have_made_rain_over_the_same_clean_crop_and_the_others_are_as_they_were(clean, generator):
    made, plain = examples(clean, generator, 1.0), examples(clean, generator, 0.0).dataset
    changed = 0
    for k in range(60):
        one, other = made[k], plain[k]
        assert torch.equal(one["clean"], other["clean"])
        if not torch.equal(one["rainy"], other["rainy"]):
            changed += 1
            rain = one["rainy"] - one["clean"]
            assert float(rain.min()) >= -1e-6
            assert float(one["rainy"].max()) <= 1
    # One of two, as often as a coin falls.
    assert 15 <= changed <= 45
    assert all(torch.equal(made[k]["rainy"], made[k]["rainy"]) for k in range(4))


def test_none_are_made_at_ratio_zero(clean, generator):
    made = examples(clean, generator, 0.0)
    assert isinstance(made, Augmented)
    assert all(torch.equal(made[k]["rainy"], made.dataset[k]["rainy"]) for k in range(10))


def test_what_made_rain_cannot_give_is_refused(clean, generator, tmp_path):
    with pytest.raises(DataError, match=r"'data.augment' makes one rainy picture of the truth"):
        examples(clean, generator, 1.0, ExampleSpec(truth=True, angle=True, upright=True))
    other = rainnet.save(rainnet.create("ddn"), tmp_path / "ddn.safetensors")
    with pytest.raises(DataError, match=r"is a ddn, which makes no rain"):
        examples(clean, other, 1.0)


def test_patches_of_a_fixed_size_need_crops_of_it(clean, tmp_path):
    fixed = rainnet.save(rainnet.create("vrgnet", **TINY | {"side": 32}), tmp_path / "v.safetensors")
    with pytest.raises(DataError, match=r"patches of 32 pixels as they lie; crops must be so, too \(data.size=32\)"):
        examples(clean, fixed, 1.0)
