"""Networks that compute in 16 bits."""

import numpy as np
import pytest
import torch

import rainnet
from rainnet.commands.main import app
from rainnet.infer.derain import derain
from rainopt import psnr, read_image, write_image
from tests.support.processes import call

SMALL = {
    "udgnet": {"features": 8, "blocks": 2, "rain_blocks": 1, "stride": 1, "along": (1,)},
    "spanet": {"features": 8, "stages": 1, "blocks": 1},
    "prenet": {"features": 8, "stages": 2, "blocks": 1},
    "ddn": {"features": 8, "blocks": 2},
    "jorder": {"features": 8, "blocks": 1},
}


def a_network(name):
    torch.manual_seed(0)
    net = rainnet.create(name, **SMALL[name])
    with torch.no_grad():
        for parameter in net.parameters():
            # None is left at zero, where a network begins with the picture as it is.
            parameter += 0.03 * torch.randn_like(parameter)
    return net


@pytest.mark.parametrize("name", SMALL)
def test_sixteen_bits_give_nearly_the_same(name, rng):
    net, image = a_network(name), rng.random((40, 52, 3), dtype=np.float32)
    exact, rounded = (derain(net, image, angle=0.0, precision=word) for word in ("float32", "bfloat16"))
    assert rounded.background.dtype == np.float32
    assert not np.array_equal(exact.background, rounded.background)
    assert psnr(exact.background, rounded.background) > 40
    # And the next one is exact again.
    np.testing.assert_array_equal(derain(net, image, angle=0.0).background, exact.background)


def test_another_precision_is_refused(rng, tmp_path, monkeypatch):
    image = rng.random((8, 8, 3))
    with pytest.raises(ValueError, match=r"'bfloat61' is no precision; did you mean 'bfloat16'\?"):
        derain(a_network("ddn"), image, precision="bfloat61")
    monkeypatch.chdir(tmp_path)
    write_image("a.png", image)
    status, _, err = call(app, "derain", "a.png", "-o", "b.png", "--precision", "half")
    assert (status, "--precision" in err) == (2, True)


def test_the_command_computes_as_asked(rng, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("a.png", rng.random((24, 30, 3)))
    rainnet.save(a_network("prenet"), "net.safetensors")
    for word in ("float32", "bfloat16"):
        status, _, _ = call(app, "derain", "a.png", "-o", f"{word}.png", "-m", "net.safetensors", "--precision", word)
        assert status == 0
        expected = derain("net.safetensors", read_image("a.png"), precision=word).background
        np.testing.assert_allclose(read_image(f"{word}.png") / 255, expected, atol=0.6 / 255)
