import numpy as np
import pytest

from ferbook.claims import dataset_summary
from ferbook.core.errors import ConfigError
from ferbook.datasets import load
from ferbook.faces import raters
from ferbook.faces.emotions import EMOTIONS
from ferbook.faces.labels import clean_votes, complexity, has_tie


def pure(emotion, count=4000):
    return np.tile(np.eye(8)[EMOTIONS.index(emotion)], (count, 1))


def probability_twin(mixture, intensity, ambiguity):
    """One face, one answer at a time."""
    seen = min(1.0, intensity / raters.FULLY_SEEN)
    perceived = [seen * share + (1 - seen) * (k == EMOTIONS.index("neutral")) for k, share in enumerate(mixture)]
    answers = []
    for answer in range(10):
        confused = sum(perceived[k] * raters.CONFUSION[k][answer] for k in range(8))
        clear = perceived[answer] if answer < 8 else 0.0
        answers.append(ambiguity * confused + (1 - ambiguity) * clear)
    return answers


def test_probabilities_match_their_twin():
    rng = np.random.default_rng(0)
    mixture, intensity, ambiguity = rng.dirichlet(np.ones(8), 20), rng.random(20), rng.random(20)
    expected = [probability_twin(*face) for face in zip(mixture, intensity, ambiguity, strict=True)]
    found = raters.vote_probabilities(mixture, intensity, ambiguity)
    np.testing.assert_allclose(found, expected)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_confusion_rows_are_distributions_that_favour_the_truth_or_a_known_mistake():
    np.testing.assert_allclose(raters.CONFUSION.sum(axis=1), 1)
    assert (raters.CONFUSION >= 0).all()
    favoured = {name: EMOTIONS[int(row.argmax())] for name, row in zip(EMOTIONS, raters.CONFUSION, strict=True)}
    assert {name: said for name, said in favoured.items() if said != name} == {
        "fear": "surprise",
        "contempt": "neutral",
    }


@pytest.mark.parametrize("count", [1, 10, 25])
def test_everybody_votes_once(count):
    votes = raters.vote(pure("fear", 50), np.ones(50), seed=0, raters=count)
    assert (votes.sum(axis=1) == count).all()


def test_votes_on_a_face_do_not_depend_on_how_many_follow():
    mixture, intensity = pure("anger", 300), np.linspace(0, 1, 300)
    few = raters.vote(mixture[:7], intensity[:7], seed=3)
    np.testing.assert_array_equal(raters.vote(mixture, intensity, seed=3)[:7], few)
    assert not np.array_equal(raters.vote(mixture, intensity, seed=4)[:7], few)


def test_weak_expressions_are_called_neutral():
    shares = [raters.vote(pure("anger"), np.full(4000, i), seed=0)[:, 0].mean() for i in (0.05, 0.3, 1.0)]
    assert shares[0] > shares[1] > shares[2]


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_the_crowd_mostly_sees_what_is_shown(emotion):
    votes = raters.vote(pure(emotion), np.ones(4000), seed=0).sum(axis=0)
    assert votes.argmax() == EMOTIONS.index(emotion)


def test_the_crowd_resembles_that_of_ferplus():
    """The figures that the model's numbers were set to meet, against the recorded ones."""
    cleaned = clean_votes(load("synthetic", count=2000).votes)
    known = dataset_summary.recorded().values
    levels = np.bincount(complexity(cleaned.distribution), minlength=9)[1:] / cleaned.keep.sum()
    np.testing.assert_allclose(levels, np.array(known["by_complexity_sum"]) / known["kept_sum"], atol=0.05)
    assert has_tie(cleaned.distribution).mean() == pytest.approx(known["tie_rate"], abs=0.02)


@pytest.mark.parametrize("count", [0, 256])
def test_refuses(count):
    with pytest.raises(ConfigError, match="raters"):
        raters.vote(pure("fear", 1), np.ones(1), seed=0, raters=count)


def fleiss_twin(counts):
    """Fleiss (1971), sum by sum."""
    faces, raters = len(counts), sum(counts[0])
    per_face = [(sum(c * c for c in row) - raters) / (raters * (raters - 1)) for row in counts]
    share = [sum(row[k] for row in counts) / (faces * raters) for k in range(len(counts[0]))]
    observed, expected = sum(per_face) / faces, sum(p * p for p in share)
    return (observed - expected) / (1 - expected)


def test_kappa_matches_its_twin_and_lies_in_its_interval():
    counts = raters.tally(raters.rate_intensity(np.linspace(0, 1, 60), seed=0), len(raters.RANKS))
    found = raters.agreement(counts, seed=0, resamples=200)
    assert found.kappa == pytest.approx(fleiss_twin(counts.tolist()))
    assert found.low < found.kappa < found.high


def test_kappa_at_its_ends():
    unanimous = np.array([[10, 0, 0], [0, 10, 0], [0, 0, 10]] * 5)
    assert raters.agreement(unanimous, seed=0).kappa == pytest.approx(1)
    chance = np.random.default_rng(0).multinomial(10, [1 / 3] * 3, 3000)
    assert raters.agreement(chance, seed=0, resamples=50).kappa == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("counts", [np.empty((0, 3)), [[1, 0], [0, 1]], [[2, 1], [1, 1]], [[3, 0], [3, 0]]])
def test_kappa_refuses_what_has_none(counts):
    with pytest.raises(ValueError, match=r"(ratings|one answer)"):
        raters.agreement(np.array(counts), seed=0)


def test_stronger_expressions_get_higher_ranks():
    ranks = raters.rate_intensity(np.repeat([0.2, 0.55, 0.9], 500), seed=1).reshape(3, -1)
    assert ranks.mean(axis=1).round().tolist() == [0, 1, 2]
    few = raters.rate_intensity(np.full(5, 0.5), seed=1)
    np.testing.assert_array_equal(raters.rate_intensity(np.full(50, 0.5), seed=1)[:5], few)
    with pytest.raises(ConfigError, match="raters"):
        raters.rate_intensity(np.ones(3), seed=0, raters=1)


def test_majority_reports_ties():
    ratings = np.array([[0, 0, 1, 2], [0, 0, 1, 1], [2, 2, 2, 2]])
    counts = raters.tally(ratings, 3)
    assert counts.tolist() == [[2, 1, 1], [2, 2, 0], [0, 0, 4]]
    label, tied = raters.majority(counts)
    assert label.tolist() == [0, 0, 2]
    assert tied.tolist() == [False, True, False]
