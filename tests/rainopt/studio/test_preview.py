"""What is solved while somebody looks is what the command solves, or near it."""

import numpy as np
import pytest

from rainopt.still.derain import decompose
from rainopt.still.settings import StillSettings
from rainopt.studio.asked import Asked
from rainopt.studio.marks import drawn
from rainopt.studio.photo import Photo, Region, cut, shown
from rainopt.studio.preview import KNOTS, Piece

ANGLES = {"lines": [{"angle": 0.0}]}


@pytest.fixture
def opened(photo):
    return Photo(photo)


def piece(opened, region=None, **asked):
    return Piece(opened, region or opened.whole(), Asked.of(ANGLES | asked))


def test_at_full_size_it_is_the_command(opened):
    derained, rain = piece(opened).derained(1.3)
    known = decompose(opened.pixels, StillSettings(angle=0.0, strength=1.3))
    np.testing.assert_array_equal(derained, known.background)
    np.testing.assert_allclose(rain, known.rain, atol=1e-6)


def test_directions_are_found_as_the_command_finds_them(opened):
    one = Piece(opened, opened.whole(), Asked())
    known = decompose(opened.pixels, StillSettings())
    assert [streaks.direction for streaks in one.streaks(1.0)] == list(known.directions)
    np.testing.assert_array_equal(one.derained(1.0)[0], known.background)


def test_between_knots_it_is_near_what_is_solved(opened):
    one = piece(opened)
    while one.solve_ahead():
        pass
    assert set(one.layers) == set(KNOTS)
    for strength in (0.7, 1.4, 3.0):
        near, _ = one.derained(strength, quick=True)
        assert strength not in one.layers
        exact, _ = one.derained(strength)
        off = np.abs(near.astype(int) - exact)
        assert off.mean() < 0.5, strength  # of 255
        assert np.percentile(off, 99) <= 6
    at_knot, _ = one.derained(2.0, quick=True)
    np.testing.assert_array_equal(at_knot, one.derained(2.0)[0])


def test_strength_0_and_no_direction_leave_every_value(opened):
    for one, strength in ((piece(opened), 0.0), (piece(opened, lines=[]), 1.0)):
        derained, rain = one.derained(strength)
        np.testing.assert_array_equal(derained, opened.pixels)
        assert not rain.any()


def test_what_is_protected_stays_and_marked_rain_goes(opened):
    strokes = [{"kind": "protect", "radius": 8, "points": [10, 30, 60, 30]}]
    one = piece(opened, strokes=strokes)
    kept = drawn(one.asked.strokes, *opened.pixels.shape[:2]) == -1
    derained, _ = one.derained(2.0)
    np.testing.assert_array_equal(derained[kept], opened.pixels[kept])
    assert (piece(opened).derained(2.0)[0][kept] != opened.pixels[kept]).any()
    more = piece(opened, strokes=[strokes[0] | {"kind": "rain"}]).derained(0.5)[1]
    assert more[kept].sum() > piece(opened).derained(0.5)[1][kept].sum()


def test_a_part_is_near_the_whole(opened):
    height, width = opened.pixels.shape[:2]
    region = Region(10, 5, width - 20, height - 10, width - 20, height - 10)
    part, _ = piece(opened, region).derained(1.0)
    whole, _ = piece(opened).derained(1.0)
    assert np.abs(part.astype(int) - whole[5 : height - 5, 10 : width - 10]).mean() < 1.5


def test_a_reduced_picture_is_one_of_means(opened):
    height, width = opened.pixels.shape[:2]
    half = cut(opened.pixels, opened.whole(width // 2))
    blocks = opened.pixels.reshape(height // 2, 2, width // 2, 2, 3).mean(axis=(1, 3))
    assert np.abs(half - blocks).max() <= 1


def test_the_veil_of_a_part_is_that_of_the_whole(opened):
    height, width = opened.pixels.shape[:2]
    whole = opened.veil(opened.whole())
    part = opened.veil(Region(20, 12, 40, 30, 40, 30))
    np.testing.assert_allclose(part, whole[12:42, 20:60], atol=1e-6)
    known = decompose(opened.pixels, StillSettings(angle=0.0, veil=True))
    assert np.abs(whole - known.veil).max() < 0.05
    assert whole.min() >= 0
    assert whole.max() < 1
    assert whole.shape == (height, width)


@pytest.mark.parametrize(("dtype", "top"), [(np.uint8, 255), (np.uint16, 65535), (np.float32, 1.0)])
@pytest.mark.parametrize("channels", [0, 2, 3, 4])
def test_every_kind_of_picture_is_shown(dtype, top, channels):
    pixels = np.full((4, 5, channels) if channels else (4, 5), top, dtype)
    seen = shown(pixels)
    assert seen.dtype == np.uint8
    assert seen.shape == ((4, 5) if channels in (0, 2) else (4, 5, 3))
    assert (seen == 255).all()
