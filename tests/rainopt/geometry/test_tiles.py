import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.geometry.tiles import tiles


@given(st.integers(1, 90), st.integers(1, 90), st.integers(4, 60), st.data())
def test_windows_sum_to_one_at_every_pixel_and_change_slowly(height, width, size, data):
    overlap = data.draw(st.integers(1, size))
    total = np.zeros((height, width))
    for tile in tiles(height, width, size, overlap):
        assert tile.window.dtype == np.float32
        assert tile.window.shape == (tile.rows.stop - tile.rows.start, tile.columns.stop - tile.columns.start)
        assert 0 <= tile.rows.start < tile.rows.stop <= height
        assert 0 <= tile.columns.start < tile.columns.stop <= width
        assert max(tile.window.shape) <= size + overlap
        assert 0 <= tile.window.min() <= tile.window.max() <= 1
        for axis in (0, 1):
            assert np.abs(np.diff(tile.window, axis=axis)).max(initial=0) <= 3 / overlap + 1e-6
        total[tile.rows, tile.columns] += tile.window
    np.testing.assert_allclose(total, 1, atol=1e-6)


@pytest.mark.parametrize(("length", "count"), [(64, 1), (65, 2), (128, 2), (129, 3)])
def test_number_of_tiles(length, count):
    assert len(list(tiles(length, 10, 64, 16))) == count


def test_nearer_than_a_third_of_the_overlap_a_tile_is_not_used():
    size, overlap = 64, 30
    for tile in tiles(200, 64, size, overlap):
        if tile.rows.start > 0:
            assert not tile.window[: overlap // 3].any()
        if tile.rows.stop < 200:
            assert not tile.window[-overlap // 3 :].any()
