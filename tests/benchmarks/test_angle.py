import csv
import json

import numpy as np
import pytest

from benchmarks.angle import sets as angle_sets
from benchmarks.angle import speed as angle_speed
from benchmarks.angle.accuracy import main
from benchmarks.angle.sets import CHECK, FIT, Picture, collect, examine
from benchmarks.common import photograph
from benchmarks.layer_angle import angle_error
from benchmarks.pictures import to_bytes
from data_tools import RainSpec, add_rain
from rainopt import read_image, write_image
from rainopt.direction.tilt import tilt
from tests.support.processes import call

PIECE = photograph(400, 600)[100:260, 40:220]


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, image)


def rainy(angle):
    return to_bytes(add_rain(PIECE, RainSpec(angle=angle), np.random.default_rng(1)).rainy)


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for k in range(3):
        save(tmp_path / "clean" / f"{k}.png", photograph(400, 600)[40 * k :][:144, 200:360])
    save(tmp_path / "photos_labelled/a.png", rainy(10.0))
    (tmp_path / "photos_labelled/angles.csv").write_text("file,angle_deg\na.png,10.0\n")
    for name, image in (("1", rainy(-15.0)), ("2", PIECE), ("unlabelled", PIECE)):
        save(tmp_path / "photos" / f"{name}.png", image)
    for name in ("streaks", "rain100l_dev"):
        save(tmp_path / "pairs" / name / "rain/p.png", rainy(20.0))
        save(tmp_path / "pairs" / name / "norain/p.png", PIECE)
    labels = tmp_path / "labels.csv"
    labels.write_text("file,angle,second,visibility,note\n1.png,-15,,3,a note\n2.png,,,0,\n")
    monkeypatch.setattr(angle_sets, "PHOTO_LABELS", labels)
    monkeypatch.setattr(angle_speed, "SIZES", {"512x512": ((96, 128), 1.0)})
    monkeypatch.setattr(angle_speed, "REPEAT", 2)
    # TILT takes its time.
    monkeypatch.setattr(angle_speed, "tilt", lambda layer: tilt(layer[:32, :32]))
    return tmp_path


@pytest.mark.slow
def test_angle_measures_a_tree(tree):
    target, sheet = tree / "out" / "angle.json", tree / "out" / "sheet.png"
    status, out, _ = call(main, "--data", tree, "--json", target, "--sheet", sheet, "--fit", "--tilt")
    assert status == 0
    assert "CALIBRATION = (" in out
    assert read_image(sheet).std() > 20
    text = target.read_text()
    assert str(tree) not in text
    results = json.loads(text)
    assert list(results) == [
        *("environment", "benchmark", "rendered", "multi", "labelled", "photos", "pairs", "clean"),
        *("calibration", "fit", "speed", "aims"),
    ]
    rendered, labelled = results["rendered"], results["labelled"]
    assert [rendered["light"][half]["pictures"] for half in ("fit", "check", "all")] == [4, 2, 6]
    assert rendered["light_and_medium"]["all"]["median"] < 2
    assert results["multi"]["pictures"] == 3
    assert labelled["mean"] < 3
    assert labelled["always_0"]["mean"] == 10
    assert labelled["tilt"]["seconds"] > 0
    assert set(results["photos"]) == {"visibility_0", "visibility_3"}
    assert results["photos"]["visibility_3"]["worst"] < 3
    assert results["pairs"]["streaks"]["each"][0]["true_angle"] == pytest.approx(20, abs=1)
    assert sum(results["calibration"]["mix"].values()) == pytest.approx(1, abs=1e-3)
    assert len(results["fit"]["constants"]["fitted"]["values"]) == 6
    assert [row["what"] for row in results["aims"]][-1] == "512 x 512, seconds"


def test_angle_leaves_out_what_is_missing_and_prints_what_is_not_written(tree):
    for name in ("clean", "photos"):
        (tree / name).rename(tree / f"no_{name}")
    status, out, _ = call(main, "--data", tree, "--fit")
    assert status == 0
    results = json.loads(out[out.index("\n{") :])
    # Nothing dry, so nothing to fit on.
    assert set(results) == {"environment", "benchmark", "measured", "labelled", "pairs", "calibration", "speed", "aims"}
    assert "tilt" not in results["labelled"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("photos/1.png", None, "labels.csv names '1.png', which is not in the folder photos/"),
        ("photos_labelled/a.png", None, "angles.csv names 'a.png', which is not in the folder photos_labelled/"),
        ("photos_labelled/angles.csv", None, "the folder photos_labelled/ has no angles.csv"),
        ("photos_labelled/angles.csv", "file,angle\na.png,1\n", "angles.csv has no column 'angle_deg'"),
    ],
)
def test_labels_that_do_not_fit_are_named(tree, name, text, message):
    (tree / name).unlink() if text is None else (tree / name).write_text(text)
    status, _, err = call(main, "--data", tree)
    assert status == 2
    assert message in err


def test_published_labels_are_well_formed():
    rows = list(csv.DictReader(angle_sets.PHOTO_LABELS.read_text().splitlines()))
    assert len({row["file"] for row in rows}) == len(rows) == 89
    for row in rows:
        assert int(row["visibility"]) in range(4)
        assert bool(row["angle"]) == (row["visibility"] != "0")
        assert all(-90 < float(row[key]) <= 90 for key in ("angle", "second") if row[key])
        assert not (row["second"] and not row["angle"])


def test_pictures_are_the_same_each_time_and_halves_alternate(tree):
    first, again = collect(tree, None), collect(tree, None)
    for a, b in zip(first, again, strict=True):
        assert (a.group, a.name, a.half, a.truths) == (b.group, b.name, b.half, b.truths)
        np.testing.assert_array_equal(a.load(), b.load())
    assert [p.half for p in first if p.group == "clean"] == [FIT, CHECK, FIT]
    assert {p.half for p in first if p.group in ("labelled", "pairs/rain100l_dev")} == {CHECK}
    assert {p.half for p in first if p.group in ("photos/3", "pairs/streaks")} == {FIT}
    # A limit takes the first ones as they are.
    fewer = [p for p in collect(tree, 2) if p.group == "faint"]
    assert [p.truths for p in fewer] == [p.truths for p in first if p.group == "faint"][:4]


def test_examine_measures_from_the_main_direction():
    found = examine(Picture("x", "x", CHECK, (25.0, 60.0), lambda: rainy(25.0)))
    assert found.error < 2
    assert found.error == angle_error(found.estimate.angle, 25.0)
    assert found.miss(60.0) == 35
    # Nothing is to be seen in this one.
    found = examine(Picture("x", "x", CHECK, (), lambda: np.zeros((40, 40, 3), np.uint8)))
    assert np.isnan(found.error)
    assert found.description is None
    assert found.estimate.confidence == 0
