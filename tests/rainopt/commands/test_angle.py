"""`rainopt angle` as its user runs it."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from data_tools import RainDirection, RainSpec, add_rain
from rainopt.commands import main as cli
from rainopt.commands.angle_photo import AngleRecord


def call(*arguments):
    result = CliRunner().invoke(cli.app, ["angle", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


def save(path, spec=None):
    y, x = np.mgrid[:320, :400]
    clean = np.stack([0.45 + 0.2 * np.sin(x / 33 + c) * np.cos(y / 29 - c) for c in range(3)], axis=-1)
    image = clean if spec is None else add_rain(clean, spec, np.random.default_rng(0)).rainy
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(255 * image).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def album(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "in" / "rain.png", RainSpec(angle=-12.0, angle_spread=0.5, density=3000.0))
    directions = (RainDirection(-20.0, 1.0), RainDirection(20.0, 1.0))
    save(tmp_path / "in" / "sub" / "two.jpg", RainSpec(angle=5.0, directions=directions, density=2000.0))
    save(tmp_path / "in" / "dry.png")
    return tmp_path


def test_the_table_has_a_row_for_each_picture(album):
    status, out, _ = call("in")
    assert status == 0
    header, *rows = out.splitlines()
    assert header.split() == ["angle", "confidence", "directions", "file"]
    rows = {row.split()[-1].rpartition("/")[2]: row for row in rows}
    assert set(rows) == {"rain.png", "two.jpg", "dry.png"}
    assert float(rows["rain.png"].split()[0].rstrip("°")) == pytest.approx(-12, abs=1)
    assert "one" in rows["rain.png"]
    assert rows["two.jpg"].count("%") == 2
    assert "no rain seen" in rows["dry.png"]
    assert rows["dry.png"].split()[0] == "-"
    assert not (album / "out").exists()


def test_json_is_one_object_a_line(album):
    status, out, err = call("in", "--json")
    assert (status, err) == (0, "")
    found = {entry["input"].rpartition("/")[2]: entry for entry in map(json.loads, out.splitlines())}
    rain, two, dry = (found[name] for name in ("rain.png", "two.jpg", "dry.png"))
    keys = {"input", "status", "angle", "confidence", "directions", "height", "width", "seconds"}
    assert set(rain) == set(dry) == keys
    assert rain["angle"] == pytest.approx(-12, abs=1)
    assert rain["confidence"] > 0.5 > dry["confidence"]
    assert sorted(d["angle"] for d in two["directions"]) == pytest.approx([-15, 25], abs=1)
    assert dry["directions"] == []
    assert (rain["height"], rain["width"]) == (320, 400)


def test_overlays_are_written_and_kept(album):
    status, _, _ = call("in", "--overlay", "look")
    assert status == 0
    written = {p.relative_to(album / "look").as_posix() for p in (album / "look").rglob("*.png")}
    assert written == {"rain_angle.png", "sub/two_angle.png", "dry_angle.png"}
    with Image.open(album / "look" / "rain_angle.png") as picture:
        pixels = np.asarray(picture)
    assert pixels.shape[1:] == (400, 3)
    before = (album / "look" / "rain_angle.png").stat().st_mtime_ns
    status, out, _ = call("in", "--overlay", "look")
    assert status == 0
    assert out.count("--overwrite to do it again") == 3
    assert (album / "look" / "rain_angle.png").stat().st_mtime_ns == before
    call("in", "--overlay", "look", "--overwrite")
    assert (album / "look" / "rain_angle.png").stat().st_mtime_ns > before


def test_bad_files_are_named_and_the_others_done(album):
    (album / "in" / "broken.png").write_bytes(b"no picture")
    status, out, err = call("in", "nowhere.png", "--jobs", "2")
    assert status == 1
    assert len(out.splitlines()) == 4
    assert "broken.png" in err
    assert "nowhere.png" in err
    assert "3 estimated, 2 failed" in err


def test_wrong_usage_is_status_2(album):
    (album / "file").write_text("")
    assert call()[0] == 2
    status, _, err = call("in", "--overlay", "in")
    assert status == 2
    assert "--overlay" in err
    assert call("in", "--overlay", "file")[0] == 2
    # The name of the result is not free.
    status, _, err = call("in/rain.png", "--overlay", "look.png")
    assert status == 2
    assert "folder" in err
    (album / "look.png").mkdir()
    assert call("in/rain.png", "--overlay", "look.png")[0] == 0


def test_two_pictures_of_one_overlay_are_refused(album):
    save(album / "in" / "rain.jpg")
    status, _, err = call("in", "--overlay", "look")
    assert status == 2
    assert "rain_angle.png" in err
    # Without pictures there is nothing to clash.
    assert call("in")[0] == 0


def test_captions_say_what_was_found():
    found = {"directions": [{"angle": -12.0, "share": 0.7}, {"angle": 8.5, "share": 0.3}], "confidence": 0.91}
    assert AngleRecord("a", None, "ok", **found).caption() == "rain at -12.0° (70 %) and +8.5° (30 %), confidence 0.91"
    assert AngleRecord("a", None, "ok", directions=[], confidence=0.1).caption() == "no rain seen, confidence 0.10"
