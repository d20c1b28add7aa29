import numpy as np
import pytest

from rainopt import AngleEstimate
from rainopt.direction.estimate import (
    AGREEMENT,
    APART,
    BRIGHT,
    FLOOR,
    PRESENT,
    describe,
    peak,
    probability,
    refine,
    streak_height,
    vote,
)
from rainopt.direction.evidence import Evidence
from rainopt.direction.ridges import turn


def votes(angle, weight=None, dark=False):
    """Evidence spread evenly over the picture."""
    angle = np.asarray(angle, float)
    weight = np.ones(len(angle)) if weight is None else np.asarray(weight, float)
    k = np.arange(len(angle))
    return Evidence(angle, weight, (k * 0.618) % 1, (k * 0.414) % 1, np.full(len(angle), dark), np.ones(len(angle)))


def both(bright, dark):
    return Evidence(*(np.concatenate(pair) for pair in zip(bright, dark, strict=True)))


def test_no_votes():
    assert vote(votes([])) == AngleEstimate(0.0, 0.0)
    assert vote(votes([12.0], [0.0])) == AngleEstimate(0.0, 0.0)
    # Only dark ridges: nothing falls.
    assert vote(votes([12.0] * 50, dark=True)) == AngleEstimate(0.0, 0.0)


@pytest.mark.parametrize("angle", [-89.0, -45.2, 0.0, 13.7, 89.5, 90.0])
def test_a_unanimous_vote_is_followed(angle):
    found = peak(votes(np.full(50, angle)))
    assert abs(turn(found - angle)) < 1e-6
    assert -90 < found <= 90


def test_votes_across_the_horizontal_are_neighbours(rng):
    angles = (90 + rng.normal(0, 1, 400) + 90) % 180 - 90
    assert abs(turn(peak(votes(angles)) - 90)) < 0.5


def test_the_weightier_direction_wins():
    angles = np.repeat([-20.0, 25.0], [30, 60])
    assert peak(votes(angles)) == pytest.approx(25, abs=0.1)
    assert peak(votes(angles, np.where(angles < 0, 5.0, 1.0))) == pytest.approx(-20, abs=0.1)


def test_dark_ridges_vote_against():
    bright = votes(np.repeat([0.0, 25.0], [60, 50]))
    assert peak(bright) == pytest.approx(0, abs=0.1)
    assert peak(both(bright, votes(np.zeros(60), dark=True))) == pytest.approx(25, abs=0.1)
    # Where they are more everywhere, the best guess is one of the bright.
    angles = np.repeat([-60.0, 20.0], [3, 10])
    found = vote(both(votes(angles), votes(np.repeat(angles, 6), dark=True)))
    assert found.angle == pytest.approx(20, abs=0.1)
    assert found.directions == ()


def test_rain_is_told_from_what_lies_flat():
    # Horizontal bright lines, as of shutters and steps, outweigh the rain a little; rain falls.
    assert peak(votes(np.repeat([88.0, 15.0], [60, 40]))) == pytest.approx(15, abs=0.1)


def test_scattered_votes_give_no_confidence(rng):
    found = vote(both(votes(rng.uniform(-90, 90, 5000)), votes(rng.uniform(-90, 90, 5000), dark=True)))
    assert found.confidence < PRESENT
    assert found.directions == ()


def test_each_fact_moves_the_confidence_its_way(rng):
    scattered = rng.uniform(-90, 90, 300)

    def confidence(agreeing, dark=(), where=None):
        evidence = votes(np.concatenate([np.full(agreeing, 10.0), scattered]))
        if where is not None:
            evidence = evidence._replace(row=where * evidence.row, column=where * evidence.column)
        return probability(both(evidence, votes(list(dark), dark=True)), 10.0)

    usual = confidence(200, scattered)
    assert confidence(300, scattered) > usual > confidence(100, scattered)
    # Dark ridges of that direction speak against it, and so does crowding in a corner, and lying flat.
    assert confidence(200, [*scattered, *np.full(150, 10.0)]) < usual
    assert confidence(200, scattered, where=0.2) < usual
    flat = probability(votes(np.concatenate([np.full(200, 85.0), scattered])), 85.0)
    assert flat < probability(votes(np.concatenate([np.full(200, 25.0), scattered])), 25.0)


