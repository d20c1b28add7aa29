import csv
import json

import numpy as np
import pytest
from PIL import Image

from benchmarks.angle import sets as angle_sets
from benchmarks.angle import speed as angle_speed
from benchmarks.angle.accuracy import main
from benchmarks.angle.fit import CHECK_MIX, FIT_MIX, calibration_curve, logistic, mixed, sigmoid
from benchmarks.angle.sets import CHECK, FIT, Finding, Picture, collect, draw_spec, examine
from benchmarks.common import photograph
from benchmarks.layer_angle import angle_error
from data_tools import RainSpec, add_rain
from rainopt import AngleEstimate, read_image

PIECE = photograph(400, 600)[100:260, 40:220]
ERRORS = {"pictures", "median", "mean", "worst", "within_1", "within_2", "within_5", "present", "right_where_present"}


def save(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.rint(image * 255).astype(np.uint8) if image.dtype != np.uint8 else image).save(path)


def rainy(angle):
    return add_rain(PIECE, RainSpec(angle=angle), np.random.default_rng(1)).rainy


def write_rows(path, *rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows(rows)


@pytest.fixture(autouse=True)
def small(monkeypatch, tmp_path):
    labels = tmp_path / "labels.csv"
    write_rows(
        labels,
        ("file", "angle", "second", "visibility", "note"),
        ("1.png", "-15", "", "3", "a note"),
        ("2.png", "", "", "0", ""),
    )
    monkeypatch.setattr(angle_sets, "PHOTO_LABELS", labels)
    monkeypatch.setattr(angle_speed, "SIZES", {"512x512": ((96, 128), 1.0)})
    monkeypatch.setattr(angle_speed, "REPEAT", 2)


@pytest.fixture
def tree(tmp_path):
    data = tmp_path / "data"
    for k in range(3):
        save(data / "clean" / f"{k}.png", np.ascontiguousarray(photograph(400, 600)[40 * k :][:144, 200:360]))
    # Small, because TILT takes its time.
    save(data / "photos_labelled" / "a.png", rainy(10.0)[:80, :120])
    write_rows(data / "photos_labelled" / "angles.csv", ("file", "angle_deg"), ("a.png", "10.0"))
    save(data / "photos" / "1.png", rainy(-15.0))
    save(data / "photos" / "2.png", PIECE)
    save(data / "photos" / "unlabelled.png", PIECE)
    for name in ("streaks", "rain100l_dev"):
        save(data / "pairs" / name / "rain" / "p.png", rainy(20.0))
        save(data / "pairs" / name / "norain" / "p.png", PIECE)
    return data


def test_angle_measures_a_tree(tree, tmp_path, capsys):
    target, sheet = tmp_path / "out" / "angle.json", tmp_path / "out" / "sheet.png"
    main(["--data", str(tree), "--json", str(target), "--sheet", str(sheet), "--fit", "--tilt"])
    text = target.read_text()
    results = json.loads(text)
    assert list(results) == [
        *("environment", "benchmark", "rendered", "multi", "labelled", "photos", "pairs", "clean"),
        *("calibration", "fit", "speed", "aims"),
    ]
    rendered = results["rendered"]
    assert set(rendered) == {"light", "medium", "faint", "light_and_medium"}
    assert set(rendered["faint"]["check"]) == ERRORS
    assert [rendered["light"][half]["pictures"] for half in ("fit", "check", "all")] == [4, 2, 6]
    assert rendered["light_and_medium"]["all"]["median"] < 2
    assert results["multi"]["pictures"] == 3
    assert 0 <= results["multi"]["recall"] <= 1
    assert results["labelled"]["mean"] < 3
    assert results["labelled"]["always_0"]["mean"] == 10
    assert results["labelled"]["tilt"]["seconds"] > 0
    assert results["labelled"]["each"][0]["name"] == "a.png"
    assert set(results["photos"]) == {"visibility_0", "visibility_3"}
    assert results["photos"]["visibility_3"]["worst"] < 3
    assert results["pairs"]["streaks"]["each"][0]["true_angle"] == pytest.approx(20, abs=1)
    assert set(results["clean"]) == {"fit", "check", "all", "highest"}
    assert len(results["calibration"]["bins"]) == 10
    assert sum(results["calibration"]["mix"].values()) == pytest.approx(1, abs=1e-3)
    assert len(results["fit"]["constants"]["fitted"]["values"]) == 6
    assert set(results["speed"]["512x512"]["stages_s"]) == {"work_planes", "find_ridges", "vote"}
    assert [row["what"] for row in results["aims"]][-1] == "512 x 512, seconds"
    assert str(tree) not in text
    out = capsys.readouterr().out
    assert "CALIBRATION = (" in out
    assert read_image(sheet).std() > 20


def test_angle_leaves_out_what_is_missing(tree, capsys):
    for path in (*(tree / "clean").iterdir(), *(tree / "photos").iterdir()):
        path.unlink()
    (tree / "clean").rmdir()
    (tree / "photos").rmdir()
    main(["--data", str(tree), "--fit"])
    out = capsys.readouterr().out
    results = json.loads(out[out.index("\n{") :])
    # Nothing dry, so nothing to fit on.
    assert set(results) == {"environment", "benchmark", "labelled", "pairs", "calibration", "speed", "aims"}
    assert "tilt" not in results["labelled"]


def test_angle_says_what_the_folder_must_hold(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        main(["--data", str(tmp_path)])
    assert end.value.code == 2
    assert "'photos_labelled'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("photos", "labels.csv names '1.png', which is not in the folder photos/"),
        ("photos_labelled", "angles.csv names 'a.png', which is not in the folder photos_labelled/"),
    ],
)
def test_labels_of_unknown_files_are_named(tree, capsys, folder, message):
    (tree / folder / ("1.png" if folder == "photos" else "a.png")).unlink()
    with pytest.raises(SystemExit) as end:
        main(["--data", str(tree)])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_labels_without_a_column_or_table_are_named(tree):
    write_rows(tree / "photos_labelled" / "angles.csv", ("file", "angle"), ("a.png", "1"))
    with pytest.raises(ValueError, match=r"angles\.csv has no column 'angle_deg'"):
        collect(tree, None)
    (tree / "photos_labelled" / "angles.csv").unlink()
    with pytest.raises(FileNotFoundError, match=r"photos_labelled/ has no angles\.csv"):
        collect(tree, None)


