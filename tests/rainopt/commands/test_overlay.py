import numpy as np
import pytest

from rainopt import Direction
from rainopt.commands.overlay import COLOURS, SIDE, draw_directions

GREY = np.full((210, 280, 3), 128, np.uint8)


def coloured(picture, colour):
    """Rows and columns of the pixels of one colour."""
    return np.nonzero((picture == np.array(colour, np.uint8)).all(axis=-1))


@pytest.mark.parametrize("angle", [-80, -45, -12, 0, 20, 60, 90])
def test_lines_are_drawn_at_the_angle(angle):
    rows, columns = coloured(draw_directions(GREY, [Direction(angle, 1.0)]), COLOURS[0])
    assert len(rows) > 100
    # The line in the middle of the first cell, and nothing of its neighbours, which begin 40 pixels on.
    near = (abs(rows - 20) <= 18) & (abs(columns - 20) <= 18)
    rows, columns = rows[near] - rows[near].mean(), columns[near] - columns[near].mean()
    found = np.degrees(0.5 * np.arctan2(2 * (rows * columns).mean(), (rows**2).mean() - (columns**2).mean()))
    assert abs((found - angle + 90) % 180 - 90) < 5


def test_each_direction_has_its_colour_and_its_length():
    picture = draw_directions(GREY, [Direction(0.0, 0.7), Direction(0.0, 0.3)])
    first, second = (np.unique(coloured(picture, colour)[0]) for colour in COLOURS[:2])
    assert len(first) > 1.5 * len(second) > 0


def test_without_a_direction_the_picture_is_as_it_was(rng):
    kept = rng.integers(0, 255, (40, 50, 3), dtype=np.uint8)
    picture = kept.copy()
    np.testing.assert_array_equal(draw_directions(picture, []), kept)
    captioned = draw_directions(picture, [], "no rain seen")
    np.testing.assert_array_equal(captioned[-40:], kept)
    assert (captioned[:-40] < 128).any()
    assert draw_directions(picture, [Direction(10.0, 1.0)]).dtype == np.uint8
    np.testing.assert_array_equal(picture, kept)


def test_large_pictures_are_reduced_to_a_screen():
    drawn = draw_directions(np.zeros((3000, 4100), np.uint8), [Direction(0.0, 1.0)])
    assert max(drawn.shape) <= SIDE
    assert drawn.shape[1] / drawn.shape[0] == pytest.approx(4100 / 3000, rel=0.01)


@pytest.mark.parametrize("shape", [(30, 900), (900, 30), (1, 500)])
def test_a_narrow_picture_has_lines_of_every_direction(shape):
    picture = draw_directions(np.full(shape, 128, np.uint8), [Direction(0.0, 0.6), Direction(10.0, 0.4)])
    assert all(len(coloured(picture, colour)[0]) for colour in COLOURS[:2])
