"""Rain between two rains, and numbers of codes."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.commands.main import app
from rainnet.generate.codes import between, patch_of, varied
from rainopt import read_image, write_image
from tests.support.processes import call

TINY = {"features": 4, "latent": 6, "side": 16, "stages": 1, "blocks": 1, "derainer": 4}


@pytest.fixture(params=["vrgnet", "rainfield"])
def network(request):
    torch.manual_seed(0)
    net = rainnet.create(request.param, **TINY).eval()
    with torch.no_grad():
        for parameter in net.generator.parameters():
            parameter.abs_()  # so that it rains
    return net


def test_the_ends_are_the_rain_of_the_pictures_own_codes(network, rng):
    a, b = rng.random((2, 40, 30, 3), dtype=np.float32)
    found = between(network, a, b, 5, seed=3)
    assert (len(found.layers), found.first.shape) == (5, (16, 16, 3))
    same = between(network, a, a, 2, seed=3).layers
    np.testing.assert_array_equal(same[0], same[1])
    np.testing.assert_allclose(found.layers[0], same[0], atol=1e-6)
    np.testing.assert_allclose(found.layers[-1], between(network, b, b, 2, seed=3).layers[0], atol=1e-5)
    backwards = between(network, b, a, 5, seed=3).layers[::-1]
    for one, other in zip(found.layers, backwards, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_number_that_has_its_own_value_changes_nothing(network):
    layers = varied(network, 2, [-3, 0.0, 0.0, 3], seed=1)
    np.testing.assert_array_equal(layers[1], layers[2])
    assert not np.array_equal(layers[0], layers[3])
    with pytest.raises(ValueError, match="`number` must be from 0 to 5, as codes of this network have 6; got 6"):
        varied(network, 6, [0.0])


def test_the_middle_of_a_picture_is_what_is_looked_at(rng):
    net, picture = rainnet.create("vrgnet", **TINY), rng.random((20, 24, 3), dtype=np.float32)
    np.testing.assert_array_equal(patch_of(net, picture).movedim(0, -1), picture[2:18, 4:20])
    with pytest.raises(ValueError, match="must be at least 16 pixels on each side"):
        patch_of(net, picture[:15])


def test_the_commands_write_strips(network, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    rainnet.save(network, "net.safetensors")
    write_image("a.png", rng.random((30, 30, 3)))
    write_image("b.png", rng.random((30, 30, 3)))
    status, out, _ = call(app, "interpolate", "a.png", "b.png", "-o", "s.png", "-m", "net.safetensors", "--steps", "3")
    assert (status, "wrote s.png" in out) == (0, True)
    wide = read_image("s.png").shape[1]
    status, _, _ = call(app, "disentangle", "-o", "d.png", "-m", "net.safetensors", "--code", "1", "--steps", "5")
    assert status == 0
    assert read_image("d.png").shape[1] == wide  # five pictures each
    write_image("small.png", rng.random((9, 30, 3)))
    status, _, err = call(app, "interpolate", "a.png", "small.png", "-o", "t.png", "-m", "net.safetensors")
    assert (status, "at least 16 pixels" in " ".join(err.split())) == (1, True)
    assert call(app, "disentangle", "-o", "e.png", "-m", "net.safetensors", "--code", "99")[0] == 2
    assert call(app, "disentangle", "-o", "d.png", "-m", "net.safetensors")[0] == 2
    assert call(app, "disentangle", "-o", "f.png", "-m", "udgnet-small")[0] == 2