def test_published_labels_are_well_formed():
    path = angle_sets.Path(angle_sets.__file__).with_name("photo_angles.csv")
    with path.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
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


def test_specs_are_as_described():
    specs = [draw_spec("faint", np.random.default_rng(k), k) for k in range(50)]
    assert {s.composition for s in specs} == {"screen", "additive"}
    assert all(100 <= s.density <= 1500 and 0.1 <= s.intensity <= 0.45 for s in specs)
    steep = [abs(draw_spec("light", np.random.default_rng(k), 0).angle) for k in range(50)]
    assert max(steep) > 45
    assert len(draw_spec("multi", np.random.default_rng(0), 0).directions) > 1


def test_examine_measures_from_the_main_direction():
    found = examine(Picture("x", "x", CHECK, (25.0, 60.0), lambda: np.rint(rainy(25.0) * 255).astype(np.uint8)))
    assert found.error < 2
    assert found.error == angle_error(found.estimate.angle, 25.0)
    assert found.miss(60.0) == 35
    assert np.isnan(examine(Picture("x", "x", CHECK, (), lambda: PIECE)).error)


def test_examine_of_nothing_has_no_description():
    found = examine(Picture("x", "x", CHECK, (), lambda: np.zeros((40, 40, 3), np.uint8)))
    assert found.description is None
    assert found.estimate.confidence == 0


def test_logistic_recovers_coefficients():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40_000, 3)) * (1, 3, 0.5) + (0, 2, -1)
    truth = np.array([0.5, 1.5, -0.7, 2.0])
    right = (rng.random(len(X)) < sigmoid(truth[0] + X @ truth[1:])).astype(float)
    np.testing.assert_allclose(logistic(X, right, np.ones(len(X))), truth, atol=0.15)
    # Weights that undo a selection give the same curve.
    keep = rng.random(len(X)) < np.where(right > 0, 0.2, 1.0)
    weight = np.where(right[keep] > 0, 5.0, 1.0)
    np.testing.assert_allclose(logistic(X[keep], right[keep], weight), truth, atol=0.25)


def test_logistic_stays_finite_where_a_line_separates_and_a_feature_is_constant():
    X = np.column_stack([np.linspace(-1, 1, 40), np.ones(40)])
    c = logistic(X, (X[:, 0] > 0).astype(float), np.ones(40))
    assert np.isfinite(c).all()
    assert c[1] > 1
    assert c[2] == pytest.approx(0, abs=1e-9)


def test_curve_of_calibrated_confidences_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.random(200_000)
    curve = calibration_curve(confidence, (rng.random(200_000) < confidence).astype(float), np.ones(200_000))
    assert curve["ece"] < 0.005
    # ∫ p (1 - p) dp
    assert curve["brier"] == pytest.approx(1 / 6, abs=0.005)
    assert sum(b["pictures"] for b in curve["bins"]) == 200_000


def test_curve_of_overconfidence_has_its_error():
    right = np.tile([1.0, 0.0, 1.0, 0.0, 0.0], 10)
    curve = calibration_curve(np.full(50, 0.9), right, np.ones(50))
    assert curve["ece"] == pytest.approx(0.5)
    assert curve["brier"] == pytest.approx(0.4 * 0.01 + 0.6 * 0.81)
    assert curve["bins"][9] == pytest.approx(
        {"from": 0.9, "to": 1.0, "pictures": 50, "weight": 1.0, "right": 0.4, "confidence": 0.9}
    )
    assert "right" not in curve["bins"][0]


def test_curve_heeds_weights_and_the_ends():
    curve = calibration_curve(np.array([0.0, 1.0]), np.array([0.0, 0.0]), np.array([3.0, 1.0]))
    assert curve["ece"] == pytest.approx(0.25)
    assert curve["bins"][9]["pictures"] == 1


@pytest.mark.parametrize("mix", [FIT_MIX, CHECK_MIX])
def test_mixes_are_shares_with_dry_pictures_half_of_it(mix):
    assert sum(mix.values()) == pytest.approx(1)
    assert mix["clean"] == 0.5


def test_mixed_gives_each_set_its_share():
    def finding(group, half=CHECK):
        return Finding(Picture(group, "x", half, (), lambda: PIECE), AngleEstimate(0.0, 0.0), None, None)

    chosen, weight = mixed(
        [finding("clean"), finding("faint"), finding("faint"), finding("clean", FIT), finding("other")],
        CHECK,
        CHECK_MIX,
    )
    assert [f.picture.group for f in chosen] == ["clean", "faint", "faint"]
    assert weight == pytest.approx(np.array([0.5, 0.07, 0.07]) / 0.64)
