"""`rainnet evaluate`: what it says, and what it writes."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import rainnet
import rainopt
from data_tools.manifest.file import write_manifest
from rainnet.commands.main import app
from rainnet.evaluate.follow import WIDTH
from rainnet.evaluate.sheet import CELL
from rainopt import read_image
from rainopt.app.sheet import CAPTION, GAP
from tests.support.datasets import put
from tests.support.pairs import clean, rain100, rainy, with_manifest
from tests.support.processes import call
from tests.support.udgnet import random_udgnet


@pytest.fixture
def pairs(tmp_path):
    return rain100(tmp_path / "Rain100L")


def run(*arguments):
    return call(app, "evaluate", *arguments)


def test_scores_hold_the_report_whole(tmp_path):
    file, root = tmp_path / "new" / "scores.json", with_manifest(tmp_path / "ours")
    status, out, err = run("input", "-d", root, "--split", "val", "-p", "rgb", "-p", "y_full", "--scores", file)
    assert status == 0
    assert "2 of 3 pictures" in out
    assert "split 'val'" in out
    assert "2 of 2 pictures compared" in err
    data = json.loads(file.read_text(), parse_constant=pytest.fail)
    assert {key: data[key] for key in ("format", "layout", "split", "protocols", "pictures", "failures")} == {
        "format": "rainnet-evaluation",
        "layout": "manifest",
        "split": "val",
        "protocols": ["rgb", "y_full"],
        "pictures": 2,
        "failures": [],
    }
    (method,) = data["methods"]
    each = [each["scores"]["rgb"]["psnr"] for each in method["each"]]
    assert method["means"]["rgb"]["psnr"] == pytest.approx(np.mean(each))
    assert each[0] == pytest.approx(rainopt.psnr(rainy(2), clean(2)))
    # The same in a line for each method, without the pictures.
    _, out, _ = run("input", "-d", root, "--split", "val", "-p", "rgb", "-p", "y_full", "--json")
    (line,) = map(json.loads, out.splitlines())
    assert line["means"] == method["means"]
    assert "each" not in line


def test_results_that_are_the_truth_have_infinite_psnr(pairs, tmp_path):
    for k in (1, 2, 10):
        put(tmp_path / "perfect" / f"rain-{k:03}.png", clean(k))
    file = tmp_path / "scores.json"
    status, out, _ = run("input", tmp_path / "perfect", "--data", pairs, "--scores", file)
    assert status == 0
    assert re.search(r"perfect\s*│\s*3 │\s*inf │\s*1\.0000 │\s*- │", out)
    rival, perfect = json.loads(file.read_text(), parse_constant=pytest.fail)["methods"]
    assert perfect["means"]["y_matlab"] == {"psnr": None, "ssim": 1.0, "pictures": 3, "equal": 3}
    assert [each["scores"]["y_matlab"]["equal"] for each in perfect["each"]] == [True] * 3
    assert not any(each["scores"]["y_matlab"]["equal"] for each in rival["each"])


def test_what_is_missing_or_broken_is_named_and_the_rest_is_scored(pairs, tmp_path):
    for k in (1, 10):
        put(tmp_path / "some" / f"rain-{k:03}.jpg", clean(k))
    status, out, err = run("input", tmp_path / "some", "-d", pairs, "--scores", tmp_path / "a.json")
    assert status == 1
    assert f"rain-002.png': has no result in '{tmp_path / 'some'}'" in err
    assert "2 (1 failed)" in out
    ours = json.loads((tmp_path / "a.json").read_text())["methods"]
    assert [method["failed"] for method in ours] == [0, 1]
    assert [each["picture"] for each in ours[1]["each"]] == ["rain/rain-001", "rain/rain-010"]
    assert ours[1]["failures"][0]["picture"] == "rain/rain-002"
    (pairs / "rain" / "rain-001.png").write_bytes(b"no picture")
    put(pairs / "norain" / "norain-002.png", clean(2, (41, 56)))
    put(pairs / "rain" / "rain-011.png", clean(2))
    status, _, err = run("input", "rainopt", "-d", pairs, "--angle", "10", "--scores", tmp_path / "b.json")
    assert status == 1
    assert "rain-001.png' is not a PNG" in err
    assert re.search(r"rain-002.png' has 40 x 56 pixels and its truth '.*norain-002.png' 41 x 56", err)
    assert "'rain/rain-011.png' has no clean image" in err
    assert err.count("failed") == 3
    data = json.loads((tmp_path / "b.json").read_text())
    assert [failure["picture"] for failure in data["failures"]] == ["rain/rain-001", "rain/rain-002"]
    assert [method["pictures"] for method in data["methods"]] == [1, 1]


def test_a_sheet_shows_the_worst_pictures_of_the_last_method(pairs, tmp_path):
    file = tmp_path / "look" / "sheet.png"
    assert run("input", "rainopt", "-d", pairs, "--angle", "10", "--sheet", file, "--worst", "2")[0] == 0
    rows, columns = 2, 4  # input, rainopt, truth, difference
    assert read_image(file).shape == (rows * (CELL[1] + CAPTION + GAP) + GAP, columns * (CELL[0] + GAP) + GAP, 3)
    put(tmp_path / "alone" / "small.png", rainy(4))
    status, _, err = run("input", "-d", tmp_path / "alone", "--sheet", tmp_path / "none.png")
    assert status == 1
    assert "was not written: no picture has a score of 'input'" in err
    assert not (tmp_path / "none.png").exists()


def test_saved_results_score_as_when_they_were_made(pairs, tmp_path):
    first, again, out = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "out"
    assert run("input", "rainopt", "-d", pairs, "--angle", "10", "--save", out, "--scores", first)[0] == 0
    assert [path.name for path in out.iterdir()] == ["rainopt"]
    assert run(out / "rainopt", "-d", pairs, "--scores", again)[0] == 0
    means = [json.loads(file.read_text())["methods"][-1]["means"] for file in (first, again)]
    assert means[0] == means[1]


@pytest.mark.parametrize("option", ["--scores", "--sheet", "--save"])
def test_nothing_is_replaced_unless_it_is_allowed(pairs, tmp_path, option):
    place = tmp_path / ("out" if option == "--save" else "out.png")
    arguments = ("rainopt", "-d", pairs, "--angle", "10", "-n", "1", option, place)
    assert run(*arguments)[0] == 0
    file = next(place.rglob("*.png")) if option == "--save" else place
    file.write_bytes(b"mine")
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "is there already" in err
    assert option in err
    assert file.read_bytes() == b"mine"
    assert run(*arguments, "--overwrite")[0] == 0
    assert file.read_bytes() != b"mine"


@pytest.mark.parametrize(
    ("arguments", "option", "message"),
    [
        (["rainop"], "METHOD", "no file or folder 'rainop', and 'rainop' is no method; did you mean 'rainopt'?"),
        (["input", "input"], "METHOD", "'input' is named twice"),
        (["{empty}"], "METHOD", "holds neither a network (.safetensors) nor pictures"),
        (["{text}"], "METHOD", "is no whole safetensors file"),
        (["input", "--protocol", "y_matlba"], "--protocol", "did you mean 'y_matlab'?"),
        (["input", "--split", "trian"], "--split", "did you mean 'train'?"),
        (["input", "--angle", "left"], "--angle", "must be a number of degrees, 'network' or 'solver', got 'left'"),
        (["input", "--device", "tpu"], "--device", "must be auto, cpu or cuda:N, got 'tpu'"),
        (["input", "--layout", "rain99"], "--layout", "must be one of manifest"),
        (["input", "--sheet", "sheet.docx"], "--sheet", "is no name of a picture"),
        (["input", "--scores", "{empty}"], "--scores", "is a folder; name a file"),
        (["input", "--save", "{text}"], "--save", "is a file; name a folder"),
        (["input", "--data", "{tmp}/none"], "--data", "does not exist"),
        (["input", "--data", "{empty}"], "--data", "is no dataset known here"),
        (["input", "--data", "{nothing}"], "--data", "holds no pair"),
    ],
)
def test_wrong_usage_says_what_to_do(tmp_path, arguments, option, message):
    root, places = with_manifest(tmp_path / "ours"), {"tmp": tmp_path, "text": tmp_path / "text.safetensors"}
    places |= {name: tmp_path / name for name in ("empty", "nothing")}
    for name in ("empty", "nothing"):
        places[name].mkdir()
    write_manifest(places["nothing"], [])
    places["text"].write_text("text")
    status, out, err = run("--data", root, *(argument.format(**places) for argument in arguments))
    assert (status, out) == (2, "")
    assert option in err
    # Frames break lines within paths.
    assert message.replace(" ", "") in err.replace(" ", "")


def test_tables_in_a_pipe_are_wide_enough_for_paths(pairs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("long" * 15)
    for k in (1, 2, 10):
        put(folder / f"rain-{k:03}.png", clean(k))
    _, out, _ = run(folder, "-d", pairs)
    assert max(map(len, out.splitlines()[1:])) <= WIDTH
    assert "long" * 15 in out


def test_an_interruption_has_its_own_status(pairs, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("rainnet.evaluate.compare.score_of", stop)
    status, out, err = run("input", "-d", pairs)
    assert (status, out) == (130, "")
    assert "interrupted: 0 of 3 pictures" in err


def test_pairs_of_any_two_folders_are_scored(tmp_path):
    for k in (1, 2):
        put(tmp_path / "storm" / f"cam{k}_wet.png", rainy(k))
        put(tmp_path / "truth" / f"{k}.png", clean(k))
    sides = ("--rainy", tmp_path / "storm", "--clean", tmp_path / "truth", "--match", "[0-9]+")
    status, out, err = run("input", *sides, "-p", "rgb", "--json")
    assert status == 0, err
    expected = np.mean([rainopt.psnr(rainy(k), clean(k)) for k in (1, 2)])
    assert json.loads(out)["means"]["rgb"]["psnr"] == pytest.approx(expected)
    for wrong, message in (
        (sides[:2], "name both"),
        ((*sides, "--data", tmp_path), "leave --data out"),
        ((), "name --data, or two folders"),
        ((*sides[:4], "--match", "("), "must be a regular expression"),
    ):
        status, _, err = run("input", *wrong)
        assert status == 2
        assert message in err


def test_a_network_may_be_the_mean_over_mirror_images(tmp_path, pairs):
    net = random_udgnet()
    file = rainnet.save(net, tmp_path / "net.safetensors")
    status, _, err = run(file, "-d", pairs, "--angle", "5", "--ensemble", "2", "--save", tmp_path / "made", "-n", "1")
    assert status == 0, err
    (made,) = (tmp_path / "made").rglob("*.png")
    picture = read_image(pairs / "rain" / "rain-001.png")
    expected = rainnet.derain(net, picture, angle=5.0, ensemble=2).background
    np.testing.assert_array_equal(read_image(made), np.rint(expected * 255))
    status, _, err = run(file, "-d", pairs, "--ensemble", "3")
    assert status == 2
    assert "must be 1, 2 or 4, got 3" in err
