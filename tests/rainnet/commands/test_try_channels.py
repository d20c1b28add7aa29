"""`rainnet evaluate --try-channels`: which order of channels a network expects."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

import rainnet
from rainnet.commands.main import app
from rainnet.evaluate.blue_first import blue_first
from rainnet.evaluate.report import ChannelOrder
from rainnet.zoo import added
from tests.support.datasets import put
from tests.support.pairs import clean, rain100, rainy
from tests.support.processes import call
from tests.support.toy import ENTRY
from tests.support.udgnet import random_udgnet

ORDER = ChannelOrder("net", "rgb", 5, 30.0, 31.0, coloured=True, converted=True)


@pytest.fixture
def pairs(tmp_path):
    return rain100(tmp_path / "Rain100L")


def run(*arguments):
    return call(app, "evaluate", *arguments)


def for_bgr(net):
    """Exchange red and blue in the weights of a UDGNet that works on pixels one by one, as a converter would."""
    for stream in (net.image_stream, net.rain_stream):
        stream.head.weight.data = stream.head.weight.data.flip(1)
        stream.last.weight.data, stream.last.bias.data = stream.last.weight.data.flip(0), stream.last.bias.data.flip(0)
    first = net.angle.convolutions[0].weight
    first.data = first.data.flip(1)
    return net


def test_blue_first_is_what_exchanged_weights_are():
    image = rainy(3, (48, 64))
    net = random_udgnet(stride=1)
    shown = blue_first(net)
    for angle in (None, 10.0, "network"):
        found, expected = (rainnet.derain(one, image, angle=angle) for one in (shown, for_bgr(random_udgnet(stride=1))))
        assert found.angle == pytest.approx(expected.angle, abs=1e-4)
        np.testing.assert_allclose(found.background, expected.background, atol=1e-5)
        np.testing.assert_allclose(found.rain, expected.rain, atol=1e-5)
    # The network itself is as it was.
    plain = rainnet.derain(random_udgnet(stride=1), image, angle=10.0)
    np.testing.assert_array_equal(rainnet.derain(net, image, angle=10.0).background, plain.background)


def test_a_network_that_lies_flat_sees_the_picture_turned_and_its_result_is_turned_back():
    with added("toy", ENTRY):
        torch.manual_seed(0)
        net, image = rainnet.create("toy", strength=0.05), rainy(2)
        found = rainnet.derain(blue_first(net), image).background
        turned = rainnet.derain(net, np.ascontiguousarray(image[..., ::-1])).background
        np.testing.assert_allclose(found, turned[..., ::-1], atol=1e-6)


def test_both_orders_are_rows_and_the_verdict_is_their_difference(tmp_path, pairs):
    file = rainnet.save(random_udgnet(), tmp_path / "net.safetensors")
    arguments = ("input", file, "-d", pairs, "--angle", "10", "-p", "rgb", "-p", "y_full", "--try-channels")
    status, out, err = run(*arguments, "--scores", tmp_path / "scores.json")
    assert status == 0, err
    assert f"{file} (bgr)" in out
    scores = json.loads((tmp_path / "scores.json").read_text())
    means = {method["name"]: method["means"]["rgb"]["psnr"] for method in scores["methods"]}
    assert list(means) == ["input", str(file), f"{file} (bgr)"]
    (order,) = scores["channels"]
    assert order["rgb"] == pytest.approx(means[str(file)])
    assert order["difference"] == pytest.approx(means[f"{file} (bgr)"] - means[str(file)])
    assert (order["network"], order["protocol"], order["pictures"]) == (str(file), "rgb", 3)
    _, lines, _ = run(*arguments, "--json")
    assert json.loads(lines.splitlines()[-1])["channels"] == order
    # Without the option nothing is said of it.
    assert run("input", "-d", pairs, "--scores", tmp_path / "plain.json")[0] == 0
    assert "channels" not in json.loads((tmp_path / "plain.json").read_text())


def test_a_network_for_bgr_is_found_out(tmp_path, pairs):
    # It paints a picture red that is shown to it as it is, and blue, which the truth is, if it sees blue first.
    for k in (1, 2, 10):
        truth = clean(k).astype(np.float32)
        truth[..., 2] += 40
        put(pairs / "norain" / f"norain-{k:03}.png", truth.clip(0, 255).astype(np.uint8))
    net = random_udgnet()
    with torch.no_grad():
        for parameter in net.image_stream.last.parameters():
            parameter.zero_()
        net.image_stream.last.bias[:4] = -40 / 255  # red, of the 2 x 2 pixels of a block
    file = rainnet.save(net, tmp_path / "net.safetensors", facts={"converted_from": "official.pth"})
    status, out, err = run(file, "-d", pairs, "--angle", "10", "--try-channels")
    assert status == 0, err
    verdict = out.splitlines()[-1]
    assert "blue, green, red scores higher, by" in verdict
    assert "y_matlab, 3 pictures); convert its file again with --channels bgr" in verdict


@pytest.mark.parametrize(
    ("order", "said", "unsaid"),
    [
        (ORDER, "blue, green, red scores higher, by 1.00 dB (rgb, 5 pictures); convert its file again", ""),
        (replace(ORDER, converted=False), "see whether the pictures have red and blue exchanged", "--channels"),
        (replace(ORDER, bgr=29.0), "red, green, blue scores higher, by 1.00 dB (rgb, 5 pictures)", "convert"),
        (replace(ORDER, bgr=30.04), "no difference worth the name, blue first +0.04 dB", "higher"),
        (replace(ORDER, coloured=False), "the pictures are grey and do not tell the orders apart", "higher"),
        (replace(ORDER, rgb=None, bgr=None, pictures=0), "no picture has a score in both orders", "dB"),
    ],
)
def test_the_verdict_says_what_to_do(order, said, unsaid):
    assert said in order.sentence()
    assert not unsaid or unsaid not in order.sentence()


def test_grey_pictures_do_not_tell(tmp_path):
    for k in (1, 2):
        put(tmp_path / "set" / "rain" / f"{k}.png", rainy(k)[..., 0])
        put(tmp_path / "set" / "norain" / f"{k}.png", clean(k)[..., 0])
    file = rainnet.save(random_udgnet(), tmp_path / "net.safetensors")
    status, out, err = run(file, "-d", tmp_path / "set", "--angle", "10", "--try-channels", "--json")
    assert status == 0, err
    order = json.loads(out.splitlines()[-1])["channels"]
    assert (order["coloured"], order["higher"]) == (False, None)
    assert order["difference"] == pytest.approx(0, abs=1e-6)


def test_what_cannot_be_tried_is_refused(tmp_path, pairs, model):
    put(tmp_path / "alone" / "1.png", rainy(1))
    grey = rainnet.save(random_udgnet(channels=1), tmp_path / "grey.safetensors")
    for arguments, message in (
        (("input", "rainopt", "-d", pairs), "needs a network among the methods, got 'input', 'rainopt'"),
        ((model, "-d", tmp_path / "alone"), "needs pictures with truth, and"),
        ((grey, "-d", pairs), "only three channels have an order, and"),
    ):
        status, out, err = run(*arguments, "--try-channels")
        assert (status, out) == (2, "")
        assert "--try-channels" in err
        assert message in err
