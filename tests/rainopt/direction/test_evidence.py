import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rainopt.direction import evidence
from rainopt.direction.evidence import (
    BEND,
    CHROMA,
    ELONGATION,
    LENGTH,
    LENGTH_CAP,
    SCALES,
    STEP,
    WIDTH,
    Evidence,
    gather,
    likeness,
    weigh,
)
from rainopt.direction.ridges import NONE, Ridges, find_ridges
from rainopt.image import luminance
from tests.support.drawings import bar


@pytest.fixture(autouse=True)
def at_its_own_size(monkeypatch):
    """Small pictures stay as they are."""
    monkeypatch.setattr(evidence, "SMALL_PIXELS", 0)


STREAK = {"angle": 10, "length": 20, "width": 1, "row": 30, "column": 40, "bend": 0, "contrast": 0.2, "step": 0}
STREAK["chroma"] = 1


def alone(**fields):
    """Weigh one ridge, which is a perfect streak but for what is given."""
    (weight,) = likeness(Ridges(**{name: np.array([float(value)]) for name, value in (STREAK | fields).items()}))
    return weight


def require_equal(mine, theirs, **tolerance):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


def test_a_streak_weighs_what_it_is_long_up_to_a_cap():
    lengths = np.linspace(LENGTH[0], LENGTH[1], 80)
    weights = np.array([alone(length=length) for length in lengths])
    np.testing.assert_allclose(weights / weights[0], np.minimum(lengths, LENGTH_CAP) / LENGTH[0])


@pytest.mark.parametrize(
    "fields",
    [
        {"length": LENGTH[0] - 0.01},
        {"length": LENGTH[1] + 0.01},
        {"length": 30, "width": WIDTH + 0.01},
        {"length": 10, "width": 10 / ELONGATION + 0.01},
        {"contrast": 0},
        {"contrast": -0.2},
        {"chroma": CHROMA[0]},
        {"chroma": -100},
    ],
)
def test_what_is_no_streak_weighs_nothing(fields):
    assert alone(**fields) == 0
    assert alone() > 0


@pytest.mark.parametrize(
    ("name", "values"),
    [("step", np.linspace(0, 1, 20)), ("bend", np.linspace(0, 40, 20)), ("chroma", np.linspace(1, -2, 40))],
)
def test_the_less_like_a_streak_the_less_it_weighs(name, values):
    weights = np.array([alone(**{name: value}) for value in values])
    assert weights[0] == alone()
    assert (np.diff(weights) <= 0).all()
    assert weights[-1] < 0.1 * weights[0]
    # The constants are where votes have fallen to half, or as a normal distribution at its deviation.
    assert alone(step=0.2 * STEP) == pytest.approx(alone() / 2)
    assert alone(bend=BEND) == pytest.approx(alone() * np.exp(-0.5))
    assert alone(chroma=sum(CHROMA) / 2) == pytest.approx(alone() / 2)
    assert alone(chroma=CHROMA[1]) == pytest.approx(alone())


@given(st.floats(0.01, 100), st.floats(1e-4, 0.5), st.floats(0, 0.5), st.floats(-90, 90), st.floats(0, 99))
def test_brightness_place_and_direction_do_not_matter_to_a_ridge(scale, contrast, step, angle, place):
    one = alone(contrast=contrast, step=step)
    assert alone(contrast=scale * contrast, step=scale * step) == pytest.approx(one, rel=1e-9)
    assert alone(contrast=contrast, step=step, angle=angle, row=place, column=99 - place) == one


def test_many_ridges_weigh_what_each_does(rng):
    # Far apart, and no two in one line.
    least = Ridges(angle=-90, length=5, width=1, row=0, column=0, bend=0, contrast=-0.1, step=0, chroma=-1)
    most = Ridges(angle=90, length=80, width=4, row=1e6, column=1e6, bend=20, contrast=0.4, step=0.2, chroma=1)
    many = Ridges(*rng.uniform(least, most, (60, len(least))).T)
    weights = likeness(many)
    np.testing.assert_array_equal(weights, [alone(**many.select(k)._asdict()) for k in range(60)])
    assert 5 < (weights > 0).sum() < 60
    assert likeness(NONE).shape == (0,)


def test_votes_are_the_ridges_of_all_scales_that_weigh_something(rng):
    colour = rng.random((3, 90, 110)).astype(np.float32)
    found = gather(colour)
    expected = []
    for sigma in SCALES:
        for dark, kind in zip((False, True), find_ridges(colour, luminance(colour), sigma), strict=True):
            weight = sigma * weigh(kind)
            votes = Evidence(
                kind.angle, weight, (kind.row + 0.5) / 90, (kind.column + 0.5) / 110, weight * 0 + dark, kind.contrast
            )
            expected.append(votes.select(weight > 0))
    expected = Evidence(*(np.concatenate(fields) for fields in zip(*expected, strict=True)))
    assert len(found.angle) > 20
    assert found.dark.dtype == bool
    assert found.dark.any()
    assert not found.dark.all()
    # Up to one factor for all.
    scaled = found.weight * (expected.weight.sum() / found.weight.sum())
    require_equal(found._replace(weight=scaled), expected)
    assert ((found.row >= 0) & (found.row <= 1) & (found.column >= 0) & (found.column <= 1)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (3, 3), (40, 50)])
def test_where_there_is_nothing_there_is_no_evidence(shape):
    found = gather(np.full((3, *shape), 0.4, np.float32))
    assert all(field.shape == (0,) for field in found)
    assert found.dark.dtype == bool


def test_small_pictures_are_judged_at_twice_their_size(monkeypatch):
    image = np.stack([0.4 + bar((100, 121), 50, 60, 20, 30)] * 3).astype(np.float32)
    large = evidence.enlarged(image)
    assert large.shape == (3, 200, 242)
    # Means of blocks of the enlarged picture are nearly the picture.
    np.testing.assert_allclose(large.reshape(3, 100, 2, 121, 2).mean(axis=(2, 4)), image, atol=0.05)
    expected = gather(large)
    assert expected.weight.sum() > 0
    monkeypatch.setattr(evidence, "SMALL_PIXELS", image[0].size + 1)
    require_equal(gather(image), expected, rtol=0)


def test_enlarging_keeps_places_and_range():
    ramp = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32), (1, 30, 40))
    twice = evidence.enlarged(ramp)
    assert twice.min() >= 0
    assert twice.max() <= 1
    np.testing.assert_allclose(twice[0, 7, 10:-10], (np.arange(80)[10:-10] - 0.5) / 2 / 39, atol=1e-3)
