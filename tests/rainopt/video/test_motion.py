"""The movement between two frames, seen in what rain leaves of them."""

import cv2
import numpy as np
import pytest

from rainopt.video.motion import GUIDE, LEAST_AGREEING, Step, guide_of, step_between
from rainopt.video.warping import inside
from tests.support.clips import rained, view

H, W = 192, 256


def grey(picture):
    return np.repeat(picture[..., None], 3, axis=2).astype(np.uint8)


@pytest.mark.parametrize("height", [120, 480])
def test_a_guide_has_no_thin_bright_streaks_and_keeps_edges(height):
    picture = np.full((height, 160), 60, np.uint8)
    picture[:, 80:] = 140
    picture[20:50, 20:50] = 10  # dark
    picture[60:100, 20:60] = 220  # bright and wide
    frame = grey(picture)
    wet = frame.copy()
    wet[:, 5:150:12] = np.maximum(wet[:, 5:150:12], 200)
    if height == 480:  # of larger pictures, wider ones
        wet[:, 6:150:12] = wet[:, 5:149:12]
    for one in (frame, wet):
        guide = guide_of(one)
        assert guide.dtype == np.uint8
        np.testing.assert_array_equal(guide[:, 3:], cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)[:, 3:])


def test_a_guide_is_never_brighter_than_the_luminance():
    frame = rained(view("coffee", (H, W)), "medium", 1)[0]
    assert (guide_of(frame) <= cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)).all()


def test_the_guide_of_16_bits_is_that_of_8_and_large_frames_have_small_ones():
    frame = view("coffee", (H, W))
    np.testing.assert_array_equal(guide_of(frame.astype(np.uint16) * 257), guide_of(frame))
    assert guide_of(np.zeros((24, 2 * GUIDE, 3), np.uint8)).shape == (12, GUIDE)


def pair(move, preset=None):
    """The guides of a photograph and of the same moved by a homography, in rain or in none."""
    wide = view("astronaut", (H + 80, W + 80))
    shift = np.array([[1, 0, 40], [0, 1, 40], [0, 0, 1]], float)
    views = [
        cv2.warpPerspective(wide, matrix @ np.linalg.inv(shift), (W, H), flags=cv2.INTER_AREA)
        for matrix in (np.eye(3), np.asarray(move, float))
    ]
    frames = rained(views, preset, 2, seed=4)
    return [guide_of(frame) for frame in frames]


def to(x, y):
    return [[1, 0, x], [0, 1, y], [0, 0, 1]]


def about_the_middle(zoom):
    return [[zoom, 0, (1 - zoom) * W / 2], [0, zoom, (1 - zoom) * H / 2], [0, 0, 1]]


def corners_by(matrix):
    corners = np.array([[0, 0, 1], [W - 1, 0, 1], [0, H - 1, 1], [W - 1, H - 1, 1]], float).T
    there = np.asarray(matrix) @ corners
    return there[:2] / there[2]


@pytest.mark.parametrize(("preset", "near"), [(None, 0.5), ("light", 1.0)])
@pytest.mark.parametrize("move", [to(3, 0), to(-4, 2), about_the_middle(1.02)])
def test_a_known_movement_is_found(move, preset, near):
    step = step_between(*pair(move, preset))
    assert step.camera is not None
    assert np.abs(corners_by(step.camera) - corners_by(move)).max() < near
    # So do the flows say, away from the edges, and their ways back are the other way.
    y, x = np.mgrid[:H, :W].astype(float)
    there = np.tensordot(np.asarray(move), np.stack([x, y, np.ones_like(x)]), 1)
    true = np.stack([there[0] - x, there[1] - y], axis=-1)[24:-24, 24:-24]
    for flow, sign in ((step.ahead, 1), (step.fine_ahead, 1), (step.back, -1), (step.fine_back, -1)):
        assert (flow.displacement.shape, flow.displacement.dtype) == ((H, W, 2), np.float32)
        apart = np.hypot(*np.moveaxis(flow.displacement[24:-24, 24:-24] - sign * true, -1, 0))
        assert np.median(apart) < near
        # They lead home nearly everywhere, and nowhere out of the picture.
        assert (flow.closed.shape, flow.closed.dtype) == ((H, W), bool)
        assert flow.closed[24:-24, 24:-24].mean() > 0.9
        assert not flow.closed[~inside(flow.displacement)].any()


def test_a_camera_that_stands_still_is_the_identity_and_rain_moves_nothing():
    guides = pair(to(0, 0), "medium")
    np.testing.assert_array_equal(step_between(*pair(to(3, 0)), still=True).camera, np.eye(3))
    step = step_between(*guides)
    assert np.abs(corners_by(step.camera) - corners_by(np.eye(3))).max() < 0.5
    assert np.median(np.hypot(*np.moveaxis(step.ahead.displacement, -1, 0))) < 0.3


def test_without_small_things_the_flow_is_that_of_large_ones():
    guides = pair(to(3, 0))
    step, fine = step_between(*guides, fine=False), step_between(*guides)
    assert step.fine_ahead is step.ahead
    assert step.fine_back is step.back
    for one, other in ((step.ahead, fine.ahead), (step.back, fine.back)):
        np.testing.assert_array_equal(one.displacement, other.displacement)
        np.testing.assert_array_equal(one.closed, other.closed)
    assert not np.array_equal(fine.fine_ahead.displacement, fine.ahead.displacement)


def test_something_small_that_walks_moves_by_itself_in_the_fine_flow():
    one = view("coffee", (2 * H, 2 * W)).copy()
    other = one.copy()
    thing = cv2.resize(view("chelsea", (60, 80)), (48, 48))
    one[180:228, 200:248], other[180:228, 210:258] = thing, thing
    step = step_between(guide_of(one), guide_of(other), still=True)
    flow = step.fine_ahead.displacement
    assert np.abs(np.median(flow[192:216, 212:236], axis=(0, 1)) - (10, 0)).max() < 1
    away = np.hypot(*np.moveaxis(flow[:120], -1, 0))
    assert np.median(away) < 0.1


def test_where_no_movement_is_shared_there_is_no_camera():
    rng = np.random.default_rng(1)
    one, other = (np.kron(rng.integers(0, 256, (H // 8, W // 8)), np.ones((8, 8))).astype(np.uint8) for _ in range(2))
    assert step_between(one, other).camera is None
    assert 0.3 < LEAST_AGREEING < 1


@pytest.mark.parametrize("shape", [(12, 12), (40, 200), (48, 48)])
def test_small_guides_have_a_step_as_well(shape):
    guide = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    step = step_between(guide, guide)
    assert isinstance(step, Step)
    for flow in (step.ahead, step.back, step.fine_ahead, step.fine_back):
        assert flow.displacement.shape == (*shape, 2)
        assert np.abs(flow.displacement).max() < 1
        assert flow.closed.shape == shape


def test_the_same_twice():
    guides = pair(about_the_middle(1.02), "light")
    one, again = step_between(*guides), step_between(*guides)
    np.testing.assert_array_equal(one.camera, again.camera)
    for name in ("ahead", "back", "fine_ahead", "fine_back"):
        for first, second in zip(getattr(one, name), getattr(again, name), strict=True):
            np.testing.assert_array_equal(first, second)
