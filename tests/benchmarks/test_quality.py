import json

import numpy as np
import pytest

from benchmarks.common import photograph
from benchmarks.layer_angle import angle_error, layer_angle
from benchmarks.solver.quality import CHOSEN_ON, HELD_OUT, MIDDLE, RENDERED, halved, main, rendered
from data_tools import RainSpec, add_rain, draw_streaks, render_streaks
from rainopt import read_image, write_image


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


@pytest.fixture
def tree(tmp_path):
    for name, angle in (("a.png", 10.0), ("b.png", -15.0)):
        clean = photograph(400, 600)[100:228, 40:200] if name == "a.png" else photograph(300, 451)[50:178, 100:260]
        rainy = add_rain(clean, RainSpec(angle=angle), np.random.default_rng(1)).rainy
        for kind, image in (("rain", rainy), ("norain", clean)):
            folder = tmp_path / "pairs" / "small" / kind
            folder.mkdir(parents=True, exist_ok=True)
            write_image(folder / name, image)
    (tmp_path / "clean").mkdir()
    write_image(tmp_path / "clean" / "c.png", photograph(96, 128))
    return tmp_path


def test_quality_measures_a_tree(tree, capsys):
    target, sheet = tree / "out" / "quality.json", tree / "out" / "sheet.png"
    main(["--data", str(tree), "--json", str(target), "--sheet", str(sheet)])
    text = target.read_text()
    results = json.loads(text)
    small = results["sets"]["small"]
    assert small["pictures"] == 2
    assert small["psnr"]["known_angle"] > small["psnr"]["input"] + 1
    assert small["ssim"]["known_angle"] > small["ssim"]["input"]
    assert [entry["true_angle"] for entry in small["each"]] == pytest.approx([10, -15], abs=1)
    assert small["angle_error"]["within_5"] == 1
    assert results["clean"]["pictures"] == 1
    assert results["clean"]["rgb"]["worst"][0]["name"] == "c.png"
    assert results["environment"]["cores"] >= 1
    assert results["rendered"] == {}
    assert str(tree) not in text
    assert "small" in capsys.readouterr().out
    pixels = read_image(sheet)
    assert pixels.shape[1] > 4 * 300
    assert pixels.std() > 20


def test_quality_without_json_prints_it(tree, capsys):
    main(["--data", str(tree), "--limit", "1"])
    out = capsys.readouterr().out
    assert json.loads(out[out.index("\n{") :])["sets"]["small"]["pictures"] == 1


def test_quality_names_the_missing_truth(tree):
    (tree / "pairs" / "small" / "norain" / "b.png").unlink()
    with pytest.raises(FileNotFoundError, match=r"rain/b\.png has no norain/b\.png"):
        main(["--data", str(tree)])


def test_quality_says_what_the_folder_must_hold(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--data", str(tmp_path)])
    assert end.value.code == 2
    assert "'pairs'" in capsys.readouterr().err


@pytest.fixture
def photographs(tmp_path):
    folder = tmp_path / "clean"
    folder.mkdir()
    for k in range(4):
        write_image(folder / f"{k}.png", photograph(96, 128 + k))
    return folder


def test_quality_renders_rain_over_every_second_photograph(photographs, capsys):
    target = photographs.parent / "quality.json"
    main(["--data", str(photographs.parent), "--json", str(target)])
    results = json.loads(target.read_text())
    assert list(results["rendered"]) == list(RENDERED)
    for measured in results["rendered"].values():
        assert measured["pictures"] == 2
        assert [entry["name"] for entry in measured["each"]] == ["1.png", "3.png"]
        gained = [entry["psnr"]["derained"] - entry["psnr"]["input"] for entry in measured["each"]]
        assert measured["gain"] == pytest.approx(np.mean(gained))
        assert measured["gain"] == pytest.approx(measured["psnr"]["derained"] - measured["psnr"]["input"])
        assert set(measured["ssim"]) == {"input", "derained"}
        assert measured["seconds"] > 0
    assert results["rendered"]["heavy"]["gain"] > 1
    assert results["rendered"]["heavy"]["psnr"]["input"] < results["rendered"]["light"]["psnr"]["input"]
    assert results["clean"]["pictures"] == 4
    assert "Rain rendered" in capsys.readouterr().out


def test_rendered_rain_is_the_same_whatever_the_limit(photographs):
    some, all_of_them = (list(rendered(photographs, "medium", HELD_OUT, limit)) for limit in (1, None))
    assert len(some) == 1
    assert len(all_of_them) == 2
    assert some[0][0] == all_of_them[0][0]
    assert np.array_equal(some[0][1], all_of_them[0][1])
    assert some[0][1].dtype == np.uint8
    lightly = next(rendered(photographs, "light", HELD_OUT, 1))
    assert np.array_equal(lightly[2], some[0][2])
    assert not np.array_equal(lightly[1], some[0][1])


def test_halves_are_apart_and_cut_from_the_middle(photographs):
    large = photograph(400, 601)
    write_image(photographs / "4.png", large)
    write_image(photographs / "5.png", np.dstack([large, large[:, :, :1]]))
    first, second = ({name: image for _, name, image in halved(photographs, half)} for half in (CHOSEN_ON, HELD_OUT))
    assert list(first) == ["0.png", "2.png", "4.png"]
    assert list(second) == ["1.png", "3.png", "5.png"]
    assert np.array_equal(first["4.png"], large[40:360, 60:540])
    assert second["5.png"].shape == (*MIDDLE, 3)
    assert first["0.png"].shape == (96, 128, 3)
