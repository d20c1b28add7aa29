"""How boxes and readings are scored: against brute force, and by hand."""

import csv
import itertools
from functools import cache

import numpy as np
import pytest

from benchmarks.tasks import people
from benchmarks.tasks.bootstrap import rows
from benchmarks.tasks.boxes import (
    Judged,
    average_precision,
    best_threshold,
    iou,
    judge,
    match,
    person_box,
    rates,
    together,
)
from benchmarks.tasks.people import Scene, figures, fitted, marked, outcome
from benchmarks.tasks.reading import Reading, compare, edit_distance, text_figures
from benchmarks.tasks.signs import CELLS, COLOURS, SIZES, WORDS, with_signs
from rainopt import write_image

ONE = (10.0, 10.0, 20.0, 40.0)
OTHER = (50.0, 10.0, 60.0, 40.0)


def drawn_boxes(rng, count):
    corners = rng.integers(0, 12, size=(count, 2, 2))
    return [
        (float(a[0]), float(a[1]), float(b[0]), float(b[1]))
        for a, b in ((np.minimum(*c), np.maximum(*c)) for c in corners)
    ]


def test_iou_counts_pixels():
    rows_, columns = np.mgrid[:12, :12] + 0.5

    def inside(box):
        return (columns > box[0]) & (columns < box[2]) & (rows_ > box[1]) & (rows_ < box[3])

    boxes = drawn_boxes(np.random.default_rng(0), 40)
    for one, other in itertools.pairwise(boxes):
        union = (inside(one) | inside(other)).sum()
        assert iou(one, other) == pytest.approx((inside(one) & inside(other)).sum() / union if union else 0)


def test_a_person_has_one_box_and_the_best_takes_it():
    found = [(ONE, 0.2), ((11.0, 10.0, 21.0, 40.0), 0.9), (OTHER, 0.1)]
    right, missed = match(found, [ONE])
    assert right == [False, True, False]
    assert missed == []


def test_each_box_takes_the_person_it_agrees_with_most():
    near = (12.0, 10.0, 22.0, 40.0)
    right, missed = match([(near, 0.5), (ONE, 0.4)], [ONE, near])
    assert right == [True, True]
    assert not missed


def test_half_of_the_union_is_enough_and_less_is_not():
    assert match([((0.0, 0.0, 10.0, 10.0), 1.0)], [(0.0, 0.0, 10.0, 20.0)])[0] == [True]
    assert match([((0.0, 0.0, 10.0, 9.9), 1.0)], [(0.0, 0.0, 10.0, 20.0)])[0] == [False]


def test_boxes_over_a_crowd_do_not_count_but_find_who_stands_in_it():
    crowd = (0.0, 0.0, 100.0, 50.0)
    assert match([(OTHER, 0.9), (ONE, 0.8)], [ONE], [crowd])[0] == [None, True]
    judged = judge([(OTHER, 0.9), (ONE, 0.8)], [ONE], [crowd])
    assert judged.scores.tolist() == [0.8]
    assert rates(judged, 0) == (1, 1, 1)


def drawn_judged(rng):
    count, truths = rng.integers(0, 12), int(rng.integers(1, 8))
    right = np.zeros(count, bool)
    right[: min(count, rng.integers(0, truths + 1))] = True
    # Few values, so that some scores are equal.
    return Judged(rng.integers(0, 6, count) / 5, rng.permutation(right), truths)


def test_average_precision_is_the_mean_over_people_of_the_best_precision_that_reaches_them():
    rng = np.random.default_rng(1)
    for _ in range(100):
        judged = drawn_judged(rng)
        points = [judged.above(threshold) for threshold in np.unique(judged.scores)]
        best = [
            max((right / kept for kept, right in points if right >= n), default=0) for n in range(1, judged.truths + 1)
        ]
        assert average_precision(judged) == pytest.approx(sum(best) / judged.truths)


@pytest.mark.parametrize(
    ("right", "truths", "expected"),
    [
        ([True, True], 2, 1),
        ([True, False], 1, 1),
        ([False, True], 1, 0.5),
        ([True], 2, 0.5),
        ([], 3, 0),
        ([False], 0, 0),
    ],
)
def test_average_precision_by_hand(right, truths, expected):
    judged = Judged(-np.arange(len(right), dtype=float), np.array(right, bool), truths)
    assert average_precision(judged) == expected


def test_the_best_threshold_is_the_best_of_all():
    rng = np.random.default_rng(2)
    for _ in range(50):
        judged = drawn_judged(rng)
        best = max([rates(judged, score)[2] for score in judged.scores], default=0)
        assert rates(judged, best_threshold(judged))[2] == pytest.approx(best)


def test_f1_is_the_harmonic_mean():
    precision, recall, f1 = rates(Judged(np.array([3.0, 2, 1]), np.array([True, False, True]), 5), 0)
    assert (precision, recall) == (2 / 3, 2 / 5)
    assert f1 == pytest.approx(2 / (1 / precision + 1 / recall))


@cache
def slow_distance(one, other):
    if not one or not other:
        return len(one) + len(other)
    return min(
        slow_distance(one[1:], other) + 1,
        slow_distance(one, other[1:]) + 1,
        slow_distance(one[1:], other[1:]) + (one[0] != other[0]),
    )


