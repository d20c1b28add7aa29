"""`rainnet evaluate`: scores against scores by hand, whatever can be missing, and what is written."""

import json
import math
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

import rainopt
from data_tools import RainSpec, add_rain
from data_tools.layouts.read import Layout, Pair, read_dataset
from data_tools.manifest.file import Record, write_manifest
from rainnet.commands.evaluate import evaluate as command
from rainnet.commands.evaluate import parse_angle
from rainnet.evaluate.compare import chosen_pairs, evaluate
from rainnet.evaluate.follow import WIDTH
from rainnet.evaluate.methods import Function, MethodError, Results, find_methods
from rainnet.evaluate.report import MethodReport, Report, Score
from rainnet.evaluate.save import Saver
from rainnet.evaluate.sheet import CELL, Worst
from rainnet.evaluate.table import tables
from rainopt import read_image, write_image
from rainopt.app.sheet import CAPTION, GAP
from rainopt.metrics.fidelity import PROTOCOLS

SIZE = (40, 56)
app = typer.Typer(pretty_exceptions_enable=False)
app.command()(command)


def call(*arguments):
    """Run the command in this process; return status, standard output, and standard error without frames."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    plain = re.sub(r"\x1b\[[\d;]*m", "", result.stderr)
    return result.exit_code, result.stdout, " ".join(re.sub(r"[│╭╮╰╯─]", " ", plain).split())


def clean(seed, size=SIZE):
    """Return a smooth coloured picture, uint8, and rain over it."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: size[0], : size[1]]
    planes = [0.4 + 0.2 * np.sin(x / rng.uniform(4, 9) + k) + 0.1 * np.cos(y / rng.uniform(4, 9)) for k in range(3)]
    return np.rint(np.stack(planes, axis=-1) * 255).astype(np.uint8)


def rainy(seed, size=SIZE):
    wet = add_rain(clean(seed, size) / 255, RainSpec(angle=10.0, length=12.0), np.random.default_rng(seed)).rainy
    return np.rint(wet * 255).astype(np.uint8)


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_image(path, image)


@pytest.fixture
def rain100(tmp_path):
    """Three pairs as Rain100L has them."""
    root = tmp_path / "Rain100L"
    for k in (1, 2, 10):
        save(root / "rain" / f"rain-{k:03}.png", rainy(k))
        save(root / "norain" / f"norain-{k:03}.png", clean(k))
    return root


@pytest.fixture
def manifest(tmp_path):
    """Three pairs of two splits, named by a manifest."""
    root, records = tmp_path / "ours", []
    for k, split in ((1, "train"), (2, "val"), (3, "val")):
        save(root / "wet" / f"{k}.png", rainy(k))
        save(root / "dry" / f"{k}.png", clean(k))
        records.append(Record(f"scene{k}", rainy=f"wet/{k}.png", clean=f"dry/{k}.png", split=split))
    write_manifest(root, records)
    return root


@pytest.fixture
def photographs(tmp_path):
    """Two rainy pictures without truth, of which one is too small for NIQE."""
    root = tmp_path / "photographs"
    save(root / "large.png", rainy(5, (200, 240)))
    save(root / "small.png", rainy(6))
    return root


def by_hand(root, score):
    """Return the mean of a score over all pairs."""
    return np.mean([score(read_image(pair.rainy), read_image(pair.clean)) for pair in read_dataset(root)])


@pytest.mark.parametrize("dataset", ["rain100", "manifest"])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_input_scores_what_psnr_and_ssim_say_of_the_pairs(dataset, protocol, request):
    root = request.getfixturevalue(dataset)
    report = evaluate(find_methods(["input"]), read_dataset(root), [protocol])
    (method,) = report.methods
    assert len(method.scores) == report.pictures == 3
    assert report.ok
    assert method.psnr(protocol) == pytest.approx(by_hand(root, lambda a, b: rainopt.psnr(a, b, protocol)))
    assert method.ssim(protocol) == pytest.approx(by_hand(root, lambda a, b: rainopt.ssim(a, b, protocol)))
    assert 10 < method.psnr(protocol) < 50


