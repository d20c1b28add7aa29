"""How time grows: the fitted exponents, and the curves."""

import json

import numpy as np
import pytest

from benchmarks import scaling
from benchmarks.scaling import Point, curve, exponent
from rainopt.parallel.threads import num_threads
from tests.support.processes import call

SIZES = (1.0, 4.0, 16.0, 64.0)


@pytest.mark.parametrize("power", [-1.0, 0.0, 1.0, 1.5])
def test_a_power_law_is_found_exactly(power):
    slope, error = exponent(SIZES, [3 * x**power for x in SIZES])
    assert slope == pytest.approx(power, abs=1e-12)
    assert error == pytest.approx(0, abs=1e-7)


def test_slope_and_error_are_those_of_least_squares(rng):
    seconds = [x * s for x, s in zip(SIZES, rng.uniform(0.5, 2, 4), strict=True)]
    A = np.stack([np.log(SIZES), np.ones(4)], axis=1)
    found, rest, _, _ = np.linalg.lstsq(A, np.log(seconds), rcond=None)
    covariance = rest[0] / 2 * np.linalg.inv(A.T @ A)
    assert exponent(SIZES, seconds) == pytest.approx((found[0], covariance[0, 0] ** 0.5))


def test_two_points_have_a_slope_and_no_error():
    assert exponent([1, 2], [1.0, 0.5]) == (pytest.approx(-1), 0)


@pytest.mark.parametrize(("x", "seconds"), [([1], [1.0]), ([2, 2], [1.0, 2.0]), ([1, 2], [1.0])])
def test_no_line_through_one_size(x, seconds):
    with pytest.raises(ValueError, match="at least two sizes"):
        exponent(x, seconds)


def test_a_curve_holds_the_times_and_what_is_told_of_them():
    points = [Point(x, lambda x=x: sum(range(1000 * x)), lambda total: {"total": total}) for x in (1, 4)]
    found = curve("sum", "numbers", points, 2)
    assert (found["what"], found["against"]) == ("sum", "numbers")
    assert [one["x"] for one in found["points"]] == [1, 4]
    assert [one["total"] for one in found["points"]] == [499500, 7998000]
    assert {"median_s", "min_s", "max_s", "repeats"} <= found["points"][0].keys()


def test_the_command_writes_the_curves_that_were_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(scaling, "QUICK_SIDES", ((16, 24), (32, 48)))
    monkeypatch.setattr(scaling, "MOST", 2)
    target = tmp_path / "scaling.json"
    words = ("--only", "estimate_angle/pixels", "--only", "solve_udg/threads", "--only", "solve_udg/pixels")
    status, out, _ = call(scaling.main, "--quick", "--repeat", "1", *words, "--json", target)
    assert status == 0
    assert "estimate_angle against pixels" in out
    curves = json.loads(target.read_text())["curves"]
    assert [f"{one['what']}/{one['against']}" for one in curves if one["against"] != "threads"] == [words[5], words[1]]
    assert len(curves) == 3 if num_threads() > 1 else 2
    assert num_threads() == scaling.num_threads()
