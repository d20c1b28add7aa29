"""Openings and ranks over time do what their definitions say, and their lengths keep the chances they promise."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage, stats

from rainopt.video.persistence import (
    CHANCE,
    CHANCE_OF_HEIGHT,
    DENSE,
    LEAST_RUN,
    MISSED,
    MOST_AT_PLACE,
    MOST_DENSE,
    MOST_REACH,
    NEVER,
    lasting,
    lasting_height,
    least_heights,
    rank_for,
    ranked,
    run_length,
)

COVERAGES = [0.0, 0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0]


@pytest.mark.parametrize(("dtype", "shape"), [(np.uint8, (7, 9, 3)), (np.uint16, (5, 6)), (np.float32, (4, 11))])
def test_a_rank_is_that_of_sorted_values(rng, dtype, shape):
    for count in (1, 2, 5, 8):
        frames = [rng.integers(0, 255, shape).astype(dtype) for _ in range(count)]
        before = np.stack(frames)
        for rank in range(count):
            got = ranked(frames, rank)
            assert got.dtype == dtype
            np.testing.assert_array_equal(got, np.sort(before, axis=0)[rank])
        # What it is given stays as it was.
        np.testing.assert_array_equal(frames, before)


@given(st.integers(1, 6), st.integers(0, 5), st.integers(0, 5), st.integers(0, 2**32 - 1))
def test_lasting_is_an_opening_in_time(length, before, after, seed):
    masks = np.random.default_rng(seed).random((before + 1 + after, 4, 5)) < 0.75
    there = dict(zip(range(-before, after + 1), masks, strict=True))
    opened = ndimage.binary_opening(masks, np.ones((length, 1, 1), bool))
    np.testing.assert_array_equal(lasting(there, length), opened[before])
    for number, mask in there.items():
        np.testing.assert_array_equal(mask, masks[number + before])


def test_a_frame_that_is_missing_ends_a_run():
    there = {number: np.ones((2, 2), bool) for number in (-3, -2, 0, 1)}
    assert lasting(there, 2).all()
    assert not lasting(there, 3).any()


@given(st.integers(0, 6), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_a_lasting_height_is_the_highest_of_openings_in_time_that_reach_theirs(before, after, seed):
    levels = np.random.default_rng(seed).integers(0, 256, (before + 1 + after, 4, 5)).astype(np.uint8)
    least = (0.6, NEVER, 0.3, 0.1)
    runs = [(2, 0.6), (4, 0.3), (5, 0.1)]
    opened = [(ndimage.grey_opening(levels, (n, 1, 1), mode="constant")[before], h * 255) for n, h in runs]
    expected = np.max([np.where(low > h, low, 0) for low, h in opened], axis=0)
    got = lasting_height(dict(zip(range(-before, after + 1), levels, strict=True)), least)
    assert got.dtype == np.uint8
    np.testing.assert_array_equal(got, expected)


def test_heights_are_the_least_that_rain_keeps_for_a_run_with_a_small_chance():
    heights = np.linspace(0, 1, 101)
    shares = 0.6 * np.exp(-heights / 0.1)
    least = least_heights(shares, heights)
    assert list(least) == sorted(least, reverse=True)
    for count, height in enumerate(least, 2):
        chances = count * (0.6 * np.exp(-np.array([height, height - 0.01]) / 0.1)) ** (count - 1)
        assert chances[0] <= CHANCE_OF_HEIGHT < chances[1]
    # Rain that is always as bright as can be lets nothing be told.
    assert set(least_heights(np.ones(101), heights)) == {NEVER}


def longest_runs(coverage, count, rng, reach=25):
    """How long the run of rain around the middle frame is, at places where it rains there."""
    rain = rng.random((count, 2 * reach + 1)) < coverage
    rain[:, reach] = True
    ahead, back = (np.cumprod(side, axis=1).sum(axis=1) for side in (rain[:, reach + 1 :], rain[:, :reach][:, ::-1]))
    return 1 + ahead + back


@pytest.mark.parametrize("coverage", [0.02, 0.1, 0.25, 0.5, 0.65])
@pytest.mark.parametrize("chance", [CHANCE, 0.03, 1e-3])
def test_rain_seldom_lasts_for_the_length_of_a_run(rng, coverage, chance):
    length = run_length(coverage, MOST_AT_PLACE, chance)
    runs = longest_runs(coverage, 40000, rng)
    assert np.mean(runs >= length) <= chance + 4 * np.sqrt(chance / 40000)
    # One frame less would not do, but for what the sum over the places of a run counts twice.
    assert length >= LEAST_RUN
    if length > LEAST_RUN:
        assert (length - 1) * coverage ** (length - 2) > chance


def test_no_length_is_enough_in_rain_that_is_everywhere():
    assert run_length(0.0, LEAST_RUN) == LEAST_RUN
    assert run_length(0.0, LEAST_RUN - 1) is None
    assert run_length(0.95, MOST_AT_PLACE) is None
    assert run_length(1.0, 1000) is None
    lengths = [run_length(coverage, 200) for coverage in COVERAGES[:-1]]
    assert lengths == sorted(lengths)
    # The most is kept to.
    assert run_length(0.5, lengths[6]) == lengths[6]
    assert run_length(0.5, lengths[6] - 1) is None


@pytest.mark.parametrize("coverage", COVERAGES)
def test_a_rank_is_seldom_one_of_rain(coverage):
    reach, rank = rank_for(coverage)
    assert 2 <= reach <= (MOST_REACH if coverage <= DENSE else MOST_DENSE)
    assert 0 <= rank <= reach
    dry = stats.binom(2 * reach + 1, 1 - coverage)
    if rank > 0:
        # Rain lies there where at most so many frames are dry.
        assert dry.cdf(rank) <= MISSED
    # Not brighter than the middle of the dry values.
    assert rank <= dry.mean() / 2


def test_a_rank_is_the_middle_without_rain_and_the_lowest_in_dense_rain():
    reach, rank = rank_for(0.0)
    assert (reach, rank) == (2, 2)
    assert rank_for(1.0) == (MOST_DENSE, 0)
    assert rank_for(0.9) == (MOST_DENSE, 0)
    # A share beyond its range is taken for the end of it.
    assert rank_for(-0.5) == rank_for(0.0)
    assert rank_for(1.5) == rank_for(1.0)
    for less, more in itertools.pairwise(COVERAGES):
        assert share(rank_for(more)) <= share(rank_for(less)) + 0.12


def share(found):
    return found.rank / (2 * found.reach)