def test_the_protocols_on_y_differ_by_the_ratio_of_their_ranges(rain100):
    (method,) = evaluate(find_methods(["input"]), read_dataset(rain100), ["y_full", "y_matlab", "y_full"]).methods
    gap = method.psnr("y_matlab") - method.psnr("y_full")
    assert gap == pytest.approx(20 * math.log10(255 / 219), abs=1e-4)
    assert gap == pytest.approx(1.32, abs=0.005)


def test_results_that_are_the_truth_have_infinite_psnr(rain100, tmp_path):
    for k in (1, 2, 10):
        save(tmp_path / "perfect" / f"rain-{k:03}.png", clean(k))
    file = tmp_path / "scores.json"
    status, out, _ = call("input", tmp_path / "perfect", "--data", rain100, "--json", file)
    assert status == 0
    assert re.search(r"perfect\s*│\s*3 │\s*inf │\s*1\.0000 │\s*- │", out)
    data = json.loads(file.read_text(), parse_constant=pytest.fail)
    means = data["methods"][1]["means"]["y_matlab"]
    assert means == {"psnr": None, "ssim": 1.0, "pictures": 3, "equal": 3}
    assert [each["scores"]["y_matlab"]["equal"] for each in data["methods"][1]["each"]] == [True] * 3
    assert [each["scores"]["y_matlab"]["psnr"] for each in data["methods"][1]["each"]] == [None] * 3
    assert not any(each["scores"]["y_matlab"]["equal"] for each in data["methods"][0]["each"])


def test_equal_results_are_counted_beside_the_mean_of_the_others():
    scores = tuple(Score(str(k), {"rgb": value}, {"rgb": 1.0}) for k, value in enumerate((30.0, math.inf, 40.0)))
    method = MethodReport("mixed", scores)
    assert (method.psnr("rgb"), method.equal("rgb")) == (35.0, 1)
    (table,) = tables(Report("", "folders", None, ("rgb",), 3, (method,)))
    assert str(next(iter(table.columns[2].cells))) == "35.00 (+1 equal)"


def test_a_missing_result_is_named_and_the_others_are_scored(rain100, tmp_path):
    for k in (1, 10):
        save(tmp_path / "some" / f"rain-{k:03}.jpg", clean(k))
    status, out, err = call("input", tmp_path / "some", "-d", rain100, "--json", tmp_path / "a.json")
    assert status == 1
    assert f"rain-002.png': has no result in '{tmp_path / 'some'}'" in err
    assert "2 (1 failed)" in out
    ours = json.loads((tmp_path / "a.json").read_text())["methods"]
    assert [method["failed"] for method in ours] == [0, 1]
    assert [each["picture"] for each in ours[1]["each"]] == ["rain/rain-001", "rain/rain-010"]
    assert ours[1]["failures"][0]["picture"] == "rain/rain-002"


@pytest.mark.parametrize(
    "places",
    [
        ["rain/rain-001.png", "rain/rain-002.webp", "rain/rain-010.tif"],
        ["rain-001.png", "rain-002.png", "rain-010.png"],
        ["a/b/rain-001.png", "c/rain-002.png", "rain/rain-010.png"],
        # Beside other files of the same name, the place as in the dataset counts,
        ["rain/rain-001.png", "rain/rain-002.png", "rain/rain-010.png", "norain/rain-001.png", "rain-002_compare.png"],
        # and beside others of the same place, the suffix.
        ["rain-001.png", "rain-001.jpg", "rain-002.png", "rain-010.png", ".hidden/rain-010.png"],
    ],
)
def test_results_are_found_by_place_or_name_whatever_their_suffix(rain100, tmp_path, places):
    for place in places:
        save(tmp_path / "out" / place, clean(1))
    pairs = chosen_pairs(read_dataset(rain100))
    found = Results("out", tmp_path / "out").match(pairs, rain100)
    assert [found[pair.rainy] for pair in pairs] == [tmp_path / "out" / place for place in places if _first(place)]


def _first(place):
    return place not in ("norain/rain-001.png", "rain-002_compare.png", "rain-001.jpg", ".hidden/rain-010.png")


