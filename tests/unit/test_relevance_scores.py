"""Scores of intensity ranks, against scikit-learn and against literal counting."""

import numpy as np
import pytest
import torch
from sklearn import metrics
from torch import nn

from ferbook.faces import raters
from ferbook.faces.emotions import EMOTIONS
from ferbook.papers.relevance import rank_scores, tables
from ferbook.relevance.intensity import Faces

MATRIX = np.array([[5, 2, 0], [1, 7, 3], [0, 4, 8]])


def test_pairs_are_the_faces_behind_a_matrix():
    known, given = rank_scores.pairs(MATRIX)
    assert len(known) == MATRIX.sum()
    assert np.array_equal(metrics.confusion_matrix(known, given), MATRIX)


def test_scores_by_class_are_counted_one_by_one():
    found = rank_scores.by_class({"anger": MATRIX}).set_index("rank")
    known, given = rank_scores.pairs(MATRIX)
    for place, name in enumerate(raters.RANKS):
        both = sum(k == g == place for k, g in zip(known, given, strict=True))
        named, true = (given == place).sum(), (known == place).sum()
        row = found.loc[name]
        assert row["faces"] == true
        assert row["precision"] == pytest.approx(both / named)
        assert row["recall"] == pytest.approx(both / true)
        assert row["f1"] == pytest.approx(2 * both / (named + true))
        agreed = sum((k == place) == (g == place) for k, g in zip(known, given, strict=True))
        assert row["accuracy"] == pytest.approx(agreed / len(known))


def test_a_rank_that_is_never_given_has_no_precision():
    found = rank_scores.by_class({"fear": np.array([[3, 0, 0], [2, 0, 0], [5, 0, 0]])}).set_index("rank")
    assert found.loc["minimal", "precision"] == 0.3 and found.loc["minimal", "recall"] == 1
    assert np.isnan(found.loc["strong", "precision"]) and found.loc["strong", "recall"] == 0


def test_agreement_leaves_out_chance():
    always = rank_scores.agreement(np.array([[0, 10, 0], [0, 70, 0], [0, 20, 0]]))
    assert always == pytest.approx({"accuracy": 0.7, "mean recall": 1 / 3, "kappa": 0.0})
    assert rank_scores.agreement(np.diag([3, 4, 5])) == {"accuracy": 1, "mean recall": 1, "kappa": 1}
    # Twin: one less the mean squared distance, divided by that of independent draws.
    share = MATRIX / MATRIX.sum()
    far = np.subtract.outer(np.arange(3), np.arange(3)) ** 2
    chance = np.outer(share.sum(1), share.sum(0))
    assert rank_scores.agreement(MATRIX)["kappa"] == pytest.approx(1 - (far * share).sum() / (far * chance).sum())


def test_cuts_give_each_rank_the_share_it_has():
    rng = np.random.default_rng(0)
    ranked = rng.choice(3, 4000, p=[0.2, 0.5, 0.3])
    found = rank_scores.cut(rng.normal(size=4000), rng.normal(size=4000), ranked)
    assert np.bincount(found) / 4000 == pytest.approx([0.2, 0.5, 0.3], abs=0.03)
    assert rank_scores.cut(np.array([-9.0, 9.0]), rng.normal(size=4000), ranked).tolist() == [0, 2]


def test_truth_is_the_majority_of_the_annotators():
    assert rank_scores.truth(np.array([0.1, 0.55, 0.98])).tolist() == [0, 1, 2]


def shining(count, seed):
    """Pictures of noise, whose brightness is their intensity, and which all show anger; some are dark and neutral."""
    rng = np.random.default_rng(seed)
    strength = rng.uniform(0.2, 1, count)
    labels = np.where(np.arange(count) < count - 20, EMOTIONS.index("anger"), 0)
    strength[labels == 0] = 0
    images = torch.from_numpy(rng.uniform(0.8, 1, (count, 1, 8, 8)) * strength[:, None, None, None]).float()
    return Faces(images, torch.from_numpy(labels), strength)


def test_a_network_whose_logit_is_intensity_is_ranked_right_by_its_logit_and_not_by_its_relevance():
    convolution = nn.Conv2d(1, 1, 1)
    convolution.weight.data.fill_(1.0)
    convolution.bias.data.zero_()
    last = nn.Linear(64, 8)
    last.weight.data.zero_()
    last.weight.data[EMOTIONS.index("anger")] = 1 / 64
    last.bias.data.zero_()
    last.bias.data[0] = 0.1
    network = nn.Sequential(convolution, nn.ReLU(), nn.Flatten(), last).eval()
    found = rank_scores.ranked(network, shining(300, 0), shining(300, 1))
    assert list(found)[-3:] == list(rank_scores.PLAIN)
    assert all(list(by) == ["anger"] and by["anger"].sum() == 280 for by in found.values())
    assert rank_scores.agreement(found["logit cut in three"]["anger"])["kappa"] > 0.9
    assert rank_scores.agreement(found["z_plus, as tabulated"]["anger"])["kappa"] < 0.2
    printed = found["as printed"]["anger"]
    assert printed[:, :2].sum() == 0 and printed[:, 2].sum() == 280
    assert (found["always the same rank"]["anger"].sum(axis=0) > 0).sum() == 1


def test_annotators_rate_every_face_whatever_the_network_names_right(monkeypatch):
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Flatten(), nn.Linear(64, 8)).eval()
    rated, honest = [], rank_scores.truth
    monkeypatch.setattr(rank_scores, "truth", lambda *given: rated.append(given[0]) or honest(*given))
    test, other = shining(100, 0), shining(60, 1)
    for named in (30, 80):
        right = np.arange(100) < named
        monkeypatch.setattr(rank_scores, "_correct", lambda _, faces, r=right: r[: len(faces.labels)])
        rank_scores.ranked(network, test, other)
    assert np.array_equal(rated[0], np.concatenate([test.intensity, other.intensity]))
    assert np.array_equal(rated[0], rated[1])


def test_printed_scores_have_our_names():
    found = rank_scores.printed_f1()
    assert found.shape == (18, 4)
    assert set(found.index.get_level_values(0)) <= set(EMOTIONS)
    assert set(found.index.get_level_values(1)) == set(raters.RANKS)
    assert found.loc[("sadness", "average"), "JAFFE"] == 0.5
    assert list(found) == list(tables.SCORE_TABLES.values())


def test_one_small_matrix_per_emotion():
    figure = rank_scores.matrices({"anger": MATRIX, "fear": MATRIX, "disgust": MATRIX * 0})
    shown = [axis for axis in figure.axes if axis.images]
    assert [axis.get_title() for axis in shown] == ["anger", "fear", "disgust"]
    assert [text.get_text() for text in shown[0].texts] == [str(value) for value in MATRIX.ravel()]
