"""What few annotators say: crowds whose truth is known, and the checks that read the record."""

from types import SimpleNamespace

import numpy as np
import pytest

from ferbook.claims.claim import Evidence, Verdict
from ferbook.faces.emotions import VOTE_COLUMNS
from ferbook.papers.nhot import minor_votes, vote_checks
from tests.conftest import needs_ferplus
from tests.unit.claiming import judged

FACES = 1500


def crowds(minor, rate=0.25):
    """Two copies of each of some pictures, each with ten votes: three main emotions, and `minor` for what else is said.

    Parameters
    ----------
    minor: (FACES, 8) chances of an emotion besides the main one.
    rate: of such answers, for all faces or for each (FACES, 1).
    """
    rng = np.random.default_rng(0)
    main = rng.integers(0, 3, FACES)
    chances = (1 - rate) * np.eye(8)[main] + rate * minor
    votes = np.zeros((2 * FACES, len(VOTE_COLUMNS)), dtype=np.uint8)
    votes[:, :8] = [rng.multinomial(10, row) for row in np.concatenate([chances, chances])]
    images = np.concatenate([np.arange(FACES), np.arange(FACES)]).astype(np.uint16)[:, None, None]
    return SimpleNamespace(votes=votes, images=images)


def test_votes_that_know_the_face_recur_and_make_the_label_better():
    found = minor_votes.measured(crowds(np.eye(8)[np.random.default_rng(1).integers(3, 8, FACES)]))
    assert found["minor"]["pictures"] == FACES and found["minor"]["all"]["gain"][1] > 0.2
    assert found["outlying"]["every single vote"]["difference"][1] > 0


@pytest.mark.parametrize("rate", ["the same", "none or many", "any"])
def test_slips_of_attention_recur_by_chance_and_leaving_them_out_costs_nothing(rate):
    """Any emotion at random, more often on some faces than on others: no second look at the picture tells which."""
    draw = np.random.default_rng(1)
    rates = {"the same": 0.25, "none or many": draw.choice([0, 0.2], (FACES, 1)), "any": draw.beta(1, 3, (FACES, 1))}
    found = minor_votes.measured(crowds(np.full((FACES, 8), 1 / 8), rates[rate]))
    assert found["minor"]["all"]["gain"][0] == pytest.approx(0, abs=0.03)
    for rule in minor_votes.RULES:
        assert found["outlying"][rule]["difference"][0] < 0.0003


@needs_ferplus
def test_the_record_is_what_ferplus_gives(real_ferplus):
    from ferbook.core import records

    again = minor_votes.measured(real_ferplus)
    kept = records.read(minor_votes.RECORD)["values"]
    assert again["outlying"]["error"] == pytest.approx(kept["outlying"]["error"])
    assert again["minor"]["1"]["gain"] == pytest.approx(kept["minor"]["1"]["gain"])


@pytest.mark.parametrize(
    ("ends", "verdict"),
    [
        ([(0.1, 0.05, 0.2), (0.1, 0.05, 0.2)], Verdict.HOLDS),
        ([(0.1, 0.05, 0.2), (-0.1, -0.2, -0.05)], Verdict.FAILS),
        ([(0.1, 0.05, 0.2), (0.0, -0.1, 0.1)], Verdict.UNCHECKED),
    ],
)
def test_one_rule_that_helps_is_enough_against_single_votes_and_all_must_harm(monkeypatch, ends, verdict):
    by_rule = {name: {"difference": three} for name, three in zip(minor_votes.RULES, ends, strict=True)}
    outlying = {"error": 0.4, "faces": 3, **by_rule}
    monkeypatch.setattr(vote_checks, "records", SimpleNamespace(read=lambda name: {"values": {"outlying": outlying}}))
    assert judged("labels with single votes", "better").verdict is verdict


@pytest.mark.parametrize(("low", "verdict"), [(0.05, Verdict.HOLDS), (-0.05, Verdict.UNCHECKED)])
def test_minor_votes_are_judged_by_their_interval(monkeypatch, low, verdict):
    entry = {"again": 0.6, "elsewhere": 0.5, "answers": 9, "gain": (0.1, low, 0.2)}
    minor = {"pictures": 5, "all": entry}
    monkeypatch.setattr(vote_checks, "records", SimpleNamespace(read=lambda name: {"values": {"minor": minor}}))
    found = judged("minor votes again", "0", "more than")
    assert found.verdict is verdict and found.outcome.evidence is Evidence.SAME_DATA
