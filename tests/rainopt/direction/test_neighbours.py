import numpy as np
import pytest

from rainopt.direction import neighbours
from rainopt.direction.evidence import EVEN, LENGTH, OF_A_ROW, likeness, weigh
from rainopt.direction.neighbours import GAP, REACH, line_lengths, spacing_evenness
from rainopt.direction.ridges import NONE, Ridges


def ridges(rows, columns, angle=0.0, length=20.0):
    """Perfect streaks at these centres."""
    rows, columns = np.broadcast_arrays(np.asarray(rows, float), np.asarray(columns, float))
    full = {"width": 1.0, "bend": 0.0, "contrast": 0.2, "step": 0.0, "chroma": 1.0}
    fields = {name: np.full(len(rows), value) for name, value in full.items()}
    angle, length = (np.broadcast_to(v, rows.shape).astype(float) for v in (angle, length))
    return Ridges(angle=angle, length=length, row=rows, column=columns, **fields)


def turned(found, by):
    """Turn all ridges around the origin, against the clock."""
    cos, sin = np.cos(np.radians(by)), np.sin(np.radians(by))
    row, column = found.row * cos - found.column * sin, found.row * sin + found.column * cos
    return found._replace(row=row, column=column, angle=(found.angle + by + 90) % 180 - 90)


@pytest.mark.parametrize("angle", [0, 17, -45, 80, 90])
def test_pieces_of_one_line_are_as_long_as_the_line(angle):
    # Centres 25 pixels apart leave gaps of 5 between pieces of 20.
    line = turned(ridges(25.0 * np.arange(5), np.zeros(5)), angle)
    np.testing.assert_allclose(line_lengths(line), 5 * 20)
    # Its pieces could be streaks, the whole could not.
    assert (likeness(line) > 0).all()
    assert LENGTH[1] < 5 * 20
    np.testing.assert_array_equal(weigh(line), 0)


@pytest.mark.parametrize(
    ("row", "column", "angle"),
    [(20 + GAP + 1, 0, 0), (25, 3, 0), (2, 1, 0), (25, 0, 12)],
    ids=["too far on", "beside the line", "abreast", "turned"],
)
def test_what_does_not_go_on_is_no_continuation(row, column, angle):
    pair = ridges([0, row], [0, column], angle=np.array([0, angle]))
    np.testing.assert_allclose(line_lengths(pair), 20)


def test_the_order_of_ridges_does_not_matter(rng):
    many = ridges(rng.uniform(0, 300, 200), rng.uniform(0, 300, 200), rng.uniform(-90, 90, 200), 15.0)
    order = rng.permutation(200)
    for measure in (line_lengths, spacing_evenness):
        np.testing.assert_allclose(measure(many.select(order)), measure(many)[order])
        assert measure(NONE).shape == (0,)


@pytest.mark.parametrize("angle", [0, 30, -60, 90])
@pytest.mark.parametrize("spacing", [4.0, 16.0, REACH - 1])
def test_the_pales_of_a_fence_are_one_of_a_row(angle, spacing):
    fence = turned(ridges(np.zeros(9), spacing * np.arange(9)), angle)
    evenness = spacing_evenness(fence)
    # Those at the ends have one neighbour.
    np.testing.assert_array_equal(evenness[[0, -1]], 0)
    np.testing.assert_allclose(evenness[1:-1], 1)
    np.testing.assert_allclose(weigh(fence)[1:-1], OF_A_ROW * likeness(fence)[1:-1])


def test_distances_give_the_ratio():
    np.testing.assert_allclose(spacing_evenness(ridges(np.zeros(3), [0, 6, 30])), [0, 6 / 24, 0])
    np.testing.assert_array_equal(spacing_evenness(ridges([0, 0], [0, 9])), 0)
    # Neighbours that lie higher up or are turned do not count; nor does the other side of the same thing.
    np.testing.assert_array_equal(spacing_evenness(ridges([0, 0, 15], [0, 10, 20])), 0)
    np.testing.assert_array_equal(spacing_evenness(ridges(np.zeros(3), [0, 10, 20], angle=np.array([0, 0, 9]))), 0)
    np.testing.assert_allclose(spacing_evenness(ridges(np.zeros(4), [0, 10, 11, 30]))[1], 10 / 20)


def test_streaks_anywhere_have_the_ratio_of_a_poisson_process(rng, monkeypatch):
    monkeypatch.setattr(neighbours, "LEAST_SPACING", 0.0)
    # All are level with one another, 5 pixels apart in the mean: the distances are those of events on a line.
    count = 20_000
    evenness = spacing_evenness(ridges(rng.uniform(0, 5, count), rng.uniform(0, 5 * count, count)))
    assert evenness.mean() == pytest.approx(2 * np.log(2) - 1, abs=0.01)
    assert (evenness > EVEN).mean() == pytest.approx((1 - EVEN) / (1 + EVEN), abs=0.01)