def test_a_file_is_not_the_result_of_two_pictures(tmp_path):
    root, out = tmp_path / "data", tmp_path / "out"
    save(out / "1.png", clean(1))
    pairs = [Pair(root / part / "1.png", None, part, None, f"{part}/1") for part in ("a", "b")]
    found = Results("out", out).match(pairs, root)
    assert all("shares the result" in place and "1.png" in place for place in found.values())
    (out / "1.png").unlink()
    save(out / "x" / "1.png", clean(1))
    save(out / "y" / "1.png", clean(1))
    found = Results("out", out).match(pairs, root)
    assert all("several results" in place for place in found.values())
    save(out / "a" / "1.png", clean(1))
    save(out / "b" / "1.png", clean(1))
    found = Results("out", out).match(pairs, root)
    assert [place.relative_to(out).as_posix() for place in found.values()] == ["a/1.png", "b/1.png"]


def test_results_are_found_by_the_ids_of_a_manifest(manifest, tmp_path):
    for k in (1, 2, 3):
        save(tmp_path / "out" / f"scene{k}.png", clean(k))
    (method,) = evaluate(find_methods([str(tmp_path / "out")]), read_dataset(manifest)).methods
    assert method.equal("y_matlab") == 3


def test_rainopt_runs_as_derain_does(rain100):
    """Rounded to 8 bits, with the angle that was named."""
    (method,) = evaluate(find_methods(["rainopt"], angle=10.0), read_dataset(rain100), ["rgb"]).methods
    want = by_hand(
        rain100,
        lambda wet, dry: rainopt.psnr(np.rint(rainopt.derain(wet, angle=10.0).background * 255) / 255, dry, "rgb"),
    )
    assert method.psnr("rgb") == pytest.approx(want, abs=1e-4)
    assert method.psnr("rgb") > by_hand(rain100, rainopt.psnr) + 1
    assert method.seconds > 0


def test_order_of_methods_and_pictures_is_kept(rain100):
    names = ["c", "a", "b"]
    layout = read_dataset(rain100)
    report = evaluate([Function(name, lambda image: image) for name in names], layout, ["rgb", "y_full"])
    assert [method.name for method in report.methods] == names
    data = report.as_dict()
    assert [method["name"] for method in data["methods"]] == names
    assert list(data["methods"][0]["means"]) == ["rgb", "y_full"]
    for method in data["methods"]:
        assert [each["picture"] for each in method["each"]] == [pair.name for pair in layout]


def test_json_holds_the_report_whole(manifest, tmp_path):
    file = tmp_path / "new" / "scores.json"
    status, out, err = call("input", "-d", manifest, "--split", "val", "-p", "rgb", "-p", "y_full", "--json", file)
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
    assert data == json.loads(json.dumps(evaluated(manifest, "val")), parse_constant=pytest.fail) | {
        "methods": data["methods"]
    }


def evaluated(root, split):
    return evaluate(find_methods(["input"]), read_dataset(root), ["rgb", "y_full"], split=split).as_dict()


def test_every_protocol_has_its_own_table_and_the_best_is_bold(rain100):
    bright = Function("bright", lambda image: np.minimum(image, 200) + np.uint8(55))
    report = evaluate([bright, *find_methods(["input"])], read_dataset(rain100), ["rgb", "y_matlab"], niqe=True)
    made = tables(report)
    assert [re.match(r"PSNR and SSIM on (\w+)|NIQE", str(table.title))[1] for table in made[:2]] == ["rgb", "y_matlab"]
    for table in made[:2]:
        assert [cell.style for cell in table.columns[2].cells] == ["", "bold"]
    # Pictures of this size have no NIQE, so that there is no table of it.
    assert len(made) == 2


def test_a_mean_over_fewer_pictures_is_not_the_best():
    def method(name, values):
        return MethodReport(name, tuple(Score(str(k), {"rgb": v}, {"rgb": 0.5}) for k, v in enumerate(values)))

    report = Report("", "folders", None, ("rgb",), 2, (method("all", [30.0, 20.0]), method("easy one", [30.0])))
    (table,) = tables(report)
    assert [cell.style for cell in table.columns[2].cells] == ["bold", ""]