def test_what_is_described_has_its_values():
    evidence = both(votes([10.0, 10.0, 10.0, 60.0]), votes([10.0, 60.0], dark=True))
    share, excess, spread, difference, flat = describe(evidence, 10.0)
    chance = 2 * AGREEMENT / 180
    assert share == pytest.approx(np.log((0.75 - chance) / (1 - chance) + FLOOR))
    assert excess == pytest.approx((3 - 1) / (3 + 1))
    assert spread == pytest.approx(np.log(3 / 36 + FLOOR))  # three cells of 6 x 6 hold the same
    assert difference == pytest.approx(0.75 - 1 / 3)  # one dark vote, of no fewer than the bright three
    assert flat == pytest.approx((10 / 90) ** 4)
    nothing = describe(votes([60.0]), 10.0)
    np.testing.assert_allclose(nothing, [np.log(FLOOR), 0, np.log(FLOOR), 0, flat])
    assert probability(votes([]), 10.0) == 0


def test_nine_tenths_of_the_streaks_are_no_brighter_than_their_height():
    evidence = both(votes(np.full(100, 10.0)), votes(np.full(50, 40.0)))
    evidence = evidence._replace(contrast=np.concatenate([np.arange(1, 101) / 100, np.ones(50)]))
    assert streak_height(evidence, 10.0) == BRIGHT
    # Neither other directions nor dark lines count, and where there are none nothing is known.
    assert streak_height(evidence._replace(dark=evidence.contrast > 0.5), 10.0) == 0.5 * BRIGHT
    assert streak_height(evidence, -60.0) == 1


def test_directions_and_confidence_do_not_contradict_one_another():
    # More of it lies flat than falls, and what lies flat is not to be believed by itself.
    found = vote(votes(np.concatenate([np.full(26, 75.0), np.full(20, -8.0)])))
    assert found.directions
    assert found.confidence >= PRESENT
    assert found.angle == found.directions[0].angle
    for seed in range(300):
        rng = np.random.default_rng(seed)
        angles = [rng.normal(rng.uniform(-85, 85), rng.uniform(0.2, 6), rng.integers(1, 80)) for _ in range(3)]
        angles.append(rng.uniform(-90, 90, rng.integers(1, 100)))
        angles = np.clip(np.concatenate(angles), -89.9, 90)
        evidence = votes(angles, rng.uniform(0.01, 1, len(angles)))
        evidence = evidence._replace(dark=rng.random(len(angles)) < rng.uniform(0, 0.5))
        found = vote(evidence)
        assert bool(found.directions) == (found.confidence >= PRESENT)


def test_refinement_finds_the_means_of_a_mixture(rng):
    angles = np.concatenate([rng.normal(-4, 1.5, 3000), rng.normal(7, 1.5, 1500), rng.uniform(-90, 90, 1500)])
    # Each begins where its neighbour pulls it.
    first, second = refine(votes(angles), [-2.5, 5.0])
    assert first.angle == pytest.approx(-4, abs=0.4)
    assert second.angle == pytest.approx(7, abs=0.4)
    assert first.share == pytest.approx(2 / 3, abs=0.05)
    assert first.share + second.share == pytest.approx(1)


def test_neighbours_nearer_than_apart_are_one_direction(rng):
    spread = np.concatenate([rng.normal(c, 0.5, 500) for c in (8 - APART / 4, 8 + APART / 4)])
    found = vote(votes(spread))
    assert len(found.directions) == 1
    assert found.angle == pytest.approx(8, abs=0.3)
