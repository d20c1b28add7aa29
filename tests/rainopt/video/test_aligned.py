"""A frame is brought back to where the pixels of another lie, and stays the very frame where nothing moves."""

import cv2
import numpy as np
import pytest

from rainopt.video.aligned import IDENTITY, aligned, along
from rainopt.video.motion import guide_of, step_between
from rainopt.video.tracks import Track, tracks_of
from tests.support.clips import seen_from, view

H, W = 120, 160
CLOSED = np.ones((H, W), bool)


def still(camera):
    nothing = np.zeros((H, W, 2), np.float32)
    return Track(nothing, CLOSED, camera)


def shift(x, y=0.0):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def track_between(one, other):
    return tracks_of({0: step_between(guide_of(one), guide_of(other))}, 1)[1]


@pytest.mark.parametrize("way", [(0, 4), (3, -5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_frame_of_a_camera_that_has_moved_is_brought_back(way, dtype):
    one, other = (seen_from("astronaut", *place) for place in ((0, 0), way))
    if dtype == np.uint16:
        one, other = (frame.astype(np.uint16) * 257 for frame in (one, other))
    got = aligned(other, track_between(one, other), guide_of(one), guide_of(other))
    assert got.pixels.dtype == dtype
    unit = np.iinfo(dtype).max / 255
    inner = (slice(12, -12), slice(12, -12))
    apart = np.abs(got.pixels.astype(float) - one)[inner] / unit
    before = np.abs(other.astype(float) - one)[inner] / unit
    assert apart.mean() < 3
    assert apart.mean() < 0.25 * before.mean()
    # What has left the picture cannot be believed, and nearly all of the rest can.
    assert got.valid[inner].mean() > 0.95
    lost = np.zeros((H, W), bool)
    lost[: way[0]] = True
    lost[:, slice(0, way[1]) if way[1] > 0 else slice(W + way[1], W)] = True
    assert got.valid[lost].mean() < 0.35


def test_whole_pixels_of_a_known_movement_are_brought_back_bit_for_bit(rng):
    frame = rng.integers(0, 256, (H, W, 3)).astype(np.uint8)
    guide = np.zeros((H, W), np.uint8)
    got = aligned(frame, still(shift(3, -2)), guide, guide)
    np.testing.assert_array_equal(got.pixels[2:, :-3], frame[:-2, 3:])
    expected = np.zeros((H, W), bool)
    expected[2:, :-3] = True
    np.testing.assert_array_equal(got.valid, expected)


@pytest.mark.parametrize("pixels", [0.0, 0.9 * IDENTITY])
def test_where_nothing_moves_it_is_the_very_frame(pixels):
    frame = view("coffee", (H, W))
    guide = guide_of(frame)
    got = aligned(frame, still(shift(pixels)), guide, guide)
    assert got.pixels is frame
    assert got.valid.all()
    assert aligned(frame, still(shift(2 * IDENTITY + 0.1)), guide, guide).pixels is not frame


def test_the_movement_of_guides_is_scaled_to_frames():
    """A guide of half the size moves by half as many pixels."""
    large = cv2.resize(view("astronaut", (H + 8, W + 8)), (2 * W + 16, 2 * H + 16), interpolation=cv2.INTER_CUBIC)
    one, other = large[: 2 * H, : 2 * W], large[6 : 2 * H + 6, 4 : 2 * W + 4]
    guides = [cv2.resize(guide_of(frame), (W, H), interpolation=cv2.INTER_AREA) for frame in (one, other)]
    flow = np.full((H, W, 2), (-2, -3), np.float32)
    for track in (still(shift(-2, -3)), Track(flow, CLOSED, None)):
        got = aligned(other, track, *guides)
        inner = (slice(10, -10), slice(10, -10))
        np.testing.assert_allclose(got.pixels[inner], one[inner], rtol=0, atol=1)
        assert got.valid.shape == (2 * H, 2 * W)
        assert got.valid[inner].all()


def test_something_that_moves_by_itself_is_followed_and_the_rest_stays():
    rng = np.random.default_rng(2)
    thing = np.kron(rng.integers(0, 256, (10, 10, 1)), np.ones((4, 4, 3)))
    ground = view("coffee", (H, W))
    one, other = ground.copy(), ground.copy()
    one[40:80, 60:100], other[40:80, 66:106] = thing, thing
    flow = np.zeros((H, W, 2), np.float32)
    flow[36:84, 54:104] = (6, 0)
    closed = CLOSED.copy()
    closed[40:80, 66:70] = False
    got = aligned(other, Track(flow, closed, np.eye(3)), guide_of(one), guide_of(other))
    np.testing.assert_array_equal(got.pixels[45:75, 70:90], one[45:75, 70:90])
    np.testing.assert_array_equal(got.pixels[:25], one[:25])
    np.testing.assert_array_equal(got.pixels[:, :40], one[:, :40])
    assert not got.valid[45:75, 66:70].any()
    assert got.valid[:, :40].all()


def test_along_a_flow_each_pixel_is_the_one_it_leads_to(rng):
    frame = rng.integers(0, 65536, (H, W, 3)).astype(np.uint16)
    flow = rng.integers(-5, 6, (H, W, 2)).astype(np.float32)
    y, x = np.mgrid[:H, :W]
    got = along(frame, flow, CLOSED)
    rows, columns = (y + flow[..., 1]).clip(0, H - 1).astype(int), (x + flow[..., 0]).clip(0, W - 1).astype(int)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_array_equal(got.pixels[inner], frame[rows, columns][inner])
    assert got.valid is CLOSED
