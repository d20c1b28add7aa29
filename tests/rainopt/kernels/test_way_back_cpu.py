"""Whether flows lead home, against OpenCV's interpolation, and where it is known."""

import cv2
import numpy as np

from rainopt.kernels.way_back_cpu import leads_home
from rainopt.video.warping import moved, within

H, W = 60, 70


def smooth(rng, far):
    return cv2.GaussianBlur(rng.normal(0, far, (H, W, 2)).astype(np.float32), (0, 0), 4)


def test_it_is_where_both_flows_add_up_to_little(rng):
    flow, noise = smooth(rng, 40), smooth(rng, 10)
    home = noise - flow
    down, across = np.mgrid[:H, :W].astype(np.float32)
    x, y = across + flow[..., 0], down + flow[..., 1]
    missed = np.linalg.norm(flow + moved(home, flow), axis=-1)
    most = 1 + 0.02 * np.linalg.norm(flow, axis=-1)
    clear = np.abs(missed - most) > 0.15  # OpenCV knows places to a 32nd of a pixel
    inside = within(x, y, (H, W))
    assert 0.2 < np.mean(inside & (missed < most)) < 0.8
    np.testing.assert_array_equal(leads_home(flow, home, 1, 0.02)[clear], (inside & (missed < most))[clear])


def test_a_shift_leads_home_as_far_as_the_picture_goes():
    flow = np.full((H, W, 2), (5, -3), np.float32)
    closed = leads_home(flow, -flow, 0.1, 0)
    assert closed[3:, : W - 5].all()
    assert np.count_nonzero(closed) == (H - 3) * (W - 5)
    assert not leads_home(flow, flow, 1, 0.02).any()


def test_numbers_that_are_none_lead_nowhere():
    flow = np.full((4, 5, 2), np.nan, np.float32)
    assert not leads_home(flow, flow, 1, 0).any()
