"""A picture is read where a flow leads, and a homography is the flow of its points."""

import cv2
import numpy as np
import pytest

from rainopt.video.warping import flow_of, inside, moved, moved_mask, moved_within

H, W = 60, 80


def flow(x, y=0.0):
    return np.full((H, W, 2), (x, y), np.float32)


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


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_beside_an_edge_nothing_is_darker_than_on_its_dark_side(dtype):
    edge = np.full((H, W, 3), 20, dtype)
    edge[:, W // 2 :] = 230
    assert moved(edge, flow(0.5), cubic=True).min() < 10
    assert moved_within(edge, flow(0.5)).min() == 20
    ramp = np.repeat(3 * np.arange(W, dtype=dtype)[None, :, None], H, axis=0).repeat(3, axis=2)
    np.testing.assert_array_equal(moved_within(ramp, flow(0.5, 0.25)), moved(ramp, flow(0.5, 0.25), cubic=True))


def test_the_flow_of_a_homography_is_where_it_sends_points(rng):
    camera = np.array([[1.02, 0.01, 2.0], [-0.02, 0.99, -1.0], [1e-4, -5e-5, 1.0]])
    found = flow_of(camera, H, W)
    assert found.dtype == np.float32
    points = np.stack([rng.integers(0, W, 50), rng.integers(0, H, 50)], axis=1).astype(np.float32)
    there = cv2.perspectiveTransform(points[:, None], camera)[:, 0]
    x, y = points.astype(int).T
    np.testing.assert_allclose(found[y, x], there - points, atol=1e-4)


def test_a_flow_leads_inside_up_to_the_last_pixel():
    expected = np.zeros((H, W), bool)
    expected[2:, :-3] = True
    np.testing.assert_array_equal(inside(flow(3, -2)), expected)
    assert inside(flow(0)).all()
    assert not inside(flow(0.5))[:, -1].any()
