"""Scores against scores by hand, and whatever can be missing."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import rainnet
import rainopt
from data_tools.layouts.read import read_dataset
from rainnet.evaluate.compare import evaluate
from rainnet.evaluate.methods import Function, find_methods
from rainopt import read_image
from rainopt.metrics.fidelity import PROTOCOLS
from tests.support.datasets import put
from tests.support.pairs import clean, rain100, rainy
from tests.support.udgnet import random_udgnet


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    return read_dataset(rain100(tmp_path_factory.mktemp("data")))


def scored(layout, *methods, **options):
    """Return what `evaluate` says of each method."""
    return evaluate([*methods, *find_methods(["input"])], layout, **options).methods


def by_hand(layout, score):
    return np.mean([score(read_image(pair.rainy), read_image(pair.clean)) for pair in layout])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_input_scores_what_psnr_and_ssim_say_of_the_pairs(layout, protocol):
    report = evaluate(find_methods(["input"]), layout, [protocol])
    (method,) = report.methods
    assert len(method.scores) == report.pictures == 3
    assert report.ok
    assert method.psnr(protocol) == pytest.approx(by_hand(layout, lambda a, b: rainopt.psnr(a, b, protocol)))
    assert method.ssim(protocol) == pytest.approx(by_hand(layout, lambda a, b: rainopt.ssim(a, b, protocol)))
    assert 10 < method.psnr(protocol) < 50


def test_rainopt_runs_as_derain_does(layout):
    """Rounded to 8 bits, with the angle that was named."""
    (method,) = evaluate(find_methods(["rainopt"], angle=10.0), layout, ["rgb"]).methods

    def derained(wet):
        return np.rint(rainopt.derain(wet, angle=10.0).background * 255) / 255

    assert method.psnr("rgb") == pytest.approx(by_hand(layout, lambda a, b: rainopt.psnr(derained(a), b)), abs=1e-4)
    assert method.psnr("rgb") > by_hand(layout, rainopt.psnr) + 1
    assert method.seconds > 0


def test_a_network_is_compared_as_derain_runs_it(layout, tmp_path):
    net = random_udgnet()
    (tmp_path / "run").mkdir()
    file = rainnet.save(net, tmp_path / "run" / "model.safetensors")
    methods = find_methods([str(file), str(file.parent)], angle=10.0, device="cpu")
    one, same = evaluate(methods, layout, ["rgb"], limit=2).methods
    assert one.psnr("rgb") == same.psnr("rgb")
    with torch.no_grad():
        result = rainnet.derain(net, rainy(1), angle=10.0, device="cpu").background
    expected = rainopt.psnr(np.rint(result * 255) / 255, clean(1))
    assert one.scores[0].psnr["rgb"] == pytest.approx(expected, abs=1e-4)
    assert expected != rainopt.psnr(rainy(1), clean(1))
    # Without being told the angle it finds one.
    assert evaluate(find_methods([str(file)], angle="network"), layout, limit=1).ok


def test_order_of_methods_and_pictures_is_kept(layout):
    methods = [Function(name, lambda image: image) for name in ("c", "a", "b")]
    data = evaluate(methods, layout, ["rgb", "y_full"], limit=2).as_dict()["methods"]
    assert [method["name"] for method in data] == ["c", "a", "b"]
    assert list(data[0]["means"]) == ["rgb", "y_full"]
    assert [each["picture"] for each in data[2]["each"]] == ["rain/rain-001", "rain/rain-002"]


def test_without_truth_there_is_niqe_only_and_with_truth_where_it_is_asked_for(tmp_path):
    put(tmp_path / "alone/large.png", rainy(5, (200, 240)))
    put(tmp_path / "alone/small.png", rainy(6))
    report = evaluate(find_methods(["input"]), read_dataset(tmp_path / "alone"))
    (method,) = report.methods
    large, small = method.scores
    assert large.niqe == pytest.approx(rainopt.niqe(rainy(5, (200, 240))))
    assert small.niqe is None  # too small
    assert large.psnr == small.psnr == {}
    assert (method.niqe, method.psnr("y_matlab"), report.ok) == (large.niqe, None, True)
    put(tmp_path / "pairs/rain/1.png", rainy(1, (200, 200)))
    put(tmp_path / "pairs/norain/1.png", clean(1, (200, 200)))
    pairs = read_dataset(tmp_path / "pairs")
    assert scored(pairs)[0].niqe is None
    assert scored(pairs, niqe=True)[0].niqe == pytest.approx(rainopt.niqe(rainy(1, (200, 200))))


def test_results_are_rounded_to_the_depth_of_the_truth(tmp_path):
    for name, truth in (("eight", clean(1)), ("sixteen", clean(1).astype(np.uint16) * 257)):
        put(tmp_path / name / "rain" / "1.png", truth)
        put(tmp_path / name / "norain" / "1.png", truth)
    # A third of a level of 8 bits is nothing in a file of 8 bits, and 86 levels of 16.
    near = Function("near", lambda image: image.astype(np.float64) / np.iinfo(image.dtype).max + 1 / 765)
    assert scored(read_dataset(tmp_path / "eight"), near, protocols=["rgb"])[0].equal("rgb") == 1
    sixteen = scored(read_dataset(tmp_path / "sixteen"), near, protocols=["rgb"])[0].psnr("rgb")
    assert sixteen == pytest.approx(20 * math.log10(65535 / 86), abs=0.1)


def test_grey_results_count_as_three_equal_channels_and_alpha_as_nothing(tmp_path):
    grey = clean(1)[..., 0]
    put(tmp_path / "rain" / "1.png", grey)
    put(tmp_path / "norain" / "1.png", np.dstack([grey] * 3 + [grey // 2]))
    (method,) = scored(read_dataset(tmp_path), protocols=PROTOCOLS)
    assert [method.equal(protocol) for protocol in PROTOCOLS] == [1, 1, 1]


def test_small_pictures_have_no_ssim(tmp_path):
    small = rainy(1, (10, 30)), clean(1, (10, 30))
    put(tmp_path / "rain" / "1.png", small[0])
    put(tmp_path / "norain" / "1.png", small[1])
    (method,) = scored(read_dataset(tmp_path))
    assert method.ssim("y_matlab") is None
    assert method.psnr("y_matlab") == pytest.approx(rainopt.psnr(*small, "y_matlab"))


def test_a_method_that_fails_is_named_and_the_others_go_on(layout):
    def fail(image):
        raise RuntimeError("out of luck")

    bad = {"broken": fail, "small": lambda image: image[1:], "wild": lambda image: image / 255 + 3}
    bad |= {"nothing": lambda image: None}
    report = evaluate([*(Function(*each) for each in bad.items()), *find_methods(["input"])], layout)
    assert [len(method.failures) for method in report.methods] == [3, 3, 3, 3, 0]
    assert not report.ok
    said = [method.failures[0].error for method in report.methods[:4]]
    assert re.match("broken: '.*rain-001.png': RuntimeError: out of luck", said[0])
    assert "the result has 39 x 56 pixels and the picture 40 x 56" in said[1]
    assert "must lie in [0, 1]" in said[2]
    assert "must be (H, W) or (H, W, C), got shape ()" in said[3]


def test_what_makes_no_sense_is_refused(layout):
    (method,) = find_methods(["input"])
    for arguments, options, message in (
        (([], layout), {}, "at least one method"),
        (([method, method], layout), {}, "different names, got 'input' twice"),
        (([method], layout, []), {}, "at least one of rgb"),
        (([method], layout, ["Y"]), {}, "'Y' is no protocol"),
        (([method], layout), {"split": "val"}, r"nothing in .* tells of splits"),
        (([method], layout), {"limit": 0}, "at least 1, got 0"),
        (([method], replace(layout, pairs=())), {}, "holds no pair"),
    ):
        with pytest.raises(ValueError, match=message):
            evaluate(*arguments, **options)