def test_without_truth_there_is_niqe_only(photographs):
    report = evaluate(find_methods(["input"]), read_dataset(photographs))
    (method,) = report.methods
    large, small = method.scores
    assert large.niqe == pytest.approx(rainopt.niqe(read_image(photographs / "large.png")))
    assert small.niqe is None
    assert large.psnr == small.psnr == {}
    assert (method.niqe, method.psnr("y_matlab"), report.ok) == (large.niqe, None, True)
    (table,) = tables(report)
    assert "NIQE" in str(table.title)


def test_niqe_of_pairs_is_scored_where_it_is_asked_for(tmp_path):
    save(tmp_path / "rain" / "1.png", rainy(1, (200, 200)))
    save(tmp_path / "norain" / "1.png", clean(1, (200, 200)))
    layout = read_dataset(tmp_path)
    (without,) = evaluate(find_methods(["input"]), layout).methods
    (with_niqe,) = evaluate(find_methods(["input"]), layout, niqe=True).methods
    assert without.niqe is None
    assert with_niqe.niqe == pytest.approx(rainopt.niqe(rainy(1, (200, 200))))


def test_results_are_rounded_to_the_depth_of_the_truth(tmp_path):
    deep = clean(1).astype(np.uint16) * 257
    for name, truth in (("eight", clean(1)), ("sixteen", deep)):
        save(tmp_path / name / "rain" / "1.png", truth)
        save(tmp_path / name / "norain" / "1.png", truth)
    # A third of a level of 8 bits is nothing in a file of 8 bits, and 86 levels of 16.
    near = Function("near", lambda image: image.astype(np.float64) / np.iinfo(image.dtype).max + 1 / 765)
    (eight,) = evaluate([near], read_dataset(tmp_path / "eight"), ["rgb"]).methods
    (sixteen,) = evaluate([near], read_dataset(tmp_path / "sixteen"), ["rgb"]).methods
    assert eight.equal("rgb") == 1
    assert sixteen.psnr("rgb") == pytest.approx(20 * math.log10(65535 / 86), abs=0.1)


