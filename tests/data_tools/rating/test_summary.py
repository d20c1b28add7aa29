"""Numbers of a study."""

import csv
import io
import statistics

import pytest

from data_tools.rating.study import Rating
from data_tools.rating.summary import ratings_csv, realism, summarise, summary_csv


def rating(source, value, rater="ada", name="x"):
    return Rating(rater, source, name, value, 1, "2026-01-01T00:00:00+00:00", None)


def test_realism_takes_the_ends_and_the_middle_of_the_scale_to_those_of_the_interval():
    assert [realism(mean) for mean in (1, 2, 3, 5)] == [0, 0.25, 0.5, 1]


def test_mean_and_deviation_are_those_of_all_ratings_of_a_source():
    values = [1, 2, 2, 5, 4]
    ratings = [rating("a", value, rater=f"r{k % 2}", name=f"n{k % 3}") for k, value in enumerate(values)]
    first, second, third = summarise(["a", "b", "c"], [*ratings, rating("b", 4)])
    assert (first.ratings, first.images, first.raters) == (5, 3, 2)
    assert first.mean == pytest.approx(statistics.mean(values))
    assert first.deviation == pytest.approx(statistics.stdev(values))
    assert first.realism == pytest.approx((statistics.mean(values) - 1) / 4)
    assert (second.mean, second.deviation, second.realism) == (4, None, 0.75)
    assert (third.ratings, third.mean, third.deviation, third.realism) == (0, None, None, None)


def test_tables_hold_what_was_said_whatever_the_names():
    ratings = [rating('odd, "name"', 2, name="a\nb"), rating("b", 5)]
    rows = list(csv.DictReader(io.StringIO(ratings_csv(ratings).decode())))
    assert [(row["source"], row["name"], row["rating"], row["seconds"]) for row in rows] == [
        ('odd, "name"', "a\nb", "2", ""),
        ("b", "x", "5", ""),
    ]
    (row,) = csv.DictReader(io.StringIO(summary_csv(summarise(["b"], ratings)).decode()))
    assert (row["source"], float(row["mean"]), row["deviation"], float(row["realism"])) == ("b", 5, "", 1)
