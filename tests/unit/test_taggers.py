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


def test_each_annotator_meets_the_others_as_a_loop_over_single_votes_counts_it():
    """The formula against votes held out one by one, with ties shared among the answers that lead."""
    rng = np.random.default_rng(0)
    votes = rng.multinomial(6, [0.5, 0.2, 0.2, 0.1], size=40)
    label = rng.integers(0, 4, 40)
    found = taggers.met(votes, label)
    for face, counts in enumerate(votes):
        answers = np.repeat(np.arange(4), counts)
        meets = {"majority": [], "annotator": [], "label": []}
        for held, answer in enumerate(answers):
            others = np.delete(answers, held)
            rest = np.bincount(others, minlength=4)
            leads = np.flatnonzero(rest == rest.max())
            meets["majority"].append((answer in leads) / len(leads))
            meets["annotator"].append(np.mean(others == answer))
            meets["label"].append(answer == label[face])
        for name, values in meets.items():
            assert getattr(found, name)[face] == pytest.approx(np.mean(values)), name


def test_a_majority_does_not_win_by_agreeing_with_itself():
    """Answers at random: the others' majority is met no more often than any label."""
    votes = np.random.default_rng(0).multinomial(10, [0.25] * 4, size=20_000)
    found = taggers.met(votes, np.zeros(20_000, dtype=int))
    assert found.majority.mean() == pytest.approx(0.25, abs=0.005)
    assert found.label.mean() == pytest.approx(0.25, abs=0.005)


def test_a_label_that_the_crowd_shares_wins_over_the_majority_of_the_others():
    """Of nine votes to one, the dissenter is met by nobody; five to five, the others never lead with the answer."""
    found = taggers.met(np.array([[9, 1], [5, 5]]), np.array([0, 0]))
    assert found.majority.tolist() == [0.9, 0.0]
    assert found.label.tolist() == [0.9, 0.5]


def test_who_is_left_to_ask_and_what_pairs_up_is_checked():
    with pytest.raises(ValueError, match="face 1 has fewer than two votes"):
        taggers.met(np.array([[2, 0], [1, 0]]), np.array([0, 0]))
    with pytest.raises(ValueError, match="pair up"):
        taggers.met(np.array([[2, 0]]), np.array([0, 0]))
