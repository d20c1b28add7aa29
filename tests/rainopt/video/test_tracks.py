"""Movements from frame to frame make tracks: they compose, lead home, and end where something appears."""

import cv2
import numpy as np
import pytest

from rainopt.video.motion import Step, step_between
from rainopt.video.tracks import (
    Track,
    explains_better,
    flow_of,
    inside,
    moved,
    moved_mask,
    moves_alone,
    tracks_of,
)
from tests.support.clips import view

H, W = 60, 80


def flow(x, y=0.0):
    return np.full((H, W, 2), (x, y), np.float32)


def shift(x, y=0.0):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def step(x, y=0.0, camera=True):
    return Step(flow(x, y), flow(-x, -y), flow(2 * x, y), flow(-2 * x, -y), shift(x, y) if camera else None)


def test_steps_add_up_to_either_side():
    tracks = tracks_of({-2: step(1, 1), -1: step(3), 0: step(3), 1: step(3, -2)}, 4)
    assert sorted(tracks) == [-2, -1, 1, 2]
    for number, there in {1: (3, 0), 2: (6, -2), -1: (-3, 0), -2: (-4, -1)}.items():
        np.testing.assert_allclose(tracks[number].coarse, flow(*there), atol=1e-5)
        np.testing.assert_allclose(tracks[number].fine, flow(2 * there[0], there[1]), atol=1e-5)
        np.testing.assert_allclose(tracks[number].camera, shift(*there), atol=1e-12)
        # The way back leads home, but for what leaves the picture on its way.
        np.testing.assert_array_equal(tracks[number].coarse_closed, inside(tracks[number].coarse))
        np.testing.assert_array_equal(tracks[number].fine_closed, inside(tracks[number].fine))


def test_each_step_is_taken_where_the_one_before_has_led():
    """All double their distance from the left edge, at each step."""
    across = np.broadcast_to(np.arange(W, dtype=np.float32), (H, W))
    zoom = np.stack([across, np.zeros((H, W), np.float32)], axis=-1)
    camera = np.diag([2.0, 1.0, 1.0])
    steps = {k: Step(zoom, -zoom / 2, zoom, -zoom / 2, camera) for k in range(2)}
    track = tracks_of(steps, 2)[2]
    seen = inside(track.coarse)
    np.testing.assert_allclose(track.coarse[seen], 3 * zoom[seen], atol=1e-3)
    np.testing.assert_allclose(flow_of(track.camera, H, W), 3 * zoom, atol=1e-3)
    assert seen[:, : W // 4].all()
    assert not seen[:, W // 4 + 1 :].any()
    assert track.coarse_closed[:, : W // 4].all()
    assert not track.coarse_closed[~seen].any()


def test_a_missing_step_ends_a_track_and_a_missing_camera_the_cameras():
    assert sorted(tracks_of({-1: step(1), 1: step(1)}, 3)) == [-1]
    assert tracks_of({}, 3) == {}
    assert sorted(tracks_of(dict.fromkeys(range(-5, 5), step(0)), 2)) == [-2, -1, 1, 2]
    tracks = tracks_of({0: step(1), 1: step(1, camera=False), 2: step(1), -1: step(1)}, 3)
    assert [tracks[k].camera is None for k in (-1, 1, 2, 3)] == [False, False, True, True]


def test_a_track_does_not_lead_home_where_something_appears():
    shown = step(0)
    shown.ahead[20:30, 40:50] = (15, 0)  # what it says of where it is, nothing says on the way back
    tracks = tracks_of({0: shown, 1: step(0)}, 2)
    appears = np.zeros((H, W), bool)
    appears[20:30, 40:50] = True
    for number in (1, 2):
        assert not tracks[number].coarse_closed[21:29, 41:49].any()
        assert tracks[number].coarse_closed[~appears].all()
        assert tracks[number].fine_closed.all()


def test_a_real_flow_does_not_lead_home_where_a_thing_has_come_from_nowhere(rng):
    one = cv2.cvtColor(view("coffee", (120, 160)), cv2.COLOR_RGB2GRAY)
    other = one.copy()
    other[40:80, 60:100] = np.kron(rng.integers(0, 256, (10, 10)), np.ones((4, 4)))
    closed = tracks_of({0: step_between(one, other, still=True)}, 1)[1].coarse_closed
    assert closed[45:75, 65:95].mean() < 0.5
    away = np.ones((120, 160), bool)
    away[20:100, 40:120] = False
    assert closed[away].mean() > 0.95


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_a_picture_is_read_where_a_flow_leads_and_goes_on_beyond_its_edges(rng, dtype):
    picture = rng.integers(0, 255, (H, W, 3)).astype(dtype)
    for cubic in (False, True):
        got = moved(picture, flow(3, -2), cubic)
        assert got.dtype == dtype
        np.testing.assert_array_equal(got[2:, :-3], picture[:-2, 3:])
        np.testing.assert_array_equal(got[2:, -3:], np.repeat(picture[:-2, -1:], 3, axis=1))
        np.testing.assert_array_equal(moved(picture, flow(0), cubic), picture)
    mask = picture[..., 0] > 100
    got = moved_mask(mask, flow(3, -2))
    assert got.dtype == bool
    np.testing.assert_array_equal(got[2:, :-3], mask[:-2, 3:])


def test_the_flow_of_a_homography_is_where_it_sends_points(rng):
    camera = np.array([[1.02, 0.01, 2.0], [-0.02, 0.99, -1.0], [1e-4, -5e-5, 1.0]])
    found = flow_of(camera, H, W)
    assert found.dtype == np.float32
    points = np.stack([rng.integers(0, W, 50), rng.integers(0, H, 50)], axis=1).astype(np.float32)
    there = cv2.perspectiveTransform(points[:, None], camera)[:, 0]
    x, y = points.astype(int).T
    np.testing.assert_allclose(found[y, x], there - points, atol=1e-4)


def test_something_that_walks_in_front_of_a_still_camera_moves_by_itself():
    rng = np.random.default_rng(2)
    ground, thing = (np.kron(rng.integers(0, 256, size), np.ones((4, 4))) for size in ((30, 40), (10, 10)))
    frames = []
    for x in (60, 66):
        frame = ground.copy()
        frame[40:80, x : x + 40] = thing
        frames.append(frame.astype(np.uint8))
    true = np.zeros((120, 160, 2), np.float32)
    true[40:80, 60:100] = (6, 0)
    closed = np.ones((120, 160), bool)
    track = Track(true, true, closed, closed, np.eye(3))
    alone = moves_alone(track, *frames)
    assert alone[45:75, 70:95].all()
    assert not alone[:25].any()
    assert not alone[:, :40].any()
    # Where all moves as the camera does, nothing does; where there is no camera, all does.
    still = Track(flow_like(frames[0]), true, closed, closed, np.eye(3))
    assert not moves_alone(still, frames[0], frames[0]).any()
    assert moves_alone(Track(true, true, closed, closed, None), *frames).all()
    np.testing.assert_array_equal(
        explains_better(Track(true, true, closed, closed, None), *frames), explains_better(track, *frames)
    )


def flow_like(guide):
    return np.zeros((*guide.shape, 2), np.float32)
