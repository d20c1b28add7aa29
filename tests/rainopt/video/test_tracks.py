"""Movements from frame to frame make tracks: they compose, lead home, and end where something appears."""

import cv2
import numpy as np

from rainopt.video.motion import Flow, Step, step_between
from rainopt.video.tracks import Track, explains_better, found_along, moves_alone, tracks_of
from rainopt.video.warping import flow_of, inside, moved_mask
from tests.support.clips import view

H, W = 60, 80


def flow(x, y=0.0):
    return np.full((H, W, 2), (x, y), np.float32)


def leading(displacement):
    return Flow(displacement, inside(displacement))


def shift(x, y=0.0):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def step(x, y=0.0, camera=True):
    large, small = (leading(flow(x, y)), leading(flow(-x, -y))), (leading(flow(2 * x, y)), leading(flow(-2 * x, -y)))
    return Step(*large, *small, shift(x, y) if camera else None)


def test_steps_add_up_to_either_side():
    steps = {-2: step(1, 1), -1: step(3), 0: step(3), 1: step(3, -2)}
    coarse, fine = tracks_of(steps, 4), tracks_of(steps, 4, fine=True)
    assert sorted(coarse) == sorted(fine) == [-2, -1, 1, 2]
    for number, there in {1: (3, 0), 2: (6, -2), -1: (-3, 0), -2: (-4, -1)}.items():
        for track, way in ((coarse[number], there), (fine[number], (2 * there[0], there[1]))):
            np.testing.assert_allclose(track.flow, flow(*way), atol=1e-5)
            np.testing.assert_allclose(track.camera, shift(*there), atol=1e-12)
            # The way back leads home, but for what leaves the picture on its way.
            np.testing.assert_array_equal(track.closed, inside(track.flow))


def test_each_step_is_taken_where_the_one_before_has_led():
    """All double their distance from the left edge, at each step."""
    across = np.broadcast_to(np.arange(W, dtype=np.float32), (H, W))
    zoom = np.stack([across, np.zeros((H, W), np.float32)], axis=-1)
    camera = np.diag([2.0, 1.0, 1.0])
    ahead, back = leading(zoom), leading(-zoom / 2)
    steps = {k: Step(ahead, back, ahead, back, camera) for k in range(2)}
    track = tracks_of(steps, 2)[2]
    seen = inside(track.flow)
    np.testing.assert_allclose(track.flow[seen], 3 * zoom[seen], atol=1e-3)
    np.testing.assert_allclose(flow_of(track.camera, H, W), 3 * zoom, atol=1e-3)
    assert seen[:, : W // 4].all()
    assert not seen[:, W // 4 + 1 :].any()
    assert track.closed[:, : W // 4].all()
    assert not track.closed[~seen].any()


def test_a_missing_step_ends_a_track_and_a_missing_camera_the_cameras():
    assert sorted(tracks_of({-1: step(1), 1: step(1)}, 3)) == [-1]
    assert tracks_of({}, 3) == {}
    assert sorted(tracks_of(dict.fromkeys(range(-5, 5), step(0)), 2)) == [-2, -1, 1, 2]
    tracks = tracks_of({0: step(1), 1: step(1, camera=False), 2: step(1), -1: step(1)}, 3)
    assert [tracks[k].camera is None for k in (-1, 1, 2, 3)] == [False, False, True, True]


def test_a_track_does_not_lead_home_where_something_appears():
    nothing, closed = leading(flow(0)), np.ones((H, W), bool)
    closed[20:30, 40:50] = False
    shown = Step(Flow(flow(0), closed), nothing, nothing, nothing, np.eye(3))
    # In the first step or in a later one, and only along the flow of which it is said.
    for steps, numbers in (({0: shown, 1: step(0)}, (1, 2)), ({0: step(0), 1: shown}, (2,))):
        for number in numbers:
            np.testing.assert_array_equal(tracks_of(steps, 2)[number].closed, closed)
            assert tracks_of(steps, 2, fine=True)[number].closed.all()
    # It is said of where the step before has led.
    there = tracks_of({0: step(5), 1: shown}, 2)[2].closed
    assert not there[20:30, 35:45].any()
    assert there[20:30, 45:-5].all()


def test_a_real_flow_does_not_lead_home_where_a_thing_has_come_from_nowhere(rng):
    one = cv2.cvtColor(view("coffee", (120, 160)), cv2.COLOR_RGB2GRAY)
    other = one.copy()
    other[40:80, 60:100] = np.kron(rng.integers(0, 256, (10, 10)), np.ones((4, 4)))
    closed = tracks_of({0: step_between(one, other, still=True)}, 1)[1].closed
    assert closed[45:75, 65:95].mean() < 0.5
    away = np.ones((120, 160), bool)
    away[20:100, 40:120] = False
    assert closed[away].mean() > 0.95


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
    track = Track(true, closed, np.eye(3))
    alone = moves_alone(track, *frames)
    assert alone[45:75, 70:95].all()
    assert not alone[:25].any()
    assert not alone[:, :40].any()
    # Where all moves as the camera does, nothing does; where there is no camera, all does.
    still = Track(np.zeros_like(true), closed, np.eye(3))
    assert not moves_alone(still, frames[0], frames[0]).any()
    assert moves_alone(Track(true, closed, None), *frames).all()
    np.testing.assert_array_equal(explains_better(Track(true, closed, None), *frames), explains_better(track, *frames))


def test_a_part_is_followed_as_the_whole_is(rng):
    """A few pixels alone, or a part of the picture, lie where the whole picture's tracks say."""
    shape = (40, 50)
    fields = [rng.normal(0, 2, (*shape, 2)).astype(np.float32) for _ in range(15)]
    flows = [Flow(field, inside(field) & (rng.random(shape) < 0.9)) for field in fields]
    steps = {k: Step(*flows[3 * k + 6 : 3 * k + 9], flows[3 * k + 7], np.eye(3)) for k in range(-2, 2)}
    masks = {k: rng.random(shape) < 0.3 for k in range(-2, 3)}
    whole = tracks_of(steps, 2, fine=True)
    found = found_along(masks, steps, 2, masks[0])
    assert sorted(found) == sorted(whole) == [-2, -1, 1, 2]
    for number, track in whole.items():
        there = moved_mask(masks[number], track.flow) & track.closed & masks[0]
        np.testing.assert_array_equal(found[number] & masks[0], there)
        part = slice(7, 30), slice(11, 44)
        other = tracks_of(steps, 2, fine=True, part=part)[number]
        np.testing.assert_array_equal(other.flow, track.flow[part])
        np.testing.assert_array_equal(other.closed, track.closed[part])
        assert other.part == part
    assert found_along(masks, steps, 2, np.zeros(shape, bool)) == {}