def test_grey_results_count_as_three_equal_channels_and_alpha_as_nothing(tmp_path):
    grey = clean(1)[..., 0]
    save(tmp_path / "rain" / "1.png", grey)
    save(tmp_path / "norain" / "1.png", np.dstack([grey] * 3 + [grey // 2]))
    (method,) = evaluate(find_methods(["input"]), read_dataset(tmp_path), PROTOCOLS).methods
    assert [method.equal(protocol) for protocol in PROTOCOLS] == [1, 1, 1]


def test_small_pictures_have_no_ssim(tmp_path):
    save(tmp_path / "rain" / "1.png", rainy(1, (10, 30)))
    save(tmp_path / "norain" / "1.png", clean(1, (10, 30)))
    (method,) = evaluate(find_methods(["input"]), read_dataset(tmp_path)).methods
    assert method.ssim("y_matlab") is None
    assert method.psnr("y_matlab") == pytest.approx(rainopt.psnr(rainy(1, (10, 30)), clean(1, (10, 30)), "y_matlab"))


def test_seconds_leave_the_first_picture_out():
    def method(*seconds):
        return MethodReport("m", tuple(Score(str(k), seconds=s) for k, s in enumerate(seconds))).seconds

    assert method(9.0, 1.0, 3.0, 2.0) == 2.0
    assert method(9.0) is None
    assert method(None, None) is None


def test_a_network_is_compared_as_derain_runs_it(rain100, tmp_path):
    import torch

    import rainnet

    torch.manual_seed(1)
    net = rainnet.create("udgnet", features=4, blocks=1, angle_features=4, angle_stages=2)
    torch.nn.init.normal_(net.image_stream.last.weight, std=0.05)
    (tmp_path / "run").mkdir()
    file = rainnet.save(net, tmp_path / "run" / "model.safetensors")
    methods = find_methods([str(file), str(file.parent)], angle=10.0, device="cpu")
    one, same = evaluate(methods, read_dataset(rain100), ["rgb"], limit=2).methods
    assert one.psnr("rgb") == same.psnr("rgb")
    wet, dry = rainy(1), clean(1)
    result = rainnet.derain(net.eval(), wet, angle=10.0, device="cpu").background
    assert one.scores[0].psnr["rgb"] == pytest.approx(rainopt.psnr(np.rint(result * 255) / 255, dry), abs=1e-4)
    assert one.scores[0].psnr["rgb"] != rainopt.psnr(wet, dry)
    # Without being told the angle it finds one.
    assert evaluate(find_methods([str(file)], angle="network"), read_dataset(rain100), limit=1).ok


def test_a_method_that_fails_is_named_and_the_others_go_on(rain100):
    def fail(image):
        raise RuntimeError("out of luck")

    small = Function("small", lambda image: image[1:])
    wild = Function("wild", lambda image: image / 255 + 3)
    nothing = Function("nothing", lambda image: None)
    methods = [Function("broken", fail), small, wild, nothing, *find_methods(["input"])]
    report = evaluate(methods, read_dataset(rain100))
    assert [len(method.failures) for method in report.methods] == [3, 3, 3, 3, 0]
    assert not report.ok
    assert re.match("broken: '.*rain-001.png': RuntimeError: out of luck", report.methods[0].failures[0].error)
    assert "the result has 39 x 56 pixels and the picture 40 x 56" in report.methods[1].failures[0].error
    assert "must lie in [0, 1]" in report.methods[2].failures[0].error
    assert "must be (H, W) or (H, W, C), got shape ()" in report.methods[3].failures[0].error


def test_pictures_that_cannot_be_compared_are_named_and_the_others_done(rain100, tmp_path):
    (rain100 / "rain" / "rain-001.png").write_bytes(b"no picture")
    save(rain100 / "norain" / "norain-002.png", clean(2, (41, 56)))
    status, _, err = call("input", "rainopt", "-d", rain100, "--angle", "10", "--json", tmp_path / "a.json")
    assert status == 1
    assert "rain-001.png' is not a PNG" in err
    assert re.search(r"rain-002.png' has 40 x 56 pixels and its truth '.*norain-002.png' 41 x 56", err)
    assert err.count("failed") == 2
    data = json.loads((tmp_path / "a.json").read_text())
    assert [failure["picture"] for failure in data["failures"]] == ["rain/rain-001", "rain/rain-002"]
    assert [method["pictures"] for method in data["methods"]] == [1, 1]


def test_partners_that_are_missing_are_named(rain100):
    (rain100 / "norain" / "norain-010.png").unlink()
    status, _, err = call("input", "-d", rain100)
    assert status == 1
    assert "'rain/rain-010.png' has no clean image" in err


def test_sheet_shows_the_worst_pictures_of_the_last_method(rain100, tmp_path):
    file = tmp_path / "look" / "sheet.png"
    status, _, _ = call("input", "rainopt", "-d", rain100, "--angle", "10", "--sheet", file, "--worst", "2")
    assert status == 0
    sheet = read_image(file)
    rows, columns = 2, 4  # input, rainopt, truth, difference
    assert sheet.shape == (rows * (CELL[1] + CAPTION + GAP) + GAP, columns * (CELL[0] + GAP) + GAP, 3)
    scores = {k: rainopt.psnr(rainy(k), clean(k), "y_matlab") for k in (1, 2, 10)}
    worst = Worst(2, "input", "y_matlab")
    evaluate(find_methods(["input"]), read_dataset(rain100), watch=worst)
    order = sorted(scores, key=scores.get)[:2]
    assert [row.captions[0] for row in worst.rows()] == [f"rain/rain-{k:03}  input {scores[k]:.2f} dB" for k in order]
    row = worst.rows()[0]
    assert len(row.images) == 3
    difference = np.abs(rainy(order[0]) / 255 - clean(order[0]) / 255)
    np.testing.assert_allclose(row.images[2], np.minimum(4 * difference, 1), atol=1e-6)


def test_sheet_without_truth_goes_by_niqe(tmp_path):
    for k in (1, 2, 3):
        save(tmp_path / "data" / f"{k}.png", rainy(k, (200, 240)))
    save(tmp_path / "data" / "small.png", rainy(4))
    scores = {str(k): rainopt.niqe(rainy(k, (200, 240))) for k in (1, 2, 3)}
    worst = Worst(5, "input", "y_matlab")
    evaluate(find_methods(["input"]), read_dataset(tmp_path / "data"), watch=worst)
    assert [row.captions for row in worst.rows()] == [[k] for k in sorted(scores, key=scores.get, reverse=True)]


def test_no_sheet_is_said(tmp_path):
    save(tmp_path / "data" / "small.png", rainy(4))
    status, _, err = call("input", "-d", tmp_path / "data", "--sheet", tmp_path / "sheet.png")
    assert status == 1
    assert "was not written: no picture has a score of 'input'" in err
    assert not (tmp_path / "sheet.png").exists()


def test_saved_results_score_as_when_they_were_made(manifest, tmp_path):
    first, again, out = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "out"
    assert call("input", "rainopt", "-d", manifest, "--angle", "10", "--save", out, "--json", first)[0] == 0
    assert [path.name for path in out.iterdir()] == ["rainopt"]
    assert call(out / "rainopt", "-d", manifest, "--json", again)[0] == 0
    means = [json.loads(file.read_text())["methods"][-1]["means"] for file in (first, again)]
    assert means[0] == means[1]


def test_saved_names_stay_in_the_folder_and_floats_keep_16_bits(tmp_path):
    image = np.full((12, 12), 0.1234, np.float32)
    (tmp_path / "data").mkdir()
    write_image(tmp_path / "data" / "1.tif", image, bits=32)
    pair = Pair(tmp_path / "data" / "1.tif", None, "s", None, "../../1")
    saver = Saver(tmp_path / "out", ["runs/a/model.safetensors"])
    layout = Layout("unpaired", tmp_path / "data", (pair,))
    evaluate([Function("runs/a/model.safetensors", lambda image: image)], layout, watch=saver)
    assert list(saver.places([pair])) == [tmp_path / "out" / "runs_a_model" / "1.png"]
    assert read_image(tmp_path / "out" / "runs_a_model" / "1.png")[0, 0] == round(0.1234 * 65535)
    evaluate([Function("runs/a/model.safetensors", lambda image: image)], layout, watch=saver)
    assert "exists already" in saver.failures[0]
    with pytest.raises(ValueError, match="share a folder"):
        Saver(tmp_path, ["a/b", "a_b"])


@pytest.mark.parametrize("option", ["--json", "--sheet", "--save"])
def test_nothing_is_replaced_unless_it_is_allowed(rain100, tmp_path, option):
    place = tmp_path / ("out" if option == "--save" else "out.png")
    arguments = ("rainopt", "-d", rain100, "--angle", "10", "-n", "1", option, place)
    assert call(*arguments)[0] == 0
    file = next(place.rglob("*.png")) if option == "--save" else place
    file.write_bytes(b"mine")
    status, out, err = call(*arguments)
    assert (status, out) == (2, "")
    assert "is there already" in err
    assert option in err
    assert file.read_bytes() == b"mine"
    assert call(*arguments, "--overwrite")[0] == 0
    assert file.read_bytes() != b"mine"


def test_limit_takes_the_first_pictures(rain100):
    assert [pair.name for pair in chosen_pairs(read_dataset(rain100), limit=2)] == ["rain/rain-001", "rain/rain-002"]


@pytest.mark.parametrize(
    ("arguments", "option", "message"),
    [
        (["rainop"], "METHOD", "no file or folder 'rainop', and 'rainop' is no method; did you mean 'rainopt'?"),
        (["nothing/at/all"], "METHOD", "no file or folder 'nothing/at/all'"),
        (["input", "input"], "METHOD", "'input' is named twice"),
        (["{empty}"], "METHOD", "holds neither a network (.safetensors) nor pictures"),
        (["{text}"], "METHOD", "is no whole safetensors file"),
        (["input", "--protocol", "y_matlba"], "--protocol", "did you mean 'y_matlab'?"),
        (["input", "--split", "trian"], "--split", "did you mean 'train'?"),
        (["input", "--angle", "left"], "--angle", "must be a number of degrees, 'network' or 'solver', got 'left'"),
        (["input", "--angle", "-90"], "--angle", "must be in (-90, 90] degrees"),
        (["input", "--device", "tpu"], "--device", "must be auto, cpu or cuda:N, got 'tpu'"),
        (["input", "--layout", "rain99"], "--layout", "must be one of manifest"),
        (["input", "--sheet", "sheet.docx"], "--sheet", "is no name of a picture"),
        (["input", "--json", "{empty}"], "--json", "is a folder; name a file"),
        (["input", "--save", "{text}"], "--save", "is a file; name a folder"),
        (["input", "--limit", "0"], "--limit", "1"),
    ],
)
def test_wrong_usage_says_what_to_do(manifest, tmp_path, arguments, option, message):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.safetensors").write_text("text")
    places = {"empty": tmp_path / "empty", "text": tmp_path / "text.safetensors"}
    status, out, err = call(*(argument.format(**places) for argument in arguments), "--data", manifest)
    assert (status, out) == (2, "")
    assert option in err
    # Frames break lines within paths.
    assert message.replace(" ", "") in err.replace(" ", "")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda root: root, "does not exist"),
        (lambda root: root.mkdir(), "is no dataset known here"),
        (lambda root: write_manifest(save(root / "x.png", clean(1)).parent, []), "holds no pair"),
    ],
)
def test_no_pairs_is_wrong_usage(tmp_path, make, message):
    make(tmp_path / "data")
    status, _, err = call("input", "--data", tmp_path / "data")
    assert status == 2
    assert "--data" in err
    assert message in err


