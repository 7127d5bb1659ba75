"""What a description tells of other people's answers: faces whose answers follow from known things."""

from types import SimpleNamespace

import numpy as np
import pytest

from ferbook.claims.claim import Verdict
from ferbook.faces.emotions import EMOTIONS, VOTE_COLUMNS
from ferbook.papers.vad import descriptions
from tests.conftest import REAL_DATA, needs
from tests.unit.claiming import judged

FACES = 400
LEVELS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
ANGER, FEAR, HAPPINESS = (EMOTIONS.index(name) for name in ("anger", "fear", "happiness"))


@pytest.fixture
def one_strength(monkeypatch):
    """Choosing the penalty takes most of the time."""
    monkeypatch.setattr(descriptions, "STRENGTHS", (1.0,))


def annotated(answer, vad, category=None):
    """Faces with V, A, D and ten votes each, most of them for `answer`; the category is the answer, or given."""
    rng = np.random.default_rng(1)
    votes = np.zeros((len(answer), len(VOTE_COLUMNS)), dtype=np.uint8)
    chances = 0.8 * np.eye(8)[answer] + 0.2 / 8
    votes[:, :8] = [rng.multinomial(10, row) for row in chances]
    distribution = np.eye(8)[answer if category is None else category]
    images = np.arange(len(answer), dtype=np.uint16)[:, None, None]
    return SimpleNamespace(votes=votes, vad=vad, distribution=distribution, images=images, subject=None)


def told(found):
    return {one["beside"]: one["bits"] for one in found["more"]}


def drawn(seed=0):
    rng = np.random.default_rng(seed)
    return rng, rng.choice(LEVELS, (FACES, 3))


def test_dominance_that_alone_tells_anger_from_fear_adds_to_valence_and_arousal(one_strength):
    rng, vad = drawn()
    answer = np.where(vad[:, 2] > 0, ANGER, FEAR)
    found = told(descriptions.measured(annotated(answer, vad, category=rng.integers(0, 3, FACES))))
    assert found["V and A"][1] > 0.2
    # The category is drawn at random: another face's dominance tells nothing, nor does the category.
    assert found["V, A and another's D"][1] > 0.2 and found["the category"][1] > 0.2


def test_dominance_that_says_no_more_than_the_category_is_told_from_one_that_does(one_strength):
    """Annotators who put the category into dominance: another face's dominance tells as much."""
    rng, vad = drawn()
    answer = rng.choice([ANGER, FEAR], FACES)
    vad[:, 2] = np.where(answer == ANGER, rng.choice([0.5, 1.0], FACES), rng.choice([-0.5, -1.0], FACES))
    found = told(descriptions.measured(annotated(answer, vad)))
    assert found["V and A"][1] > 0.2
    low, high = found["V, A and another's D"][1:]
    assert low < 0 < high or abs(low) < 0.01


def test_dominance_that_is_drawn_at_random_adds_nothing(one_strength):
    _, vad = drawn()
    answer = np.where(vad[:, 0] > 0, HAPPINESS, FEAR)
    gain, low, _ = told(descriptions.measured(annotated(answer, vad)))["V and A"]
    assert low < 0 and gain < 0.01


def test_two_axes_are_known_together_not_only_one_by_one(one_strength):
    """Where equal signs of V and A mean one thing and unequal ones another, neither tells anything alone."""
    _, vad = drawn()
    answer = np.where((vad[:, 0] > 0) == (vad[:, 1] > 0), HAPPINESS, FEAR)
    assert descriptions.measured(annotated(answer, vad))["bits"]["V and A"][1] > 0.2


def test_faces_without_an_answer_are_left_out_and_missing_values_refused(one_strength):
    _, vad = drawn()
    faces = annotated(np.where(vad[:, 2] > 0, ANGER, FEAR), vad)
    faces.votes[:3, :8] = 0
    assert descriptions.measured(faces)["faces"] == FACES - 3
    faces.vad[5, 1] = np.nan
    with pytest.raises(ValueError, match="complete"):
        descriptions.measured(faces)


def test_the_penalty_is_chosen_by_what_is_forecast_best(monkeypatch):
    """A weak one where the description tells the answer, a strong one where it tells nothing."""
    monkeypatch.setattr(descriptions, "STRENGTHS", (1e-3, 1.0))
    rng = np.random.default_rng(0)
    answers, fold = np.eye(8)[rng.integers(0, 2, 120)], np.arange(120) % 4
    for levels, best in ((answers.argmax(axis=1).astype(str), 1.0), (rng.integers(0, 30, 120).astype(str), 1e-3)):
        assert descriptions.chosen(levels[:, None], answers, fold) == best


def test_pairs_of_columns_and_values_handed_out_within_groups():
    both = descriptions.with_pairs([np.array(["1", "2"]), np.array(["a", "b"])])
    assert both.tolist() == [["1", "a", "1|a"], ["2", "b", "2|b"]]
    group, values = np.arange(60) % 3, np.arange(60)
    found = descriptions.within(group, values, np.random.default_rng(0))
    assert (found % 3 == group).all() and sorted(found) == list(values) and (found != values).any()


def test_what_descriptions_tell_is_shown_and_decides_nothing():
    from ferbook.core import records

    stored = records.read(descriptions.RECORD)["values"]
    found = judged("what descriptions tell", "more complete")
    assert found.verdict is Verdict.UNCHECKED
    for one in stored["more"][:2]:
        assert f"{one['bits'][0]:+.3f} ({one['bits'][1]:+.3f} to {one['bits'][2]:+.3f})" in found.outcome.detail


@needs("vad_fer2013")
def test_the_record_is_what_the_annotations_give(one_strength):
    """With the one penalty of these tests the differences are nearly those recorded."""
    from ferbook.core import records
    from ferbook.datasets import fer2013_vad

    stored = records.read(descriptions.RECORD)["values"]
    found = descriptions.measured(fer2013_vad.load(REAL_DATA, images="ferplus"))
    assert found["faces"] == stored["faces"] and found["unknown"] == pytest.approx(stored["unknown"])
    for one, other in zip(found["more"], stored["more"], strict=True):
        assert one["beside"] == other["beside"]
        assert one["bits"][0] == pytest.approx(other["bits"][0], abs=0.02)
