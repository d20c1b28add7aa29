"""Strokes as marks, at every scale, and as the file that the command reads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from rainopt.app.marks import marks_in
from rainopt.io import read_image
from rainopt.studio.asked import Stroke
from rainopt.studio.marks import SOFT, drawn, levels_of, write_marks, write_marks_beside

LINE = Stroke("protect", 6.0, (20.0, 30.0, 80.0, 30.0))


def away_from(stroke, height, width):
    """Distance of each pixel from a level line, in pixels."""
    x, y, end, _ = stroke.points
    rows, columns = np.mgrid[:height, :width] + 0.5
    return np.hypot(np.maximum(np.maximum(x - columns, columns - end), 0), rows - y)


def test_a_stroke_falls_off_around_its_radius():
    broad = Stroke("protect", 20.0, (40.0, 50.0, 120.0, 50.0))
    marks, away = drawn([broad], 100, 160), away_from(broad, 100, 160)
    inner, outer = (1 - SOFT) * broad.radius, (1 + SOFT) * broad.radius
    assert (marks[away < inner - 1] == -1).all()
    assert (marks[away > outer + 1] == 0).all()
    # In between it is a smooth step, a half at the radius, to what two pixels of distance make.
    along = np.clip((outer - away) / (outer - inner), 0, 1)
    steepest = 1.5 / (outer - inner)
    assert np.abs(marks + along * along * (3 - 2 * along)).max() < 2 * steepest


def test_the_later_stroke_counts():
    rain, off = LINE._replace(kind="rain"), LINE._replace(kind="erase")
    assert drawn([LINE, rain], 60, 100).max() == 1
    assert drawn([LINE, rain], 60, 100).min() == 0
    assert drawn([LINE, off], 60, 100) is None
    assert drawn([], 60, 100) is None


def test_what_was_drawn_is_erased_along_the_same_line_without_a_rest():
    marks = drawn([LINE, LINE._replace(kind="erase", points=(*LINE.points[:2], 50.0, 30.0))], 60, 100)
    away = away_from(LINE, 60, 100)
    assert (marks[:, :45] == 0).all()
    assert (marks[:, 62:][away[:, 62:] < 3] == -1).all()


def test_strokes_that_cross_stay_within_what_marks_can_say():
    kinds = ("protect", "rain", "erase", "protect", "rain")
    rng = np.random.default_rng(0)
    strokes = [Stroke(kind, 9.0, tuple(rng.uniform(0, 100, 8))) for kind in kinds * 4]
    marks = drawn(strokes, 60, 100)
    assert marks.dtype == np.float32
    assert np.abs(marks).max() <= 1


def test_a_dab_is_a_disc():
    marks = drawn([Stroke("rain", 10.0, (50.0, 30.0))], 60, 100)
    assert abs(marks.sum() / (np.pi * 100) - 1) < 0.15


def test_parts_and_scales_show_the_same_marks():
    whole = drawn([LINE], 60, 100)
    part = drawn([LINE], 30, 50, left=40, top=20)
    assert (part != whole[20:50, 40:90]).mean() < 0.01
    half = drawn([LINE], 30, 50, scale=0.5)
    assert abs(4 * half.sum() / whole.sum() - 1) < 0.15


def test_rows_are_drawn_alike_wherever_they_are_worked_on():
    tall = Stroke("rain", 20.0, (50.0, 10.0, 50.0, 990.0))
    marks = drawn([tall], 1000, 100)
    assert (marks[50:950] == marks[500]).all()


def test_the_file_says_what_was_drawn(tmp_path):
    marks = drawn([LINE, Stroke("rain", 4.0, (50.0, 50.0))], 60, 100)
    said = marks_in(read_image(write_marks(marks, tmp_path / "m.png")))
    assert np.abs(said - marks).max() < 0.5 / 127 + 1e-4
    for value in (-1, 0, 1):
        assert ((said == value) >= (marks == value)).all()
    # What is read is written as it was.
    np.testing.assert_array_equal(read_image(write_marks(said, tmp_path / "n.png")), levels_of(marks))


def test_beside_others_marks_get_a_number_and_lie_there_once(tmp_path):
    place = tmp_path / "m.png"
    first, second = np.zeros((8, 9), np.float32), np.ones((8, 9), np.float32)
    place.write_bytes(b"no picture")
    assert write_marks_beside(first, place).name == "m_2.png"
    assert write_marks_beside(second, place).name == "m_3.png"
    assert write_marks_beside(first, place).name == "m_2.png"
    assert place.read_bytes() == b"no picture"
    with ThreadPoolExecutor(8) as threads:
        asked_at_once = set(threads.map(lambda _: write_marks_beside(second / 2, place), range(8)))
    assert asked_at_once == {tmp_path / "m_4.png"}
    np.testing.assert_array_equal(read_image(tmp_path / "m_4.png"), levels_of(second / 2))
