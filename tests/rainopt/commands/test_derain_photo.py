"""One photograph by the solver; what is true of all derained files is tested in `tests/rainopt/app/test_derain.py`."""

import numpy as np
import pytest
from PIL import Image

import rainopt
from rainopt.app.results import OutputSettings
from rainopt.commands.derain_photo import PhotoRecord, derain_photo
from rainopt.still.settings import StillSettings
from tests.support.photos import SIZE, clean, levels, rainy, save_photo

PLAIN = OutputSettings()


def shown(path):
    return np.asarray(Image.open(path))


@pytest.fixture
def source(tmp_path):
    return save_photo(tmp_path / "in" / "a.png")


def done(source, target, output=PLAIN, **settings):
    record = derain_photo(source, target, StillSettings(**settings), output)
    assert (record.status, record.error) == ("ok", None)
    return record


def test_the_file_holds_what_the_array_function_returns(tmp_path, source):
    done(source, tmp_path / "b.png", angle=2.0)
    expected = rainopt.derain(shown(source), angle=2.0).background
    np.testing.assert_array_equal(shown(tmp_path / "b.png"), levels(expected.astype(float)))


@pytest.mark.parametrize("size", [(8, 8), (40, 56)])
def test_the_smallest_picture_and_one_without_structure(tmp_path, size):
    image = levels(rainy(size)) if size == (8, 8) else np.zeros((*size, 3), np.uint8)
    Image.fromarray(image).save(tmp_path / "a.png")
    record = done(tmp_path / "a.png", tmp_path / "b.png", OutputSettings(save_rain=True, compare=True))
    assert (record.height, record.width) == size
    assert np.isfinite(record.gap)
    assert size == (8, 8) or (record.rain == 0 and (shown(tmp_path / "b.png") == 0).all())


def test_a_record_says_what_happened(tmp_path, source):
    record = done(source, tmp_path / "b.png")
    assert (record.height, record.width) == SIZE
    assert 0 <= record.confidence <= 1
    assert 1 <= record.iterations <= 400
    assert 0 <= record.gap <= 0.02
    assert record.solver == "converged"
    every = {field for field in PhotoRecord.__dataclass_fields__ if field not in ("error", "untouched")}
    assert set(record.as_dict()) == every - {"veil", "marks"}
    veiled = done(source, tmp_path / "veiled.png", veil=True)
    assert set(veiled.as_dict()) == every - {"marks"}
    assert 0 <= veiled.veil < 1
    told = done(source, tmp_path / "told.png", angle=-45.0, max_iter=1, tol=0.0)
    assert (told.angle, told.confidence, told.solver) == (-45.0, None, "max_iter")


def test_where_there_is_no_rain_the_file_stays_as_it_is(tmp_path):
    source = tmp_path / "dry.jpg"
    Image.fromarray(levels(clean())).save(source, quality=60, comment=b"as it was")
    record = done(source, tmp_path / "out.jpg")
    assert (record.directions, record.rain, record.solver) == ([], 0, "nothing_to_do")
    assert (tmp_path / "out.jpg").read_bytes() == source.read_bytes()
    # Told the angle it does something, and so does a veil.
    for name, settings in (("angle", {"angle": 0.0}), ("veil", {"veil": True})):
        told = done(source, tmp_path / f"{name}.jpg", **settings)
        assert told.directions == ([] if name == "veil" else [{"angle": 0.0, "share": 1.0}])
        assert (tmp_path / f"{name}.jpg").read_bytes() != source.read_bytes()


@pytest.mark.parametrize("angle", [None, 5.0])
def test_strength_0_leaves_the_file_as_it_is_and_says_so(tmp_path, source, angle):
    record = done(source, tmp_path / "out.png", angle=angle, strength=0.0)
    assert record.directions == []
    assert "strength 0" in record.line()
    assert (tmp_path / "out.png").read_bytes() == source.read_bytes()


ONE = [{"angle": -3.25, "share": 1.0}]
TWO = [{"angle": 5.0, "share": 0.6}, {"angle": -20.0, "share": 0.4}]


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"directions": ONE, "confidence": 0.5}, "rain at -3.2°, confidence 0.50, 1.2 % light removed, 0.50 s"),
        ({"directions": ONE}, "rain at -3.2°, 1.2 % light removed, 0.50 s"),
        (
            {"directions": TWO, "confidence": 0.3},
            "rain at +5.0° and -20.0°, confidence 0.30 (unsure; --angle sets it), 1.2 % light removed, 0.50 s",
        ),
        (
            {"directions": [], "confidence": 0.04},
            "no rain seen (confidence 0.04), left as it is; --angle removes rain all the same, 0.50 s",
        ),
        (
            {"directions": [], "confidence": 0.04, "veil": 0.1},
            "no rain seen (confidence 0.04), only the veil removed; --angle removes rain all the same, 0.50 s",
        ),
        ({"directions": [], "confidence": 0.95}, "no streaks removed, at strength 0, 0.50 s"),
        ({"directions": []}, "no streaks removed, at strength 0, 0.50 s"),
    ],
)
def test_a_line_says_what_was_done_and_what_to_do(facts, said):
    record = PhotoRecord("in/a.png", "out/a.png", "ok", rain=0.012, seconds=0.5, **facts)
    assert record.line() == f"in/a.png → out/a.png  {said}"