def test_the_function_refuses_what_makes_no_sense(rain100):
    layout = read_dataset(rain100)
    (method,) = find_methods(["input"])
    with pytest.raises(ValueError, match="at least one method"):
        evaluate([], layout)
    with pytest.raises(ValueError, match="different names, got 'input' twice"):
        evaluate([method, method], layout)
    with pytest.raises(ValueError, match="at least one of rgb"):
        evaluate([method], layout, [])
    with pytest.raises(ValueError, match="'Y' is no protocol"):
        evaluate([method], layout, ["Y"])
    with pytest.raises(ValueError, match=r"nothing in .* tells of splits"):
        evaluate([method], layout, split="val")
    with pytest.raises(ValueError, match="at least 1, got 0"):
        evaluate([method], layout, limit=0)
    with pytest.raises(ValueError, match="holds no pair"):
        evaluate([method], replace(layout, pairs=()))
    with pytest.raises(MethodError, match="no file or folder"):
        find_methods(["nowhere"])


@pytest.mark.parametrize(
    ("text", "angle"), [(None, None), ("network", "network"), ("solver", "solver"), ("12.5", 12.5)]
)
def test_angles_are_read(text, angle):
    assert parse_angle(text) == angle


def test_tables_in_a_pipe_are_wide_enough_for_paths(rain100, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("long" * 15)
    for k in (1, 2, 10):
        save(folder / f"rain-{k:03}.png", clean(k))
    _, out, _ = call(folder, "-d", rain100)
    assert max(map(len, out.splitlines()[1:])) <= WIDTH
    assert "long" * 15 in out


def test_an_interruption_has_its_own_status(rain100, monkeypatch):
    def stop(*arguments, **named):
        raise KeyboardInterrupt

    monkeypatch.setattr("rainnet.evaluate.compare._score", stop)
    status, out, err = call("input", "-d", rain100)
    assert (status, out) == (130, "")
    assert "interrupted: 0 of 3 pictures" in err


def test_torch_is_not_imported_before_it_is_needed():
    modules = "rainnet.commands.evaluate, rainnet.evaluate.compare, rainnet.evaluate.follow"
    code = f"import sys, {modules}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "False"
