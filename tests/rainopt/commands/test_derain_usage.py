"""The options of `rainopt derain`: what they do, and what is refused before anything is done."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

import rainopt
from rainopt.commands.derain import parse_weights
from rainopt.commands.main import app
from tests.support.photos import files, save_photo
from tests.support.processes import call


def entry(*arguments):
    status, out, err = call(app, "derain", *arguments, "--json", "--overwrite")
    assert (status, err) == (0, "")
    return json.loads(out)


def test_one_file_to_a_name(here):
    save_photo(here / "a.png")
    status, out, err = call(app, "derain", "a.png", "-o", "new/dry.jpg", "--angle", "12.5", "--compare")
    assert (status, err) == (0, "")
    assert re.fullmatch(r"a\.png → new/dry\.jpg  rain at \+12\.5°, \d\.\d % light removed, \d+\.\d\d s\n", out)
    assert files(here).keys() == {"a.png", "new/dry.jpg", "new/dry_compare.png"}
    assert Path("new/dry.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_settings_reach_the_solver(here):
    save_photo(here / "a.png")
    usual = entry("a.png", "-o", "usual.png")
    assert usual["confidence"] > 0
    given = entry("a.png", "-o", "given.png", "--angle", "-12")
    assert given["angle"] == -12
    assert "confidence" not in given
    assert entry("a.png", "-o", "b.png", "--max-iter", "2", "--tol", "0")["iterations"] <= 2
    assert entry("a.png", "-o", "c.png", "--tol", "0.005")["gap"] <= 0.0051  # and what rounding adds
    assert entry("a.png", "-o", "d.png", "--weights", "lambda_y=0.06, sparsity=0.001")["rain"] > usual["rain"]
    assert entry("a.png", "-o", "e.png", "--weights", "sparsity=0.1")["rain"] < usual["rain"]
    for name, weights in (("f.png", "tau=0.005,lambda_x=0.05,lambda_y=0.02,sparsity=0.005"), ("g.png", "tau=0.005")):
        assert entry("a.png", "-o", name, "--weights", weights)["rain"] != usual["rain"]
    assert (here / "f.png").read_bytes() == (here / "g.png").read_bytes() != (here / "usual.png").read_bytes()
    assert entry("a.png", "-o", "h.png", "--strength", "2")["rain"] > usual["rain"]
    assert entry("a.png", "-o", "i.png", "--strength", "0")["rain"] == 0
    assert entry("a.png", "-o", "veil.png", "--veil")["veil"] > 0
    bare, veiled = (np.asarray(Image.open(here / name)).astype(int) for name in ("usual.png", "veil.png"))
    assert (veiled <= bare).all()
    assert veiled.mean() < bare.mean() - 3
    for quality in (30, 95):
        entry("a.png", "-o", f"{quality}.jpg", "--quality", quality)
    assert (here / "30.jpg").stat().st_size < (here / "95.jpg").stat().st_size


def test_weights_are_read():
    weights = parse_weights(" tau = 0.01 ,lambda_y=1e-3")
    assert weights == rainopt.UDGWeights(tau=0.01, lambda_y=0.001)
    assert parse_weights(None) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "NAME=VALUE"),
        ("tau=", "tau"),
        ("tau=high", "high"),
        ("bounded=1", "bounded=1"),
        ("tau=-1", "tau"),
        ("sparsity=inf", "sparsity"),
        ("tau:0.1", "tau:0.1"),
    ],
)
def test_weights_that_make_no_sense(text, said):
    with pytest.raises(typer.BadParameter) as caught:
        parse_weights(text)
    assert caught.value.param_hint == "--weights"
    assert said in caught.value.message


def test_the_default_weights_that_help_names_are_the_defaults():
    (text,) = (
        option.help for option in typer.main.get_command(app).commands["derain"].params if option.name == "weights"
    )
    found = {name: float(value) for name, value in re.findall(r"(\w+)=([\d.]+\d)", text)}
    defaults = rainopt.UDGWeights()
    assert found == {name: getattr(defaults, name) for name in ("tau", "lambda_x", "lambda_y", "sparsity")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.png", "-o", "out", "--angle", "-90"], "(-90, 90] degrees, got -90"),
        (["a.png", "-o", "out", "--angle", "steep"], "--angle"),
        (["a.png", "-o", "out", "--device", "gpu"], "auto, cpu or cuda:N"),
        (["a.png", "-o", "out", "--device", "cuda:99"], "cuda:99"),
        (["a.png", "-o", "out", "--quality", "0"], "--quality"),
        (["a.png", "-o", "out", "--quality", "101"], "--quality"),
        (["a.png", "-o", "out", "--crf", "52"], "--crf"),
        (["a.png", "-o", "out", "--jobs", "0"], "--jobs"),
        (["a.png", "-o", "out", "--max-iter", "0"], "--max-iter"),
        (["a.png", "-o", "out", "--tol", "-0.1"], "--tol"),
        (["a.png", "-o", "out", "--tol", "nan"], "--tol"),
        (["a.png", "-o", "out", "--strength", "-1"], "--strength"),
        (["a.png", "-o", "out", "--strength", "nan"], "--strength"),
        (["a.png", "-o", "out", "--strength", "2", "--weights", "tau=0.01"], "--strength"),
        (["a.png", "-o", "out", "--weights", "gamma=1"], "--weights"),
        (["a.png", "-o", "out", "--fast"], "--fast"),
        (["-o", "out"], "INPUT"),
        (["a.png"], "--output"),
        # Where results would lie; more of this is tested with `rainopt.app.inputs`.
        (["a.png", "-o", ".", "--overwrite"], "the input itself"),
        (["a.png", "a_rain.png", "-o", "out", "--save-rain"], "would both become 'out/a_rain.png'"),
    ],
)
def test_wrong_usage_is_status_2_before_anything_is_done(here, arguments, said):
    for name in ("a.png", "a_rain.png"):
        save_photo(here / name)
    before = files(here)
    status, out, err = call(app, "derain", *arguments)
    assert (status, out) == (2, "")
    assert said in err
    assert files(here) == before
