"""Tiles equal the whole, where a network says how far it looks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainnet.infer.derain import derain
from rainnet.infer.memory import bytes_per_pixel
from rainnet.infer.tiles import FEATHER, LEAST_TILE
from rainopt.geometry.tiles import equal_spans
from tests.support.toy import Toy
from tests.support.udgnet import random_udgnet


@pytest.fixture
def picture(rng):
    return rng.random((83, 131, 3), dtype=np.float32)


@pytest.mark.parametrize(
    ("stride", "angle", "tile"), [(1, 0, 32), (1, -80, 45), (2, 0, 64), (2, 17, 32), (2, -80, 45), (None, None, 32)]
)
def test_tiles_equal_the_whole(picture, stride, angle, tile):
    net = random_udgnet(stride=stride) if stride else Toy()
    whole = derain(net, picture, angle=angle, tile=0)
    tiled = derain(net, picture, angle=angle, tile=tile, batch=3)
    assert np.abs(whole.background - picture).mean() > 0.01
    np.testing.assert_allclose(tiled.background, whole.background, atol=2e-6)
    np.testing.assert_allclose(tiled.rain, whole.rain, atol=2e-6)


def test_a_reach_that_is_short_is_seen_by_the_test(picture):
    # So that the test above cannot pass for want of anything that crosses a cut.
    net = random_udgnet()
    whole = derain(net, picture, angle=17, tile=0)
    net.reach = 0
    assert np.abs(derain(net, picture, angle=17, tile=32).background - whole.background).max() > 1e-3


@given(
    st.integers(1, 3000),
    st.one_of(st.just(0), st.integers(LEAST_TILE, 700)),
    st.integers(0, 90),
    st.sampled_from([1, 2, 4, 16, 64]),
)
def test_spans_cover_every_pixel_once(blocks, side, reach, multiple):
    length = multiple * -(-blocks // multiple)
    cover = equal_spans(length, side, reach, FEATHER, multiple)
    total = np.zeros(length, np.float32)
    for span in cover:
        start, stop = span.pixels.start, span.pixels.stop
        assert 0 <= start < stop <= length
        assert start % multiple == stop % multiple == 0
        assert stop - start == len(cover[0].window)
        total[span.pixels] += span.window
        counts = np.flatnonzero(span.window) + start
        # What counts has its surroundings in the tile, or there are none.
        assert start == 0 or counts.min() - start >= reach
        assert stop == length or stop - 1 - counts.max() >= reach
    np.testing.assert_allclose(total, 1, rtol=1e-6)
    around = 2 * multiple * -(-(reach + FEATHER // 2) // multiple)
    assert len(cover) == 1 if side == 0 else len(cover[0].window) <= max(side, multiple) + around


def test_tiles_are_as_large_and_as_many_at_a_time_as_was_said(picture, monkeypatch):
    net, seen, shares = random_udgnet(), [], []
    real = net.layers
    monkeypatch.setattr(net, "layers", lambda rainy: seen.append(tuple(rainy.shape)) or real(rainy))
    derain(net, picture, angle=0, tile=40, batch=4, progress=shares.append)
    assert {shape[1:] for shape in seen} == {seen[0][1:]}
    assert max(seen[0][2:]) <= 40 + 2 * (net.reach + FEATHER)
    assert [shape[0] for shape in seen][:-1] == [4] * (len(seen) - 1)
    assert shares == sorted(set(shares))
    assert (len(shares), shares[-1]) == (len(seen), 1)
    seen.clear()
    derain(net, picture, angle=0)
    assert seen == [(1, 3, 84, 132)]


def test_the_memory_of_a_network_is_what_its_tensors_hold():
    net = Toy()
    # Two blocks of 2 x 2 pixels in 3 channels at a time: what goes into a layer, and what comes out.
    assert 2 * 12 <= bytes_per_pixel(net) <= 6 * 12
    assert bytes_per_pixel(random_udgnet(features=64)) > 4 * bytes_per_pixel(random_udgnet(features=8))
