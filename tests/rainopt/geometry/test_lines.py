import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rainopt.geometry.lines import line_angle


@given(st.floats(-1e4, 1e4))
@example(math.nextafter(90, 91))
@example(math.nextafter(-90, 0))
@example(-90.0)
@example(270.0)
def test_angles_are_those_of_the_same_line_and_never_minus_90(degrees):
    angle = line_angle(degrees)
    assert -90 < angle <= 90
    assert math.cos(math.radians(2 * (angle - degrees))) == pytest.approx(1)
