"""A frame is brought back to where the pixels of another lie, and stays the very frame where nothing moves."""

import cv2
import numpy as np
import pytest

from rainopt.video.aligned import EXACT, IDENTITY, aligned, along
from rainopt.video.motion import guide_of, step_between
from rainopt.video.regions import regions_of, whole
from rainopt.video.tracks import Track, tracks_of
from tests.support.clips import seen_from, view

H, W = 120, 160
CLOSED = np.ones((H, W), bool)


def still(camera):
    nothing = np.zeros((H, W, 2), np.float32)
    return Track(nothing, CLOSED, camera)


def shift(x, y=0.0):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], float)


def brought(frame, track, guide, other):
    """All of a frame."""
    return aligned(frame, track, guide, other, whole(frame.shape, guide.shape))


def track_between(one, other):
    return tracks_of({0: step_between(guide_of(one), guide_of(other))}, 1)[1]


@pytest.mark.parametrize("way", [(0, 4), (3, -5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_frame_of_a_camera_that_has_moved_is_brought_back(way, dtype):
    one, other = (seen_from("astronaut", *place) for place in ((0, 0), way))
    if dtype == np.uint16:
        one, other = (frame.astype(np.uint16) * 257 for frame in (one, other))
    got = brought(other, track_between(one, other), guide_of(one), guide_of(other))
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
    got = brought(frame, still(shift(3, -2)), guide, guide)
    np.testing.assert_array_equal(got.pixels[2:, :-3], frame[:-2, 3:])
    expected = np.zeros((H, W), bool)
    expected[2:, :-3] = True
    np.testing.assert_array_equal(got.valid, expected)


@pytest.mark.parametrize("pixels", [0.0, 0.9 * IDENTITY])
def test_where_nothing_moves_it_is_the_very_frame(pixels):
    frame = view("coffee", (H, W))
    guide = guide_of(frame)
    got = brought(frame, still(shift(pixels)), guide, guide)
    assert np.shares_memory(got.pixels, frame)
    np.testing.assert_array_equal(got.pixels, frame)
    assert got.valid.all()
    other = brought(frame, still(shift(2 * IDENTITY + 0.1)), guide, guide)
    assert not np.shares_memory(other.pixels, frame)


def test_the_movement_of_guides_is_scaled_to_frames():
    """A guide of half the size moves by half as many pixels."""
    large = cv2.resize(view("astronaut", (H + 8, W + 8)), (2 * W + 16, 2 * H + 16), interpolation=cv2.INTER_CUBIC)
    one, other = large[: 2 * H, : 2 * W], large[6 : 2 * H + 6, 4 : 2 * W + 4]
    guides = [cv2.resize(guide_of(frame), (W, H), interpolation=cv2.INTER_AREA) for frame in (one, other)]
    flow = np.full((H, W, 2), (-2, -3), np.float32)
    for track in (still(shift(-2, -3)), Track(flow, CLOSED, None)):
        got = brought(other, track, *guides)
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
    got = brought(other, Track(flow, closed, np.eye(3)), guide_of(one), guide_of(other))
    np.testing.assert_array_equal(got.pixels[45:75, 70:90], one[45:75, 70:90])
    np.testing.assert_array_equal(got.pixels[:25], one[:25])
    np.testing.assert_array_equal(got.pixels[:, :40], one[:, :40])
    assert not got.valid[45:75, 66:70].any()
    assert got.valid[:, :40].all()


def test_along_a_flow_each_pixel_is_the_one_it_leads_to(rng):
    frame = rng.integers(0, 65536, (H, W, 3)).astype(np.uint16)
    flow = rng.integers(-5, 6, (H, W, 2)).astype(np.float32)
    y, x = np.mgrid[:H, :W]
    got = along(frame, flow, CLOSED, whole(frame.shape, CLOSED.shape))
    rows, columns = (y + flow[..., 1]).clip(0, H - 1).astype(int), (x + flow[..., 0]).clip(0, W - 1).astype(int)
    inner = (slice(8, -8), slice(8, -8))
    np.testing.assert_array_equal(got.pixels[inner], frame[rows, columns][inner])
    assert got.valid.all()


@pytest.mark.parametrize("way", [(3, -2), (0, W), (-H - 5, 0)])
def test_a_shift_is_as_exact_as_guides_tell_it(rng, way):
    """Of frames thrice as large: what is missed by less than a guide tells is a movement by whole pixels."""
    frame = rng.integers(0, 256, (3 * H, 3 * W, 3)).astype(np.uint8)
    guide = np.zeros((H, W), np.uint8)
    got, exact = (
        brought(frame, still(shift((way[1] + near) / 3, way[0] / 3)), guide, guide) for near in (2.9 * EXACT, 0)
    )
    np.testing.assert_array_equal(got.pixels, exact.pixels)
    np.testing.assert_array_equal(got.valid, exact.valid)
    rows, columns = np.arange(3 * H) + way[0], np.arange(3 * W) + way[1]
    there = ((rows >= 0) & (rows < 3 * H))[:, None] & ((columns >= 0) & (columns < 3 * W))
    np.testing.assert_array_equal(got.valid, there)
    if there.any():
        moved = frame[rows.clip(0, 3 * H - 1)][:, columns.clip(0, 3 * W - 1)]
        np.testing.assert_array_equal(got.pixels, moved)


@pytest.mark.parametrize("scale", [1, 2, 3])
@pytest.mark.parametrize(
    "camera", [np.eye(3), shift(2.3, -1), np.array([[0.99, 0.02, 1], [-0.02, 0.99, 2], [0, 0, 1]])]
)
def test_a_part_is_that_of_the_whole(camera, scale):
    """By the camera's movement, and where things move by themselves; its edges are no nearer than a margin."""
    frame, guide = view("astronaut", (scale * H, scale * W)), guide_of(view("astronaut", (H, W)))
    flow = np.zeros((H, W, 2), np.float32)
    flow[20:60, 30:90] = (3, 1)
    track = Track(flow, CLOSED, camera)
    all_of_it = brought(frame, track, guide, guide)
    mask = ~CLOSED
    mask[70:90, 10:40] = mask[30:40, 120:130] = True
    parts = regions_of(mask, frame.shape, 4)
    assert len(parts) == 2
    for part in parts:
        there = Track(flow[part.small], CLOSED[part.small], camera, part.small_corner)
        got = aligned(frame, there, guide, guide, part)
        apart = np.abs(got.pixels.astype(int) - all_of_it.pixels[part.around])[part.within]
        assert np.quantile(apart, 0.99) <= 3
        assert np.mean(got.valid[part.within] == all_of_it.valid[part.box]) > 0.99
