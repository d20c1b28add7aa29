"""Directions of lines, which repeat after 180 degrees."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.geometry.lines import line_angle
from rainopt.geometry.warp import Upright


@given(st.floats(-720, 720))
def test_an_angle_is_turned_to_that_of_the_same_line(angle):
    got = line_angle(angle)
    assert -90 < got <= 90
    assert np.sin(np.radians(got - angle)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize(("angle", "expected"), [(91, -89), (-91, 89), (0, 0), (180, 0), (-180, 0)])
def test_the_ends_of_the_range_are_one(angle, expected):
    assert line_angle(angle) == expected
    for end in (90, -90, 270, np.nextafter(90, 91), np.nextafter(-90, -91)):
        assert line_angle(end) == 90
        Upright(line_angle(end), 20, 20)  # refuses -90


@given(st.lists(st.floats(-720, 720), min_size=1, max_size=5))
def test_an_array_of_angles_is_its_angles_and_those_in_the_range_stay(angles):
    each = [line_angle(angle) for angle in angles]
    np.testing.assert_array_equal(line_angle(np.array(angles)), each)
    assert [line_angle(angle) for angle in each] == each