def test_edit_distance_is_the_least_of_all_ways():
    texts = ["".join(letters) for n in range(4) for letters in itertools.product("ab", repeat=n)] + [
        "kitten",
        "sitting",
    ]
    for one, other in itertools.product(texts, repeat=2):
        assert edit_distance(one, other) == slow_distance(one, other)
    assert edit_distance("kitten", "sitting") == 3


def test_lines_are_read_on_the_sign_that_they_lie_on():
    signs = [((0, 0, 100, 30), "Ticket Office"), ((0, 50, 100, 80), "EXIT"), ((0, 100, 100, 130), "Park")]
    lines = [
        ((50, 5, 95, 25), "0ffice"),
        ((5, 5, 45, 25), "Ticket"),
        ((5, 55, 60, 75), "exit"),
        ((200, 5, 230, 25), "NASA"),
    ]
    reading = compare(signs, lines)
    assert reading == Reading(wrong=1 + 4, letters=12 + 4 + 4, right=1, words=3, strays=1)
    assert text_figures([reading, Reading(0, 20, 3, 3, 0)]) == {
        "character_error_rate": 5 / 40,
        "words_right": 4 / 6,
        "strays_a_picture": 0.5,
    }


def test_signs_bear_each_size_once_in_cells_of_their_own_and_change_nothing_else():
    photograph = np.random.default_rng(0).integers(0, 256, (320, 480, 3), dtype=np.uint8)
    picture, signs = with_signs(photograph, np.random.default_rng(5))
    assert len(signs) == CELLS[0] * CELLS[1] == len(SIZES) == len(WORDS) == len(COLOURS)
    assert {next(k for k, words in enumerate(WORDS) if sign.word in words) for sign in signs} == set(range(len(SIZES)))
    outside = np.ones((320, 480), bool)
    for cell, sign in enumerate(signs):
        left, top, right, bottom = sign.box
        assert cell % 3 * 160 <= left < right <= (cell % 3 + 1) * 160
        assert cell // 3 * 160 <= top < bottom <= (cell // 3 + 1) * 160
        outside[top : bottom + 1, left : right + 1] = False
    assert np.array_equal(picture[outside], photograph[outside])
    assert not np.array_equal(picture, photograph)
    assert np.array_equal(picture, with_signs(photograph, np.random.default_rng(5))[0])


def test_every_word_fits_into_its_cell():
    from PIL import ImageFont

    for size, words in zip(SIZES, WORDS, strict=True):
        font = ImageFont.load_default(size)
        assert max(font.getlength(word) for word in words) + 2 * 0.35 * size + 2 < 480 / CELLS[1]


def test_gains_are_taken_scene_by_scene():
    rng = np.random.default_rng(0)
    rainy = rng.normal(size=20).tolist()
    outcomes = {"rainy": rainy, "derained": [value + 1 for value in rainy]}
    first, second = rows(outcomes, lambda values: {"mean": float(np.mean(values))}, "rainy")
    assert "gains" not in first
    low, high = first["intervals"]["mean"]
    assert low < first["mean"] < high
    assert high - low == pytest.approx(2 * 1.96 * np.std(rainy) / np.sqrt(20), rel=0.15)
    assert second["gains"]["mean"] == pytest.approx([1, 1, 1])


def test_marks_are_boxes_of_people_and_regions():
    with people.MARKS.open(newline="", encoding="utf-8") as file:
        marks = list(csv.DictReader(file))
    assert {mark["kind"] for mark in marks} == {"person", "region"}
    assert all(
        float(mark["left"]) < float(mark["right"]) and float(mark["top"]) < float(mark["bottom"]) for mark in marks
    )
    # All files that regions are in show somebody.
    assert {mark["file"] for mark in marks} == {mark["file"] for mark in marks if mark["kind"] == "person"}


def test_marks_follow_a_picture_that_is_made_smaller(tmp_path):
    (tmp_path / "photos").mkdir()
    write_image(tmp_path / "photos" / "49.jpg", np.zeros((1024, 768), np.uint8))
    (scene,) = marked(tmp_path, rainy=True)
    assert scene.picture.shape == (512, 384, 3)
    assert scene.truths == [pytest.approx(person_box(150, 4, 215, 252.5))]
    assert marked(tmp_path, rainy=False) == []


def test_pictures_that_are_small_enough_stay():
    picture = np.random.default_rng(0).integers(0, 256, (200, 512, 3), dtype=np.uint8)
    same, factor = fitted(picture)
    assert factor == 1
    assert np.array_equal(same, picture)


def test_where_nobody_has_looked_the_clean_picture_is_the_truth():
    scene = Scene("", np.zeros((1, 1, 3), np.uint8), None)
    dry = [(ONE, 0.9), (OTHER, 0.1)]
    told = figures([outcome(scene, [[(ONE, 0.8)], [(OTHER, 0.7)]], dry, 0.3)], 0.3)
    assert told == {"precision": 0.5, "recall": 0.5, "f1": 0.5, "average_precision": 0.5, "false_a_picture": 0.5}


def test_agreement_is_told_beside_the_truth():
    scene = Scene("", np.zeros((1, 1, 3), np.uint8), [ONE])
    told = figures([outcome(scene, [[(OTHER, 0.8)]], [(OTHER, 0.9)], 0.3)], 0.3)
    assert told["f1"] == 0
    assert told["agreement_f1"] == 1
    assert together([]).truths == 0
