"""Strokes as marks, at every scale, and as the file that the command reads."""

import numpy as np

from rainopt.app.marks import marks_in
from rainopt.io import read_image
from rainopt.studio.asked import Stroke
from rainopt.studio.marks import drawn, write_marks

LINE = Stroke("protect", 6.0, (20.0, 30.0, 80.0, 30.0))


def test_a_stroke_covers_what_is_nearer_than_its_radius():
    marks = drawn([LINE], 60, 100)
    rows, columns = np.mgrid[:60, :100] + 0.5
    away = np.hypot(np.maximum(np.maximum(20 - columns, columns - 80), 0), rows - 30)
    assert (marks[away < 5] == -1).all()
    assert (marks[away > 7] == 0).all()


def test_the_later_stroke_counts():
    rain, off = LINE._replace(kind="rain"), LINE._replace(kind="erase")
    assert drawn([LINE, rain], 60, 100).max() == 1
    assert drawn([LINE, rain], 60, 100).min() == 0
    assert drawn([LINE, off], 60, 100) is None
    assert drawn([], 60, 100) is None


def test_a_dab_is_a_disc():
    marks = drawn([Stroke("rain", 10.0, (50.0, 30.0))], 60, 100)
    assert abs(marks.sum() / (np.pi * 100) - 1) < 0.15


def test_parts_and_scales_show_the_same_marks():
    whole = drawn([LINE], 60, 100)
    part = drawn([LINE], 30, 50, left=40, top=20)
    assert (part != whole[20:50, 40:90]).mean() < 0.01
    half = drawn([LINE], 30, 50, scale=0.5)
    assert abs(4 * half.sum(dtype=int) / whole.sum(dtype=int) - 1) < 0.15


def test_the_file_says_what_was_drawn(tmp_path):
    marks = drawn([LINE, Stroke("rain", 4.0, (50.0, 50.0))], 60, 100)
    np.testing.assert_array_equal(marks_in(read_image(write_marks(marks, tmp_path / "m.png"))), marks)
