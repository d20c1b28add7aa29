"""What a browser may send, and what of it makes a difference."""

import math

import pytest

from rainopt.studio.asked import Asked, AskedError

STROKE = {"kind": "rain", "radius": 2.0, "points": [1.0, 2.0, 3.0, 4.0]}
FULL = {
    "method": "solver",
    "lines": [{"angle": 12.0, "on": True}, {"angle": -20.0, "on": False}],
    "strength": 1.5,
    "veil": True,
    "strokes": [STROKE],
}


def test_what_is_sent_comes_back():
    assert Asked.of(FULL).as_json() == FULL
    assert Asked.of({}) == Asked()
    assert Asked.of(Asked().as_json()) == Asked()


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ([], "`asked`"),
        ({"angle": 3}, "'angle'"),
        ({"method": 3}, "`method`"),
        ({"veil": 1}, "`veil`"),
        ({"strength": -1}, "`strength`"),
        ({"strength": math.nan}, "`strength`"),
        ({"strength": True}, "`strength`"),
        ({"lines": [{"angle": -90}]}, "`angle`"),
        ({"lines": [{"angle": 91}]}, "`angle`"),
        ({"lines": [{"angle": 1, "on": 1}]}, "`on`"),
        ({"lines": [{"angle": float(k)} for k in range(4)]}, "`lines`"),
        ({"strokes": [STROKE | {"kind": "x"}]}, "`kind`"),
        ({"strokes": [STROKE | {"points": [1.0]}]}, "`points`"),
        ({"strokes": [STROKE | {"points": [1.0, math.inf]}]}, "`points`"),
        ({"strokes": [STROKE | {"radius": "2"}]}, "`radius`"),
        ({"strokes": [STROKE] * 2001}, "`strokes`"),
        ({"strokes": [STROKE | {"points": [1.0, 2.0] * 101_000}] * 2}, "`strokes`"),
    ],
)
def test_what_the_page_does_not_send_is_refused_by_name(sent, named):
    with pytest.raises(AskedError, match=named):
        Asked.of(sent)


def lines(*angles, **more):
    return Asked.of({"lines": [{"angle": angle, "on": on} for angle, on in angles], **more})


def test_lines_that_make_no_difference_are_no_other_wish():
    assert lines((5.0, True), (30.0, False)).key() == lines((5.0, True)).key() != lines((5.0, True), (30.0, True)).key()
    # The solver refuses directions that are nearly one.
    assert lines((5.0, True), (5.4, True)).angles == (5.0,)
    assert lines((90.0, True), (-89.8, True)).angles == (90.0,)


def test_no_line_at_all_takes_nothing_off():
    for nothing in (lines((5.0, False), strength=2.0), Asked.of({"lines": [], "method": "refine"})):
        plain = nothing.plain()
        assert (plain.method, plain.angles, plain.strength) == ("solver", None, 0.0)
