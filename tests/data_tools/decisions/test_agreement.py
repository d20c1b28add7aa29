"""Cohen's kappa, held against a published table and against the definition by counting."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_tools.decisions.agreement import agreement, agreements, kappa_of
from data_tools.decisions.board import Board
from data_tools.decisions.entries import VERDICTS

verdicts = st.sampled_from(VERDICTS)


def brute_force(one, other):
    """By all pairs: chance is how often a verdict of one and a verdict of the other, drawn at random, are the same."""
    observed = np.mean([a == b for a, b in zip(one, other, strict=True)])
    chance = np.mean([a == b for a, b in itertools.product(one, other)])
    return None if chance == 1 else (observed - chance) / (1 - chance)


@given(st.lists(st.tuples(verdicts, verdicts), min_size=1, max_size=40))
def test_kappa_is_agreement_beyond_that_of_all_pairs(pairs):
    one, other = zip(*pairs, strict=True)
    expected = brute_force(one, other)
    assert kappa_of(one, other) == (None if expected is None else pytest.approx(expected))
    assert kappa_of(one, other) == kappa_of(other, one)


def test_kappa_of_a_known_table():
    # 20 both yes, 5 and 10 apart, 15 both no: observed 0.7, by chance 0.5, so kappa is 0.4.
    one = ["accept"] * 25 + ["reject"] * 25
    other = ["accept"] * 20 + ["reject"] * 5 + ["accept"] * 10 + ["reject"] * 15
    assert kappa_of(one, other) == pytest.approx(0.4)


def test_kappa_of_agreement_and_of_nothing_to_agree_on():
    assert kappa_of(["accept", "reject"], ["accept", "reject"]) == 1
    assert kappa_of(["accept", "reject"], ["reject", "accept"]) == -1
    assert kappa_of(["accept"] * 5, ["accept"] * 5) is None
    assert kappa_of([], []) is None
    with pytest.raises(ValueError, match="as many"):
        kappa_of(["accept"], [])


def test_only_scenes_that_both_have_judged_count(tmp_path):
    board = Board(tmp_path)
    for scene, one, other in [("a", "accept", "accept"), ("b", "reject", "accept"), ("c", "more", None)]:
        for who, verdict in (("ada", one), ("bo", other)):
            if verdict:
                board.add(who, kind="decision", scenes=(scene,), verdict=verdict)
    board.add("bo", kind="note", scenes=("c",), note="only a note")
    found = agreement(board, "ada", "bo")
    assert (found.scenes, found.share) == (2, 0.5)
    assert found.kappa == pytest.approx(brute_force(["accept", "reject"], ["accept", "accept"]))
    assert list(agreements(board)) == [("ada", "bo")]
    board.undo("bo")
    board.undo("bo")
    assert agreement(board, "ada", "bo").scenes == 1
