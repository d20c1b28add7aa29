import json

import numpy as np
import pytest

from benchmarks.layer_angle import angle_error, layer_angle
from benchmarks.pictures import RENDERED
from benchmarks.solver.quality import main
from data_tools import RainSpec, draw_streaks, render_streaks
from rainopt import read_image
from tests.support.processes import call


def layer(angle, seed=0, shape=(192, 224), **fields):
    spec = RainSpec(angle=angle, angle_spread=0, **fields)
    return render_streaks(draw_streaks(shape, spec, np.random.default_rng(seed)), shape, spec.composition)


@pytest.mark.parametrize("composition", ["screen", "additive"])
@pytest.mark.parametrize("angle", [-75.0, -30.0, -4.5, 0.0, 12.0, 45.0, 88.0, 90.0])
def test_layer_angle_is_right_to_half_a_degree(angle, composition):
    assert angle_error(layer_angle(layer(angle, composition=composition)), angle) < 0.5


def test_layer_angle_takes_the_stronger_of_two_directions_not_their_mean():
    both = layer(20.0, density=6000.0) + 0.5 * layer(-20.0, seed=1, density=3000.0)
    assert angle_error(layer_angle(both), 20.0) < 1


def test_layer_angle_ignores_brightness_and_follows_mirrors():
    rain = layer(17.0)
    assert layer_angle(0.3 * rain + 0.2) == pytest.approx(layer_angle(rain), abs=1e-6)
    assert layer_angle(rain[:, ::-1]) == pytest.approx(-layer_angle(rain), abs=1e-6)


def test_layer_angle_of_nothing_is_not_a_number():
    assert np.isnan(layer_angle(np.zeros((16, 16))))


@pytest.mark.parametrize(("a", "b", "error"), [(89, -89, 2), (90, -90, 0), (-45, 45, 90), (10, 13, 3)])
def test_angle_error_is_that_of_lines(a, b, error):
    assert angle_error(a, b) == pytest.approx(error)


@pytest.mark.slow
def test_quality_measures_a_tree(tree):
    target, sheet = tree / "out" / "quality.json", tree / "out" / "sheet.png"
    status, out, _ = call(main, "--data", tree, "--json", target, "--sheet", sheet)
    assert status == 0
    assert "small" in out
    assert "Rain rendered" in out
    text = target.read_text()
    assert str(tree) not in text
    results = json.loads(text)
    assert results["environment"]["cores"] >= 1

    small = results["sets"]["small"]
    assert small["pictures"] == 2
    assert small["psnr"]["known_angle"] > small["psnr"]["input"] + 1
    assert small["ssim"]["known_angle"] > small["ssim"]["input"]
    assert [entry["true_angle"] for entry in small["each"]] == pytest.approx([10, -15], abs=1)
    assert small["angle_error"]["within_5"] == 1

    assert results["clean"]["pictures"] == 4
    worst = results["clean"]["rgb"]["worst"]
    assert sorted(entry["name"] for entry in worst) == ["0.png", "1.png", "2.png", "3.png"]
    assert [entry["psnr"] for entry in worst] == sorted(entry["psnr"] for entry in worst)

    assert list(results["rendered"]) == list(RENDERED)
    for measured in results["rendered"].values():
        assert [entry["name"] for entry in measured["each"]] == ["1.png", "3.png"]
        gained = [entry["psnr"]["derained"] - entry["psnr"]["input"] for entry in measured["each"]]
        assert measured["gain"] == pytest.approx(np.mean(gained))
        assert measured["gain"] == pytest.approx(measured["psnr"]["derained"] - measured["psnr"]["input"])
    assert results["rendered"]["heavy"]["gain"] > 1
    assert results["rendered"]["heavy"]["psnr"]["input"] < results["rendered"]["light"]["psnr"]["input"]

    pixels = read_image(sheet)
    assert pixels.shape[1] > 4 * 300
    assert pixels.std() > 20
