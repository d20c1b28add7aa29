"""Where crops lie in a picture, and how they come upright."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rainnet.data.crops import Cut, Place, find_place
from rainopt.geometry.warp import Upright

ANGLES = st.floats(-89.9, 90)


@given(angle=ANGLES, top=st.integers(0, 20), left=st.integers(0, 20), seed=st.integers(0, 99))
def test_an_upright_crop_is_a_crop_of_the_whole_picture_upright(angle, top, left, seed):
    cut = Cut(12, angle)
    height, width = cut.shape
    whole = np.random.default_rng(seed).random((2, height + 20, width + 20), dtype=np.float32)
    crop = cut.upright(whole[:, top : top + height, left : left + width])
    # The row that keeps its place is the middle one of the crop.
    start, along = (left, top) if cut.transposed else (top, left)
    upright = Upright(angle, *whole.shape[1:], centre=start + 5.5)
    sheared = np.clip(upright.forward(whole), 0, 1)
    column = upright.margin + along + cut.margin
    assert np.allclose(crop, sheared[:, start : start + 12, column : column + 12], atol=1e-5)


@given(angle=ANGLES)
def test_the_rectangle_is_as_large_as_the_crop_needs(angle):
    cut = Cut(12, angle)
    rectangle = np.zeros(cut.shape, np.float32)
    columns = rectangle if cut.transposed else rectangle.T
    length = 12 + 2 * cut.margin
    columns[...] = (np.arange(length) / length)[:, None]
    # A ramp tells where each value comes from.
    found = cut.upright(rectangle[None])[0] * length
    slope = Upright(angle, 12, 12).slope
    expected = np.arange(12) + cut.margin + slope * (np.arange(12)[:, None] - 5.5)
    assert np.abs(found - expected).max() < 0.05
    # Three pixels on each side are interpolated from, and a fraction of one more is lost to whole numbers.
    assert slope == 0 or 3 <= expected.min() <= 4
    assert slope == 0 or 3 <= length - 1 - expected.max() <= 4


def test_the_plain_crop_is_around_the_same_centre():
    for angle in (0.0, 20.0, -37.0, 60.0, -80.0):
        cut = Cut(11, angle)
        region = np.zeros((1, *cut.shape), np.float32)
        region[0, cut.shape[0] // 2, cut.shape[1] // 2] = 1
        assert cut.plain(region).shape == cut.upright(region).shape == (1, 11, 11)
        assert np.unravel_index(cut.plain(region).argmax(), (1, 11, 11)) == (0, 5, 5)
        assert np.unravel_index(cut.upright(region).argmax(), (1, 11, 11)) == (0, 5, 5)


@given(
    picture=st.tuples(st.integers(20, 90), st.integers(20, 90)),
    angle=ANGLES,
    scale=st.floats(0.2, 1),
    seed=st.integers(0, 9),
)
def test_a_place_lies_in_the_picture_where_it_can(picture, angle, scale, seed):
    shape = Cut(20, angle).shape
    place = find_place(picture, shape, 20, (scale, scale), np.random.default_rng(seed))
    fits = shape[0] <= picture[0] and shape[1] <= picture[1]
    ends = (place.top + place.height, place.left + place.width)
    assert fits == (min(place[:2]) >= 0 and ends[0] <= picture[0] and ends[1] <= picture[1])
    # In any case the middle square is.
    for start, side, part, whole in zip(place[:2], (place.height, place.width), shape, picture, strict=True):
        margin = (part - 20) / 2 * side / part
        assert start + margin >= -0.5
        assert start + side - margin <= whole + 0.5
    # Both sides are those of the result divided by one factor, in whole pixels.
    sides = list(zip((place.height, place.width), shape, strict=True))
    least = max((side - 0.5) / part for side, part in sides) - 1e-9
    most = min((side + 0.5) / part for side, part in sides) + 1e-9
    assert least <= most
    if scale * picture[0] > shape[0] and scale * picture[1] > shape[1]:
        assert least <= 1 / scale <= most


def test_places_reach_all_edges_and_outside_lies_the_nearest_pixel(rng):
    places = [find_place((30, 24), (8, 20), 8, (1, 1), np.random.default_rng(k)) for k in range(400)]
    assert {place.top for place in places} == set(range(23))
    assert {place.left for place in places} == set(range(5))
    picture = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
    taken = Place(-2, -3, 10, 12, (10, 12)).take(picture)
    assert np.array_equal(taken, np.pad(picture, ((2, 2), (3, 4), (0, 0)), mode="edge"))
