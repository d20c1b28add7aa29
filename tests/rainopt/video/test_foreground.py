"""What moves is told from rain: rain is bright and thin, things are dark, or wide."""

import numpy as np
import pytest

from data_tools import rain_video
from rainopt.video.foreground import MARGIN, THING, moving
from rainopt.video.percentiles import NEAR
from tests.support.clips import streaks

SHAPE = (480, 640)


def nothing(shape=SHAPE):
    return np.zeros(shape, np.float32)


def square(value, side, shape=SHAPE):
    picture = nothing(shape)
    picture[100 : 100 + side, 200 : 200 + side] = value
    return picture


@pytest.mark.parametrize("angle", [0, 30, -60, 90])
@pytest.mark.parametrize("width", [2, 8])
def test_a_streak_does_not_move(angle, width):
    along, across = np.deg2rad(angle), nothing()
    y, x = np.mgrid[: SHAPE[0], : SHAPE[1]] - np.asarray([240, 320])[:, None, None]
    away = np.abs(x * np.cos(along) - y * np.sin(along))
    across[(away <= width / 2) & (np.hypot(x, y) < 150)] = 0.4
    assert np.count_nonzero(across) > 200 * width
    assert not moving(across).any()


@pytest.mark.parametrize(("preset", "most"), [("light", 0.04), ("medium", 0.03)])
def test_rain_hardly_moves(preset, most):
    spec = streaks(preset, np.random.default_rng(3), 1.5)
    rain = next(rain_video(nothing(), spec, np.random.default_rng(3))).rain
    assert np.mean(rain > NEAR) > 0.05
    assert moving(rain).mean() < most


@pytest.mark.parametrize("side", [3, 10, 60])
def test_a_dark_square_moves(side):
    found = moving(square(-0.1, side))
    where = nothing().astype(bool)
    where[100 - MARGIN : 100 + side + MARGIN, 200 - MARGIN : 200 + side + MARGIN] = True
    np.testing.assert_array_equal(found, where)


def test_a_wide_bright_square_moves_and_a_narrow_one_is_rain():
    found = moving(square(0.2, 40))
    assert found[102:138, 202:238].all()
    assert not found[: 100 - MARGIN].any()
    assert not found[:, : 200 - MARGIN].any()
    assert not moving(square(0.2, THING - 2)).any()


def test_what_is_hardly_different_and_dark_specks_are_noise():
    specks = nothing()
    specks[::7, ::5] = -0.2
    for picture in (specks, square(NEAR / 2, 60), square(-NEAR / 2, 60)):
        assert not moving(picture).any()


def test_what_counts_as_wide_goes_with_the_picture():
    small = (48, 64)
    picture = nothing(small)
    picture[20:25, 30:35] = 0.2
    assert moving(picture)[20:25, 30:35].any()
    large = nothing()
    large[20:25, 30:35] = 0.2
    assert not moving(large).any()


def test_rain_around_a_thing_is_left():
    picture = square(-0.1, 50)
    picture[50:400:6, 20:23] = 0.3
    found = moving(picture)
    assert found[100:150, 200:250].all()
    assert not found[:, :190].any()
    assert found.dtype == bool
    assert found.shape == SHAPE
