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


@pytest.mark.parametrize("reduced", [None, taggers.without_single, taggers.without_lone])
def test_the_error_of_a_label_is_that_of_a_loop_over_held_out_votes(reduced):
    rng = np.random.default_rng(1)
    drawn = rng.multinomial(10, [0.6, 0.2, 0.1, 0.1], size=20)
    votes = np.concatenate([drawn, [[9, 1, 0, 0], [1, 1, 0, 0], [0, 2, 0, 0]]])
    asked = []
    for face, counts in enumerate(votes):
        answers = np.repeat(np.arange(4), counts)
        for held, answer in enumerate(answers):
            others = np.bincount(np.delete(answers, held), minlength=4)
            kept = others if reduced is None else reduced(others[None])[0]
            kept = kept if kept.sum() else others
            kind = others.argmax(), others.sum() - others.max()
            asked.append((face, 1 / len(answers), kept / kept.sum(), kind, np.eye(4)[answer]))
    expected = np.zeros(len(votes))
    for half in (0, 1):
        known = [one for one in asked if one[0] % 2 != half]
        usual, trust = {}, {}
        for kind in {one[3] for one in known}:
            alike = [one for one in known if one[3] == kind]
            usual[kind] = sum(one[1] * one[4] for one in alike) / sum(one[1] for one in alike)
        for off in {one[3][1] for one in known}:
            steps = [(w, label - usual[k], answer - usual[k]) for _, w, label, k, answer in known if k[1] == off]
            size = sum(w * away @ away for w, away, _ in steps)
            trust[off] = sum(w * away @ wanted for w, away, wanted in steps) / size if size else 0
        for face, w, label, kind, answer in asked:
            if face % 2 == half:
                start = usual.get(kind, np.full(4, 0.25))
                expected[face] += w * np.sum((start + trust.get(kind[1], 0) * (label - start) - answer) ** 2)
    assert taggers.held_out_error(votes, reduced) == pytest.approx(expected)


def test_which_votes_are_left_out():
    votes = np.array([[9, 1, 0], [8, 1, 1], [5, 4, 1], [1, 1, 0]])
    assert taggers.without_single(votes).tolist() == [[9, 0, 0], [8, 0, 0], [5, 4, 0], [0, 0, 0]]
    assert taggers.without_lone(votes).tolist() == [[9, 0, 0], [8, 1, 1], [5, 4, 1], [1, 1, 0]]


def test_minor_answers_recur_as_a_loop_counts_them():
    rng = np.random.default_rng(2)
    votes, others = (rng.multinomial(6, [0.5, 0.3, 0.2], size=30) for _ in range(2))
    found = taggers.recurring(votes, others)
    rows = []
    for face, counts in enumerate(votes):
        for answer, count in enumerate(counts):
            if 0 < count < counts.max():
                kinds = [(votes[i].argmax(), (np.delete(others[i], votes[i].argmax()) > 0).sum()) for i in range(30)]
                like = [i for i in range(30) if i != face and kinds[i] == kinds[face]]
                rows.append(
                    (
                        face,
                        count,
                        int(others[face, answer] > 0),
                        np.mean([others[i, answer] > 0 for i in like] or np.nan),
                    )
                )
    assert rows and len(rows) == len(found.face)
    for place, row in enumerate(rows):
        assert [each[place] for each in found] == pytest.approx(list(row), nan_ok=True)


def test_without_another_face_like_it_nothing_can_be_expected():
    found = taggers.recurring(np.array([[3, 1], [1, 3]]), np.array([[3, 1], [0, 4]]))
    assert np.isnan(found.elsewhere).all() and found.again.tolist() == [1, 0]
