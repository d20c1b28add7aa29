import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special

from rainopt.direction import evidence, ridges
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
from rainopt.direction.ridges import NONE, Ridges, find_ridges, turn
from rainopt.image import luminance
from tests.support.drawings import bar


@pytest.fixture(autouse=True)
def at_its_own_size(monkeypatch):
    """Small pictures stay as they are."""
    monkeypatch.setattr(evidence, "SMALL_PIXELS", 0)


STREAK = {"angle": 10, "length": 20, "width": 1, "row": 30, "column": 40, "bend": 0, "contrast": 0.2, "step": 0}
STREAK["chroma"] = 1
SHAPE = (100, 121)  # 3n + 1, so that the threshold looks at the same pixels of a mirrored image
DIRECTIONS = (-60, -35, -12, 5, 28, 62)


def alone(**fields):
    """Weigh one ridge, which is a perfect streak but for what is given."""
    (weight,) = likeness(Ridges(**{name: np.array([float(value)]) for name, value in (STREAK | fields).items()}))
    return weight


def bars(rng, heights=(0.3, 0.3, 0.3)):
    """Draw a line for every direction, with room between them, on a faint texture; (3, H, W)."""
    texture = 0.45 + 0.01 * rng.random(SHAPE)
    places = [(25.3 + 50 * (k // 3), 20.4 + 40 * (k % 3)) for k in range(6)]
    layer = sum(bar(SHAPE, *at, angle, 20, height=1) for at, angle in zip(places, DIRECTIONS, strict=True))
    return np.stack([texture + height * layer for height in heights]).astype(np.float32)


def near(evidence, angle, within=2.0):
    return evidence.select(np.abs(turn(evidence.angle - angle)) <= within)


def require_equal(mine, theirs, **tolerance):
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, **tolerance)


# How much one ridge weighs


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
    count = 60
    fields = {
        "angle": rng.uniform(-90, 90, count),
        "length": rng.uniform(5, 80, count),
        "width": rng.uniform(1, 4, count),
        "row": rng.uniform(0, 1e6, count),
        "column": rng.uniform(0, 1e6, count),
        "bend": rng.uniform(0, 20, count),
        "contrast": rng.uniform(-0.1, 0.4, count),
        "step": rng.uniform(0, 0.2, count),
        "chroma": rng.uniform(-1, 1, count),
    }
    weights = likeness(Ridges(**fields))
    each = [alone(**{name: field[k] for name, field in fields.items()}) for k in range(count)]
    np.testing.assert_array_equal(weights, each)
    assert 5 < (weights > 0).sum() < count
    assert likeness(NONE).shape == (0,)


# What is gathered


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


@pytest.mark.parametrize("sign", [1, -1])
def test_lines_vote_for_their_angles_where_they_are(rng, sign):
    found = gather(bars(rng, [sign * 0.3] * 3))
    for k, angle in enumerate(DIRECTIONS):
        votes = near(found, angle)
        place = np.hypot(100 * votes.row - 25.8 - 50 * (k // 3), 121 * votes.column - 20.9 - 40 * (k % 3))
        ours = votes.select((place < 3) & (votes.dark == (sign < 0)))
        # Once at every scale, and each outweighs all there is of the texture at that angle.
        assert len(ours.angle) == len(SCALES)
        assert ours.weight.sum() > 2 * (votes.weight.sum() - ours.weight.sum())


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2), (3, 3), (40, 50)])
@pytest.mark.parametrize("channels", [1, 3])
def test_where_there_is_nothing_there_is_no_evidence(shape, channels):
    found = gather(np.full((channels, *shape), 0.4, np.float32))
    assert all(field.shape == (0,) for field in found)
    assert found.dark.dtype == bool
    assert found.select(~found.dark).weight.sum() == 0


def test_steps_and_coloured_lines_weigh_less(rng):
    texture = 0.3 + 0.002 * rng.random((100, 100))
    column = np.indices((100, 100))[1]
    inside = np.abs(np.arange(100) - 50)[:, None] < 15
    line = texture + 0.4 * np.exp(-0.5 * ((column - 50) / 0.8) ** 2) * inside
    step = texture + 0.4 * special.ndtr((column - 50) / 0.8) * inside
    weights = [near(gather(image[None].astype(np.float32)), 0, 4).weight.sum() for image in (line, step)]
    assert weights[0] > 4 * weights[1]
    weights = []
    for heights in ((0.3, 0.3, 0.3), (0.45, 0.24, 0.1), (0.45, 0.27, -0.1)):
        found = gather(bars(np.random.default_rng(0), heights))
        weights.append(sum(near(found, angle).weight.sum() for angle in DIRECTIONS))
    assert weights[0] > 1.3 * weights[1]
    assert weights[1] > 1.5 * weights[2]


@pytest.mark.parametrize("scale", [0.25, 0.5, 2.0])
def test_brightness_does_not_matter(rng, monkeypatch, scale):
    monkeypatch.setattr(ridges, "FAINTEST", 0.0)
    colour = bars(rng)
    found, scaled = gather(colour), gather(np.float32(scale) * colour)
    require_equal(scaled._replace(contrast=scaled.contrast / scale), found, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("axis", [1, 2])
def test_mirrored_images_mirror_the_angles(rng, axis):
    colour = bars(rng)
    found, other = gather(colour), gather(np.flip(colour, axis))
    assert other.weight.sum() == pytest.approx(found.weight.sum(), rel=0.02)
    for angle in DIRECTIONS:
        ours, theirs = near(found, angle), near(other, -angle)
        ours, theirs = (e.select(e.weight > 0.5 * e.weight.max()) for e in (ours, theirs))
        ours, theirs = (e.select(np.argsort(e.weight)) for e in (ours, theirs))
        np.testing.assert_allclose(theirs.angle, -ours.angle, atol=0.05)
        np.testing.assert_allclose(theirs.weight, ours.weight, rtol=0.01)
        np.testing.assert_allclose(theirs.row, 1 - ours.row if axis == 1 else ours.row, atol=1e-3)
        np.testing.assert_allclose(theirs.column, 1 - ours.column if axis == 2 else ours.column, atol=1e-3)


def test_grey_in_three_channels_is_grey_in_one(rng):
    grey = bars(rng)[:1]
    one, three = gather(grey), gather(np.repeat(grey, 3, axis=0))
    assert three.weight.sum() == pytest.approx(one.weight.sum(), rel=0.02)
    for angle in DIRECTIONS:
        assert near(three, angle).weight.max() == pytest.approx(near(one, angle).weight.max(), rel=0.01)


def test_the_input_is_kept_and_threads_change_nothing(rng, thread_count):
    colour = rng.random((3, 150, 60)).astype(np.float32)
    kept = colour.copy()
    thread_count(1)
    one = gather(colour)
    thread_count(3)
    require_equal(gather(colour), one, rtol=0)
    np.testing.assert_array_equal(colour, kept)


# Small pictures


def test_small_pictures_are_judged_at_twice_their_size(rng, monkeypatch):
    image = bars(rng)
    large = evidence.enlarged(image)
    assert large.shape == (3, 200, 242)
    # Means of blocks of the enlarged picture are nearly the picture.
    np.testing.assert_allclose(large.reshape(3, 100, 2, 121, 2).mean(axis=(2, 4)), image, atol=0.05)
    expected = gather(large)
    monkeypatch.setattr(evidence, "SMALL_PIXELS", image[0].size + 1)
    require_equal(gather(image), expected, rtol=0)


def test_enlarging_keeps_places_and_range():
    ramp = np.broadcast_to(np.linspace(0, 1, 40, dtype=np.float32), (1, 30, 40))
    twice = evidence.enlarged(ramp)
    assert twice.min() >= 0
    assert twice.max() <= 1
    np.testing.assert_allclose(twice[0, 7, 10:-10], (np.arange(80)[10:-10] - 0.5) / 2 / 39, atol=1e-3)
