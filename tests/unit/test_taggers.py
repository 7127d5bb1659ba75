"""Agreement of the first annotators with a crowd, against a loop."""

import numpy as np
import pytest

from ferbook.faces import taggers


def test_a_crowd_of_one_mind_agrees_from_the_first_vote_on():
    votes = np.tile([0, 10, 0], (5, 1))
    assert taggers.agreement(votes, np.random.default_rng(0)).tolist() == [1.0] * 10


def test_one_vote_agrees_as_often_as_its_share():
    """A single vote out of (7, 3) names the winner in seven of ten draws; all ten always do."""
    found = taggers.agreement(np.tile([7, 3], (20_000, 1)), np.random.default_rng(0))
    assert found[0] == pytest.approx(0.7, abs=0.01)
    # Three of ten without putting back: two or three of them from the seven.
    assert found[2] == pytest.approx((21 * 3 + 35) / 120, abs=0.01)
    assert found[-1] == 1


def test_ties_are_broken_by_chance_and_count_for_either():
    votes, other = np.tile([5, 5], (20_000, 1)), np.tile([6, 4], (20_000, 1))
    assert taggers.agreement(votes, np.random.default_rng(0)).tolist() == [1.0] * 10
    assert taggers.agreement_with(votes, other, np.random.default_rng(0))[-1] == pytest.approx(0.5, abs=0.01)


def test_faces_with_another_number_of_votes_are_left_out():
    votes = np.array([[0, 10], [0, 10], [9, 0]])
    others = np.array([[0, 10], [10, 0], [0, 10]])
    assert taggers.agreement_with(votes, others, np.random.default_rng(0)).tolist() == [0.5] * 10
    with pytest.raises(ValueError, match="no votes"):
        taggers.agreement(np.zeros((2, 3)), np.random.default_rng(0))
