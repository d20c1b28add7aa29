"""`rainopt angle` as its user runs it."""

import json
import pickle

import numpy as np
import pytest
from PIL import Image

from data_tools import RainDirection, RainSpec, add_rain
from rainopt.commands.angle_photo import AngleRecord, FindAngle
from rainopt.commands.main import app
from tests.support.photos import clean, files, levels
from tests.support.processes import call


def angle(*arguments):
    return call(app, "angle", *arguments)


@pytest.fixture
def album(here):
    """A picture in rain, one in rain of two directions, and a dry one."""
    two = (RainDirection(-20.0, 1.0), RainDirection(20.0, 1.0))
    for name, spec in (
        ("in/rain.png", RainSpec(angle=-12.0, angle_spread=0.5, density=3000.0)),
        ("in/sub/two.jpg", RainSpec(angle=5.0, directions=two, density=2000.0)),
        ("in/dry.png", None),
    ):
        image = clean((320, 400))
        image = image if spec is None else add_rain(image, spec, np.random.default_rng(0)).rainy
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels(image)).save(here / name)
    return here


def test_the_table_has_a_row_for_each_picture(album):
    before = files(album)
    status, out, _ = angle("in")
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
    assert files(album) == before


def test_json_is_one_object_a_line(album):
    status, out, err = angle("in", "--json")
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
    assert angle("in", "--overlay", "look")[0] == 0
    assert files(album / "look").keys() == {"rain_angle.png", "sub/two_angle.png", "dry_angle.png"}
    picture = album / "look" / "rain_angle.png"
    assert np.asarray(Image.open(picture)).shape[1:] == (400, 3)
    before = picture.stat().st_mtime_ns
    status, out, _ = angle("in", "--overlay", "look")
    assert status == 0
    assert out.count("--overwrite to do it again") == 3
    assert picture.stat().st_mtime_ns == before
    angle("in", "--overlay", "look", "--overwrite")
    assert picture.stat().st_mtime_ns > before


def test_bad_files_are_named_and_the_others_done(album):
    (album / "in" / "broken.png").write_bytes(b"no picture")
    status, out, err = angle("in", "nowhere.png")
    assert status == 1
    assert len(out.splitlines()) == 4
    assert "broken.png" in err
    assert "nowhere.png" in err
    assert "3 estimated, 2 failed" in err
    # What several processes would be given.
    assert pickle.loads(pickle.dumps(FindAngle(True))) == FindAngle(True)


def test_wrong_usage_is_status_2(here):
    for name in ("rain.png", "rain.jpg"):
        (here / "in").mkdir(exist_ok=True)
        Image.fromarray(levels(clean((40, 60)))).save(here / "in" / name)
    (here / "file").write_text("")
    assert angle()[0] == 2
    for inputs, overlay, said in (
        ("in", "in", "--overlay"),
        ("in", "file", "'file' is a file"),
        ("in/rain.png", "look.png", "no name of a folder"),
        ("in", "look", "would both become 'look/rain_angle.png'"),
    ):
        status, _, err = angle(inputs, "--overlay", overlay)
        assert status == 2
        assert said in err
    # Without pictures there is nothing to clash, and a folder may be called anything.
    assert angle("in")[0] == 0
    (here / "look.png").mkdir()
    assert angle("in/rain.png", "--overlay", "look.png")[0] == 0


def test_captions_say_what_was_found():
    found = {"directions": [{"angle": -12.0, "share": 0.7}, {"angle": 8.5, "share": 0.3}], "confidence": 0.91}
    assert AngleRecord("a", None, "ok", **found).caption() == "rain at -12.0° (70 %) and +8.5° (30 %), confidence 0.91"
    assert AngleRecord("a", None, "ok", directions=[], confidence=0.1).caption() == "no rain seen, confidence 0.10"
