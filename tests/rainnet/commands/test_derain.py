"""`rainnet derain`: what the network adds; what is true of all derained files is tested in `tests/rainopt/app`."""

import json
import pickle
import re

import numpy as np
import pytest

import rainnet
from rainnet.commands.derain import Derain
from rainnet.commands.derain_photo import PhotoRecord
from rainnet.commands.main import app
from rainnet.commands.networks import NetworkSettings
from rainnet.infer.derain import derain
from rainopt.app.results import OutputSettings
from rainopt.io import read_image, write_image
from tests.support.photos import files
from tests.support.processes import call

H, W = 64, 80
KEYS = {"input", "output", "status", "angle", "height", "width", "rain", "removed", "seconds"}


def scene(seed=0, dtype=np.uint8):
    rng = np.random.default_rng(seed)
    row, column = np.mgrid[:H, :W] / 11
    smooth = 0.5 + 0.2 * np.sin(row + seed)[..., None] * np.cos(column)[..., None] * rng.uniform(0.5, 1, 3)
    streaks = np.kron(rng.random((H // 16, W)) > 0.9, np.ones((16, 1)))
    return np.rint((smooth + 0.2 * streaks[..., None]).clip(0, 1) * np.iinfo(dtype).max).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_picture_becomes_what_the_network_makes_of_it(here, model, dtype):
    write_image(here / "a.png", scene(dtype=dtype))
    options = ("-m", model, "--angle", "12", "--save-rain", "--compare")
    status, out, err = call(app, "derain", "a.png", "-o", "out", *options)
    assert (status, err) == (0, "")
    assert re.fullmatch(r"a\.png → out/a\.png  rain at \+12\.0°, -?\d+\.\d % light removed, \d+\.\d\d s\n", out)
    assert files(here).keys() == {"a.png", "out/a.png", "out/a_rain.png", "out/a_compare.png"}
    expected, full = derain(rainnet.load(model), scene(dtype=dtype), angle=12.0), np.iinfo(dtype).max
    for name, layer in (("a", expected.background), ("a_rain", expected.rain)):
        written = read_image(here / f"out/{name}.png")
        assert written.dtype == dtype
        assert np.abs(written - full * layer.astype(float)).max() < 0.6
    assert np.abs(expected.background - scene() / 255).mean() > 0.005


@pytest.mark.parametrize(
    ("options", "settings"),
    [
        (["--angle", "solver", "--polish", "20"], {"angle": "solver", "polish": 20}),
        (["--angle", "solver", "--tile", "32", "--batch", "3"], {"angle": "solver", "tile": 32}),
        (["--angle", "network"], {"angle": "network"}),
        (["--angle", "12", "--angle", "-25.5"], {"angle": (12.0, -25.5)}),
        (["--angle", "-70", "--ensemble", "4"], {"angle": -70.0, "ensemble": 4}),
    ],
)
def test_settings_reach_the_network(here, model, options, settings):
    write_image(here / "a.png", scene())
    assert call(app, "derain", "a.png", "-o", "b.png", "-m", model, *options)[0] == 0
    expected = derain(rainnet.load(model), scene(), **settings).background * 255
    assert np.abs(read_image(here / "b.png") - expected).max() < 0.51


def test_json_has_its_keys_and_a_picture_without_rain_says_so(here, model):
    write_image(here / "a.png", scene())
    write_image(here / "dry.png", np.full((H, W, 3), 90, np.uint8))
    _, out, _ = call(app, "derain", "a.png", "-o", "out", "-m", model, "--angle", "0", "--json")
    done = json.loads(out)
    assert done.keys() == KEYS
    result = derain(rainnet.load(model), scene(), angle=0.0)
    assert done["rain"] == pytest.approx(result.rain.mean(), rel=1e-4)
    assert done["removed"] == pytest.approx((scene() / 255 - result.background).mean(), rel=1e-3)
    _, out, _ = call(app, "derain", "dry.png", "-o", "out", "-m", model)
    assert "no rain seen, left as it is; --angle removes rain all the same" in out
    np.testing.assert_array_equal(read_image(here / "out/dry.png"), np.full((H, W, 3), 90))


def test_the_network_is_read_once_and_its_record_fits_into_a_line(here, model, monkeypatch):
    from rainnet.weights import checkpoint

    reads, real = [], checkpoint.load
    monkeypatch.setattr(checkpoint, "load", lambda *args, **more: reads.append(args) or real(*args, **more))
    other = here / "other.safetensors"
    other.write_bytes(model.read_bytes())
    for number in range(3):
        write_image(here / f"{number}.png", scene(number))
    assert call(app, "derain", "0.png", "1.png", "2.png", "-o", "out", "-m", other)[0] == 0
    assert len(reads) == 1
    record = PhotoRecord("a.png", "b.png", "ok", height=3, width=4, rain=0.2, removed=0.04, seconds=1.5)
    assert record.line() == "a.png → b.png  4.0 % light removed, 1.50 s"


@pytest.mark.slow
def test_two_at_a_time_write_the_same(here, model):
    for number in range(2):
        write_image(here / f"{number}.png", scene(number))
    assert call(app, "derain", "0.png", "1.png", "-o", "one", "-m", model)[0] == 0
    assert call(app, "derain", "0.png", "1.png", "-o", "two", "-m", model, "--jobs", "2")[::2] == (0, "2 derained")
    assert files(here / "one") == files(here / "two")


def test_the_work_travels_to_other_processes(model):
    task = Derain(output=OutputSettings(), settings=NetworkSettings(model=model))
    assert pickle.loads(pickle.dumps(task)) == task


@pytest.mark.parametrize(
    ("options", "where", "message"),
    [
        (["--angle", "left"], "--angle", "'network' or 'solver', got 'left'"),
        (["--angle", "-95"], "--angle", "(-90, 90]"),
        (["--angle", "3", "--angle", "3.5"], "--angle", "1 degree apart"),
        (["--angle", "3", "--angle", "solver"], "--angle", "'solver' finds the direction itself"),
        (["--angle", "3", "--angle", "9", "--polish", "20"], "--polish", "one direction"),
        (["--ensemble", "3"], "--ensemble", "must be 1, 2 or 4, got 3"),
        (["--tile", "20"], "--tile", "at least 32 pixels, got 20"),
        (["--device", "cuda:77"], "--device", "there is no device 'cuda:77'"),
        (["--model", "nowhere.safetensors"], "--model", "there is no file 'nowhere.safetensors'"),
        (["--model", "bad.safetensors"], "--model", "'bad.safetensors'"),
        (["--model", "official.pth"], "--model", "rainnet convert"),
        (["-o", "a.png"], "--output", "input itself"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(here, model, options, where, message):
    write_image(here / "a.png", scene())
    (here / "bad.safetensors").write_bytes(b"no network at all")
    (here / "official.pth").write_bytes(b"whatever")
    before = files(here)
    status, out, err = call(app, "derain", "a.png", "-o", "out", "-m", model, *options)
    assert (status, out) == (2, "")
    assert where in err
    assert message in err
    assert files(here) == before
